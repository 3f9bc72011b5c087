#include "ops/keys/opened_bytes.h"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace hilo::keys {

OpenedBytes::OpenedBytes(std::string_view bytes)
    : bytes_(new char[bytes.size()]), size_(bytes.size()) {
  std::copy(bytes.begin(), bytes.end(), bytes_.get());
}

OpenedBytes::OpenedBytes(OpenedBytes&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

OpenedBytes& OpenedBytes::operator=(OpenedBytes&& other) noexcept {
  if (this == &other) return *this;
  Wipe();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void OpenedBytes::Wipe() {
  if (bytes_ != nullptr) sodium_memzero(bytes_.get(), size_);
}

}  // namespace hilo::keys
