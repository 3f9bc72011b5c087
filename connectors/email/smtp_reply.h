#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hilo::email {

// A server's answer to one command.
struct SmtpReply {
  int code = 0;
  std::vector<std::string> lines;  // without code and CRLF
  std::string enhanced_code;       // of the first line; "" when it has none

  bool Positive() const { return code >= 200 && code < 300; }
  bool Transient() const { return code >= 400 && code < 500; }
  bool Permanent() const { return code >= 500 && code < 600; }
};

// Takes one whole reply from the front of `buffer`, which keeps the rest; nullopt while it is not
// whole. `malformed` is set when it never will be: no code, codes that differ between lines, a bare
// line feed.
std::optional<SmtpReply> TakeReply(std::string& buffer, bool& malformed);

// What an EHLO answer offers: keywords in upper case, and the mechanisms of AUTH.
struct SmtpOffer {
  std::set<std::string, std::less<>> keywords;
  std::set<std::string, std::less<>> auth;
  bool Has(std::string_view keyword) const { return keywords.contains(keyword); }
};
SmtpOffer ParseOffer(const SmtpReply& ehlo);

// The text as it goes over the line: dots at line beginnings doubled, CRLF at the end, without the
// final dot. Bare CR and LF become CRLF, so that nobody takes them for an end of the message.
std::string DotStuffed(std::string_view bytes);

}  // namespace hilo::email
