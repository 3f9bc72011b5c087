#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/clock.h"

namespace hilo::http {

// The fields of a message in the order in which they came; a name may occur several times.
// **Threads**: thread-compatible. **Lifetime**: the views point into this object.
class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;
  };

  Headers() = default;
  Headers(std::initializer_list<Field> fields) : fields_(fields) {}

  void Add(std::string name, std::string value);
  // Replaces every field of that name.
  void Set(std::string name, std::string value);
  void Remove(std::string_view name);
  // The first value; names are compared without regard to case.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::vector<std::string_view> FindAll(std::string_view name) const;
  size_t Count(std::string_view name) const;

  size_t size() const { return fields_.size(); }
  bool empty() const { return fields_.empty(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

// Whether two header names, codings or media types are the same but for ASCII case.
bool EqualsIgnoringCase(std::string_view a, std::string_view b);

// A request that has passed every check of framing, host, path and size. All of it came from
// outside all the same: none of it may be repeated in an error or a log.
struct Request {
  struct Pair {
    std::string name;
    std::string value;
  };

  // As sent, e.g. "POST"; one that the route names, or HEAD where the route names GET.
  std::string method;
  // Decoded: begins with "/", valid UTF-8, without "." and ".." segments, controls and "\".
  std::string path;
  // The pattern that matched: a label for metrics.
  std::string route;
  // What stood at "{name}" of the pattern, in order; "*" names the rest of a prefix.
  std::vector<Pair> parameters;
  // Decoded as a form ("+" is a space), in order; valid UTF-8 without NUL.
  std::vector<Pair> query;
  Headers headers;
  // Whole, without chunks and without gzip.
  std::string body;
  // Empty, unless the route passes on codings that this server does not know.
  std::string body_encoding;
  // As they came, before inflating.
  size_t body_wire_bytes = 0;
  // Numeric, e.g. "192.0.2.7" or "2001:db8::1": the other end of the socket.
  std::string peer_address;
  uint16_t peer_port = 0;
  // Came over TLS to this server.
  bool secure = false;
  // When its first byte came.
  MonotonicTime arrived;
  // Ours, unique within the installation for all practical purposes; also in X-Request-Id.
  std::string request_id;

  std::optional<std::string_view> Parameter(std::string_view name) const;
  // The first value of that name.
  std::optional<std::string_view> Query(std::string_view name) const;
  // The media type alone, in lower case: "application/json" of "Application/JSON; charset=utf-8".
  // Empty when absent.
  std::string ContentType() const;
};

// What goes back. The server adds Content-Length, Date, Connection and X-Request-Id; a header with
// CR, LF or NUL in it is never written: the peer gets a 500 instead.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

// Why a request is turned away: a stable code for machines, a fixed text for people. Neither
// repeats what came in.
struct Refusal {
  int status = 400;
  std::string code;
  std::string message;
  Headers headers;  // e.g. Allow, Retry-After
};

// The form of every error of this server: {"code":"bad_framing","message":"…","requestId":"…"}, not
// to be stored.
Response JsonError(const Refusal& refusal, std::string_view request_id);

// Writes a refusal in another protocol's form, for the routes that ask for it (Connect).
using RefusalWriter =
    std::function<Response(const Refusal& refusal, const std::string& request_id)>;

// The text beside a status code; "Unknown" for one without a name.
std::string_view ReasonPhrase(int status);

}  // namespace hilo::http
