#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/expression/expression.h"
#include "state/expression/problem.h"
#include "state/expression/value.h"

namespace hilo::expression {

enum class Form : uint8_t {
  kLiteral,
  kName,    // name; `global`: with a dot before it
  kSelect,  // operand . name
  kHas,     // has(operand . name)
  kIndex,   // operand [ index ]
  kCall,    // name ( arguments )
  kMethod,  // receiver . name ( arguments )
  kMacro,   // range . name ( variables, arguments ); `names` holds the variables
  kList,    // elements
  kMap,     // key, value, key, value ...
  kAnd,     // all operands of a chain
  kOr,
  kNot,
  kNegate,
  kChoice,
  kIn,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
};

using FormId = uint32_t;
inline constexpr FormId kNoForm = UINT32_MAX;

struct SyntaxNode {
  Form form = Form::kLiteral;
  bool global = false;
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t name_at = 0;  // where the name or operator stands
  uint32_t depth = 1;    // of the tree below, itself included
  std::string_view name;
  Value literal;
  std::vector<FormId> parts;
  std::vector<std::string_view> variables;
};

// A source as a tree; names are views of the source.
struct Syntax {
  std::vector<SyntaxNode> nodes;
  FormId root = kNoForm;
};

// Reads a source; on a problem returns nullopt and fills it in. Recursion is bounded by
// limits.depth.
std::optional<Syntax> Parse(std::string_view source, const Limits& limits, Problem& problem);

}  // namespace hilo::expression
