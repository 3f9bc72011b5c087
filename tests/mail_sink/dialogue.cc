#include "tests/mail_sink/dialogue.h"

#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "ops/base/text_encoding.h"

namespace hilo::mail_sink {
namespace {

constexpr size_t kMaxLine = 8 << 10;
constexpr int kDripPauseMillis = 20;

std::string Padded(std::string text) {
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string Bracketed(const std::string& line) {
  const size_t begin = line.find('<');
  const size_t end = line.find('>', begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  return line.substr(begin + 1, end - begin - 1);
}

std::string MessageIdOf(const std::string& bytes) {
  const std::string head = "\r\n" + bytes.substr(0, bytes.find("\r\n\r\n"));
  const size_t at = Upper(head).find("\r\nMESSAGE-ID:");
  return at == std::string::npos ? "" : Bracketed(head.substr(at + 2));
}

// Whether every CR and LF is part of a CRLF.
bool HasCleanLineEnds(const std::string& bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) return false;
    if (bytes[i] == '\r' && (i + 1 == bytes.size() || bytes[i + 1] != '\n')) return false;
  }
  return true;
}

}  // namespace

Dialogue::~Dialogue() {
  if (tls_ != nullptr) SSL_free(tls_);
}

void Dialogue::Run() {
  if (sink_.options_.tls_from_start && !Encrypt()) return;
  if (!Answer(Point::kConnect, "220 sink.example ESMTP")) return;
  while (const auto line = ReadLine()) {
    sink_.Heard(*line);
    if (!Command(*line)) return;
  }
}

bool Dialogue::Command(const std::string& line) {
  const std::string verb = Upper(line.substr(0, line.find(' ')));
  if (verb == "EHLO" || verb == "HELO") return Hello(verb == "EHLO");
  if (verb == "STARTTLS") return StartTls();
  if (verb == "AUTH") return LogIn(line);
  if (verb == "MAIL") return Mail(line);
  if (verb == "RCPT") return Recipient(line);
  if (verb == "DATA") return Data();
  if (verb == "RSET") {
    ResetMessage();
    return Say("250 2.0.0 ok");
  }
  if (verb == "NOOP") return Say("250 2.0.0 ok");
  if (verb == "QUIT") {
    Say("221 2.0.0 bye");
    return false;
  }
  return Say("500 5.5.1 unknown command");
}

bool Dialogue::Hello(bool extended) {
  const auto& options = sink_.options_;
  if (!extended) return Say("250 sink.example");
  if (options.plan.without.contains("EHLO")) return Say("500 5.5.1 unknown command");
  std::vector<std::string> lines = {"sink.example"};
  const auto offer = [&](const std::string& keyword, const std::string& more = "") {
    if (!options.plan.without.contains(keyword)) lines.push_back(keyword + more);
  };
  for (const char* keyword : {"PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"})
    offer(keyword);
  offer("SIZE", " " + std::to_string(MailSink::kMaxMessageBytes));
  if (sink_.tls_ != nullptr && tls_ == nullptr) offer("STARTTLS");
  if (!options.user.empty()) {
    std::string mechanisms;
    for (const char* mechanism : {"PLAIN", "LOGIN"})
      if (!options.plan.without.contains(mechanism)) mechanisms += std::string(" ") + mechanism;
    offer("AUTH", mechanisms);
  }
  std::string answer;
  for (size_t i = 0; i < lines.size(); ++i)
    answer +=
        (i == 0 ? "250" : "\r\n250") + std::string(i + 1 < lines.size() ? "-" : " ") + lines[i];
  return Answer(Point::kEhlo, answer);
}

bool Dialogue::StartTls() {
  if (sink_.tls_ == nullptr || tls_ != nullptr) return Say("503 5.5.1 no");
  bool as_planned = false;
  if (!Answer(Point::kStartTls, "220 2.0.0 go on", &as_planned)) return false;
  if (!as_planned) return true;
  ResetMessage();
  return Encrypt();
}

bool Dialogue::Encrypt() {
  tls_ = SSL_new(sink_.tls_);
  SSL_set_fd(tls_, socket_);
  return SSL_accept(tls_) == 1;
}

bool Dialogue::LogIn(const std::string& line) {
  const auto& options = sink_.options_;
  const std::string whole = '\0' + options.user + '\0' + options.password;
  bool right = line == "AUTH PLAIN " + Padded(Base64(whole));
  if (line == "AUTH LOGIN") {
    if (!Say("334 VXNlcm5hbWU6")) return false;
    const auto user = ReadLine();
    if (!user || !Say("334 UGFzc3dvcmQ6")) return false;
    const auto password = ReadLine();
    if (!password) return false;
    right = *user == Padded(Base64(options.user)) && *password == Padded(Base64(options.password));
  }
  if (right) message_.user = options.user;
  return Answer(Point::kAuth, right ? "235 2.7.0 welcome" : "535 5.7.8 wrong name or password");
}

bool Dialogue::Mail(const std::string& line) {
  if (!sink_.options_.user.empty() && message_.user.empty()) return Say("530 5.7.0 log in first");
  bool as_planned = false;
  if (!Answer(Point::kMail, "250 2.1.0 ok", &as_planned)) return false;
  if (!as_planned) return true;
  ResetMessage();
  has_sender_ = true;
  message_.sender = Bracketed(line);
  message_.mail_line = line;
  return true;
}

bool Dialogue::Recipient(const std::string& line) {
  if (!has_sender_) return Say("503 5.5.1 MAIL first");
  const std::string before = message_.recipient;
  if (before.empty()) message_.recipient = Bracketed(line);
  bool as_planned = false;
  if (!Answer(Point::kRcpt, "250 2.1.5 ok", &as_planned)) return false;
  if (!as_planned) {
    message_.recipient = before;
  } else if (before.empty()) {
    message_.rcpt_line = line;
  }
  return true;
}

bool Dialogue::Data() {
  if (message_.rcpt_line.empty()) return Say("503 5.5.1 RCPT first");
  bool as_planned = false;
  if (!Answer(Point::kData, "354 go on", &as_planned)) return false;
  if (!as_planned) return true;
  bool clean = true;
  for (bool first = true;; first = false) {
    const auto line = ReadLine();
    if (!line) return false;
    if (*line == ".") break;
    if (line->size() > 998 + 1) clean = false;
    message_.bytes += (line->starts_with('.') ? line->substr(1) : *line) + "\r\n";
    if (message_.bytes.size() > MailSink::kMaxMessageBytes) return false;
    if (!first) continue;
    if (const auto rule = sink_.Follow(Point::kInData, message_.recipient)) {
      if (!Misbehave(*rule) || rule->action == Action::kReply) return false;
    }
  }
  if (!clean || !HasCleanLineEnds(message_.bytes)) {
    ResetMessage();
    return Say("550 5.6.0 a bare CR or LF, or a line of over 998 bytes");
  }
  if (const auto rule = sink_.Follow(Point::kDot, message_.recipient)) {
    ResetMessage();
    return Misbehave(*rule);
  }
  message_.message_id = MessageIdOf(message_.bytes);
  message_.encrypted = tls_ != nullptr;
  message_.connection = number_;
  const std::string recipient = message_.recipient;
  if (!sink_.Keep(message_)) return Say("451 4.3.0 cannot write");
  ResetMessage();
  if (const auto rule = sink_.Follow(Point::kTaken, recipient)) return Misbehave(*rule);
  const auto rule = sink_.Follow(Point::kReplied, recipient);
  // In one piece, so that nobody hears the first half without the second.
  if (rule && rule->action == Action::kReply)
    return Say("250 2.0.0 taken\r\n" + rule->text) && !rule->text.starts_with("421");
  if (!Say("250 2.0.0 taken")) return false;
  return !rule || Misbehave(*rule);
}

bool Dialogue::Answer(Point point, const std::string& answer, bool* as_planned) {
  if (as_planned != nullptr) *as_planned = true;
  const auto rule = sink_.Follow(point, message_.recipient);
  if (!rule) return Say(answer);
  if (as_planned != nullptr) *as_planned = false;
  return Misbehave(*rule);
}

bool Dialogue::Misbehave(const Rule& rule) {
  switch (rule.action) {
    case Action::kReply:
      // 421 says that the connection ends.
      return Say(rule.text) && !rule.text.starts_with("421");
    case Action::kCut:
      return false;
    case Action::kSilent:
      SwallowUntilEnd();
      return false;
    case Action::kDrip:
      for (size_t i = 0; Write(std::string(1, "250-slow\r\n"[i % 10])); ++i) {
        pollfd idle{socket_, POLLRDHUP, 0};
        if (poll(&idle, 1, kDripPauseMillis) > 0) return false;
      }
      return false;
    case Action::kFlood:
      for (std::string part(4'096, '2'); Write(part);) continue;
      return false;
    case Action::kBareLf:
      Write("250 2.0.0 ok\n");
      SwallowUntilEnd();
      return false;
    case Action::kInject:
      Write("220 2.0.0 go on\r\n250 injected\r\n");
      SwallowUntilEnd();
      return false;
    case Action::kBadTls:
      Write("220 2.0.0 go on\r\n");
      if (!ReadSome()) return false;
      Write(std::string(200, 'x'));
      return false;
  }
  return false;
}

bool Dialogue::Write(const std::string& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const auto left = bytes.size() - at;
    const auto count =
        tls_ != nullptr
            ? static_cast<ssize_t>(SSL_write(tls_, bytes.data() + at, static_cast<int>(left)))
            : send(socket_, bytes.data() + at, left, MSG_NOSIGNAL);
    if (count <= 0) return false;
    at += static_cast<size_t>(count);
  }
  return true;
}

bool Dialogue::ReadSome() {
  char bytes[16 << 10];
  const auto count = tls_ != nullptr ? static_cast<ssize_t>(SSL_read(tls_, bytes, sizeof bytes))
                                     : recv(socket_, bytes, sizeof bytes, 0);
  if (count <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

// Up to CRLF; a line feed alone ends nothing.
std::optional<std::string> Dialogue::ReadLine() {
  size_t searched = 0;
  for (;;) {
    const size_t end = buffer_.find("\r\n", searched);
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 2);
      return line;
    }
    if (buffer_.size() > kMaxLine) return std::nullopt;
    searched = buffer_.empty() ? 0 : buffer_.size() - 1;
    if (!ReadSome()) return std::nullopt;
  }
}

void Dialogue::SwallowUntilEnd() {
  while (ReadSome()) buffer_.clear();
}

void Dialogue::ResetMessage() {
  Taken fresh;
  fresh.user = message_.user;
  message_ = std::move(fresh);
  has_sender_ = false;
}

}  // namespace hilo::mail_sink
