#include "streams/customer/outbound_effects.h"

#include <algorithm>
#include <limits>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/fault.h"
#include "state/journey/journeys.h"
#include "state/timeline/entry_key.h"
#include "state/types/bucket.h"
#include "streams/customer/outbound.h"

namespace hilo::customer {
namespace {

using store::v1::JourneyRow;
using store::v1::MessageRow;

// What a message carries of the event that began its journey, at most: an edge takes less.
constexpr size_t kMaxTriggerBytes = 128 << 10;

// Addresses that are suppressed when a channel is opted out of; 0, all channels, is every one.
bool IsAddressOf(const store::v1::Identifier& identifier, uint32_t channel) {
  if (identifier.weak()) return false;
  switch (channel) {
    case v1::CHANNEL_EMAIL:
      return identifier.kind() == v1::IDENTIFIER_KIND_EMAIL;
    case v1::CHANNEL_SMS:
    case v1::CHANNEL_CALL:
      return identifier.kind() == v1::IDENTIFIER_KIND_PHONE;
    default:
      return false;
  }
}

constexpr uint32_t kAddressed[] = {v1::CHANNEL_EMAIL, v1::CHANNEL_SMS, v1::CHANNEL_CALL};

std::vector<std::string> Suppressed(const store::v1::MemberRow& row) {
  std::vector<std::string> hashes;
  for (const auto& known : row.identifiers()) {
    if (!known.suppressed().empty()) hashes.push_back(known.identifier().hash());
  }
  return hashes;
}

// Agents see how a message went, not how it is worked on.
bool IsShown(uint32_t state) {
  return state != v1::MESSAGE_STATE_DECIDED && state != v1::MESSAGE_STATE_PERMITTED;
}

}  // namespace

message::Times TimesOf(const store::v1::Parameters& parameters) {
  message::Times times;
  if (parameters.permit_valid_micros() > 0) times.valid = Micros(parameters.permit_valid_micros());
  if (parameters.report_grace_micros() > 0) times.grace = Micros(parameters.report_grace_micros());
  return times;
}

OutboundEffects::OutboundEffects(Subject subject, const store::v1::MemberRow& row,
                                 fold::Context& context)
    : subject_(subject),
      row_(row),
      context_(context),
      times_(TimesOf(context.Parameters())),
      timers_before_(TimersOfRow()),
      suppressed_before_(Suppressed(row)) {
  for (const JourneyRow& run : row.journeys()) {
    if (run.state() == JourneyRow::STATE_DUE) due_before_[run.run()] = {run.turn(), run.reason()};
  }
  for (const MessageRow& message : row.messages()) {
    messages_before_[message.message()] = {message.state(), message.reason(), message.offered(),
                                           message.state_micros()};
  }
  consents_before_.reserve(static_cast<size_t>(row.consents_size()));
  for (const auto& consent : row.consents()) {
    const auto& signal = consent.signal();
    consents_before_.push_back({signal.channel(), signal.purpose(), signal.status()});
  }
}

uint32_t OutboundEffects::StatusBefore(const store::v1::ConsentSignal& signal) const {
  for (const ConsentBefore& before : consents_before_) {
    if (before.channel == signal.channel() && before.purpose == signal.purpose()) {
      return before.status;
    }
  }
  return v1::CONSENT_STATUS_UNSPECIFIED;
}

void OutboundEffects::Apply(log::Offset offset) {
  UpdateDue();
  UpdateTimers();
  UpdatePostponed(offset);
  UpdateMessages(offset);
  UpdateSuppressions();
}

OutboundEffects::Timers OutboundEffects::TimersOfRow() const {
  Timers timers;
  const auto add = [&](TimerKind kind, const std::string& thing, std::optional<LogTime> due) {
    if (!due.has_value()) return;
    fold::Timer timer = MakeTimer({kind, subject_.customer, subject_.member, thing}, *due);
    timers.emplace(timer.name, std::move(timer));
  };
  for (const JourneyRow& run : row_.journeys()) {
    add(TimerKind::kJourney, run.run(), journey::WakeTime(run));
  }
  for (const MessageRow& message : row_.messages()) {
    add(TimerKind::kMessage, message.message(), message::WakeTime(message, times_));
  }
  return timers;
}

void OutboundEffects::UpdateTimers() {
  const Timers timers = TimersOfRow();
  for (const auto& [name, timer] : timers_before_) {
    if (!timers.contains(name)) context_.CancelTimer(name);
  }
  for (const auto& [name, timer] : timers) {
    const auto before = timers_before_.find(name);
    if (before == timers_before_.end() || before->second.due != timer.due) {
      context_.SetTimer(timer);
    }
  }
  // A notice that nobody heard is told again.
  for (const JourneyRow& run : row_.journeys()) {
    if (run.state() != JourneyRow::STATE_DUE) continue;
    const auto told = timers.find(
        MakeTimer({TimerKind::kJourney, subject_.customer, subject_.member, run.run()}, {}).name);
    const auto before = timers_before_.find(told->first);
    if (before != timers_before_.end() && before->second.due == told->second.due) continue;
    fold::Timer again = told->second;
    again.due = std::min(again.due, context_.Now() + journey::kTellAgain);
    context_.SetTimer(again);
  }
}

void OutboundEffects::UpdateDue() {
  std::map<std::string, DueBefore> gone = due_before_;
  for (const JourneyRow& run : row_.journeys()) {
    if (run.state() != JourneyRow::STATE_DUE) continue;
    const auto before = due_before_.find(run.run());
    gone.erase(run.run());
    if (before != due_before_.end() && before->second.turn == run.turn()) continue;
    store::v1::DueRow due;
    due.set_customer(std::string(subject_.customer.Bytes()));
    due.set_member(std::string(subject_.member.Bytes()));
    due.set_turn(run.turn());
    due.set_due_micros(run.due_micros());
    context_.Put(DueKey(subject_.customer, subject_.member, run.run()), fold::Encode(due));
    TellDue(run.run());
  }
  if (fault::Enabled("due_row_left")) return;
  for (const auto& [run, before] : gone) {
    context_.Delete(DueKey(subject_.customer, subject_.member, run));
  }
}

void OutboundEffects::TellDue(std::string_view run) {
  fold::Notice notice;
  notice.kind = fold::Notice::Kind::kDue;
  notice.customer = subject_.customer;
  notice.member = subject_.member;
  notice.run = std::string(run);
  context_.Tell(notice);
}

// A decision that holds a run back is told as a message that is held, once a reason, though there
// is no message yet.
void OutboundEffects::UpdatePostponed(log::Offset offset) {
  for (const JourneyRow& run : row_.journeys()) {
    const auto before = due_before_.find(run.run());
    if (before == due_before_.end() || run.state() != JourneyRow::STATE_WAITING ||
        before->second.reason == run.reason()) {
      continue;
    }
    MessageRow held;
    held.set_run(run.run());
    held.set_journey(run.journey());
    held.set_state(v1::MESSAGE_STATE_HELD);
    held.set_reason(run.reason());
    held.set_until_micros(run.due_micros());
    held.set_decide_micros(context_.Now().micros);
    held.set_state_micros(context_.Now().micros);
    TellMessage(held);
    AddEntry(held, offset);
  }
}

void OutboundEffects::UpdateMessages(log::Offset offset) {
  for (const MessageRow& message : row_.messages()) {
    const auto before = messages_before_.find(message.message());
    const bool fresh = before == messages_before_.end();
    if (fresh || before->second.offered != message.offered()) EmitMessage(message);
    const bool moved = fresh || before->second.state != message.state() ||
                       before->second.reason != message.reason();
    if (moved || before->second.state_micros != message.state_micros()) TellMessage(message);
    if (moved && IsShown(message.state())) AddEntry(message, offset);
  }
}

void OutboundEffects::TellMessage(const MessageRow& message) {
  fold::Notice notice;
  notice.kind = fold::Notice::Kind::kMessage;
  notice.customer = subject_.customer;
  notice.member = subject_.member;
  notice.channel = message.order().channel();
  notice.state = message.state();
  notice.reason = message.reason();
  context_.Tell(notice);
}

void OutboundEffects::AddEntry(const MessageRow& message, log::Offset offset) {
  store::v1::TimelineRow entry;
  *entry.mutable_message() = message;
  // Rules and what a template shows are nobody's business on a timeline.
  store::v1::MessageOrder& order = *entry.mutable_message()->mutable_order();
  order.clear_limits();
  order.clear_held_by_cases();
  order.clear_traits();
  order.clear_facts();
  entry.set_channel(message.order().channel());
  entry.set_offset(offset);
  // Several of one record stand beside each other.
  timeline::EntryPlace place{context_.Now().micros, offset, subject_.member};
  std::string key = timeline::EntryKey(BucketOf(subject_.customer), place);
  for (auto taken = context_.Get(key); taken.ok() && taken->has_value();
       taken = context_.Get(key)) {
    ++place.event_micros;
    key = timeline::EntryKey(BucketOf(subject_.customer), place);
  }
  entry.set_event_micros(place.event_micros);
  context_.Put(key, fold::Encode(entry));
}

std::string OutboundEffects::TriggerOf(const MessageRow& message) {
  const JourneyRow* run = journey::Find(row_, message.run());
  if (run == nullptr) return {};
  const timeline::EntryPlace place{run->event_micros(), run->event_offset(), subject_.member};
  // What cannot be read fails the record as a whole: the context remembers it.
  const auto bytes = context_.Get(timeline::EntryKey(BucketOf(subject_.customer), place));
  store::v1::TimelineRow entry;
  if (!bytes.ok() || !bytes->has_value() || !fold::Decode(**bytes, &entry).ok()) return {};
  return entry.event().size() <= kMaxTriggerBytes ? entry.event() : std::string();
}

void OutboundEffects::EmitMessage(const MessageRow& message) {
  const auto topic = OutboundTopic(message.order().channel());
  const auto* address = message::FindAddress(row_, message.order().channel(), message.address());
  if (message.state() != v1::MESSAGE_STATE_DECIDED || !topic.has_value() || address == nullptr) {
    return;
  }
  store::v1::Record record;
  store::v1::OutboundMessage& outbound = *record.mutable_message();
  outbound.set_message(message.message());
  outbound.set_customer(std::string(subject_.customer.Bytes()));
  outbound.set_member(std::string(subject_.member.Bytes()));
  outbound.set_attempt(message.offered());
  *outbound.mutable_order() = message.order();
  *outbound.mutable_address() = address->identifier();
  outbound.set_time_zone(row_.time_zone());
  outbound.set_journey(message.journey());
  outbound.set_event(TriggerOf(message));
  for (const auto& trait : row_.traits()) {
    const auto& wanted = message.order().traits();
    if (std::find(wanted.begin(), wanted.end(), trait.name()) == wanted.end()) continue;
    store::v1::SealedValue& value = *outbound.add_traits();
    value.set_name(trait.name());
    value.set_sealed(trait.sealed());
  }
  for (const std::string& kind : message.order().facts()) {
    // The last one said of that kind.
    const store::v1::FactRow* newest = nullptr;
    for (const auto& fact : row_.facts()) {
      const bool stale = fact.expire_micros() != 0 && fact.expire_micros() <= context_.Now().micros;
      if (fact.kind() == kind && !stale) newest = &fact;
    }
    if (newest == nullptr) continue;
    store::v1::SealedValue& value = *outbound.add_facts();
    value.set_name(kind);
    value.set_sealed(newest->sealed());
  }
  context_.Emit({*topic, subject_.partition}, record);
}

void OutboundEffects::UpdateSuppressions() {
  for (const auto& consent : row_.consents()) {
    const auto& signal = consent.signal();
    const uint32_t was = StatusBefore(signal);
    const bool withdrawn =
        signal.status() == v1::CONSENT_STATUS_DENIED && was != v1::CONSENT_STATUS_DENIED;
    const bool lifted =
        signal.status() == v1::CONSENT_STATUS_GRANTED && was == v1::CONSENT_STATUS_DENIED;
    if (!withdrawn && !lifted) continue;
    for (uint32_t channel : kAddressed) {
      if (signal.channel() != 0 && signal.channel() != channel) continue;
      for (const auto& known : row_.identifiers()) {
        if (!IsAddressOf(known.identifier(), channel)) continue;
        Suppress(known.identifier(), channel, "opted_out", signal.purpose(), lifted);
      }
    }
  }
  for (const auto& known : row_.identifiers()) {
    const std::string& hash = known.identifier().hash();
    if (known.suppressed().empty() ||
        std::find(suppressed_before_.begin(), suppressed_before_.end(), hash) !=
            suppressed_before_.end()) {
      continue;
    }
    const bool mail = known.identifier().kind() == v1::IDENTIFIER_KIND_EMAIL;
    Suppress(known.identifier(), mail ? v1::CHANNEL_EMAIL : v1::CHANNEL_SMS, known.suppressed(), "",
             false);
  }
}

void OutboundEffects::Suppress(const store::v1::Identifier& address, uint32_t channel,
                               std::string_view reason, std::string_view purpose, bool lifted) {
  store::v1::Record record;
  store::v1::Suppression& suppression = *record.mutable_suppression();
  suppression.mutable_address()->set_kind(address.kind());
  suppression.mutable_address()->set_hash(address.hash());
  suppression.set_channel(channel);
  suppression.set_reason(std::string(reason));
  suppression.set_purpose(std::string(purpose));
  suppression.set_lifted(lifted);
  suppression.set_micros(context_.Now().micros);
  context_.Emit({std::string(kSuppressionTopic), 0}, record);
}

}  // namespace hilo::customer
