#pragma once

#include <string>
#include <string_view>

#include "ops/base/status.h"
#include "state/catalogue/template.h"
#include "state/catalogue/template_text.h"

namespace hilo::catalogue {

// A message, ready for its channel.
struct Rendered {
  std::string language;  // of the texts
  std::string subject;   // one line; "" for "sms"
  std::string text;
  std::string html;  // "": text alone
};

// Fills a template in. Values are escaped for HTML in the html part and stand as they are
// elsewhere. Where `first_name` is not given it is made of `traits.first_name`, else of the
// template's fallback.
//
// **Limits**: kMaxRenderedBytes a part.
// **Errors**: FAILED_PRECONDITION `variable_missing` when a value that is shown is not known;
// INVALID_ARGUMENT `header_injection` when the subject would hold a control character;
// RESOURCE_EXHAUSTED `message_too_large`.
// **Threads**: pure.
inline constexpr size_t kMaxRenderedBytes = 256 << 10;
StatusOr<Rendered> Render(const Template& from, std::string_view language,
                          const Variables& variables);

}  // namespace hilo::catalogue
