#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ops/base/logger.h"
#include "ops/base/status.h"

namespace hilo::email {

// When a connection is encrypted.
enum class SmtpTls {
  kNone,
  kOpportunistic,  // by STARTTLS where it is offered, whoever the server is; who can cut it out of
                   // the offer, or stands in between, can read along
  kRequired,       // by STARTTLS, or nothing is sent
  kImplicit        // from the first byte (port 465)
};

// The mail server that sends on (a smarthost), and how it is spoken to.
struct SmtpOptions {
  std::string host;
  uint16_t port = 587;
  SmtpTls tls = SmtpTls::kRequired;
  std::string ca_file;  // PEM; empty: the system's
  std::string user;     // empty: no AUTH; sent only to a server whose certificate was checked
  std::string password;
  bool plain_auth_without_tls = false;  // or without such a check: for a server on the same machine
  std::string own_name = "localhost";   // said in EHLO
  int connections = 4;                  // at most
  size_t queued = 1'024;                // messages that wait for a connection, at most
  int messages_per_connection = 100;
  // Origin: RFC 5321, 4.5.3.2, shorter where we can try again, and its ten minutes for the final
  // dot.
  std::chrono::milliseconds connect_timeout{30'000};
  std::chrono::milliseconds reply_timeout{60'000};
  std::chrono::milliseconds data_timeout{180'000};  // of sending the text
  std::chrono::milliseconds final_timeout{600'000};
  std::chrono::milliseconds idle_timeout{30'000};  // an unused connection is given up
};

// One message for one recipient.
struct SmtpMessage {
  std::string sender;       // MAIL FROM; empty: none ("<>")
  std::string recipient;    // RCPT TO
  std::string envelope_id;  // ENVID, where the server takes it; printable, at most 100 bytes
  std::string bytes;        // lines end in CRLF
  bool smtputf8 = false;
};

// What came of it.
struct SmtpOutcome {
  enum class Kind {
    kSent,       // the server has taken it (2xx after the final dot)
    kTransient,  // it has not, now (4xx)
    kPermanent,  // it has not, and will not (5xx)
    kUnknown,    // the connection went after the final dot: it may have been taken
    kNotSent  // it was never handed over: no connection, no encryption, not logged in, our sender
              // refused, no longer wanted
  };
  Kind kind = Kind::kNotSent;
  int code = 0;               // the server's reply; 0: none
  std::string enhanced_code;  // RFC 3463, such as "5.1.1"; may be empty
  std::string where;          // "connect", "starttls", "auth", "mail", "rcpt", "data", "dot"
};

// Submits mail to a smarthost.
//
// **Guarantees**: `done` is called once for each message, also when the client stops. Whatever is
// not kSent or kUnknown was surely not taken. `may_still_send` is asked right before the final dot;
// after a no the connection is cut, so that the server has no whole message. Nothing that came in
// the clear before STARTTLS counts after it. Only what is about the message or its recipient
// is kPermanent; a recipient that does not fit between angle brackets is so (5.1.3) without being
// told to a server.
// **Limits**: those of the options; a reply has at most kMaxReplyBytes. A queue that is full
// answers kNotSent at once.
// **Errors**: Create answers `smtp_config` for a CA file that cannot be read and the like.
// **Threads**: thread-safe; callbacks come on the client's own thread: do little.
// **Source**: RFC 5321, 3207 (STARTTLS), 4954 (AUTH), 1870 (SIZE), 6152 (8BITMIME), 6531
// (SMTPUTF8), 3461 (DSN), 2920 (PIPELINING), 2034 and 3463 (enhanced codes).
class SmtpClient {
 public:
  static constexpr size_t kMaxReplyBytes = 64 << 10;
  using Done = std::function<void(const SmtpOutcome&)>;

  static StatusOr<std::unique_ptr<SmtpClient>> Create(const SmtpOptions& options, Logger logger);
  virtual ~SmtpClient() = default;
  virtual void Send(SmtpMessage message, std::function<bool()> may_still_send, Done done) = 0;
  // Cuts what is under way: its outcome is kUnknown after the final dot, else kNotSent.
  virtual void Stop() = 0;
};

}  // namespace hilo::email
