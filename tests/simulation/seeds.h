#pragma once

#include <cstdint>
#include <cstdlib>

namespace hilo::simulation {

// Which seeds a simulation runs: HILO_SEED=n that one alone, with its story; else HILO_SEEDS many
// (any number) from HILO_FIRST_SEED on.
struct Seeds {
  uint64_t first = 0;
  uint64_t count = 0;
  bool story = false;
};

inline Seeds SeedsFromEnvironment(uint64_t count) {
  const auto number = [](const char* name, uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr || *text == '\0' ? otherwise : std::strtoull(text, nullptr, 10);
  };
  if (const char* one = std::getenv("HILO_SEED"); one != nullptr && *one != '\0') {
    return {.first = number("HILO_SEED", 0), .count = 1, .story = true};
  }
  return {.first = number("HILO_FIRST_SEED", 0), .count = number("HILO_SEEDS", count)};
}

}  // namespace hilo::simulation
