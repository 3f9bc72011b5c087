#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/http/message.h"
#include "connectors/kit/source_keys.h"

namespace hilo::web {

// What browsers of other origins may do. A page is let in by the origins of its source; one that
// this server has served is let in always.
//
// **Threads**: thread-safe. **Source**: Fetch standard, "CORS protocol".
class CrossOrigin {
 public:
  explicit CrossOrigin(const kit::SourceKeys& keys) : keys_(keys) {}

  // Whether the page behind the request may send as `source`; with null: as any source. True
  // without an Origin: no browser.
  bool Allows(const http::Request& request, const kit::KeyedSource* source) const;
  // Lets the page read an answer: the origin echoed, Retry-After exposed. Nothing when there is no
  // Origin or it is not let in.
  void AddHeaders(const http::Request& request, const kit::KeyedSource* source,
                  http::Headers& headers) const;
  // 204 with what was asked for, or 403 `origin_denied` without any header of CORS.
  http::Response Preflight(const http::Request& request) const;

  static http::Refusal Denied();

 private:
  const kit::SourceKeys& keys_;
};

}  // namespace hilo::web
