#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "state/expression/equality.h"
#include "state/expression/evaluation.h"
#include "state/expression/text.h"

namespace hilo::expression {
namespace {

constexpr size_t kNumberTextBytes = 64;
constexpr uint64_t kPatternSteps = 100;  // to compile a pattern that is not a literal
constexpr int64_t kPatternMemory = 1 << 20;

template <typename T>
std::optional<T> ParseWhole(std::string_view text) {
  if (!text.empty() && text.front() == '+') {
    text.remove_prefix(1);
    if (!text.empty() && text.front() == '-') return std::nullopt;
  }
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool Contains(std::string_view text, std::string_view part) {
  if (part.empty()) return true;
  return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

}  // namespace

std::unique_ptr<const RE2> CompilePattern(std::string_view pattern, int max_program) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  auto compiled =
      std::make_unique<const RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!compiled->ok() || compiled->ProgramSize() > max_program) return nullptr;
  return compiled;
}

Value Evaluation::Call(const Node& node, uint32_t index) {
  const auto function = static_cast<Function>(node.detail);
  Value operand = Run(Operand(node, 0));
  if (Failed(operand)) return operand;
  switch (function) {
    case Function::kSize:
      return Size(operand, index);
    case Function::kStartsWith:
    case Function::kEndsWith:
    case Function::kContains:
    case Function::kMatches: {
      const Value other = Run(Operand(node, 1));
      if (Failed(other)) return other;
      return TextTest(function, node, operand, other, index);
    }
    case Function::kTypeOf:
      if (operand.kind() == Kind::kStruct) return Value::Type(operand.AsStruct().type_name());
      return Value::Type(NameOf(operand.kind()));
    case Function::kToInt:
    case Function::kToUint:
    case Function::kToDouble:
    case Function::kToString:
    case Function::kToBytes:
    case Function::kToBool:
    case Function::kToTimestamp:
    case Function::kToDuration:
      return Convert(function, operand, index);
    default:
      return PartOfMoment(function, node, operand, index);
  }
}

Value Evaluation::Size(const Value& operand, uint32_t index) {
  size_t size = 0;
  switch (operand.kind()) {
    case Kind::kString:
      if (!SpendText(operand.AsText().size())) return OutOfBudget(index);
      size = CodePoints(operand.AsText());
      break;
    case Kind::kBytes:
      size = operand.AsText().size();
      break;
    case Kind::kList:
      size = operand.AsList().size();
      break;
    case Kind::kMap:
      size = operand.AsMap().size();
      break;
    default:
      return Fail(Failure::kNoOverload, index);
  }
  return Value::Int(static_cast<int64_t>(size));
}

Value Evaluation::TextTest(Function function, const Node& node, const Value& text,
                           const Value& other, uint32_t index) {
  if (text.kind() != Kind::kString || other.kind() != Kind::kString) {
    return Fail(Failure::kNoOverload, index);
  }
  const std::string_view a = text.AsText();
  const std::string_view b = other.AsText();
  if (!SpendText(a.size() + b.size())) return OutOfBudget(index);
  if (function == Function::kContains) return Value::Bool(Contains(a, b));
  if (function == Function::kMatches) {
    const re2::StringPiece piece(a.data(), a.size());
    // RE2 may walk its whole program at each byte.
    if (!Spend(a.size() / 8)) return OutOfBudget(index);
    if (node.a != 0) return Value::Bool(RE2::PartialMatch(piece, *program_.patterns[node.a - 1]));
    if (!Spend(kPatternSteps + b.size())) return OutOfBudget(index);
    const std::unique_ptr<const RE2> pattern = CompilePattern(b, program_.pattern_program);
    if (pattern == nullptr) return Fail(Failure::kBadValue, index);
    return Value::Bool(RE2::PartialMatch(piece, *pattern));
  }
  if (b.size() > a.size()) return Value::Bool(false);
  return Value::Bool(function == Function::kStartsWith ? a.substr(0, b.size()) == b
                                                       : a.substr(a.size() - b.size()) == b);
}

Value Evaluation::Convert(Function function, const Value& operand, uint32_t index) {
  const Kind kind = operand.kind();
  switch (function) {
    case Function::kToInt:
      return ToInt(operand, index);
    case Function::kToUint:
      return ToUint(operand, index);
    case Function::kToDouble:
      return ToDouble(operand, index);
    case Function::kToString:
      return ToStringValue(operand, index);
    case Function::kToBool:
      return ToBool(operand, index);
    case Function::kToBytes:
      if (kind == Kind::kBytes) return operand;
      if (kind != Kind::kString) break;
      if (!SpendText(operand.AsText().size())) return OutOfBudget(index);
      return Value::Bytes(std::string(operand.AsText()));
    case Function::kToTimestamp:
      if (kind == Kind::kTimestamp) return operand;
      if (kind == Kind::kInt) {
        const Span span{operand.AsInt(), 0};
        return IsTimestamp(span) ? Value::Timestamp(span) : Fail(Failure::kOverflow, index);
      }
      if (kind == Kind::kString && operand.AsText().size() <= kNumberTextBytes) {
        const std::optional<Span> span = ParseTimestamp(operand.AsText());
        return span ? Value::Timestamp(*span) : Fail(Failure::kBadValue, index);
      }
      break;
    case Function::kToDuration:
      if (kind == Kind::kDuration) return operand;
      if (kind == Kind::kString && operand.AsText().size() <= kNumberTextBytes) {
        const std::optional<Span> span = ParseDuration(operand.AsText());
        return span ? Value::Duration(*span) : Fail(Failure::kBadValue, index);
      }
      break;
    default:
      break;
  }
  return Fail(kind == Kind::kString ? Failure::kBadValue : Failure::kNoOverload, index);
}

Value Evaluation::ToInt(const Value& operand, uint32_t index) {
  switch (operand.kind()) {
    case Kind::kInt:
      return operand;
    case Kind::kUint:
      if (operand.AsUint() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return Fail(Failure::kOverflow, index);
      }
      return Value::Int(static_cast<int64_t>(operand.AsUint()));
    case Kind::kDouble: {
      const double d = operand.AsDouble();
      // Towards zero. The lowest int is left out: a double near it may stand for a lower one.
      if (!(d > -0x1p63 && d < 0x1p63)) return Fail(Failure::kOverflow, index);
      return Value::Int(static_cast<int64_t>(d));
    }
    case Kind::kString: {
      const std::optional<int64_t> value = ParseWhole<int64_t>(operand.AsText());
      return value ? Value::Int(*value) : Fail(Failure::kBadValue, index);
    }
    case Kind::kTimestamp:
      return Value::Int(operand.AsSpan().seconds);
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

Value Evaluation::ToUint(const Value& operand, uint32_t index) {
  switch (operand.kind()) {
    case Kind::kUint:
      return operand;
    case Kind::kInt:
      if (operand.AsInt() < 0) return Fail(Failure::kOverflow, index);
      return Value::Uint(static_cast<uint64_t>(operand.AsInt()));
    case Kind::kDouble: {
      const double d = operand.AsDouble();
      if (!(d >= 0 && d < 0x1p64)) return Fail(Failure::kOverflow, index);
      return Value::Uint(static_cast<uint64_t>(d));
    }
    case Kind::kString: {
      const std::optional<uint64_t> value = ParseWhole<uint64_t>(operand.AsText());
      return value ? Value::Uint(*value) : Fail(Failure::kBadValue, index);
    }
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

Value Evaluation::ToDouble(const Value& operand, uint32_t index) {
  switch (operand.kind()) {
    case Kind::kDouble:
      return operand;
    case Kind::kInt:
      return Value::Double(static_cast<double>(operand.AsInt()));
    case Kind::kUint:
      return Value::Double(static_cast<double>(operand.AsUint()));
    case Kind::kString: {
      const std::string_view text = operand.AsText();
      if (text.size() > kNumberTextBytes) return Fail(Failure::kBadValue, index);
      double value = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) {
        return Fail(Failure::kBadValue, index);
      }
      return Value::Double(value);
    }
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

Value Evaluation::ToStringValue(const Value& operand, uint32_t index) {
  switch (operand.kind()) {
    case Kind::kString:
      return operand;
    case Kind::kBool:
      return Value::StringView(operand.AsBool() ? "true" : "false");
    case Kind::kInt:
      return Value::String(std::to_string(operand.AsInt()));
    case Kind::kUint:
      return Value::String(std::to_string(operand.AsUint()));
    case Kind::kDouble:
      return Value::String(FormatDouble(operand.AsDouble()));
    case Kind::kTimestamp:
      return Value::String(FormatTimestamp(operand.AsSpan()));
    case Kind::kDuration:
      return Value::String(FormatDuration(operand.AsSpan()));
    case Kind::kBytes:
      if (!SpendText(operand.AsText().size())) return OutOfBudget(index);
      if (!IsUtf8(operand.AsText())) return Fail(Failure::kBadValue, index);
      return Value::String(std::string(operand.AsText()));
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

Value Evaluation::ToBool(const Value& operand, uint32_t index) {
  if (operand.kind() == Kind::kBool) return operand;
  if (operand.kind() != Kind::kString) return Fail(Failure::kNoOverload, index);
  const std::string_view text = operand.AsText();
  for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return Value::Bool(true);
  }
  for (const std::string_view no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return Value::Bool(false);
  }
  return Fail(Failure::kBadValue, index);
}

Value Evaluation::PartOfMoment(Function function, const Node& node, const Value& operand,
                               uint32_t index) {
  const Span span = operand.AsSpan();
  if (operand.kind() == Kind::kDuration) {
    // Whole units, towards zero.
    const int64_t seconds = span.seconds < 0 && span.nanos != 0 ? span.seconds + 1 : span.seconds;
    switch (function) {
      case Function::kHours:
        return Value::Int(seconds / 3600);
      case Function::kMinutes:
        return Value::Int(seconds / 60);
      case Function::kSeconds:
        return Value::Int(seconds);
      case Function::kMilliseconds: {
        const int64_t rest = seconds != span.seconds ? span.nanos - 1'000'000'000 : span.nanos;
        return Value::Int(rest / 1'000'000);
      }
      default:
        return Fail(Failure::kNoOverload, index);
    }
  }
  if (operand.kind() != Kind::kTimestamp) return Fail(Failure::kNoOverload, index);
  int64_t local = span.seconds;
  if (node.a != 0) {
    local += program_.zones[node.a - 1].OffsetSeconds(span.seconds);
  } else if (node.count == 2) {
    const Value name = Run(Operand(node, 1));
    if (Failed(name)) return name;
    if (name.kind() != Kind::kString) return Fail(Failure::kNoOverload, index);
    const std::optional<Zone> zone = Zone::Find(name.AsText());
    if (!zone) return Fail(Failure::kBadValue, index);
    local += zone->OffsetSeconds(span.seconds);
  }
  const Calendar at(local);
  switch (function) {
    case Function::kYear:
      return Value::Int(at.year);
    case Function::kMonth:
      return Value::Int(at.month - 1);
    case Function::kDayOfYear:
      return Value::Int(at.day_of_year);
    case Function::kDayOfMonth:
      return Value::Int(at.day - 1);
    case Function::kDate:
      return Value::Int(at.day);
    case Function::kDayOfWeek:
      return Value::Int(at.day_of_week);
    case Function::kHours:
      return Value::Int(at.hour);
    case Function::kMinutes:
      return Value::Int(at.minute);
    case Function::kSeconds:
      return Value::Int(at.second);
    case Function::kMilliseconds:
      return Value::Int(span.nanos / 1'000'000);
    default:
      return Fail(Failure::kNoOverload, index);
  }
}

}  // namespace hilo::expression
