#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "state/expression/program.h"

namespace hilo::expression {

// How evaluating can fail. Carried in a Value of kind kError, with the node where it happened.
enum class Failure : uint32_t {
  kBudget,
  kNotKnown,
  kNoSuchKey,
  kNoSuchIndex,
  kNoOverload,
  kDivisionByZero,
  kOverflow,
  kBadValue,
  kRepeatedKey,
};

// What each node yielded, and for macros the element that decided.
struct Record {
  std::vector<Value> values;     // by node; absent: not evaluated
  std::vector<Value> witnesses;  // by node
};

// One walk over a program. Confined to the stack of whoever evaluates.
class Evaluation {
 public:
  // `activation` may be null when no variable is named. With a `record` nothing is cut short:
  // all operands of && and || are evaluated.
  Evaluation(const Expression::Program& program, const Activation* activation, uint64_t steps,
             Record* record = nullptr);

  Value Run(uint32_t node) {
    if (record_ == nullptr) return Step(node);
    return RunRecorded(node);
  }
  uint64_t left() const { return left_; }

  static Failure FailureOf(const Value& error) { return static_cast<Failure>(error.extra_); }
  static uint32_t NodeOf(const Value& error) { return static_cast<uint32_t>(error.bits_); }
  // A constant as a value that borrows from the program.
  static Value Borrow(const Value& value) { return Value(value.kind_, value.extra_, value.bits_); }

 private:
  static bool Failed(const Value& value) { return value.kind() == Kind::kError; }
  static Value Fail(Failure failure, uint32_t node) {
    return Value(Kind::kError, static_cast<uint32_t>(failure), node);
  }
  Value OutOfBudget(uint32_t node) {
    left_ = 0;
    return Fail(Failure::kBudget, node);
  }
  bool Spend(uint64_t steps) {
    if (steps > left_) {
      left_ = 0;
      return false;
    }
    left_ -= steps;
    return true;
  }
  bool SpendText(size_t bytes) { return Spend(bytes / 64); }

  uint32_t Operand(const Node& node, uint32_t index) const {
    return program_.operands[node.first + index];
  }

  Value Step(uint32_t index);
  Value RunRecorded(uint32_t index);
  Value Variable(uint32_t number, uint32_t index);
  Value FieldOf(const Value& operand, uint32_t number, uint32_t index);
  Value KeyOf(const Value& operand, const Value& key, uint32_t index);
  Value Has(const Node& node, uint32_t index);
  Value Index(const Node& node, uint32_t index);
  Value In(const Node& node, uint32_t index);
  Value Both(const Node& node, uint32_t index, bool deciding);
  Value Not(const Node& node, uint32_t index);
  Value Choice(const Node& node, uint32_t index);
  Value Equality(const Node& node, uint32_t index);
  Value Order(const Node& node, uint32_t index);
  Value Arithmetic(const Node& node, uint32_t index);
  Value Whole(Op op, int64_t a, int64_t b, uint32_t index);
  Value Natural(Op op, uint64_t a, uint64_t b, uint32_t index);
  Value Floating(Op op, double a, double b, uint32_t index);
  Value Spans(Op op, const Value& a, const Value& b, uint32_t index);
  Value Join(const Value& a, const Value& b, uint32_t index);
  Value Negate(const Node& node, uint32_t index);
  Value MakeList(const Node& node, uint32_t index);
  Value MakeMap(const Node& node, uint32_t index);
  Value Call(const Node& node, uint32_t index);
  Value Size(const Value& operand, uint32_t index);
  Value TextTest(Function function, const Node& node, const Value& text, const Value& other,
                 uint32_t index);
  Value Convert(Function function, const Value& operand, uint32_t index);
  Value ToInt(const Value& operand, uint32_t index);
  Value ToUint(const Value& operand, uint32_t index);
  Value ToDouble(const Value& operand, uint32_t index);
  Value ToStringValue(const Value& operand, uint32_t index);
  Value ToBool(const Value& operand, uint32_t index);
  Value PartOfMoment(Function function, const Node& node, const Value& operand, uint32_t index);
  Value RunMacro(const Node& node, uint32_t index);

  const Expression::Program& program_;
  const Activation* activation_;
  uint64_t left_;
  Record* record_;
  int inside_macro_ = 0;
  std::vector<Value> locals_;
};

}  // namespace hilo::expression
