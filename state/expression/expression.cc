#include "state/expression/expression.h"

#include <utility>

#include "absl/strings/cord.h"
#include "state/expression/checker.h"
#include "state/expression/evaluation.h"
#include "state/expression/failure.h"
#include "state/expression/problem.h"
#include "state/expression/program.h"
#include "state/expression/syntax.h"
#include "state/expression/text.h"

namespace hilo::expression {
namespace {

constexpr char kPositionUrl[] = "hilo/expression-position";

Position PositionIn(std::string_view source, uint32_t at) {
  const std::string_view before = source.substr(0, at);
  Position position;
  size_t line_begin = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] != '\n') continue;
    ++position.line;
    line_begin = i + 1;
  }
  position.column = 1 + static_cast<uint32_t>(CodePoints(before.substr(line_begin)));
  return position;
}

}  // namespace

Status ToStatus(const Problem& problem, std::string_view source) {
  const Position position = PositionIn(source, problem.at);
  const std::string at = std::to_string(position.line) + ":" + std::to_string(position.column);
  Status status = Error(StatusCode::kInvalidArgument, problem.reason,
                        "line " + std::to_string(position.line) + ", column " +
                            std::to_string(position.column) + ": " + problem.message);
  status.SetPayload(kPositionUrl, absl::Cord(at));
  return status;
}

std::optional<Position> PositionOf(const Status& error) {
  const auto payload = error.GetPayload(kPositionUrl);
  if (!payload) return std::nullopt;
  const std::string at(*payload);
  const size_t colon = at.find(':');
  return Position{static_cast<uint32_t>(std::stoul(at)),
                  static_cast<uint32_t>(std::stoul(at.substr(colon + 1)))};
}

StatusOr<Expression> Expression::Compile(std::string_view source, const Schema& schema,
                                         const Options& options) {
  Problem problem;
  const std::optional<Syntax> syntax = Parse(source, options.limits, problem);
  if (!syntax) return ToStatus(problem, source);
  auto program = Check(*syntax, source, schema, options, problem);
  if (program == nullptr) return ToStatus(problem, source);
  return Expression(std::move(program));
}

StatusOr<Value> Expression::Evaluate(const Activation& activation, Budget& budget) const {
  Evaluation evaluation(*program_, &activation, budget.left());
  Value value = evaluation.Run(program_->root);
  budget.Spend(budget.left() - evaluation.left());
  if (value.kind() == Kind::kError) return FailureStatus(*program_, value);
  return value;
}

StatusOr<bool> Expression::Test(const Activation& activation, Budget& budget) const {
  Evaluation evaluation(*program_, &activation, budget.left());
  const Value value = evaluation.Run(program_->root);
  budget.Spend(budget.left() - evaluation.left());
  if (value.kind() == Kind::kBool) return value.AsBool();
  if (value.kind() == Kind::kError) return FailureStatus(*program_, value);
  return Error(StatusCode::kInvalidArgument, "no_such_overload",
               "the condition yielded neither true nor false");
}

const std::string& Expression::source() const { return program_->source; }
const Type& Expression::type() const { return program_->type; }
const std::vector<size_t>& Expression::variables() const { return program_->variables; }

}  // namespace hilo::expression
