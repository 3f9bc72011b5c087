#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "state/expression/value.h"

namespace hilo::expression {

inline bool IsNumber(Kind kind) {
  return kind == Kind::kInt || kind == Kind::kUint || kind == Kind::kDouble;
}

// The order of two numbers of any of the three types. int and uint compare exactly; with a double
// both compare as doubles; NaN is unordered.
std::partial_ordering CompareNumbers(const Value& a, const Value& b);

// The order of two values that have one: bools, numbers, strings, bytes, timestamps, durations.
// nullopt when these two have none.
std::optional<std::partial_ordering> CompareValues(const Value& a, const Value& b);

// Deep equality at a cost: one step per element and per 64 bytes of text is taken from `steps`;
// when they run out, or values lie more than 64 deep in one another, the answer is nullopt.
std::optional<bool> EqualWithin(const Value& a, const Value& b, uint64_t& steps);

// `key` as a key of a map: numbers that are whole as int, or as uint when too large for it. nullopt
// when nothing equal to it can be a key.
std::optional<Value> AsKey(const Value& key);

// A total order over keys; equal keys give 0.
int OrderKeys(const Value& a, const Value& b);

}  // namespace hilo::expression
