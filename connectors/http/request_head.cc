#include "connectors/http/request_head.h"

#include <utility>
#include <vector>

namespace hilo::http {
namespace {

Refusal Bad(std::string_view code, std::string_view message) {
  return {400, std::string(code), std::string(message), {}};
}

Refusal HeadersTooLarge() {
  return {431, "headers_too_large", "Send fewer or shorter headers.", {}};
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// RFC 9110, 5.6.2.
bool IsTokenByte(char c) {
  return IsDigit(c) || IsAlpha(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool IsToken(std::string_view text) {
  for (const char c : text) {
    if (!IsTokenByte(c)) return false;
  }
  return !text.empty();
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsHost(std::string_view host) {
  if (host.empty()) return false;
  size_t colons = 0;
  for (const char c : host) {
    if (c == ':') ++colons;
    if (!IsDigit(c) && !IsAlpha(c) &&
        std::string_view("-._~:[]%").find(c) == std::string_view::npos) {
      return false;
    }
  }
  const bool bracketed = host.front() == '[';
  if (!bracketed && (colons > 1 || host.find_first_of("[]") != std::string_view::npos))
    return false;
  if (bracketed && (host.rfind('[') != 0 || host.find(']') != host.rfind(']'))) return false;
  const size_t name_end = bracketed ? host.find(']') + 1 : host.find(':');
  if (bracketed && name_end == 0) return false;
  if (name_end == 0) return false;
  if (name_end == std::string_view::npos || name_end == host.size()) return true;
  if (host[name_end] != ':') return false;
  for (const char c : host.substr(name_end + 1)) {
    if (!IsDigit(c)) return false;
  }
  return true;
}

std::optional<Refusal> ParseRequestLine(std::string_view line, RequestHead& head) {
  const Refusal bad = Bad("bad_request_line", "The request line is not: method, target, HTTP/1.1.");
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad;
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!IsToken(method) || target.empty() || target.front() == ' ') return bad;
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) ||
      version[6] != '.' || !IsDigit(version[7])) {
    return bad;
  }
  if (version[5] != '1') {
    return Refusal{505, "bad_version", "This server speaks HTTP/1.1 and HTTP/1.0.", {}};
  }
  for (const char c : target) {
    // A space or a control would let two readers disagree about where the target ends.
    if (c <= 0x20 || c >= 0x7f)
      return Bad("bad_path", "The target holds a byte that no URL may hold.");
  }
  head.method = method;
  head.target = target;
  head.minor_version = version[7] == '0' ? 0 : 1;
  return std::nullopt;
}

std::optional<Refusal> ReadHost(RequestHead& head) {
  const std::vector<std::string_view> hosts = head.headers.FindAll("host");
  if (hosts.empty() && head.minor_version == 0) return std::nullopt;
  if (hosts.size() != 1 || !IsHost(hosts[0])) {
    return Bad("bad_host", "Send exactly one Host header with a host name.");
  }
  head.host = hosts[0];
  return std::nullopt;
}

std::optional<Refusal> ReadFraming(RequestHead& head) {
  const std::vector<std::string_view> lengths = head.headers.FindAll("content-length");
  const std::vector<std::string_view> codings = head.headers.FindAll("transfer-encoding");
  if (!lengths.empty() && !codings.empty()) {
    return Bad("bad_framing", "Send Content-Length or Transfer-Encoding, not both.");
  }
  if (!codings.empty()) {
    if (codings.size() != 1 || !EqualsIgnoringCase(codings[0], "chunked") ||
        head.minor_version == 0) {
      return Bad("bad_transfer_encoding", "The only transfer coding is chunked, in HTTP/1.1.");
    }
    head.chunked = true;
  }
  if (lengths.empty()) return std::nullopt;
  const Refusal bad = Bad("bad_framing", "Send one Content-Length with one plain decimal number.");
  // 18 digits cannot overflow; a repeated length is refused even when it agrees.
  if (lengths.size() != 1 || lengths[0].empty() || lengths[0].size() > 18) return bad;
  if (lengths[0].size() > 1 && lengths[0][0] == '0') return bad;
  for (const char c : lengths[0]) {
    if (!IsDigit(c)) return bad;
    head.content_length = head.content_length * 10 + static_cast<uint64_t>(c - '0');
  }
  return std::nullopt;
}

void ReadConnection(RequestHead& head) {
  // HTTP/1.0 keep-alive is not offered: nobody needs it any more, and its proxies got it wrong.
  head.keep_alive = head.minor_version == 1;
  for (std::string_view value : head.headers.FindAll("connection")) {
    while (!value.empty()) {
      const size_t comma = value.find(',');
      if (EqualsIgnoringCase(Trim(value.substr(0, comma)), "close")) head.keep_alive = false;
      value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
    }
  }
}

std::optional<Refusal> ReadExpectation(RequestHead& head) {
  const std::vector<std::string_view> values = head.headers.FindAll("expect");
  if (values.empty() || head.minor_version == 0) return std::nullopt;
  if (values.size() != 1 || !EqualsIgnoringCase(values[0], "100-continue")) {
    return Refusal{417, "bad_expectation", "The only expectation is 100-continue.", {}};
  }
  head.expects_continue = true;
  return std::nullopt;
}

}  // namespace

size_t HeadScanner::Scan(std::string_view input) {
  // One empty line before a request is forgiven (RFC 9112, 2.2): old clients send it after a body.
  while (!refusal_) {
    const size_t end = input.find('\n', scanned_);
    const bool complete = end != std::string_view::npos;
    const size_t line_size = (complete ? end : input.size()) - line_start_;
    if (line_size > limits_->max_line_bytes) {
      refusal_ = lines_ == 0 ? Bad("bad_path", "The request line is too long.") : HeadersTooLarge();
    } else if ((complete ? end : input.size()) > limits_->max_head_bytes) {
      refusal_ = HeadersTooLarge();
    } else if (!complete) {
      scanned_ = input.size();
      return 0;
    } else if (line_size == 0 || input[end - 1] != '\r') {
      refusal_ = lines_ == 0 ? Bad("bad_request_line", "Lines end with CR and LF.")
                             : Bad("bad_header", "Lines end with CR and LF.");
    } else {
      scanned_ = end + 1;
      line_start_ = scanned_;
      if (line_size > 1) {
        if (lines_++ > limits_->max_headers) refusal_ = HeadersTooLarge();
      } else if (lines_ > 0) {
        return scanned_;
      } else if (end != 1) {
        refusal_ = Bad("bad_request_line", "A request begins with its method.");
      }
    }
  }
  return 0;
}

bool ParseField(std::string_view line, std::string_view& name, std::string_view& value) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || !IsToken(line.substr(0, colon))) return false;
  name = line.substr(0, colon);
  value = Trim(line.substr(colon + 1));
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) return false;
  }
  return true;
}

std::optional<Refusal> ParseRequestHead(std::string_view bytes, RequestHead& head) {
  if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
  size_t end = bytes.find("\r\n");
  if (auto refusal = ParseRequestLine(bytes.substr(0, end), head)) return refusal;
  for (bytes.remove_prefix(end + 2); (end = bytes.find("\r\n")) != 0;
       bytes.remove_prefix(end + 2)) {
    std::string_view name, value;
    // A folded line begins with a blank, which no token does.
    if (!ParseField(bytes.substr(0, end), name, value)) {
      return Bad("bad_header",
                 "A header is a name, a colon and a value without control characters.");
    }
    head.headers.Add(std::string(name), std::string(value));
  }
  if (auto refusal = ReadFraming(head)) return refusal;
  if (auto refusal = ReadHost(head)) return refusal;
  ReadConnection(head);
  return ReadExpectation(head);
}

}  // namespace hilo::http
