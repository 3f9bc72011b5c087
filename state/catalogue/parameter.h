#pragma once

#include <cstdint>
#include <string>

namespace hilo::catalogue {

// A named figure that conditions read as `parameters.NAME`.
struct Parameter {
  enum class Kind : uint8_t {
    kInteger,   // CEL int
    kDuration,  // CEL duration
    kPercent,   // CEL int, 0 to 100
  };
  std::string name;  // also a word of CEL: no "-" or "."
  Kind kind = Kind::kInteger;
  int64_t value = 0;  // a duration in microseconds
};

}  // namespace hilo::catalogue
