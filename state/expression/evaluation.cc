#include "state/expression/evaluation.h"

#include <cmath>
#include <limits>
#include <optional>

#include "state/expression/equality.h"

namespace hilo::expression {

Evaluation::Evaluation(const Expression::Program& program, const Activation* activation,
                       uint64_t steps, Record* record)
    : program_(program),
      activation_(activation),
      left_(steps),
      record_(record),
      locals_(program.locals) {
  if (record_ != nullptr) {
    record_->values.assign(program.nodes.size(), Value());
    record_->witnesses.assign(program.nodes.size(), Value());
  }
}

Value Evaluation::RunRecorded(uint32_t index) {
  Value value = Step(index);
  if (inside_macro_ == 0) record_->values[index] = value;
  return value;
}

Value Evaluation::Step(uint32_t index) {
  if (left_ == 0) return Fail(Failure::kBudget, index);
  --left_;
  const Node& node = program_.nodes[index];
  switch (node.op) {
    case Op::kConstant:
      return Borrow(program_.constants[node.a]);
    case Op::kVariable:
      return Variable(node.a, index);
    case Op::kVariableField:
      return FieldOf(Variable(node.a, index), node.b, index);
    case Op::kLocal:
      return locals_[node.a];
    case Op::kField:
      return FieldOf(Run(Operand(node, 0)), node.a, index);
    case Op::kKey:
      return KeyOf(Run(Operand(node, 0)), program_.constants[node.a], index);
    case Op::kHasField:
    case Op::kHasKey:
      return Has(node, index);
    case Op::kIndex:
      return Index(node, index);
    case Op::kIn:
      return In(node, index);
    case Op::kAnd:
      return Both(node, index, false);
    case Op::kOr:
      return Both(node, index, true);
    case Op::kNot:
      return Not(node, index);
    case Op::kChoice:
      return Choice(node, index);
    case Op::kEqual:
    case Op::kNotEqual:
      return Equality(node, index);
    case Op::kLess:
    case Op::kLessEqual:
    case Op::kGreater:
    case Op::kGreaterEqual:
      return Order(node, index);
    case Op::kAdd:
    case Op::kSubtract:
    case Op::kMultiply:
    case Op::kDivide:
    case Op::kModulo:
      return Arithmetic(node, index);
    case Op::kNegate:
      return Negate(node, index);
    case Op::kList:
      return MakeList(node, index);
    case Op::kMap:
      return MakeMap(node, index);
    case Op::kCall:
      return Call(node, index);
    case Op::kMacro:
      return RunMacro(node, index);
  }
  return Fail(Failure::kNoOverload, index);
}

Value Evaluation::Variable(uint32_t number, uint32_t index) {
  Value value = activation_ == nullptr ? Value() : activation_->Variable(number);
  if (value.absent()) return Fail(Failure::kNotKnown, index);
  return value;
}

Value Evaluation::FieldOf(const Value& operand, uint32_t number, uint32_t index) {
  if (operand.kind() != Kind::kStruct) {
    return Failed(operand) ? operand : Fail(Failure::kNoOverload, index);
  }
  Value value = operand.AsStruct().Field(number);
  if (value.absent()) return Fail(Failure::kNotKnown, index);
  return value;
}

Value Evaluation::KeyOf(const Value& operand, const Value& key, uint32_t index) {
  if (operand.kind() != Kind::kMap) {
    return Failed(operand) ? operand : Fail(Failure::kNoOverload, index);
  }
  Value value = operand.AsMap().Find(key);
  if (value.absent()) return Fail(Failure::kNoSuchKey, index);
  return value;
}

Value Evaluation::Has(const Node& node, uint32_t index) {
  const Value operand = Run(Operand(node, 0));
  if (Failed(operand)) {
    // What is not known has no fields that are.
    if (node.op == Op::kHasField && FailureOf(operand) == Failure::kNotKnown) {
      return Value::Bool(false);
    }
    return operand;
  }
  if (node.op == Op::kHasField && operand.kind() == Kind::kStruct) {
    return Value::Bool(!operand.AsStruct().Field(node.a).absent());
  }
  if (node.op == Op::kHasKey && operand.kind() == Kind::kMap) {
    return Value::Bool(!operand.AsMap().Find(program_.constants[node.a]).absent());
  }
  return Fail(Failure::kNoOverload, index);
}

Value Evaluation::Index(const Node& node, uint32_t index) {
  const Value operand = Run(Operand(node, 0));
  if (Failed(operand)) return operand;
  const Value at = Run(Operand(node, 1));
  if (Failed(at)) return at;
  if (operand.kind() == Kind::kMap) return KeyOf(operand, at, index);
  if (operand.kind() != Kind::kList) return Fail(Failure::kNoOverload, index);
  if (!IsNumber(at.kind())) return Fail(Failure::kNoOverload, index);
  const std::optional<Value> whole = AsKey(at);
  const List& list = operand.AsList();
  if (!whole || whole->kind() != Kind::kInt || whole->AsInt() < 0 ||
      static_cast<uint64_t>(whole->AsInt()) >= list.size()) {
    return Fail(Failure::kNoSuchIndex, index);
  }
  return list.At(static_cast<size_t>(whole->AsInt()));
}

Value Evaluation::In(const Node& node, uint32_t index) {
  const Value element = Run(Operand(node, 0));
  if (Failed(element)) return element;
  const Value container = Run(Operand(node, 1));
  if (Failed(container)) return container;
  if (container.kind() == Kind::kMap) {
    return Value::Bool(!container.AsMap().Find(element).absent());
  }
  if (container.kind() != Kind::kList) return Fail(Failure::kNoOverload, index);
  const List& list = container.AsList();
  for (size_t i = 0; i < list.size(); ++i) {
    const std::optional<bool> equal = EqualWithin(element, list.At(i), left_);
    if (!equal) return OutOfBudget(index);
    if (*equal) return Value::Bool(true);
  }
  return Value::Bool(false);
}

// && and ||: the operand that decides wins, wherever it stands and whatever the others do.
Value Evaluation::Both(const Node& node, uint32_t index, bool deciding) {
  Value failed;
  bool decided = false;
  for (uint32_t i = 0; i < node.count; ++i) {
    Value operand = Run(Operand(node, i));
    if (operand.kind() == Kind::kBool) {
      if (operand.AsBool() != deciding) continue;
      if (record_ == nullptr) return operand;
      decided = true;
    } else if (failed.absent()) {
      failed = Failed(operand) ? std::move(operand) : Fail(Failure::kNoOverload, index);
    }
  }
  if (left_ == 0 && !failed.absent() && FailureOf(failed) == Failure::kBudget) return failed;
  if (decided) return Value::Bool(deciding);
  return failed.absent() ? Value::Bool(!deciding) : failed;
}

Value Evaluation::Not(const Node& node, uint32_t index) {
  const Value operand = Run(Operand(node, 0));
  if (operand.kind() == Kind::kBool) return Value::Bool(!operand.AsBool());
  return Failed(operand) ? operand : Fail(Failure::kNoOverload, index);
}

Value Evaluation::Choice(const Node& node, uint32_t index) {
  const Value condition = Run(Operand(node, 0));
  if (condition.kind() == Kind::kBool) return Run(Operand(node, condition.AsBool() ? 1 : 2));
  return Failed(condition) ? condition : Fail(Failure::kNoOverload, index);
}

Value Evaluation::Equality(const Node& node, uint32_t index) {
  const bool wanted = node.op == Op::kEqual;
  const Value a = Run(Operand(node, 0));
  const Value b = Run(Operand(node, 1));
  if (a.kind() == Kind::kInt && b.kind() == Kind::kInt) {
    return Value::Bool((a.AsInt() == b.AsInt()) == wanted);
  }
  if (Failed(a)) return a;
  if (Failed(b)) return b;
  const std::optional<bool> equal = EqualWithin(a, b, left_);
  if (!equal) return OutOfBudget(index);
  return Value::Bool(*equal == wanted);
}

Value Evaluation::Order(const Node& node, uint32_t index) {
  const Value a = Run(Operand(node, 0));
  const Value b = Run(Operand(node, 1));
  std::partial_ordering order = std::partial_ordering::unordered;
  if (a.kind() == Kind::kInt && b.kind() == Kind::kInt) {
    order = a.AsInt() <=> b.AsInt();
  } else {
    if (Failed(a)) return a;
    if (Failed(b)) return b;
    const std::optional<std::partial_ordering> found = CompareValues(a, b);
    if (!found) return Fail(Failure::kNoOverload, index);
    if (a.kind() == Kind::kString && !SpendText(a.AsText().size())) return OutOfBudget(index);
    order = *found;
  }
  switch (node.op) {
    case Op::kLess:
      return Value::Bool(order < 0);
    case Op::kLessEqual:
      return Value::Bool(order <= 0);
    case Op::kGreater:
      return Value::Bool(order > 0);
    default:
      return Value::Bool(order >= 0);
  }
}

Value Evaluation::Arithmetic(const Node& node, uint32_t index) {
  const Value a = Run(Operand(node, 0));
  if (Failed(a)) return a;
  const Value b = Run(Operand(node, 1));
  if (Failed(b)) return b;
  const auto span = [](const Value& v) {
    return v.kind() == Kind::kTimestamp || v.kind() == Kind::kDuration;
  };
  if (span(a) && span(b)) return Spans(node.op, a, b, index);
  if (a.kind() != b.kind()) return Fail(Failure::kNoOverload, index);
  switch (a.kind()) {
    case Kind::kInt:
      return Whole(node.op, a.AsInt(), b.AsInt(), index);
    case Kind::kUint:
      return Natural(node.op, a.AsUint(), b.AsUint(), index);
    case Kind::kDouble:
      return Floating(node.op, a.AsDouble(), b.AsDouble(), index);
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kList:
      if (node.op == Op::kAdd) return Join(a, b, index);
      return Fail(Failure::kNoOverload, index);
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

Value Evaluation::Whole(Op op, int64_t a, int64_t b, uint32_t index) {
  int64_t result = 0;
  switch (op) {
    case Op::kAdd:
      if (__builtin_add_overflow(a, b, &result)) return Fail(Failure::kOverflow, index);
      return Value::Int(result);
    case Op::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) return Fail(Failure::kOverflow, index);
      return Value::Int(result);
    case Op::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) return Fail(Failure::kOverflow, index);
      return Value::Int(result);
    default:
      break;
  }
  if (b == 0) return Fail(Failure::kDivisionByZero, index);
  if (a == std::numeric_limits<int64_t>::min() && b == -1) return Fail(Failure::kOverflow, index);
  return Value::Int(op == Op::kDivide ? a / b : a % b);
}

Value Evaluation::Natural(Op op, uint64_t a, uint64_t b, uint32_t index) {
  uint64_t result = 0;
  switch (op) {
    case Op::kAdd:
      if (__builtin_add_overflow(a, b, &result)) return Fail(Failure::kOverflow, index);
      return Value::Uint(result);
    case Op::kSubtract:
      if (__builtin_sub_overflow(a, b, &result)) return Fail(Failure::kOverflow, index);
      return Value::Uint(result);
    case Op::kMultiply:
      if (__builtin_mul_overflow(a, b, &result)) return Fail(Failure::kOverflow, index);
      return Value::Uint(result);
    default:
      break;
  }
  if (b == 0) return Fail(Failure::kDivisionByZero, index);
  return Value::Uint(op == Op::kDivide ? a / b : a % b);
}

Value Evaluation::Floating(Op op, double a, double b, uint32_t index) {
  switch (op) {
    case Op::kAdd:
      return Value::Double(a + b);
    case Op::kSubtract:
      return Value::Double(a - b);
    case Op::kMultiply:
      return Value::Double(a * b);
    case Op::kDivide:
      return Value::Double(a / b);
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

Value Evaluation::Spans(Op op, const Value& a, const Value& b, uint32_t index) {
  const bool a_moment = a.kind() == Kind::kTimestamp;
  const bool b_moment = b.kind() == Kind::kTimestamp;
  const bool sum = op == Op::kAdd && !(a_moment && b_moment);
  const bool difference = op == Op::kSubtract && (a_moment || !b_moment);
  if (!sum && !difference) return Fail(Failure::kNoOverload, index);
  const std::optional<Span> result =
      sum ? Add(a.AsSpan(), b.AsSpan()) : Subtract(a.AsSpan(), b.AsSpan());
  const bool moment = a_moment != b_moment;
  if (!result || !(moment ? IsTimestamp(*result) : IsDuration(*result))) {
    return Fail(Failure::kOverflow, index);
  }
  return moment ? Value::Timestamp(*result) : Value::Duration(*result);
}

Value Evaluation::Join(const Value& a, const Value& b, uint32_t index) {
  if (a.kind() == Kind::kList) {
    const List& head = a.AsList();
    const List& tail = b.AsList();
    const size_t size = head.size() + tail.size();
    if (size > Budget::kElements || !Spend(size)) return OutOfBudget(index);
    std::vector<Value> elements;
    elements.reserve(size);
    for (size_t i = 0; i < head.size(); ++i) elements.push_back(head.At(i));
    for (size_t i = 0; i < tail.size(); ++i) elements.push_back(tail.At(i));
    return Value::ListOf(std::move(elements));
  }
  const size_t size = a.AsText().size() + b.AsText().size();
  if (size > Budget::kTextBytes || !SpendText(size)) return OutOfBudget(index);
  std::string text;
  text.reserve(size);
  text.append(a.AsText()).append(b.AsText());
  return a.kind() == Kind::kString ? Value::String(std::move(text)) : Value::Bytes(std::move(text));
}

Value Evaluation::Negate(const Node& node, uint32_t index) {
  const Value operand = Run(Operand(node, 0));
  if (operand.kind() == Kind::kInt) {
    if (operand.AsInt() == std::numeric_limits<int64_t>::min()) {
      return Fail(Failure::kOverflow, index);
    }
    return Value::Int(-operand.AsInt());
  }
  if (operand.kind() == Kind::kDouble) return Value::Double(-operand.AsDouble());
  return Failed(operand) ? operand : Fail(Failure::kNoOverload, index);
}

Value Evaluation::MakeList(const Node& node, uint32_t index) {
  std::vector<Value> elements;
  elements.reserve(node.count);
  for (uint32_t i = 0; i < node.count; ++i) {
    elements.push_back(Run(Operand(node, i)));
    if (Failed(elements.back())) return elements.back();
  }
  return Value::ListOf(std::move(elements));
}

Value Evaluation::MakeMap(const Node& node, uint32_t index) {
  std::vector<std::pair<Value, Value>> entries;
  entries.reserve(node.count / 2);
  for (uint32_t i = 0; i < node.count; i += 2) {
    Value key = Run(Operand(node, i));
    if (Failed(key)) return key;
    const Kind kind = key.kind();
    if (kind != Kind::kBool && kind != Kind::kInt && kind != Kind::kUint && kind != Kind::kString) {
      return Fail(Failure::kNoOverload, index);
    }
    if (!Spend(entries.size() / 8)) return OutOfBudget(index);
    for (const auto& [before, value] : entries) {
      if (OrderKeys(before, key) == 0) return Fail(Failure::kRepeatedKey, index);
    }
    Value value = Run(Operand(node, i + 1));
    if (Failed(value)) return value;
    entries.emplace_back(std::move(key), std::move(value));
  }
  return Value::MapOf(std::move(entries));
}

// The predicate or result of a macro over each element in turn. && and || absorb errors between the
// elements of `all` and `exists` too.
Value Evaluation::RunMacro(const Node& node, uint32_t index) {
  const Value range = Run(Operand(node, 0));
  if (Failed(range)) return range;
  const bool over_map = range.kind() == Kind::kMap;
  if (!over_map && range.kind() != Kind::kList) return Fail(Failure::kNoOverload, index);
  const size_t size = over_map ? range.AsMap().size() : range.AsList().size();
  const auto macro = static_cast<Macro>(node.detail);
  const bool two = node.b == 2;
  const bool tests = macro == Macro::kAll || macro == Macro::kExists ||
                     macro == Macro::kExistsOne || macro == Macro::kFilter;
  const uint32_t last = Operand(node, node.count - 1u);
  const bool filters = !tests && node.count == 3;

  Value failed;
  Value witness;
  size_t found = 0;
  std::vector<Value> elements;
  std::vector<std::pair<Value, Value>> entries;
  std::optional<Value> result;
  ++inside_macro_;
  for (size_t i = 0; i < size && !result; ++i) {
    if (!Spend(1)) {
      result = OutOfBudget(index);
      break;
    }
    Value key = over_map ? range.AsMap().KeyAt(i) : Value::Int(static_cast<int64_t>(i));
    Value element = over_map ? (two ? range.AsMap().Find(key) : key) : range.AsList().At(i);
    locals_[node.a] = two ? key : element;
    if (two) locals_[node.a + 1] = element;
    if (filters) {
      const Value keep = Run(Operand(node, 1));
      if (keep.kind() != Kind::kBool) {
        result = Failed(keep) ? keep : Fail(Failure::kNoOverload, index);
        break;
      }
      if (!keep.AsBool()) continue;
    }
    Value value = Run(last);
    if (!tests) {
      if (Failed(value)) {
        result = std::move(value);
      } else if (macro == Macro::kTransformMap) {
        entries.emplace_back(std::move(key), std::move(value));
      } else {
        elements.push_back(std::move(value));
      }
      continue;
    }
    if (value.kind() != Kind::kBool) {
      if (!Failed(value)) value = Fail(Failure::kNoOverload, index);
      const bool absorbs = macro == Macro::kAll || macro == Macro::kExists;
      if (!absorbs || FailureOf(value) == Failure::kBudget) {
        result = std::move(value);
      } else if (failed.absent()) {
        failed = std::move(value);
      }
      continue;
    }
    const bool holds = value.AsBool();
    if (macro == Macro::kAll && !holds) {
      witness = std::move(element);
      result = Value::Bool(false);
    } else if (macro == Macro::kExists && holds) {
      witness = std::move(element);
      result = Value::Bool(true);
    } else if (holds) {
      ++found;
      if (macro == Macro::kFilter) elements.push_back(std::move(element));
    }
  }
  --inside_macro_;
  if (record_ != nullptr && inside_macro_ == 0) record_->witnesses[index] = witness;
  if (result) return *std::move(result);
  if (!failed.absent()) return failed;
  switch (macro) {
    case Macro::kAll:
      return Value::Bool(true);
    case Macro::kExists:
      return Value::Bool(false);
    case Macro::kExistsOne:
      return Value::Bool(found == 1);
    case Macro::kTransformMap:
      return Value::MapOf(std::move(entries));
    default:
      break;
  }
  if (elements.size() > Budget::kElements) return OutOfBudget(index);
  return Value::ListOf(std::move(elements));
}

}  // namespace hilo::expression
