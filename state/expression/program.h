#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "re2/re2.h"
#include "state/expression/expression.h"
#include "state/expression/moment.h"
#include "state/expression/type.h"
#include "state/expression/value.h"

namespace hilo::expression {

enum class Op : uint8_t {
  kConstant,       // a: number of the constant
  kVariable,       // a: number of the variable
  kVariableField,  // a: number of the variable, b: of its field
  kLocal,          // a: place of the macro variable
  kField,          // a: number of the field
  kKey,            // a: constant that is the key
  kHasField,       // a: number of the field
  kHasKey,         // a: constant that is the key
  kIndex,
  kIn,
  kAnd,
  kOr,
  kNot,
  kChoice,
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
  kNegate,
  kList,
  kMap,
  kCall,   // detail: Function; a: 1 + number of the pattern or zone that is known already
  kMacro,  // detail: Macro; a: place of its first variable, b: how many it has; operands: range,
           // then condition and/or result
};

enum class Function : uint8_t {
  kSize,
  kStartsWith,
  kEndsWith,
  kContains,
  kMatches,
  kToInt,
  kToUint,
  kToDouble,
  kToString,
  kToBytes,
  kToBool,
  kToTimestamp,
  kToDuration,
  kTypeOf,
  kYear,
  kMonth,
  kDayOfYear,
  kDayOfMonth,
  kDate,
  kDayOfWeek,
  kHours,
  kMinutes,
  kSeconds,
  kMilliseconds,
};

enum class Macro : uint8_t {
  kAll,
  kExists,
  kExistsOne,
  kFilter,
  kMap,
  kTransformList,
  kTransformMap
};

struct Node {
  Op op = Op::kConstant;
  uint8_t detail = 0;
  uint16_t count = 0;  // of operands
  uint32_t first = 0;  // its operands are operands[first, first + count)
  uint32_t a = 0;
  uint32_t b = 0;
};

// Where a node comes from, for errors and explanations.
struct NodeSource {
  uint32_t begin = 0;
  uint32_t end = 0;
  uint32_t label = 0;  // 1 + number of the label; 0: none
};

// A checked expression: nodes in an array, operands before what uses them. Immutable.
struct Expression::Program {
  std::string source;
  Type type;
  std::vector<Node> nodes;
  std::vector<NodeSource> sources;  // by node
  std::vector<uint32_t> operands;
  std::vector<Value> constants;
  std::vector<std::unique_ptr<const RE2>> patterns;
  std::vector<Zone> zones;
  std::vector<Label> labels;
  std::vector<size_t> variables;
  uint32_t root = 0;
  uint32_t locals = 0;  // places that macro variables need
  int pattern_program = 0;

  std::string_view Source(uint32_t node) const {
    return std::string_view(source).substr(sources[node].begin,
                                           sources[node].end - sources[node].begin);
  }
};

// A pattern within the limit; null when it is malformed or larger.
std::unique_ptr<const RE2> CompilePattern(std::string_view pattern, int max_program);

inline constexpr size_t kMaxNestedMacros = 8;

}  // namespace hilo::expression
