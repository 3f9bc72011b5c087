#include "connectors/email/smtp_reply.h"

#include <algorithm>
#include <cctype>

namespace hilo::email {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return upper;
}

// "5.1.1" at the beginning of a line; "" for none. RFC 3463: class, subject, detail.
std::string EnhancedCode(std::string_view line) {
  size_t at = 0;
  for (int part = 0; part < 3; ++part) {
    const size_t begin = at;
    while (at < line.size() && IsDigit(line[at]) && at - begin < 3) ++at;
    if (at == begin ||
        (part == 0 && (at - begin != 1 || (line[0] != '2' && line[0] != '4' && line[0] != '5')))) {
      return "";
    }
    if (part < 2) {
      if (at >= line.size() || line[at] != '.') return "";
      ++at;
    }
  }
  if (at < line.size() && line[at] != ' ') return "";
  return std::string(line.substr(0, at));
}

}  // namespace

std::optional<SmtpReply> TakeReply(std::string& buffer, bool& malformed) {
  malformed = false;
  SmtpReply reply;
  size_t at = 0;
  for (;;) {
    const size_t end = buffer.find('\n', at);
    if (end == std::string::npos) return std::nullopt;
    if (end == at || buffer[end - 1] != '\r' || end - at < 4) {
      malformed = true;
      return std::nullopt;
    }
    const std::string_view line(buffer.data() + at, end - 1 - at);
    const bool coded = IsDigit(line[0]) && IsDigit(line[1]) && IsDigit(line[2]) &&
                       (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    const int code = coded ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0') : 0;
    if (code < 200 || code > 599 || (reply.code != 0 && reply.code != code)) {
      malformed = true;
      return std::nullopt;
    }
    reply.code = code;
    reply.lines.emplace_back(line.substr(std::min<size_t>(4, line.size())));
    at = end + 1;
    if (line.size() == 3 || line[3] == ' ') break;
  }
  buffer.erase(0, at);
  reply.enhanced_code = EnhancedCode(reply.lines.front());
  return reply;
}

SmtpOffer ParseOffer(const SmtpReply& ehlo) {
  SmtpOffer offer;
  for (size_t i = 1; i < ehlo.lines.size(); ++i) {
    const std::string line = UpperCase(ehlo.lines[i]);
    const size_t space = std::min(line.find_first_of(" ="), line.size());
    const std::string keyword = line.substr(0, space);
    offer.keywords.insert(keyword);
    if (keyword != "AUTH") continue;
    for (size_t at = space; at < line.size();) {
      const size_t begin = line.find_first_not_of(" =", at);
      if (begin == std::string::npos) break;
      const size_t end = std::min(line.find(' ', begin), line.size());
      offer.auth.insert(line.substr(begin, end - begin));
      at = end;
    }
  }
  return offer;
}

std::string DotStuffed(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 50 + 2);
  bool line_begins = true;
  for (size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (c == '\r' || c == '\n') {
      if (c == '\r' && i + 1 < bytes.size() && bytes[i + 1] == '\n') ++i;
      out += "\r\n";
      line_begins = true;
      continue;
    }
    if (line_begins && c == '.') out += '.';
    out += c;
    line_begins = false;
  }
  if (!line_begins) out += "\r\n";
  return out;
}

}  // namespace hilo::email
