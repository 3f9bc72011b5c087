#pragma once

#include <map>
#include <string>
#include <string_view>

#include "ops/base/status.h"
#include "state/catalogue/template.h"

namespace hilo::catalogue {

// Values by the names that may stand in templates ("traits.first_name"). A name that is not there is
// not known; an empty value counts as not known.
using Variables = std::map<std::string, std::string, std::less<>>;

// A message, ready for its channel.
struct Rendered {
  std::string language;  // of the texts
  std::string subject;   // one line; "" for "sms"
  std::string text;
  std::string html;  // "": text alone
};

// Fills a template in. Values are escaped for HTML in the html part and stand as they are elsewhere.
// `first_name` falls back to the template's own word by itself.
//
// **Limits**: kMaxRenderedBytes a part.
// **Errors**: FAILED_PRECONDITION `variable_missing` when a value that is shown is not known;
// INVALID_ARGUMENT `header_injection` when the subject would hold a control character;
// RESOURCE_EXHAUSTED `message_too_large`.
// **Threads**: pure.
inline constexpr size_t kMaxRenderedBytes = 256 << 10;
absl::StatusOr<Rendered> Render(const Template& from, std::string_view language,
                                const Variables& variables);

}  // namespace hilo::catalogue
