#include "connectors/http/response_head.h"

#include <charconv>

#include "connectors/http/request_head.h"

namespace hilo::http {
namespace {

void AppendNumber(size_t number, int base, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number, base).ptr;
  out.append(digits, end);
}

void AppendField(std::string_view name, std::string_view value, std::string& out) {
  out.append(name).append(": ").append(value).append("\r\n");
}

bool IsOurs(std::string_view name) {
  for (const std::string_view ours :
       {"content-length", "transfer-encoding", "connection", "date", "x-request-id"}) {
    if (EqualsIgnoringCase(name, ours)) return true;
  }
  return false;
}

}  // namespace

bool IsWritable(const Response& response) {
  if (response.status < 200 || response.status > 599) return false;
  for (const Headers::Field& field : response.headers) {
    std::string_view name, value;
    if (!ParseField(field.name + ": " + field.value, name, value) || name != field.name)
      return false;
  }
  return true;
}

std::string WriteResponseHead(const Response& response, const ResponseFrame& frame) {
  std::string out;
  out.reserve(512);
  out += "HTTP/1.1 ";
  AppendNumber(static_cast<size_t>(response.status), 10, out);
  out.append(" ").append(ReasonPhrase(response.status)).append("\r\n");
  for (const Headers::Field& field : response.headers) {
    if (!IsOurs(field.name)) AppendField(field.name, field.value, out);
  }
  AppendField("Date", frame.date, out);
  AppendField("X-Request-Id", frame.request_id, out);
  if (frame.framing == BodyFraming::kChunked) {
    AppendField("Transfer-Encoding", "chunked", out);
  } else if (frame.framing == BodyFraming::kLength ||
             (frame.framing == BodyFraming::kNone && response.status != 204 &&
              response.status != 304 && !response.body.empty())) {
    out += "Content-Length: ";
    AppendNumber(response.body.size(), 10, out);
    out += "\r\n";
  }
  if (!frame.keep_alive) AppendField("Connection", "close", out);
  out += "\r\n";
  return out;
}

void AppendChunk(std::string_view chunk, std::string& out) {
  AppendNumber(chunk.size(), 16, out);
  out.append("\r\n").append(chunk).append("\r\n");
}

}  // namespace hilo::http
