#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "tests/mail_sink/plan.h"

struct ssl_ctx_st;

namespace hilo::mail_sink {

// One message that the sink took.
struct Taken {
  std::string message_id;  // of its header, without angle brackets
  std::string sender;
  std::string recipient;  // the first
  std::string mail_line;  // the whole MAIL command
  std::string rcpt_line;  // the whole RCPT command of that recipient
  std::string bytes;      // without doubled dots
  bool encrypted = false;
  std::string user;    // who logged in
  int connection = 0;  // which one it came over, from 1
};

// A mail server for tests: takes every message, or fails where its plan says.
//
// **Guarantees**: a message is in the log, synced, before its 250; whatever the plan lets fail
// earlier is in no log. Text with a line feed or a carriage return that is not part of CRLF is
// answered 550, so that a sender of such shows.
// **Limits**: kMaxMessageBytes; a thread for each connection.
// **Threads**: thread-safe. **Lifetime**: the destructor cuts all connections.
class MailSink {
 public:
  static constexpr size_t kMaxMessageBytes = 16 << 20;
  struct Options {
    uint16_t port = 0;  // 0: any
    Plan plan;
    std::string log_file;          // a line of JSON for each message; empty: none
    std::string keep_folder;       // each message as a file; empty: none
    std::string certificate_file;  // PEM, with key_file: STARTTLS is offered
    std::string key_file;
    bool tls_from_start = false;
    std::string user;  // AUTH is offered, and wanted, with this and the password
    std::string password;
  };
  static StatusOr<std::unique_ptr<MailSink>> Start(Options options);
  ~MailSink();
  MailSink(const MailSink&) = delete;
  MailSink& operator=(const MailSink&) = delete;

  uint16_t port() const { return port_; }
  std::vector<Taken> Messages() const HILO_EXCLUDES(mutex_);
  // Connections that were made so far.
  int Connections() const HILO_EXCLUDES(mutex_);
  // All command lines of all connections, in the order in which they came.
  std::vector<std::string> Commands() const HILO_EXCLUDES(mutex_);

 private:
  friend class Dialogue;
  explicit MailSink(Options options) : options_(std::move(options)) {}
  Status Listen();
  void Accept();
  // The rule to follow now, if any.
  std::optional<Rule> Follow(Point point, const std::string& recipient) HILO_EXCLUDES(mutex_);
  // Durable when it returns. False when it could not be written.
  bool Keep(Taken taken) HILO_EXCLUDES(mutex_);
  void Heard(const std::string& line) HILO_EXCLUDES(mutex_);

  const Options options_;
  uint16_t port_ = 0;
  int listener_ = -1;
  int log_ = -1;
  ssl_ctx_st* tls_ = nullptr;
  mutable Mutex mutex_;
  bool stopping_ HILO_GUARDED_BY(mutex_) = false;
  std::map<size_t, int> passes_ HILO_GUARDED_BY(mutex_);  // by rule
  std::vector<Taken> taken_ HILO_GUARDED_BY(mutex_);
  std::vector<std::string> commands_ HILO_GUARDED_BY(mutex_);
  std::set<int> sockets_ HILO_GUARDED_BY(mutex_);
  int connections_ HILO_GUARDED_BY(mutex_) = 0;
  std::vector<std::jthread> dialogues_ HILO_GUARDED_BY(mutex_);
  std::jthread acceptor_;
};

}  // namespace hilo::mail_sink
