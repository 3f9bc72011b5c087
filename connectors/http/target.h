#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/http/limits.h"
#include "connectors/http/message.h"

namespace hilo::http {

// What a request target names.
struct Target {
  std::string path;  // as in Request::path; "*" for the whole server
  std::vector<Request::Pair> query;
};

// Decodes a target in origin form ("/a?b=c"), absolute form (whose authority must be `host`) or
// "*". Whatever could mean another file or another route to a later reader is refused, not cleaned
// up: dot segments, an encoded slash, backslashes, controls, and bytes that are no shortest-form
// UTF-8.
// **Source**: RFC 9112 (3.2), RFC 3986, RFC 3629; the query as an HTML form.
std::optional<Refusal> ParseTarget(std::string_view target, std::string_view host,
                                   const ServerLimits& limits, Target& out);

// Whether `text` is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool IsUtf8(std::string_view text);

}  // namespace hilo::http
