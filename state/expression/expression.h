#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"
#include "state/expression/trace.h"
#include "state/expression/type.h"
#include "state/expression/value.h"

namespace hilo::expression {

// The values of the variables, by the schema's numbers. An implementation may compute a value when
// it is asked for; asked again during one evaluation it must answer the same.
class Activation {
 public:
  virtual ~Activation() = default;
  // Absent when it is not known: the expression then fails, unless `&&` or `||` absorb it.
  virtual Value Variable(size_t number) const = 0;
};

// An activation whose values are at hand.
class Variables final : public Activation {
 public:
  explicit Variables(std::vector<Value> values) : values_(std::move(values)) {}
  Value Variable(size_t number) const override {
    return number < values_.size() ? values_[number] : Value();
  }
  void Set(size_t number, Value value) {
    if (number >= values_.size()) values_.resize(number + 1);
    values_[number] = std::move(value);
  }

 private:
  std::vector<Value> values_;
};

// What one expression may be. Each is checked when it is compiled (`expression_limit`).
struct Limits {
  size_t source_bytes = 4096;
  size_t depth = 100;          // of brackets, operators and calls inside one another
  size_t nodes = 2000;         // operators, calls, names and literals
  size_t nested_macros = 3;    // all, exists, exists_one, filter and map inside one another
  int pattern_program = 1000;  // instructions of a pattern of matches(), as RE2 counts them
};

struct Options {
  Type result = Type::Bool();  // what it must yield; Any: whatever it yields
  Limits limits = {};
};

// What evaluating may cost. One budget may serve many evaluations, e.g. all of one decision.
//
// A step is an operator, a call, a name or a literal that was evaluated, an element that a macro or
// a comparison went through, or 64 bytes of text that were read or made. **Threads** confined to
// one.
class Budget {
 public:
  static constexpr uint64_t kSteps = 20'000;       // of one ordinary condition: 5 to 50
  static constexpr size_t kTextBytes = 64 * 1024;  // of one text that an expression makes
  static constexpr size_t kElements = 10'000;      // of one list that an expression makes

  explicit Budget(uint64_t steps = kSteps) : left_(steps) {}
  bool Spend(uint64_t steps) {
    if (steps > left_) {
      left_ = 0;
      return false;
    }
    left_ -= steps;
    return true;
  }
  uint64_t left() const { return left_; }

 private:
  uint64_t left_;
};

// A condition or other formula in CEL syntax, checked against a schema.
//
// The language is the part of CEL (common expression language) that conditions need: null, bool,
// int, uint, double, string, bytes, list, map, timestamp, duration and the schema's structs; fields
// and has(), indices and `in`; arithmetic that fails instead of overflowing; comparisons, across
// number types too; `&&` and `||` in which the side that decides wins even when the other fails; `?
// :`; all, exists, exists_one, filter, map; size, startsWith, endsWith, contains, matches (RE2),
// int, uint, double, string, bytes, bool, timestamp, duration, type, dyn, and the parts of moments
// with a time zone. There is no clock: the time is a variable like any other. Evaluating is
// deterministic: of floating point it uses only + - * /, comparisons and conversions.
//
// **Errors** Compile: invalid_argument with `expression_syntax`, `expression_type` or
// `expression_limit`; the message begins "line 1, column 9: " and says what to write instead;
// PositionOf gives the place. Evaluate: out_of_range or invalid_argument with `division_by_zero`,
// `overflow`, `no_such_key`, `no_such_index`, `not_known` (absent), `no_such_overload` (a value
// whose kind was not known when it was compiled), `bad_value`; failed_precondition with
// `expression_budget`, which nothing absorbs. Messages of Evaluate hold no values.
// **Threads** immutable; evaluate it from as many as you like. **Lifetime** a result may borrow
// from the activation's values and from this expression. **Cost** copies share the program;
// evaluating `customer.open_complaints == 0 && customer.days_since_order > 30` takes under 200 ns.
// **Source** github.com/google/cel-spec, doc/langdef.md.
class Expression {
 public:
  static StatusOr<Expression> Compile(std::string_view source, const Schema& schema,
                                      const Options& options = {});

  StatusOr<Value> Evaluate(const Activation& activation, Budget& budget) const;
  // Of an expression whose type is bool.
  StatusOr<bool> Test(const Activation& activation, Budget& budget) const;
  // Evaluates every part once more and writes down what each yielded. Never fails: an error is part
  // of the trace. Costs about as much as printing all values does; it is for answering "why", not
  // for deciding.
  Trace Explain(const Activation& activation, Budget& budget) const;

  const std::string& source() const;
  const Type& type() const;
  // The numbers of the variables that it names, ascending.
  const std::vector<size_t>& variables() const;

  struct Program;

 private:
  explicit Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

// Where in the source an error of Compile lies; both count from 1, the column in characters.
struct Position {
  uint32_t line = 1;
  uint32_t column = 1;
};
std::optional<Position> PositionOf(const Status& error);

}  // namespace hilo::expression
