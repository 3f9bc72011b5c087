#include <string>
#include <string_view>
#include <utility>

#include "hilo/v1/decision_service.pb.h"
#include "ops/base/fault.h"
#include "state/journey/journeys.h"
#include "state/message/messages.h"
#include "state/types/hash.h"
#include "streams/customer/apply.h"
#include "streams/customer/decisions.h"
#include "streams/customer/outbound.h"

namespace hilo::customer {
namespace {

using store::v1::JourneyRow;

// H(member, channel, run, turn): the same wherever and whenever it is folded.
std::string MessageId(MemberId member, uint32_t channel, std::string_view run, uint32_t turn) {
  std::string name("message");
  name.append(run);
  name.append(std::to_string(channel)).append("/").append(std::to_string(turn));
  return std::string(Bytes(Hash(member.Bytes(), name)));
}

// Of the one row that tells that a run was asked for again.
std::string RepeatId(MemberId member, std::string_view run) {
  return std::string(Bytes(Hash(member.Bytes(), std::string("repeat").append(run))));
}

// Keeps what was decided for the run; its id, or "".
std::string KeepDecided(const store::v1::Decided& decided, const JourneyRow& run, Change& change) {
  if (!decided.has_decision() || decided.decision().ByteSizeLong() > kMaxDecisionBytes) return {};
  store::v1::DecisionRow row;
  row.set_decision(change.NextId());
  *row.mutable_record() = decided.decision();
  row.set_principal("journey:" + run.journey());
  row.set_offset(change.offset());
  KeepDecision(row.decision(), row, change);
  return row.decision();
}

}  // namespace

void ApplyJourneys(const store::v1::EventBody& body, int64_t event_micros, Change& change) {
  const LogTime now = change.context().Now();
  for (const store::v1::JourneySignal& signal : body.journeys()) {
    if (signal.leaves()) {
      journey::Leave(change.row(), signal, now);
      TakeUpSent(signal, change);
      continue;
    }
    const std::string id = change.NextId();
    const journey::Entry entry = journey::Enter(
        change.row(), signal,
        {.run = id, .now = now, .event_micros = event_micros, .event_offset = change.offset()});
    const bool was_acted_on = entry.what == journey::Entered::kRepeat &&
                              (entry.run->state() == JourneyRow::STATE_SENDING ||
                               entry.run->state() == JourneyRow::STATE_ENDED);
    if (was_acted_on) {
      message::NoteRefused(change.row(),
                           {.id = RepeatId(change.member(), entry.run->run()),
                            .reason = "duplicate",
                            .decision = {}},
                           *entry.run, now);
    }
  }
}

bool ApplyDecided(const store::v1::Decided& decided, Change& change) {
  JourneyRow* run = journey::Find(change.row(), decided.run());
  const bool due = run != nullptr && journey::IsDue(*run, decided.turn());
  if (!due && !(run != nullptr && fault::Enabled("second_decided_taken"))) return false;
  if (change.context().Closed()) return false;
  const LogTime now = change.context().Now();
  const std::string decision = KeepDecided(decided, *run, change);
  if (!decided.has_order()) {
    if (decided.again_micros() > now.micros) {
      journey::Postpone(*run, {decided.again_micros()}, decided.reason());
    } else {
      const std::string reason = decided.reason().empty() ? "nothing" : decided.reason();
      journey::End(*run, reason, now);
      message::NoteRefused(change.row(),
                           {.id = MessageId(change.member(), 0, decided.run(), decided.turn()),
                            .reason = reason,
                            .decision = decision},
                           *run, now);
    }
    return true;
  }
  const uint32_t channel = decided.order().channel();
  const uint32_t turn = decided.turn() + (due ? 0 : change.row().messages_size());
  message::Reservation asked;
  asked.id = MessageId(change.member(), channel, decided.run(), turn);
  asked.run = decided.run();
  asked.journey = run->journey();
  asked.decision = decision;
  asked.order = decided.order();
  asked.routed = OutboundTopic(channel).has_value();
  journey::BeginSending(*run);  // Review ends it when it was refused
  const auto* message = message::Reserve(change.row(), std::move(asked), now);
  if (message == nullptr) journey::End(*run, "too_many_messages", now);
  return true;
}

bool WakeOutbound(const TimerTarget& target, Change& change) {
  const LogTime now = change.context().Now();
  if (target.kind == TimerKind::kResponse) return CloseUnanswered(target.thing, change);
  if (target.kind == TimerKind::kMessage) {
    return message::Wake(change.row(), target.thing, now, TimesOf(change.context().Parameters()));
  }
  if (journey::Wake(change.row(), target.thing, now)) return true;
  const auto* run = journey::Find(change.row(), target.thing);
  if (run != nullptr && run->state() == JourneyRow::STATE_DUE)
    change.outbound().TellDue(run->run());
  return false;
}

}  // namespace hilo::customer
