#include "connectors/web/cross_origin.h"

#include <algorithm>

namespace hilo::web {
namespace {

constexpr size_t kMaxRequestedHeaderBytes = 1'024;
constexpr char kMaxAgeSeconds[] = "7200";  // browsers cut longer ones

bool IsOwnOrigin(const http::Request& request, std::string_view origin) {
  const auto host = request.headers.Find("Host");
  return host &&
         origin == std::string(request.secure ? "https://" : "http://") + std::string(*host);
}

bool IsHeaderList(std::string_view text) {
  return text.size() <= kMaxRequestedHeaderBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == ',' || c == ' ';
         });
}

}  // namespace

bool CrossOrigin::Allows(const http::Request& request, const kit::KeyedSource* source) const {
  const auto origin = request.headers.Find("Origin");
  if (!origin) return true;
  if (request.headers.Count("Origin") > 1) return false;
  if (IsOwnOrigin(request, *origin)) return true;
  if (source != nullptr) return kit::AllowsOrigin(*source, *origin);
  return std::any_of(keys_.all().begin(), keys_.all().end(),
                     [&](const kit::KeyedSource& any) { return kit::AllowsOrigin(any, *origin); });
}

void CrossOrigin::AddHeaders(const http::Request& request, const kit::KeyedSource* source,
                             http::Headers& headers) const {
  const auto origin = request.headers.Find("Origin");
  if (!origin || !Allows(request, source)) return;
  headers.Set("Access-Control-Allow-Origin", std::string(*origin));
  headers.Set("Access-Control-Allow-Credentials", "true");
  headers.Set("Access-Control-Expose-Headers", "Retry-After");
  headers.Set("Vary", "Origin");
}

http::Response CrossOrigin::Preflight(const http::Request& request) const {
  const auto key = request.Query("writeKey");
  const kit::KeyedSource* source = key ? keys_.Find(*key) : nullptr;
  if (!request.headers.Find("Origin") || !Allows(request, source))
    return http::JsonError(Denied(), request.request_id);
  http::Response response{.status = 204};
  AddHeaders(request, source, response.headers);
  response.headers.Set("Access-Control-Allow-Methods", "POST, GET, OPTIONS");
  response.headers.Set("Access-Control-Max-Age", kMaxAgeSeconds);
  const auto wanted = request.headers.Find("Access-Control-Request-Headers");
  if (wanted && !wanted->empty() && IsHeaderList(*wanted)) {
    response.headers.Set("Access-Control-Allow-Headers", std::string(*wanted));
  }
  return response;
}

http::Refusal CrossOrigin::Denied() {
  return {403,
          "origin_denied",
          "pages of this origin may not send here; add it to the source's origins",
          {}};
}

}  // namespace hilo::web
