#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/store/tables.h"

namespace hilo::store {

// Builds a row key: tag, then fixed-width parts, big-endian so that bytewise order is numeric
// order.
class KeyBuilder {
 public:
  explicit KeyBuilder(Table table) { key_.push_back(static_cast<char>(table)); }
  KeyBuilder& Raw(std::string_view bytes) {
    key_.append(bytes);
    return *this;
  }
  KeyBuilder& U8(uint8_t value) {
    key_.push_back(static_cast<char>(value));
    return *this;
  }
  KeyBuilder& U32(uint32_t value) { return BigEndian(value, 4); }
  KeyBuilder& U64(uint64_t value) { return BigEndian(value, 8); }
  // A signed time, so that earlier sorts first.
  KeyBuilder& Time(int64_t micros) {
    return U64(static_cast<uint64_t>(micros) ^ (uint64_t{1} << 63));
  }
  // A signed time, so that later sorts first.
  KeyBuilder& TimeDescending(int64_t micros) {
    return U64(~(static_cast<uint64_t>(micros) ^ (uint64_t{1} << 63)));
  }
  std::string Build() && { return std::move(key_); }
  std::string Build() const& { return key_; }

 private:
  KeyBuilder& BigEndian(uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
      key_.push_back(static_cast<char>(value >> shift));
    return *this;
  }
  std::string key_;
};

}  // namespace hilo::store
