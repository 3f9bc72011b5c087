#include <optional>
#include <string>
#include <utility>

#include "state/expression/evaluation.h"
#include "state/expression/expression.h"
#include "state/expression/failure.h"
#include "state/expression/program.h"

namespace hilo::expression {
namespace {

constexpr size_t kTextBytes = 120;

Part PartOf(Op op) {
  switch (op) {
    case Op::kConstant:
      return Part::kConstant;
    case Op::kVariable:
    case Op::kVariableField:
    case Op::kLocal:
    case Op::kField:
    case Op::kKey:
      return Part::kName;
    case Op::kHasField:
    case Op::kHasKey:
      return Part::kHas;
    case Op::kAnd:
      return Part::kAnd;
    case Op::kOr:
      return Part::kOr;
    case Op::kNot:
      return Part::kNot;
    case Op::kChoice:
      return Part::kChoice;
    case Op::kEqual:
    case Op::kNotEqual:
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      return Part::kCompare;
    case Op::kIn:
      return Part::kIn;
    case Op::kMacro:
      return Part::kMacro;
    default:
      return Part::kOther;
  }
}

std::string_view NameOfOp(const Node& node) {
  switch (node.op) {
    case Op::kEqual:
      return "==";
    case Op::kNotEqual:
      return "!=";
    case Op::kLess:
      return "<";
    case Op::kLessEqual:
      return "<=";
    case Op::kGreater:
      return ">";
    case Op::kGreaterEqual:
      return ">=";
    case Op::kIn:
      return "in";
    case Op::kMacro:
      break;
    default:
      return "";
  }
  switch (static_cast<Macro>(node.detail)) {
    case Macro::kAll:
      return "all";
    case Macro::kExists:
      return "exists";
    case Macro::kExistsOne:
      return "exists_one";
    case Macro::kFilter:
      return "filter";
    case Macro::kMap:
      return "map";
    case Macro::kTransformList:
      return "transformList";
    case Macro::kTransformMap:
      return "transformMap";
  }
  return "";
}

Outcome OutcomeOf(const Value& value) {
  switch (value.kind()) {
    case Kind::kAbsent:
      return Outcome::kNotNeeded;
    case Kind::kError:
      return Outcome::kError;
    case Kind::kBool:
      return value.AsBool() ? Outcome::kTrue : Outcome::kFalse;
    default:
      return Outcome::kValue;
  }
}

// Depth is that of the program, which Compile bounds.
Trace Build(const Expression::Program& program, const Record& record, uint32_t index) {
  const Node& node = program.nodes[index];
  const NodeSource& source = program.sources[index];
  const Value& value = record.values[index];
  Trace trace;
  trace.part = PartOf(node.op);
  trace.outcome = OutcomeOf(value);
  trace.begin = source.begin;
  trace.end = source.end;
  trace.source = std::string(program.Source(index));
  trace.op = std::string(NameOfOp(node));
  if (trace.outcome == Outcome::kError) {
    const Status failure = FailureStatus(program, value);
    trace.reason = Reason(failure);
    trace.text = std::string(failure.message());
  } else if (trace.outcome != Outcome::kNotNeeded) {
    trace.text = ToText(value, kTextBytes);
  }
  if (source.label != 0) {
    trace.label_en = program.labels[source.label - 1].en;
    trace.label_es = program.labels[source.label - 1].es;
  }
  const Value& witness = record.witnesses[index];
  // A struct does not know the names of its fields.
  if (!witness.absent() && witness.kind() != Kind::kStruct)
    trace.witness = ToText(witness, kTextBytes);
  // The inside of a macro was evaluated once for each element: only what it goes through is shown.
  const uint32_t shown = node.op == Op::kMacro ? 1 : node.count;
  for (uint32_t i = 0; i < shown; ++i) {
    trace.parts.push_back(Build(program, record, program.operands[node.first + i]));
  }
  return trace;
}

}  // namespace

Trace Expression::Explain(const Activation& activation, Budget& budget) const {
  Record record;
  Evaluation evaluation(*program_, &activation, budget.left(), &record);
  evaluation.Run(program_->root);
  budget.Spend(budget.left() - evaluation.left());
  return Build(*program_, record, program_->root);
}

}  // namespace hilo::expression
