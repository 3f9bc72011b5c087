#pragma once

#include <array>
#include <cstdint>

#include "state/types/ids.h"

namespace hilo::keys {

// A subject of its own for each number, spread as hashes are.
inline SubjectId Subject(uint64_t number) {
  std::array<uint8_t, SubjectId::kSize> bytes{};
  uint64_t spread = number * 0x9e3779b97f4a7c15u + 1;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(spread >> 8 * i);
    bytes[8 + i] = static_cast<uint8_t>(number >> 8 * i);
  }
  return SubjectId(bytes);
}

}  // namespace hilo::keys
