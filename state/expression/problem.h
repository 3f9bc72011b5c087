#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ops/base/status.h"

namespace hilo::expression {

// What is wrong with a source, where. `reason`: expression_syntax, expression_type,
// expression_limit.
struct Problem {
  uint32_t at = 0;  // bytes from the beginning of the source
  std::string_view reason;
  std::string message;
};

// The error of Compile for it.
Status ToStatus(const Problem& problem, std::string_view source);

}  // namespace hilo::expression
