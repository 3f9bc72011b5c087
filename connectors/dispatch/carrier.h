#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hilo/store/v1/records.pb.h"
#include "state/types/time.h"

namespace hilo::dispatch {

// One message, opened and rendered, on its way to one address: the only place outside the
// customer's screen where this is in the clear. Never logged.
struct Outgoing {
  std::string
      message;  // 16 bytes: the same in every attempt, so that what is derived from it is too
  uint32_t attempt = 1;
  std::string customer;  // 16 bytes
  std::string member;    // 16 bytes
  std::string address;
  std::string subject;
  std::string text;
  std::string html;  // empty: text alone
  std::string language;
  std::string action;           // for the receiver's statistics; open
  std::string unsubscribe_url;  // empty for what needs no consent
  bool marketing = false;
};

// What a channel said about one attempt.
struct Delivery {
  using Result = store::v1::ReportMessage::Result;
  Result result = store::v1::ReportMessage::RESULT_UNKNOWN;
  uint32_t code = 0;          // the channel's own; 0: none
  std::string enhanced_code;  // "5.1.1"; may be empty
  Micros retry_after{0};      // TRANSIENT: not before; 0: not said
};

// A channel's last step: hands a message over and says what came of it.
//
// **Guarantees**: `done` is called once, on any thread, also when the carrier stops. Anything but
// SENT and UNKNOWN says that the message was surely not taken. `may_still_send` is asked just
// before the step that cannot be taken back; after a no the result is NOT_SENT.
// **Threads**: thread-safe.
class Carrier {
 public:
  using Done = std::function<void(const Delivery&)>;
  virtual ~Carrier() = default;
  virtual void Send(Outgoing message, std::function<bool()> may_still_send, Done done) = 0;
};

}  // namespace hilo::dispatch
