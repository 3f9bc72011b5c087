#include "state/expression/failure.h"

#include <string>
#include <string_view>

#include "state/expression/evaluation.h"

namespace hilo::expression {

Status FailureStatus(const Expression::Program& program, const Value& error) {
  const uint32_t node = Evaluation::NodeOf(error);
  const std::string where = "'" + std::string(program.Source(node).substr(0, 200)) + "' ";
  const auto invalid = [&](std::string_view reason, std::string_view what) {
    return Error(StatusCode::kInvalidArgument, reason, where + std::string(what));
  };
  const auto range = [&](std::string_view reason, std::string_view what) {
    return Error(StatusCode::kOutOfRange, reason, where + std::string(what));
  };
  switch (Evaluation::FailureOf(error)) {
    case Failure::kBudget:
      return Error(
          StatusCode::kFailedPrecondition, "expression_budget",
          "the condition takes more steps than one may; make its lists shorter or split it");
    case Failure::kNotKnown:
      return range("not_known", "is not known; ask has(…) first");
    case Failure::kNoSuchKey:
      return range("no_such_key", "names a key that is not there");
    case Failure::kNoSuchIndex:
      return range("no_such_index", "names a place that the list has not");
    case Failure::kNoOverload:
      return invalid("no_such_overload", "met a value of a kind that it cannot take");
    case Failure::kDivisionByZero:
      return range("division_by_zero", "divides by zero");
    case Failure::kOverflow:
      return range("overflow", "leaves the range of its type");
    case Failure::kBadValue:
      return invalid("bad_value", "met a text that it cannot read");
    case Failure::kRepeatedKey:
      return invalid("bad_value", "has one key twice");
  }
  return invalid("no_such_overload", "failed");
}

}  // namespace hilo::expression
