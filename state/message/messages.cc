#include "state/message/messages.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/fault.h"
#include "state/consent/permission.h"
#include "state/journey/journeys.h"
#include "state/types/ordered_list.h"

namespace hilo::message {
namespace {

using store::v1::KnownIdentifierRow;
using store::v1::MemberRow;
using store::v1::MessageOrder;
using store::v1::MessageRow;
using store::v1::PermitResult;
using store::v1::ReportMessage;
using store::v1::RequestPermit;

constexpr std::string_view kOpenComplaint = "open_complaint";
// Enhanced codes of RFC 3463: the address does not exist, or may not be used.
constexpr std::string_view kBadAddress = "5.1.";

MessageRow* FindMutable(MemberRow& row, std::string_view id) {
  for (MessageRow& message : *row.mutable_messages()) {
    if (message.message() == id) return &message;
  }
  return nullptr;
}

bool IsTransactional(const MessageRow& message) {
  return message.order().class_() == MessageOrder::CLASS_TRANSACTIONAL;
}

uint32_t MaxAttempts(const MessageRow& message) {
  return std::max(1u, message.order().max_attempts());
}

bool IsWaiting(const MessageRow& message) {
  return message.state() == v1::MESSAGE_STATE_DECIDED || message.state() == v1::MESSAGE_STATE_HELD;
}

void MoveTo(MessageRow& message, v1::MessageState state, std::string_view reason, LogTime now) {
  message.set_state(state);
  message.set_reason(std::string(reason));
  message.set_state_micros(now.micros);
  message.clear_until_micros();
}

// What is settled needs only what counts and what is shown.
void Slim(MessageRow& message) {
  MessageOrder kept;
  kept.set_action(message.order().action());
  kept.set_group(message.order().group());
  kept.set_channel(message.order().channel());
  kept.set_class_(message.order().class_());
  kept.set_purpose(message.order().purpose());
  *message.mutable_order() = std::move(kept);
}

// An end. Where an attempt's outcome is not known, nothing that says "not sent" can be said.
void Settle(MessageRow& message, v1::MessageState state, std::string_view reason, LogTime now) {
  const bool may_have_been_sent = message.unknowns() > 0 && state != v1::MESSAGE_STATE_SENT &&
                                  !fault::Enabled("unknown_gives_place_back");
  MoveTo(message, may_have_been_sent ? v1::MESSAGE_STATE_UNKNOWN : state, reason, now);
  Slim(message);
}

void Hold(MessageRow& message, std::string_view reason, LogTime until, LogTime now) {
  MoveTo(message, v1::MESSAGE_STATE_HELD, reason, now);
  message.set_until_micros(std::min(until.micros, message.order().expire_micros()));
}

void Offer(MessageRow& message, LogTime now) {
  MoveTo(message, v1::MESSAGE_STATE_DECIDED, "", now);
  message.set_offered(message.offered() + 1);
}

// Doubles with each permit that was given.
Micros Pause(const MessageRow& message) {
  const int64_t first =
      message.order().retry_micros() > 0 ? message.order().retry_micros() : kFirstRetry.count();
  int64_t pause = std::min(first, kLongestRetry.count());
  for (uint32_t i = 1; i < message.attempts() && pause < kLongestRetry.count(); ++i) pause *= 2;
  return Micros(std::min(pause, kLongestRetry.count()));
}

// Another attempt after a pause, or the end when all are used up.
void Retry(MessageRow& message, std::string_view reason, int64_t after_micros, LogTime now) {
  if (message.attempts() >= MaxAttempts(message)) {
    return Settle(message, v1::MESSAGE_STATE_FAILED, reason, now);
  }
  const Micros pause = std::clamp(Micros(after_micros), Pause(message), kLongestRetry);
  Hold(message, reason, now + pause, now);
}

void OutcomeUnknown(MessageRow& message, LogTime now) {
  message.set_unknowns(message.unknowns() + 1);
  if (IsTransactional(message) || fault::Enabled("unknown_marketing_again")) {
    return Retry(message, "unknown", 0, now);
  }
  Settle(message, v1::MESSAGE_STATE_UNKNOWN, "unknown", now);
}

std::string_view Word(const ReportMessage& report) {
  if (!report.enhanced_code().empty()) return report.enhanced_code();
  switch (report.result()) {
    case ReportMessage::RESULT_TRANSIENT:
      return "transient";
    case ReportMessage::RESULT_NOT_SENT:
      return "not_sent";
    default:
      return "refused";
  }
}

// A report on the attempt whose permit is in force.
void ReportInTime(MessageRow& message, const ReportMessage& report, LogTime now) {
  switch (report.result()) {
    case ReportMessage::RESULT_TRANSIENT:
    case ReportMessage::RESULT_NOT_SENT:
      return Retry(message, Word(report), report.retry_after_micros(), now);
    case ReportMessage::RESULT_PERMANENT:
      return Settle(message, v1::MESSAGE_STATE_FAILED, Word(report), now);
    default:
      return OutcomeUnknown(message, now);
  }
}

// A report on that attempt after its outcome was given up: only what is sure counts.
bool ReportLate(MessageRow& message, const ReportMessage& report, LogTime now) {
  const bool surely_not_sent = report.result() == ReportMessage::RESULT_TRANSIENT ||
                               report.result() == ReportMessage::RESULT_NOT_SENT ||
                               report.result() == ReportMessage::RESULT_PERMANENT;
  if (!surely_not_sent || message.unknowns() == 0 || message.reason() != "unknown") return false;
  message.set_unknowns(message.unknowns() - 1);
  if (message.state() == v1::MESSAGE_STATE_UNKNOWN ||
      report.result() == ReportMessage::RESULT_PERMANENT) {
    Settle(message, v1::MESSAGE_STATE_FAILED, Word(report), now);
  } else {
    message.set_reason(std::string(Word(report)));
  }
  return true;
}

void SuppressAddress(MemberRow& row, const MessageRow& message) {
  for (KnownIdentifierRow& known : *row.mutable_identifiers()) {
    if (known.identifier().hash() == message.address()) known.set_suppressed("bounced");
  }
}

PermitResult NotGranted(std::string_view reason, bool settled = true) {
  PermitResult result;
  result.set_reason(std::string(reason));
  result.set_settled(settled);
  return result;
}

int64_t ExpireMicros(const MessageOrder& order, LogTime now) {
  const int64_t latest = (now + kLongestLife).micros;
  if (order.expire_micros() == 0) return (now + kDefaultLife).micros;
  return std::min(order.expire_micros(), latest);
}

// What stands against reserving a place; "": nothing.
std::string_view WhyNot(const MemberRow& row, const Reservation& asked, std::string* policy,
                        LogTime now) {
  const MessageOrder& order = asked.order;
  if (order.ByteSizeLong() > kMaxOrderBytes) return "order_too_large";
  if (order.class_() == MessageOrder::CLASS_UNSPECIFIED) return "class_missing";
  if (!asked.routed) return "no_channel";
  if (order.expire_micros() != 0 && order.expire_micros() <= now.micros) return "expired";
  if (const auto objection = consent::Objection(row, order); !objection.empty()) return objection;
  if (AddressFor(row, order.channel()) == nullptr) return "no_address";
  const consent::LimitReached limit = consent::CheckLimits(row, order, now);
  if (!limit.reached) return {};
  *policy = limit.policy;
  return "limit_reached";
}

// False when all that is kept is still needed.
bool MakeRoom(MemberRow& row, LogTime now) {
  while (row.messages_size() > 0 && IsSettled(row.messages(0)) &&
         row.messages(0).state_micros() < now.micros - kKeptFor.count() && DropSettled(row, now)) {
  }
  while (row.messages_size() >= kMaxMessages) {
    if (!DropSettled(row, now)) return false;
  }
  return true;
}

const MessageRow* Keep(MemberRow& row, MessageRow message) {
  return InsertInOrder(*row.mutable_messages(), std::move(message),
                       [](const MessageRow& a, const MessageRow& b) { return Before(a, b); });
}

// Ends runs whose message is settled.
void EndRuns(MemberRow& row, LogTime now) {
  for (store::v1::JourneyRow& run : *row.mutable_journeys()) {
    if (run.state() != store::v1::JourneyRow::STATE_SENDING) continue;
    for (const MessageRow& message : row.messages()) {
      if (message.run() != run.run() || !IsSettled(message)) continue;
      journey::End(run, message.state() == v1::MESSAGE_STATE_SENT ? "sent" : message.reason(), now);
    }
  }
}

// Why a message that waits may no longer be sent; "": it may.
std::string_view WhyCancelled(const MemberRow& row, const MessageRow& message) {
  const auto objection = consent::Objection(row, message.order());
  if (!objection.empty() && !fault::Enabled("opt_out_after_decided_ignored")) return objection;
  if (!message.run().empty()) {
    const auto* run = journey::Find(row, message.run());
    if (run == nullptr) return "left";
    if (run->state() == store::v1::JourneyRow::STATE_ENDED) return run->reason();
  }
  if (FindAddress(row, message.order().channel(), message.address()) == nullptr) {
    return "no_address";
  }
  return {};
}

}  // namespace

bool IsSettled(const MessageRow& message) {
  return !IsWaiting(message) && message.state() != v1::MESSAGE_STATE_PERMITTED;
}

const MessageRow* Reserve(MemberRow& row, Reservation asked, LogTime now) {
  if (!MakeRoom(row, now)) {
    row.mutable_left_out()->set_messages(row.left_out().messages() + 1);
    return nullptr;
  }
  std::string policy;
  const std::string reason(WhyNot(row, asked, &policy, now));
  MessageRow message;
  message.set_message(std::move(asked.id));
  message.set_run(std::move(asked.run));
  message.set_journey(std::move(asked.journey));
  message.set_decision(std::move(asked.decision));
  *message.mutable_order() = std::move(asked.order);
  message.set_decide_micros(now.micros);
  if (!reason.empty()) {
    Settle(message, v1::MESSAGE_STATE_REFUSED, reason, now);
    return Keep(row, std::move(message));
  }
  message.mutable_order()->set_expire_micros(ExpireMicros(message.order(), now));
  message.set_address(AddressFor(row, message.order().channel())->identifier().hash());
  if (consent::IsHeldByCase(row, message.order())) {
    Hold(message, kOpenComplaint, {message.order().expire_micros()}, now);
  } else {
    Offer(message, now);
  }
  return Keep(row, std::move(message));
}

void NoteRefused(MemberRow& row, const Refusal& refusal, const store::v1::JourneyRow& run,
                 LogTime now) {
  if (MessageRow* known = FindMutable(row, refusal.id); known != nullptr) {
    known->set_state_micros(now.micros);
    return;
  }
  if (!MakeRoom(row, now)) return;
  MessageRow refused;
  refused.set_message(refusal.id);
  refused.set_run(run.run());
  refused.set_journey(run.journey());
  refused.set_decision(refusal.decision);
  for (const MessageRow& message : row.messages()) {
    if (message.run() == run.run()) *refused.mutable_order() = message.order();
  }
  refused.set_decide_micros(now.micros);
  Settle(refused, v1::MESSAGE_STATE_REFUSED, refusal.reason, now);
  Keep(row, std::move(refused));
}

PermitResult Permit(MemberRow& row, const RequestPermit& request, const Asking& asking) {
  MessageRow* message = FindMutable(row, request.message());
  if (message == nullptr) return NotGranted("message_not_found");
  if (IsSettled(*message)) {
    return NotGranted(message->state() == v1::MESSAGE_STATE_SENT ? "sent" : message->reason());
  }
  if (message->state() == v1::MESSAGE_STATE_PERMITTED && !fault::Enabled("permit_given_twice")) {
    return NotGranted("in_flight");
  }
  if (message->state() == v1::MESSAGE_STATE_HELD) return NotGranted(message->reason());
  if (request.attempt() != message->offered()) return NotGranted("not_due");
  if (asking.closed) return NotGranted("closed", /*settled=*/false);

  const LogTime now = asking.now;
  if (now.micros >= message->order().expire_micros()) {
    Settle(*message, v1::MESSAGE_STATE_EXPIRED, "expired", now);
  } else if (const auto against = WhyCancelled(row, *message); !against.empty()) {
    Settle(*message, v1::MESSAGE_STATE_CANCELLED, std::string(against), now);
  } else if (request.suppressed()) {
    Settle(*message, v1::MESSAGE_STATE_CANCELLED, "suppressed", now);
  } else if (!request.unsendable().empty()) {
    Settle(*message, v1::MESSAGE_STATE_FAILED, request.unsendable(), now);
  } else if (consent::IsHeldByCase(row, message->order())) {
    Hold(*message, kOpenComplaint, {message->order().expire_micros()}, now);
  } else if (request.hold_until_micros() > now.micros) {
    Hold(*message, "quiet_hours", {request.hold_until_micros()}, now);
  } else {
    const LogTime end = now + asking.times.valid;
    MoveTo(*message, v1::MESSAGE_STATE_PERMITTED, "", now);
    message->set_until_micros(end.micros);
    message->set_permit_end_micros(end.micros);
    message->set_attempts(message->attempts() + 1);
    message->set_permitted(request.attempt());
    message->set_incarnation(request.incarnation());
    PermitResult granted;
    granted.set_granted(true);
    granted.set_valid_micros(asking.times.valid.count());
    return granted;
  }
  return NotGranted(message->reason());
}

bool Report(MemberRow& row, const ReportMessage& report, LogTime now) {
  MessageRow* message = FindMutable(row, report.message());
  if (message == nullptr || message->attempts() == 0) return false;
  const bool last_permit =
      report.attempt() == message->permitted() && report.incarnation() == message->incarnation();
  if (!last_permit && report.attempt() >= message->permitted()) return false;

  bool changed = false;
  if (report.result() == ReportMessage::RESULT_SENT) {
    // Whatever was thought of it since.
    changed = message->state() != v1::MESSAGE_STATE_SENT;
    if (changed) Settle(*message, v1::MESSAGE_STATE_SENT, "", now);
  } else if (last_permit && message->state() == v1::MESSAGE_STATE_PERMITTED) {
    changed = true;
    ReportInTime(*message, report, now);
  } else if (last_permit) {
    changed = ReportLate(*message, report, now);
  }
  const bool bounced = last_permit && report.result() == ReportMessage::RESULT_PERMANENT &&
                       report.enhanced_code().compare(0, kBadAddress.size(), kBadAddress) == 0;
  if (bounced) SuppressAddress(row, *message);
  if (changed || bounced) {
    message->set_code(report.code());
    message->set_enhanced_code(report.enhanced_code());
  }
  return changed || bounced;
}

bool Wake(MemberRow& row, std::string_view id, LogTime now, const Times& times) {
  MessageRow* message = FindMutable(row, id);
  if (message == nullptr || IsSettled(*message)) return false;
  if (message->state() == v1::MESSAGE_STATE_PERMITTED) {
    if (now.micros < message->until_micros() + times.grace.count()) return false;
    OutcomeUnknown(*message, now);
    return true;
  }
  if (now.micros >= message->order().expire_micros()) {
    // What held it is the better reason, where something did.
    const std::string reason = message->reason().empty() ? "expired" : message->reason();
    Settle(*message, v1::MESSAGE_STATE_EXPIRED, reason, now);
    return true;
  }
  if (message->state() != v1::MESSAGE_STATE_HELD || now.micros < message->until_micros()) {
    return false;
  }
  Offer(*message, now);
  return true;
}

std::optional<LogTime> WakeTime(const MessageRow& message, const Times& times) {
  switch (message.state()) {
    case v1::MESSAGE_STATE_DECIDED:
      return LogTime{message.order().expire_micros()};
    case v1::MESSAGE_STATE_HELD:
      return LogTime{message.until_micros()};
    case v1::MESSAGE_STATE_PERMITTED:
      return LogTime{message.until_micros()} + times.grace;
    default:
      return std::nullopt;
  }
}

void Review(MemberRow& row, LogTime now) {
  for (int i = 0; i < row.messages_size(); ++i) {
    MessageRow& message = *row.mutable_messages(i);
    if (!IsWaiting(message)) continue;
    if (const std::string against(WhyCancelled(row, message)); !against.empty()) {
      Settle(message, v1::MESSAGE_STATE_CANCELLED, against, now);
    } else if (message.reason() == kOpenComplaint && !consent::IsHeldByCase(row, message.order())) {
      Offer(message, now);
    }
  }
  EndRuns(row, now);
}

const KnownIdentifierRow* FindAddress(const MemberRow& row, uint32_t channel,
                                      std::string_view hash) {
  const uint32_t kind =
      channel == v1::CHANNEL_EMAIL ? v1::IDENTIFIER_KIND_EMAIL : v1::IDENTIFIER_KIND_PHONE;
  for (const KnownIdentifierRow& known : row.identifiers()) {
    if (known.identifier().hash() == hash && known.identifier().kind() == kind &&
        known.suppressed().empty()) {
      return &known;
    }
  }
  return nullptr;
}

const KnownIdentifierRow* AddressFor(const MemberRow& row, uint32_t channel) {
  const KnownIdentifierRow* best = nullptr;
  for (const KnownIdentifierRow& known : row.identifiers()) {
    if (known.identifier().weak()) continue;
    if (FindAddress(row, channel, known.identifier().hash()) != &known) continue;
    const bool better =
        best == nullptr ||
        std::make_tuple(known.last_micros(), std::string_view(known.identifier().hash())) >
            std::make_tuple(best->last_micros(), std::string_view(best->identifier().hash()));
    if (better) best = &known;
  }
  return best;
}

const MessageRow* Find(const MemberRow& row, std::string_view id) {
  for (const MessageRow& message : row.messages()) {
    if (message.message() == id) return &message;
  }
  return nullptr;
}

bool DropSettled(MemberRow& row, LogTime now) {
  const auto needed = [now](const MessageRow& message) {
    return !IsSettled(message) || (consent::Counts(message) &&
                                   message.permit_end_micros() > now.micros - kCountedFor.count());
  };
  // What says least goes first: what was refused, then the oldest.
  int least = -1;
  for (int i = 0; i < row.messages_size(); ++i) {
    if (needed(row.messages(i))) continue;
    const bool refused = row.messages(i).state() == v1::MESSAGE_STATE_REFUSED;
    if (least < 0 || (refused && row.messages(least).state() != v1::MESSAGE_STATE_REFUSED)) {
      least = i;
    }
  }
  if (least < 0) return false;
  EraseAt(*row.mutable_messages(), least);
  row.mutable_left_out()->set_messages(row.left_out().messages() + 1);
  return true;
}

bool Before(const MessageRow& a, const MessageRow& b) {
  return std::make_tuple(a.decide_micros(), std::string_view(a.message())) <
         std::make_tuple(b.decide_micros(), std::string_view(b.message()));
}

}  // namespace hilo::message
