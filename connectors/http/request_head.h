#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/http/limits.h"
#include "connectors/http/message.h"

namespace hilo::http {

// Finds the end of a request's head as its bytes arrive, and refuses at the first byte that no
// limit or line ending allows, so that nobody can make the server wait for an end that never comes.
// **Threads**: thread-compatible. **Cost**: each byte is looked at once, however it arrives.
// **Source**: RFC 9112, 2.2.
class HeadScanner {
 public:
  explicit HeadScanner(const ServerLimits& limits) : limits_(&limits) {}

  // `input` is everything since the beginning of the request. The length of the head with its empty
  // line, 0 when more is needed; a refusal is left in refusal().
  size_t Scan(std::string_view input);
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  const ServerLimits* limits_;  // outlives this
  size_t scanned_ = 0;          // no line end before here is unknown
  size_t line_start_ = 0;       // of the line under way
  size_t lines_ = 0;            // complete ones
  std::optional<Refusal> refusal_;
};

// What a head says, before its path is looked at.
struct RequestHead {
  std::string method;
  std::string target;
  int minor_version = 1;  // of HTTP/1
  Headers headers;
  std::string host;  // empty only in HTTP/1.0
  bool chunked = false;
  uint64_t content_length = 0;  // bytes; 0 when chunked or absent
  bool keep_alive = true;
  bool expects_continue = false;
};

// Reads a whole head (with its empty line) and refuses whatever two servers in a row might read
// differently. Nothing is repaired.
// **Source**: RFC 9112 (3, 5, 6), RFC 9110 (7.2, 8.6, 10.1.1).
std::optional<Refusal> ParseRequestHead(std::string_view bytes, RequestHead& head);

// Whether `line` is a field of a header or trailer: a token, a colon right behind it, and a value
// without controls.
bool ParseField(std::string_view line, std::string_view& name, std::string_view& value);

}  // namespace hilo::http
