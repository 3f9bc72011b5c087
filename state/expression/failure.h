#pragma once

#include "ops/base/status.h"
#include "state/expression/program.h"

namespace hilo::expression {

// The error of Evaluate for a value of kind kError.
Status FailureStatus(const Expression::Program& program, const Value& error);

}  // namespace hilo::expression
