#include "connectors/email/mail.h"

#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "connectors/email/padded_base64.h"
#include "ops/base/text_encoding.h"
#include "state/types/hash.h"

namespace hilo::email {
namespace {

constexpr size_t kMaxLine = 76;           // of quoted-printable and encoded words
constexpr size_t kEncodedWordBytes = 42;  // before Base64: fits into 75 characters with its frame
constexpr size_t kMaxToken = 900;         // of a value that cannot be folded; a line holds 998
constexpr size_t kMaxQuotedName = 60;     // a longer name is folded, in encoded words

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Status CheckHeader(std::string_view value, std::string_view name) {
  if (!HasControl(value)) return OkStatus();
  return Error(StatusCode::kInvalidArgument, "header_injection",
               "the header " + std::string(name) + " would hold a control character");
}

// A value that is written as it is, without folding.
Status CheckToken(std::string_view value, std::string_view name) {
  HILO_RETURN_IF_ERROR(CheckHeader(value, name));
  if (IsAscii(value) && value.find_first_of(" <>,") == std::string_view::npos &&
      value.size() <= kMaxToken) {
    return OkStatus();
  }
  return Error(
      StatusCode::kInvalidArgument, "header_invalid",
      "the header " + std::string(name) +
          " would hold a blank, a bracket, a comma, a letter beyond ASCII or over 900 bytes");
}

// The value in encoded words, cut between characters and folded.
std::string EncodedWords(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    size_t size = std::min(kEncodedWordBytes, text.size());
    while (size < text.size() && size > 1 &&
           (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
      --size;
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?B?" + PaddedBase64(text.substr(0, size)) + "?=";
    text.remove_prefix(size);
  }
  return out;
}

// A header line, folded at spaces.
std::string Header(std::string_view name, std::string_view value) {
  std::string line = std::string(name) + ":";
  std::string out;
  size_t at = 0;
  while (at < value.size()) {
    size_t end = value.find(' ', at + 1);
    if (end == std::string_view::npos) end = value.size();
    std::string_view word = value.substr(at, end - at);
    if (at == 0 && line.size() > 0) line += ' ';
    if (line.size() + word.size() > kMaxLine && line.size() > name.size() + 2) {
      out += line + "\r\n";
      line.clear();
      if (word.front() != ' ') line += ' ';
    }
    line += word;
    at = end;
  }
  return out + line + "\r\n";
}

std::string TextHeader(std::string_view name, std::string_view value) {
  // What looks like an encoded word, or cannot be folded below the limit, is encoded too.
  // Blanks that folding could leave alone on a line, or at the end of one, are encoded as well.
  if (value.empty()) return std::string(name) + ":\r\n";
  const bool odd_blanks =
      value.front() == ' ' || value.back() == ' ' || value.find("  ") != std::string_view::npos;
  size_t longest = 0;
  for (size_t at = 0; at < value.size();) {
    const size_t end = std::min(value.find(' ', at), value.size());
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  if (IsAscii(value) && value.find("=?") == std::string_view::npos && longest <= kMaxLine &&
      !odd_blanks)
    return Header(name, value);
  return std::string(name) + ": " + EncodedWords(value) + "\r\n";
}

std::string NamedAddress(std::string_view name, std::string_view address) {
  if (name.empty()) return std::string(address);
  if (!IsAscii(name) || name.find("=?") != std::string_view::npos || name.size() > kMaxQuotedName)
    return EncodedWords(name) + " <" + std::string(address) + ">";
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\" <" + std::string(address) + ">";
}

// RFC 2045, 6.7. Line ends of any kind become CRLF; a bare CR is encoded.
std::string QuotedPrintable(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  std::string line;
  const auto flush_soft = [&] {
    out += line + "=\r\n";
    line.clear();
  };
  const auto add = [&](std::string_view piece) {
    if (line.size() + piece.size() > kMaxLine - 1) flush_soft();
    line += piece;
  };
  const auto encoded = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::string{'=', kDigits[byte >> 4], kDigits[byte & 15]};
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool crlf = c == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (c == '\n' || crlf) {
      if (crlf) ++i;
      if (!line.empty() && (line.back() == ' ' || line.back() == '\t')) {
        const std::string last = encoded(line.back());
        line.pop_back();
        add(last);
      }
      out += line + "\r\n";
      line.clear();
    } else if ((c >= 0x21 && c <= 0x7e && c != '=') || c == ' ' || c == '\t') {
      add(std::string_view(&c, 1));
    } else {
      add(encoded(c));
    }
  }
  if (!line.empty() && (line.back() == ' ' || line.back() == '\t')) {
    const std::string last = encoded(line.back());
    line.pop_back();
    add(last);
  }
  return line.empty() ? out : out + line + "\r\n";
}

std::string Part(std::string_view type, std::string_view body) {
  return "Content-Type: " + std::string(type) +
         "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" +
         QuotedPrintable(body);
}

std::string Rfc5322Date(WallTime time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S +0000",
                          absl::FromUnixMicros(time.time_since_epoch().count()),
                          absl::UTCTimeZone());
}

Status Check(const Mail& mail) {
  HILO_RETURN_IF_ERROR(CheckAddress(mail.from_address, "From"));
  HILO_RETURN_IF_ERROR(CheckAddress(mail.to, "To"));
  if (!mail.reply_to.empty()) HILO_RETURN_IF_ERROR(CheckAddress(mail.reply_to, "Reply-To"));
  HILO_RETURN_IF_ERROR(CheckAddress(mail.message_id, "Message-ID"));
  HILO_RETURN_IF_ERROR(CheckHeader(mail.from_name, "From"));
  HILO_RETURN_IF_ERROR(CheckHeader(mail.subject, "Subject"));
  const std::pair<std::string_view, std::string_view> tokens[] = {
      {mail.message_id, "Message-ID"},
      {mail.language, "Content-Language"},
      {mail.unsubscribe_url, "List-Unsubscribe"},
      {mail.unsubscribe_address, "List-Unsubscribe"},
      {mail.feedback_id, "Feedback-ID"}};
  for (const auto& [value, name] : tokens) HILO_RETURN_IF_ERROR(CheckToken(value, name));
  return OkStatus();
}

}  // namespace

Status CheckAddress(std::string_view address, std::string_view name) {
  const size_t at = address.rfind('@');
  const auto bad = [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == '<' || c == '>' || c == ',' || c == ';' ||
           c == '"' || c == '(' || c == ')' || c == '\\' || c == 0x7f;
  };
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size() ||
      address.find('@') != at || std::any_of(address.begin(), address.end(), bad) ||
      !IsAscii(address.substr(at)) || address.size() > 254) {
    return Error(StatusCode::kInvalidArgument, "address_invalid",
                 "the address of " + std::string(name) +
                     " is not local@domain with an ASCII domain of at most 254 bytes");
  }
  return OkStatus();
}

StatusOr<Composed> Compose(const Mail& mail) {
  HILO_RETURN_IF_ERROR(Check(mail));
  Composed composed;
  composed.smtputf8 = !IsAscii(mail.to) || !IsAscii(mail.from_address) || !IsAscii(mail.reply_to);
  std::string& out = composed.bytes;
  out += Header("Date", Rfc5322Date(mail.date));
  out += "From: " + NamedAddress(mail.from_name, mail.from_address) + "\r\n";
  out += "To: " + mail.to + "\r\n";
  if (!mail.reply_to.empty()) out += "Reply-To: " + mail.reply_to + "\r\n";
  out += "Message-ID: <" + mail.message_id + ">\r\n";
  out += TextHeader("Subject", mail.subject);
  out += "Auto-Submitted: auto-generated\r\n";
  if (!mail.language.empty()) out += "Content-Language: " + mail.language + "\r\n";
  if (!mail.feedback_id.empty()) out += "Feedback-ID: " + mail.feedback_id + "\r\n";
  if (!mail.unsubscribe_url.empty()) {
    out += "List-Unsubscribe: <" + mail.unsubscribe_url + ">";
    if (!mail.unsubscribe_address.empty()) out += ",\r\n <mailto:" + mail.unsubscribe_address + ">";
    out += "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
  }
  out += "MIME-Version: 1.0\r\n";
  if (mail.html.empty()) {
    out += Part("text/plain", mail.text);
    return composed;
  }
  // Of the Message-ID: the same in every attempt. It cannot stand in quoted-printable text, where
  // "=_" is never written.
  const std::string boundary = "=_" + Hex(Bytes(Hash(mail.message_id)));
  out += "Content-Type: multipart/alternative;\r\n boundary=\"" + boundary + "\"\r\n\r\n";
  out += "--" + boundary + "\r\n" + Part("text/plain", mail.text);
  out += "--" + boundary + "\r\n" + Part("text/html", mail.html);
  out += "--" + boundary + "--\r\n";
  return composed;
}

}  // namespace hilo::email
