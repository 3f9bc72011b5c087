#include "state/expression/overloads.h"

#include <iterator>

#include "state/expression/equality.h"

namespace hilo::expression {
namespace {

constexpr Kinds kNumbers = Of(Kind::kInt) | Of(Kind::kUint) | Of(Kind::kDouble);
constexpr Kinds kMoment = Of(Kind::kTimestamp);
constexpr Kinds kTimes = kMoment | Of(Kind::kDuration);
constexpr Kinds kSized = kTextOnly | Of(Kind::kBytes) | Of(Kind::kList) | Of(Kind::kMap);
constexpr Kinds kEvery = ~Kinds{0};

// Types of which `dyn` is one are accepted by all. Built once: Type has no constant constructor.
const std::vector<Overload>& Overloads() {
  static const std::vector<Overload> overloads = {
      {"size", false, Function::kSize, {kSized, 0}, Type::Int()},
      {"size", true, Function::kSize, {kSized, 0}, Type::Int()},
      {"startsWith", true, Function::kStartsWith, {kTextOnly, kTextOnly}, Type::Bool()},
      {"endsWith", true, Function::kEndsWith, {kTextOnly, kTextOnly}, Type::Bool()},
      {"contains", true, Function::kContains, {kTextOnly, kTextOnly}, Type::Bool()},
      {"matches", true, Function::kMatches, {kTextOnly, kTextOnly}, Type::Bool()},
      {"matches", false, Function::kMatches, {kTextOnly, kTextOnly}, Type::Bool()},
      {"int", false, Function::kToInt, {kNumbers | kTextOnly | kMoment, 0}, Type::Int()},
      {"uint", false, Function::kToUint, {kNumbers | kTextOnly, 0}, Type::Uint()},
      {"double", false, Function::kToDouble, {kNumbers | kTextOnly, 0}, Type::Double()},
      {"string",
       false,
       Function::kToString,
       {kNumbers | kTextOnly | kTimes | Of(Kind::kBool) | Of(Kind::kBytes), 0},
       Type::String()},
      {"bytes", false, Function::kToBytes, {kTextOnly | Of(Kind::kBytes), 0}, Type::Bytes()},
      {"bool", false, Function::kToBool, {kTextOnly | Of(Kind::kBool), 0}, Type::Bool()},
      {"timestamp",
       false,
       Function::kToTimestamp,
       {kTextOnly | Of(Kind::kInt) | kMoment, 0},
       Type::Timestamp()},
      {"duration",
       false,
       Function::kToDuration,
       {kTextOnly | Of(Kind::kDuration), 0},
       Type::Duration()},
      {"type", false, Function::kTypeOf, {kEvery, 0}, Type::TypeOf()},
      {"getFullYear", true, Function::kYear, {kMoment, 0}, Type::Int()},
      {"getFullYear", true, Function::kYear, {kMoment, kTextOnly}, Type::Int()},
      {"getMonth", true, Function::kMonth, {kMoment, 0}, Type::Int()},
      {"getMonth", true, Function::kMonth, {kMoment, kTextOnly}, Type::Int()},
      {"getDayOfYear", true, Function::kDayOfYear, {kMoment, 0}, Type::Int()},
      {"getDayOfYear", true, Function::kDayOfYear, {kMoment, kTextOnly}, Type::Int()},
      {"getDayOfMonth", true, Function::kDayOfMonth, {kMoment, 0}, Type::Int()},
      {"getDayOfMonth", true, Function::kDayOfMonth, {kMoment, kTextOnly}, Type::Int()},
      {"getDate", true, Function::kDate, {kMoment, 0}, Type::Int()},
      {"getDate", true, Function::kDate, {kMoment, kTextOnly}, Type::Int()},
      {"getDayOfWeek", true, Function::kDayOfWeek, {kMoment, 0}, Type::Int()},
      {"getDayOfWeek", true, Function::kDayOfWeek, {kMoment, kTextOnly}, Type::Int()},
      {"getHours", true, Function::kHours, {kTimes, 0}, Type::Int()},
      {"getHours", true, Function::kHours, {kMoment, kTextOnly}, Type::Int()},
      {"getMinutes", true, Function::kMinutes, {kTimes, 0}, Type::Int()},
      {"getMinutes", true, Function::kMinutes, {kMoment, kTextOnly}, Type::Int()},
      {"getSeconds", true, Function::kSeconds, {kTimes, 0}, Type::Int()},
      {"getSeconds", true, Function::kSeconds, {kMoment, kTextOnly}, Type::Int()},
      {"getMilliseconds", true, Function::kMilliseconds, {kTimes, 0}, Type::Int()},
      {"getMilliseconds", true, Function::kMilliseconds, {kMoment, kTextOnly}, Type::Int()},
  };
  return overloads;
}

}  // namespace

const Overload* FindOverload(std::string_view name, bool method, size_t operands) {
  for (const Overload& overload : Overloads()) {
    const size_t takes = overload.accepts[1] == 0 ? 1 : 2;
    if (overload.name == name && overload.method == method && takes == operands) return &overload;
  }
  return nullptr;
}

bool Accepts(const Overload& overload, size_t operand, const Type& type) {
  return type.any() || (overload.accepts[operand] & Of(type.kind())) != 0;
}

bool IsFunction(std::string_view name) {
  for (const Overload& overload : Overloads()) {
    if (overload.name == name) return true;
  }
  return false;
}

std::vector<std::string_view> FunctionNames() {
  std::vector<std::string_view> names = {"has",        "dyn",    "all", "exists",
                                         "exists_one", "filter", "map"};
  for (const Overload& overload : Overloads()) names.push_back(overload.name);
  return names;
}

Type TypeOfKind(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return Type::Null();
    case Kind::kBool:
      return Type::Bool();
    case Kind::kInt:
      return Type::Int();
    case Kind::kUint:
      return Type::Uint();
    case Kind::kDouble:
      return Type::Double();
    case Kind::kString:
      return Type::String();
    case Kind::kBytes:
      return Type::Bytes();
    case Kind::kTimestamp:
      return Type::Timestamp();
    case Kind::kDuration:
      return Type::Duration();
    case Kind::kType:
      return Type::TypeOf();
    default:
      return Type::Any();
  }
}

std::optional<Value> TypeNamed(std::string_view name) {
  for (const Kind kind :
       {Kind::kNull, Kind::kBool, Kind::kInt, Kind::kUint, Kind::kDouble, Kind::kString,
        Kind::kBytes, Kind::kTimestamp, Kind::kDuration, Kind::kType, Kind::kList, Kind::kMap}) {
    if (NameOf(kind) == name) return Value::Type(NameOf(kind));
  }
  return std::nullopt;
}

bool MayEqual(const Type& a, const Type& b) {
  if (a.any() || b.any()) return true;
  if (IsNumber(a.kind()) && IsNumber(b.kind())) return true;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kStruct:
      return false;
    case Kind::kList:
      return MayEqual(a.element(), b.element());
    case Kind::kMap:
      return MayEqual(a.key(), b.key()) && MayEqual(a.value(), b.value());
    default:
      return true;
  }
}

bool MayOrder(const Type& a, const Type& b) {
  constexpr Kinds kOrdered = kNumbers | kTextOnly | kTimes | Of(Kind::kBool) | Of(Kind::kBytes);
  const auto ordered = [](const Type& type) {
    return type.any() || (kOrdered & Of(type.kind())) != 0;
  };
  return ordered(a) && ordered(b) && MayEqual(a, b);
}

bool MayBeKey(const Type& type) {
  constexpr Kinds kKeys = Of(Kind::kBool) | Of(Kind::kInt) | Of(Kind::kUint) | kTextOnly;
  return type.any() || (kKeys & Of(type.kind())) != 0;
}

std::optional<Type> Unify(const Type& a, const Type& b) {
  if (a.any() || b.any()) return Type::Any();
  if (a == b) return a;
  if (a.kind() != b.kind()) return std::nullopt;
  if (a.kind() == Kind::kList) {
    return Type::List(Unify(a.element(), b.element()).value_or(Type::Any()));
  }
  if (a.kind() == Kind::kMap) {
    return Type::Map(Unify(a.key(), b.key()).value_or(Type::Any()),
                     Unify(a.value(), b.value()).value_or(Type::Any()));
  }
  return std::nullopt;
}

std::optional<Type> ArithmeticType(Op op, const Type& a, const Type& b) {
  constexpr Kinds kJoined = kTextOnly | Of(Kind::kBytes) | Of(Kind::kList);
  const bool sum = op == Op::kAdd;
  const bool difference = op == Op::kSubtract;
  const auto fits = [&](const Type& type) {
    if (type.any() || (kNumbers & Of(type.kind())) != 0) {
      return !(op == Op::kModulo && type.kind() == Kind::kDouble);
    }
    if ((kTimes & Of(type.kind())) != 0) return sum || difference;
    return sum && (kJoined & Of(type.kind())) != 0;
  };
  if (!fits(a) || !fits(b)) return std::nullopt;
  const auto time = [](const Type& type) { return (kTimes & Of(type.kind())) != 0; };
  if (a.any() || b.any()) {
    const Type& known = a.any() ? b : a;
    return known.any() || time(known) || known.kind() == Kind::kList ? Type::Any() : known;
  }
  if (time(a) && time(b)) {
    const bool moments = a.kind() == Kind::kTimestamp && b.kind() == Kind::kTimestamp;
    if (sum && moments) return std::nullopt;
    if (difference && a.kind() == Kind::kDuration && b.kind() == Kind::kTimestamp) {
      return std::nullopt;
    }
    if (moments) return Type::Duration();
    return a.kind() == b.kind() ? Type::Duration() : Type::Timestamp();
  }
  return Unify(a, b);
}

}  // namespace hilo::expression
