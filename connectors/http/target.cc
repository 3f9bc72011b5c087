#include "connectors/http/target.h"

#include <utility>

namespace hilo::http {
namespace {

Refusal BadPath() { return {400, "bad_path", "The path is not one that a server can serve.", {}}; }
Refusal BadQuery() { return {400, "bad_query", "The query is not a form in UTF-8.", {}}; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Appends what `text` encodes; false when a percent sign is not followed by two hexadecimal digits.
bool PercentDecode(std::string_view text, bool plus_is_space, std::string& out) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return true;
}

bool HasEncodedSlash(std::string_view text) {
  for (size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1)) {
    if (text.substr(i + 1, 2) == "2f" || text.substr(i + 1, 2) == "2F") return true;
  }
  return false;
}

bool HasDotSegment(std::string_view path) {
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view segment = path.substr(0, path.find('/'));
    if (segment == "." || segment == "..") return true;
    path.remove_prefix(segment.size());
  }
  return false;
}

std::optional<Refusal> ParsePath(std::string_view text, std::string& path) {
  if (text.empty() || text.front() != '/' || HasEncodedSlash(text)) return BadPath();
  if (!PercentDecode(text, false, path)) return BadPath();
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f || c == '\\') return BadPath();
  }
  if (HasDotSegment(path) || !IsUtf8(path)) return BadPath();
  return std::nullopt;
}

std::optional<Refusal> ParseQuery(std::string_view text, const ServerLimits& limits,
                                  std::vector<Request::Pair>& query) {
  while (!text.empty()) {
    const size_t end = text.find('&');
    const std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
    if (part.empty()) continue;
    if (query.size() == limits.max_query_parameters) return BadQuery();
    const size_t equals = part.find('=');
    Request::Pair pair;
    if (!PercentDecode(part.substr(0, equals), true, pair.name)) return BadQuery();
    if (equals != std::string_view::npos &&
        !PercentDecode(part.substr(equals + 1), true, pair.value)) {
      return BadQuery();
    }
    for (const std::string* decoded : {&pair.name, &pair.value}) {
      if (!IsUtf8(*decoded) || decoded->find('\0') != std::string::npos) return BadQuery();
    }
    query.push_back(std::move(pair));
  }
  return std::nullopt;
}

}  // namespace

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + size > text.size()) return false;
    uint32_t code = lead & (0xff >> (size + 1));
    for (size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3f);
    }
    if (size == 3 && (code < 0x800 || (code >= 0xd800 && code < 0xe000))) return false;
    if (size == 4 && (code < 0x10000 || code > 0x10ffff)) return false;
    i += size;
  }
  return true;
}

std::optional<Refusal> ParseTarget(std::string_view target, std::string_view host,
                                   const ServerLimits& limits, Target& out) {
  if (target == "*") {
    out.path = "*";
    return std::nullopt;
  }
  if (target.find('#') != std::string_view::npos) return BadPath();
  std::string rooted;
  const size_t scheme = target.find("://");
  if (target.front() != '/' && scheme != std::string_view::npos) {
    const std::string_view name = target.substr(0, scheme);
    if (!EqualsIgnoringCase(name, "http") && !EqualsIgnoringCase(name, "https")) return BadPath();
    const std::string_view rest = target.substr(scheme + 3);
    const size_t end = rest.find_first_of("/?");
    if (host.empty() || !EqualsIgnoringCase(rest.substr(0, end), host)) {
      return Refusal{400, "bad_host", "The target names another host than the Host header.", {}};
    }
    target = end == std::string_view::npos ? "" : rest.substr(end);
    if (target.empty() || target.front() == '?') {
      rooted = "/" + std::string(target);
      target = rooted;
    }
  }
  const size_t question = target.find('?');
  if (auto refusal = ParsePath(target.substr(0, question), out.path)) return refusal;
  if (question == std::string_view::npos) return std::nullopt;
  return ParseQuery(target.substr(question + 1), limits, out.query);
}

}  // namespace hilo::http
