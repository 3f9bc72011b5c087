#include "state/expression/equality.h"

#include <algorithm>
#include <limits>

namespace hilo::expression {
namespace {

constexpr int kDepth = 64;

double AsDouble(const Value& number) {
  switch (number.kind()) {
    case Kind::kInt:
      return static_cast<double>(number.AsInt());
    case Kind::kUint:
      return static_cast<double>(number.AsUint());
    default:
      return number.AsDouble();
  }
}

bool Take(uint64_t& steps, uint64_t cost) {
  if (cost > steps) return false;
  steps -= cost;
  return true;
}

std::optional<bool> EqualAt(const Value& a, const Value& b, uint64_t& steps, int depth);

std::optional<bool> EqualLists(const List& a, const List& b, uint64_t& steps, int depth) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const std::optional<bool> equal = EqualAt(a.At(i), b.At(i), steps, depth);
    if (!equal || !*equal) return equal;
  }
  return true;
}

std::optional<bool> EqualMaps(const Map& a, const Map& b, uint64_t& steps, int depth) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const Value key = a.KeyAt(i);
    const Value other = b.Find(key);
    if (other.absent()) return false;
    const std::optional<bool> equal = EqualAt(a.Find(key), other, steps, depth);
    if (!equal || !*equal) return equal;
  }
  return true;
}

std::optional<bool> EqualAt(const Value& a, const Value& b, uint64_t& steps, int depth) {
  if (depth == 0 || !Take(steps, 1)) return std::nullopt;
  if (IsNumber(a.kind()) && IsNumber(b.kind())) return CompareNumbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::kBool:
      return a.AsBool() == b.AsBool();
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kType:
      if (a.AsText().size() != b.AsText().size()) return false;
      if (!Take(steps, a.AsText().size() / 64)) return std::nullopt;
      return a.AsText() == b.AsText();
    case Kind::kTimestamp:
    case Kind::kDuration:
      return a.AsSpan() == b.AsSpan();
    case Kind::kList:
      return EqualLists(a.AsList(), b.AsList(), steps, depth - 1);
    case Kind::kMap:
      return EqualMaps(a.AsMap(), b.AsMap(), steps, depth - 1);
    case Kind::kStruct:
      return &a.AsStruct() == &b.AsStruct();
    default:
      return true;  // null
  }
}

}  // namespace

std::partial_ordering CompareNumbers(const Value& a, const Value& b) {
  if (a.kind() == Kind::kDouble || b.kind() == Kind::kDouble) return AsDouble(a) <=> AsDouble(b);
  if (a.kind() == Kind::kInt && b.kind() == Kind::kInt) return a.AsInt() <=> b.AsInt();
  if (a.kind() == Kind::kInt && a.AsInt() < 0) return std::partial_ordering::less;
  if (b.kind() == Kind::kInt && b.AsInt() < 0) return std::partial_ordering::greater;
  return a.AsUint() <=> b.AsUint();
}

std::optional<std::partial_ordering> CompareValues(const Value& a, const Value& b) {
  if (IsNumber(a.kind()) && IsNumber(b.kind())) return CompareNumbers(a, b);
  if (a.kind() != b.kind()) return std::nullopt;
  switch (a.kind()) {
    case Kind::kBool:
      return a.AsBool() <=> b.AsBool();
    case Kind::kString:
    case Kind::kBytes:
      return a.AsText().compare(b.AsText()) <=> 0;
    case Kind::kTimestamp:
    case Kind::kDuration:
      return a.AsSpan() <=> b.AsSpan();
    default:
      return std::nullopt;
  }
}

std::optional<bool> EqualWithin(const Value& a, const Value& b, uint64_t& steps) {
  return EqualAt(a, b, steps, kDepth);
}

bool Equal(const Value& a, const Value& b) {
  uint64_t steps = std::numeric_limits<uint64_t>::max();
  return EqualWithin(a, b, steps).value_or(false);
}

std::optional<Value> AsKey(const Value& key) {
  switch (key.kind()) {
    case Kind::kBool:
    case Kind::kInt:
    case Kind::kString:
      return key;
    case Kind::kUint:
      if (key.AsUint() <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return Value::Int(static_cast<int64_t>(key.AsUint()));
      }
      return key;
    case Kind::kDouble: {
      const double d = key.AsDouble();
      if (d >= -0x1p63 && d < 0x1p63 && static_cast<double>(static_cast<int64_t>(d)) == d) {
        return Value::Int(static_cast<int64_t>(d));
      }
      if (d >= 0x1p63 && d < 0x1p64) return Value::Uint(static_cast<uint64_t>(d));
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

int OrderKeys(const Value& a, const Value& b) {
  const auto rank = [](const Value& key) {
    return key.kind() == Kind::kBool ? 0 : IsNumber(key.kind()) ? 1 : 2;
  };
  if (rank(a) != rank(b)) return rank(a) - rank(b);
  const std::optional<std::partial_ordering> order = CompareValues(a, b);
  if (!order) return 0;
  return *order < 0 ? -1 : *order > 0 ? 1 : 0;
}

}  // namespace hilo::expression
