#pragma once

#include <optional>
#include <string>

#include "tests/mail_sink/mail_sink.h"

struct ssl_st;

namespace hilo::mail_sink {

// One connection of a sink, from its greeting to its end. Reads and writes block.
class Dialogue {
 public:
  Dialogue(MailSink& sink, int socket, int number)
      : sink_(sink), socket_(socket), number_(number) {}
  ~Dialogue();
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  void Run();

 private:
  // All of these are false when the connection is at its end.
  bool Command(const std::string& line);
  bool Hello(bool extended);
  bool StartTls();
  bool LogIn(const std::string& line);
  bool Mail(const std::string& line);
  bool Recipient(const std::string& line);
  bool Data();
  bool Encrypt();
  // Says `answer`, unless the plan wants something else here.
  bool Answer(Point point, const std::string& answer, bool* as_planned = nullptr);
  bool Misbehave(const Rule& rule);
  bool Say(const std::string& line) { return Write(line + "\r\n"); }
  bool Write(const std::string& bytes);
  bool ReadSome();
  std::optional<std::string> ReadLine();
  void SwallowUntilEnd();
  void ResetMessage();

  MailSink& sink_;
  const int socket_;
  const int number_;
  ssl_st* tls_ = nullptr;
  std::string buffer_;
  Taken message_;
  bool has_sender_ = false;
};

}  // namespace hilo::mail_sink
