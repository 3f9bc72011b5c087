#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hilo::expression {

// What became of one part of an expression.
enum class Outcome : uint8_t {
  kFalse,
  kTrue,
  kValue,      // of another type than bool
  kError,      // failed; `text` says how
  kNotNeeded,  // the rest had already decided, or it was the other branch of `? :`
};

// What a part is, as far as words need to know.
enum class Part : uint8_t {
  kConstant,
  kName,  // a variable or a field of one, e.g. customer.orders
  kHas,   // has(customer.email)
  kAnd,
  kOr,
  kNot,
  kChoice,   // condition ? a : b
  kCompare,  // == != < <= > >=
  kIn,
  kMacro,  // all, exists, exists_one, filter, map; parts inside are not traced by element
  kOther,
};

// How one evaluation went, part by part. Plain data that refers to nothing; holds the customer's
// values, so it is shown to those who may see the customer and logged nowhere.
struct Trace {
  Part part = Part::kOther;
  Outcome outcome = Outcome::kNotNeeded;
  uint32_t begin = 0;  // of the part, in bytes of the source
  uint32_t end = 0;
  std::string source;  // the part as written
  std::string op;      // of kCompare: "=="; of kMacro: its name
  std::string text;    // the value as one would write it, or what is wrong
  std::string reason;  // of kError: `not_known`, `overflow` … as Evaluate gives it
  // Of all() that is false and exists() that is true: the element that decided.
  std::string witness;
  std::string label_en;  // of kName: how the schema calls it; empty: by its source
  std::string label_es;
  std::vector<Trace> parts;  // operands from left to right; of a chain a && b && c all conjuncts
};

enum class Language : uint8_t { kEnglish, kSpanish };

// The reasons for the outcome, most telling first, at most `max_reasons`: when false, each conjunct
// that failed; when true, each that holds; with the values:
// "customer.open_complaints == 0 is false: it is 1" / "… no se cumple: es 1".
// A condition without parts that tell anything yields one line about itself. Never empty.
std::vector<std::string> Reasons(const Trace& trace, Language language, size_t max_reasons = 5);

// Reasons() as one sentence.
std::string Why(const Trace& trace, Language language);

}  // namespace hilo::expression
