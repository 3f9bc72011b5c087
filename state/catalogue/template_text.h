#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"

namespace hilo::catalogue {

// Values by the names that may stand in templates ("traits.first_name"). A name that is not there
// is not known; an empty value counts as not known.
using Variables = std::map<std::string, std::string, std::less<>>;

// One part of a template: mustache without what could repeat, include or call: {{name}},
// {{#name}}…{{/name}} (when it is known), {{^name}}…{{/name}} (when it is not) and {{! comment }}.
// Values are text alone, so a section is written once or not at all, and what comes out is no
// longer than the template and the values that it names.
//
// **Limits**: kMaxBytes, kMaxTags, sections kMaxDepth deep.
// **Threads**: thread-safe, as it never changes.
// **Source**: github.com/mustache/spec 1.4 (interpolation, sections, inverted, comments; tags alone
// on a line take the line with them).
class ParsedText {
 public:
  static constexpr size_t kMaxBytes = 64 << 10;
  static constexpr size_t kMaxTags = 1'000;
  static constexpr size_t kMaxDepth = 8;

  enum class Part : uint8_t { kSubject, kText, kHtml };
  // Something wrong, at a byte of the source, and what to write instead.
  struct Finding {
    size_t offset = 0;
    std::string message;
  };
  // A place where a value is shown or asked for.
  struct Use {
    std::string name;
    size_t offset = 0;     // of the tag
    bool shown = false;    // else it only opens a section
    bool guarded = false;  // shown inside a section of this name, or of `product` for its parts
  };
  struct Parsed {
    std::shared_ptr<const ParsedText> text;  // null when there are findings
    std::vector<Finding> findings;
  };
  // In html a value may stand between tags, or quoted as the whole of an attribute if it is one of
  // the urls: elsewhere no escape would keep it harmless.
  static Parsed Parse(std::string source, Part part);

  // In the order of the source.
  const std::vector<Use>& uses() const { return uses_; }
  const std::string& source() const { return source_; }

  // **Errors**: as Render of template_render.h says.
  StatusOr<std::string> Fill(const Variables& variables, size_t max_bytes) const;

 private:
  friend class TextParser;
  // One step; of a section, where to go on when it is not written.
  struct Step {
    enum class Kind : uint8_t { kLiteral, kValue, kSection, kInverted } kind = Kind::kLiteral;
    size_t begin = 0;  // of a literal, in the source
    size_t end = 0;
    std::string name;
    size_t otherwise = 0;  // step behind the section
  };

  std::string source_;
  Part part_ = Part::kText;
  std::vector<Step> steps_;
  std::vector<Use> uses_;
};

// Writes `value` so that it is text in HTML, also within quotes.
void AppendHtml(std::string_view value, std::string& out);

}  // namespace hilo::catalogue
