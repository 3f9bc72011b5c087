#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace hilo::keys {

// Bytes in which something opened stands, for who has to keep them longer than one use takes:
// wiped when they go. Not kept out of swap: what is kept is bounded by who keeps it, and locked
// memory is too scarce for it.
// **Threads**: immutable.
class OpenedBytes {
 public:
  OpenedBytes() = default;
  explicit OpenedBytes(std::string_view bytes);
  OpenedBytes(OpenedBytes&& other) noexcept;
  OpenedBytes& operator=(OpenedBytes&& other) noexcept;
  ~OpenedBytes() { Wipe(); }

  std::string_view view() const { return {bytes_.get(), size_}; }
  size_t size() const { return size_; }

 private:
  void Wipe();

  std::unique_ptr<char[]> bytes_;
  size_t size_ = 0;
};

}  // namespace hilo::keys
