#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

// The life of a message from the place that is reserved for it to its end. Pure rules over a
// member's row; whoever calls them sends, tells and sets timers by comparing the row with what it
// was (streams/customer).
//
//              ┌────────────── retry, hold is over ──────────────┐
//              ▼                                                 │
//   DECIDED ──permit──▶ PERMITTED ──transient, not sent──▶ HELD ─┘
//      │ │                 ├── sent ──▶ SENT
//      │ └──hold──▶ HELD   ├── refused for good ──▶ FAILED
//      │                   └── no report in time ──▶ UNKNOWN (transactional: HELD, and again)
//      └── from DECIDED and HELD: EXPIRED, CANCELLED, FAILED (cannot be made)
//
// **Guarantees**: one permit an attempt; the next attempt is offered only when the one before is
// settled. What is not of class transactional is never offered again once it may have been sent. A
// state that gives the place in the limits back (FAILED, EXPIRED, CANCELLED) is reached only when
// it is sure that nothing was sent. Every message that is DECIDED or HELD ends, by its expiry at
// the latest.
// **Source**: docs/adr/0012.
namespace hilo::message {

// Messages kept of a member. What is settled and no longer counts makes room; when all others
// still count nothing is reserved.
inline constexpr int kMaxMessages = 200;
// The longest period of a limit: so long messages count, and are kept.
inline constexpr Micros kCountedFor{30LL * 86'400 * 1'000'000};
// How long they are kept to be shown.
inline constexpr Micros kKeptFor{90LL * 86'400 * 1'000'000};
// A message that no order gives an end, and the longest that an order may give.
inline constexpr Micros kDefaultLife{7LL * 86'400 * 1'000'000};
inline constexpr Micros kLongestLife{30LL * 86'400 * 1'000'000};
// How long a permit holds when no parameter says otherwise.
inline constexpr Micros kPermitValid{60LL * 1'000'000};
// How much later its report may come: a mail server may take ten minutes to answer the final dot.
inline constexpr Micros kReportGrace{11LL * 60 * 1'000'000};
// First pause before another attempt when the order says none, and the longest.
inline constexpr Micros kFirstRetry{5LL * 60 * 1'000'000};
inline constexpr Micros kLongestRetry{4LL * 3'600 * 1'000'000};
// Encoded size of an order.
inline constexpr size_t kMaxOrderBytes = 64 << 10;

// From a row's own times: permits hold for `valid`, reports may come `grace` later.
struct Times {
  Micros valid = kPermitValid;
  Micros grace = kReportGrace;
};

struct Reservation {
  std::string id;   // 16 bytes
  std::string run;  // 16 bytes or empty
  std::string journey;
  std::string decision;  // 16 bytes or empty
  store::v1::MessageOrder order;
  bool routed = true;  // there is somebody who sends on that channel
};
// Reserves a place and offers the message, or holds it while a case is open, or keeps it as
// REFUSED with the reason. Null when there is no room to keep it.
const store::v1::MessageRow* Reserve(store::v1::MemberRow& row, Reservation asked, LogTime now);

// Keeps, once under this id, that nothing is sent for a run, and why: REFUSED. For a repeat
// ("duplicate") it says what was sent before.
struct Refusal {
  std::string id;        // 16 bytes
  std::string reason;    // a machine word
  std::string decision;  // 16 bytes or empty
};
void NoteRefused(store::v1::MemberRow& row, const Refusal& refusal,
                 const store::v1::JourneyRow& run, LogTime now);

// Answers a request for a permit. `closed`: the partition is. A partition that is closed changes
// nothing.
struct Asking {
  LogTime now;
  bool closed = false;
  Times times;
};
store::v1::PermitResult Permit(store::v1::MemberRow& row, const store::v1::RequestPermit& request,
                               const Asking& asking);

// What a channel said. False: it changes nothing (the attempt had no permit, or is settled).
bool Report(store::v1::MemberRow& row, const store::v1::ReportMessage& report, LogTime now);

// Moves a message on when its time has come. False: nothing changed.
bool Wake(store::v1::MemberRow& row, std::string_view id, LogTime now, const Times& times);
// When Wake has something to do; nullopt: never.
std::optional<LogTime> WakeTime(const store::v1::MessageRow& message, const Times& times);

// After any change of the row: cancels what may no longer be sent, offers what is no longer held by
// a case, ends runs whose message is settled.
void Review(store::v1::MemberRow& row, LogTime now);

// Nothing is to come of it any more, but for reports that are late.
bool IsSettled(const store::v1::MessageRow& message);

// The address for that channel (hilo.v1.Channel): not weak, not suppressed, seen last. Null: none.
const store::v1::KnownIdentifierRow* AddressFor(const store::v1::MemberRow& row, uint32_t channel);
// The identifier with this hash that fits the channel and may be used; null: none.
const store::v1::KnownIdentifierRow* FindAddress(const store::v1::MemberRow& row, uint32_t channel,
                                                 std::string_view hash);

const store::v1::MessageRow* Find(const store::v1::MemberRow& row, std::string_view id);

// Makes room: lets go the oldest that is settled and no longer counts; false when there is none.
bool DropSettled(store::v1::MemberRow& row, LogTime now);

// Order in which they are kept: oldest first.
bool Before(const store::v1::MessageRow& a, const store::v1::MessageRow& b);

}  // namespace hilo::message
