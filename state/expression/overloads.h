#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "state/expression/program.h"
#include "state/expression/type.h"

// Which functions and operators there are, for which types.
namespace hilo::expression {

// A set of kinds: 1 << kind for each.
using Kinds = uint32_t;
constexpr Kinds Of(Kind kind) { return Kinds{1} << static_cast<int>(kind); }
inline constexpr Kinds kTextOnly = Of(Kind::kString);

struct Overload {
  std::string_view name;
  bool method;
  Function function;
  Kinds accepts[2];  // of the receiver or first argument, and the second; 0: there is none
  Type result;
};

// The function of that name and number of operands (the receiver counts); null when there is none.
const Overload* FindOverload(std::string_view name, bool method, size_t operands);
bool Accepts(const Overload& overload, size_t operand, const Type& type);
bool IsFunction(std::string_view name);
std::vector<std::string_view> FunctionNames();

Type TypeOfKind(Kind kind);
// The value of a type's name: int, google.protobuf.Timestamp.
std::optional<Value> TypeNamed(std::string_view name);

// Whether values of the two types may be equal, or ordered, at all.
bool MayEqual(const Type& a, const Type& b);
bool MayOrder(const Type& a, const Type& b);
bool MayBeKey(const Type& type);
// The type that both are; nullopt when there is none.
std::optional<Type> Unify(const Type& a, const Type& b);
// Of a + b and the like; nullopt when there is no such operator.
std::optional<Type> ArithmeticType(Op op, const Type& a, const Type& b);

}  // namespace hilo::expression
