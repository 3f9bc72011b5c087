#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"

namespace hilo::mail_sink {

// Where in a dialogue a sink may do something else than take the mail.
enum class Point {
  kConnect,   // before the greeting
  kEhlo,      // before the answer to EHLO
  kStartTls,  // before the answer to STARTTLS
  kAuth,      // before the answer to AUTH
  kMail,      // before the answer to MAIL
  kRcpt,      // before the answer to RCPT
  kData,      // before the answer to DATA
  kInData,    // after the first line of the text
  kDot,       // after the final dot; the message is not taken
  kTaken,     // after the final dot; the message is taken, its 250 is still to come
  kReplied    // after the 250
};

enum class Action {
  kReply,   // `text` instead of the answer
  kCut,     // closes the connection
  kSilent,  // says nothing until the other side gives up
  kDrip,    // an answer that never ends, one byte at a time
  kFlood,   // an answer of one endless line
  kBareLf,  // an answer that ends in a line feed alone
  kInject,  // STARTTLS: plain text after the answer, where the handshake should begin
  kBadTls   // STARTTLS: bytes that are no handshake
};

struct Rule {
  Point point = Point::kConnect;
  Action action = Action::kCut;
  std::string text;       // of kReply: "451 4.3.0 later"
  std::string recipient;  // kRcpt and later: only when the address contains this; empty: any
  int after = 0;          // passes that come first
  int times = 0;          // how often it happens then; 0: always
};

// What a sink offers and where it fails. As a file, one order a line:
//
//   without PIPELINING
//   at rcpt to=bob@ reply 550 5.1.1 no such person
//   at taken after=3 times=1 cut
//
// Points: connect ehlo starttls auth mail rcpt data in_data dot taken replied. Actions: reply TEXT,
// cut, silent, drip, flood, bare_lf, inject, bad_tls. "|" in TEXT begins another line, "#" a
// comment.
struct Plan {
  std::set<std::string> without;  // keywords that EHLO does not offer
  std::vector<Rule> rules;        // the first that fits is followed
};

// **Errors**: `plan_invalid`, with the line's number.
StatusOr<Plan> ParsePlan(std::string_view text);

}  // namespace hilo::mail_sink
