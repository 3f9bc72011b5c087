#include "streams/customer/decisions.h"

#include <algorithm>
#include <utility>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/decision.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "state/journey/journeys.h"
#include "state/outcomes/outcomes.h"
#include "state/outcomes/propensity.h"
#include "streams/customer/outbound.h"
#include "streams/customer/timers.h"

namespace hilo::customer {
namespace {

using store::v1::DecisionRow;
using store::v1::MessageRow;
using store::v1::OutcomeRow;

std::string_view NameOfChannel(uint32_t channel) {
  switch (channel) {
    case v1::CHANNEL_EMAIL:
      return "email";
    case v1::CHANNEL_SMS:
      return "sms";
    case v1::CHANNEL_WEB:
      return "web";
    case v1::CHANNEL_CALL:
      return "call";
    default:
      return "desk";
  }
}

// Under which what a message showed is answered: its decision, or itself.
const std::string& DecisionOf(const MessageRow& message) {
  return message.decision().empty() ? message.message() : message.decision();
}

// What cannot be read fails the record as a whole: the context remembers it.
void AddUp(const OutcomeRow& outcome, outcomes::Counts counts, fold::Context& context) {
  if (counts == outcomes::Counts::kNothing) return;
  const std::string key = PropensityKey(outcome.channel(), outcome.action());
  store::v1::PropensityRow sums;
  const auto bytes = context.Get(key);
  if (!bytes.ok()) return;
  if (bytes->has_value() && !fold::Decode(**bytes, &sums).ok()) return;
  const LogTime at{outcome.micros()};
  switch (counts) {
    case outcomes::Counts::kPositive:
      outcomes::AddPositive(sums, at);
      break;
    case outcomes::Counts::kNegative:
      outcomes::AddNegative(sums, at);
      break;
    default:
      outcomes::AddImpression(sums);
  }
  context.Put(key, fold::Encode(sums));
}

void Take(OutcomeRow outcome, Change& change) {
  outcome.set_micros(change.context().Now().micros);
  const outcomes::Counts counts = outcomes::Record(change.row(), outcome);
  AddUp(outcome, counts, change.context());
}

void WatchResponse(const std::string& decision, std::string_view channel, Change& change) {
  change.context().SetTimer(
      MakeTimer({TimerKind::kResponse, change.customer(), change.member(), decision},
                change.context().Now() + outcomes::ResponseTime(channel)));
}

}  // namespace

void KeepDecision(std::string_view id, const DecisionRow& row, Change& change) {
  fold::Context& context = change.context();
  for (const std::string& gone : outcomes::NoteDecision(change.row(), id, context.Now())) {
    context.Delete(DecisionKey(change.customer(), change.member(), gone));
  }
  context.Put(DecisionKey(change.customer(), change.member(), id), fold::Encode(row));
}

StatusOr<store::v1::DecisionNoteRow> ShowDecision(const store::v1::Command& command,
                                                  Change& change) {
  const store::v1::DecisionRecord& record = command.record_decision().decision();
  v1::DecisionContext where;
  if (!where.ParseFromString(record.context()) || where.channel().empty()) {
    return Error(StatusCode::kInvalidArgument, "decision_malformed",
                 "the decision does not say where it was shown");
  }
  if (record.ByteSizeLong() > kMaxDecisionBytes) {
    return Error(StatusCode::kInvalidArgument, "decision_too_large",
                 "the decision is larger than a record of it may be");
  }
  DecisionRow row;
  row.set_decision(change.NextId());
  *row.mutable_record() = record;
  row.set_principal(command.principal());
  row.set_interaction(command.interaction());
  row.set_offset(change.offset());
  KeepDecision(row.decision(), row, change);
  for (const store::v1::RankedRecord& ranked : record.ranked()) {
    OutcomeRow shown;
    shown.set_decision(row.decision());
    shown.set_action(ranked.action());
    shown.set_group(ranked.group());
    shown.set_channel(where.channel());
    shown.set_outcome(v1::OUTCOME_KIND_IMPRESSION);
    Take(std::move(shown), change);
  }
  if (record.ranked_size() > 0) WatchResponse(row.decision(), where.channel(), change);
  store::v1::DecisionNoteRow note;
  note.set_decision(row.decision());
  note.set_decide_micros(change.context().Now().micros);
  note.set_seed(record.seed());
  return note;
}

StatusOr<OutcomeRow> AnswerDecision(const store::v1::RecordOutcome& asked, Change& change) {
  if (asked.outcome() <= v1::OUTCOME_KIND_IMPRESSION ||
      !v1::OutcomeKind_IsValid(static_cast<int>(asked.outcome()))) {
    return Error(StatusCode::kInvalidArgument, "outcome_invalid",
                 "an answer is accepted, declined, snoozed, no response or completed");
  }
  OutcomeRow answer;
  answer.set_decision(asked.decision());
  answer.set_action(asked.action());
  answer.set_group(asked.group());
  answer.set_channel(asked.channel());
  answer.set_outcome(asked.outcome());
  answer.set_reason(asked.reason());
  answer.set_snooze_until_micros(asked.snooze_until_micros());
  if (!asked.decision().empty()) {
    fold::Context& context = change.context();
    HILO_ASSIGN_OR_RETURN(
        const auto bytes,
        context.Get(DecisionKey(change.customer(), change.member(), asked.decision())));
    if (!bytes.has_value()) {
      return Error(StatusCode::kNotFound, "decision_not_found",
                   "the customer has no decision with this id; it may be gone already");
    }
    DecisionRow row;
    v1::DecisionContext where;
    HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &row));
    const auto& ranked = row.record().ranked();
    const auto offered = std::find_if(ranked.begin(), ranked.end(), [&](const auto& candidate) {
      return candidate.action() == asked.action();
    });
    if (offered == ranked.end()) {
      return Error(StatusCode::kFailedPrecondition, "action_not_offered",
                   "the action was not offered by that decision");
    }
    answer.set_group(offered->group());
    if (where.ParseFromString(row.record().context())) answer.set_channel(where.channel());
  }
  answer.set_micros(change.context().Now().micros);
  Take(answer, change);
  return answer;
}

void ShowSent(const MessageRow& message, Change& change) {
  if (message.order().class_() != store::v1::MessageOrder::CLASS_DEFAULT) return;
  OutcomeRow shown;
  shown.set_decision(DecisionOf(message));
  shown.set_action(message.order().action());
  shown.set_group(message.order().group());
  shown.set_channel(std::string(NameOfChannel(message.order().channel())));
  shown.set_outcome(v1::OUTCOME_KIND_IMPRESSION);
  const std::string decision = shown.decision();
  const std::string channel = shown.channel();
  Take(std::move(shown), change);
  WatchResponse(decision, channel, change);
}

void TakeUpSent(const store::v1::JourneySignal& left, Change& change) {
  if (left.reason() != journey::kBought) return;
  for (const MessageRow& message : change.row().messages()) {
    if (message.journey() != left.journey() || message.state() != v1::MESSAGE_STATE_SENT) continue;
    const auto* run = journey::Find(change.row(), message.run());
    if (run == nullptr || (!left.key().empty() && run->key() != left.key())) continue;
    if (!outcomes::IsOpen(change.row(), DecisionOf(message), message.order().action())) continue;
    OutcomeRow taken;
    taken.set_decision(DecisionOf(message));
    taken.set_action(message.order().action());
    taken.set_group(message.order().group());
    taken.set_channel(std::string(NameOfChannel(message.order().channel())));
    taken.set_outcome(v1::OUTCOME_KIND_ACCEPTED);
    taken.set_reason(std::string(journey::kBought));
    Take(std::move(taken), change);
  }
}

bool CloseUnanswered(std::string_view decision, Change& change) {
  auto unanswered = outcomes::Unanswered(change.row(), decision, change.context().Now());
  for (OutcomeRow& nothing : unanswered) Take(std::move(nothing), change);
  return !unanswered.empty();
}

}  // namespace hilo::customer
