#pragma once

#include <string>

#include "ops/base/status.h"
#include "state/expression/program.h"

namespace hilo::expression {

// The error of Evaluate for a value of kind kError, and its message alone.
Status FailureStatus(const Expression::Program& program, const Value& error);
std::string FailureWords(const Expression::Program& program, const Value& error);

}  // namespace hilo::expression
