#pragma once

#include <memory>

#include "state/expression/problem.h"
#include "state/expression/program.h"
#include "state/expression/syntax.h"

namespace hilo::expression {

// Gives every name its number and every part its type, and writes the program; null, with the
// problem filled in, when something does not fit.
std::shared_ptr<const Expression::Program> Check(const Syntax& syntax, std::string_view source,
                                                 const Schema& schema, const Options& options,
                                                 Problem& problem);

}  // namespace hilo::expression
