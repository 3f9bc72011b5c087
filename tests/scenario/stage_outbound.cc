#include <algorithm>
#include <utility>

#include "connectors/serving/views.h"
#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "state/decision/decide.h"
#include "state/decision/profile.h"
#include "state/decision/record.h"
#include "state/timeline/interactions.h"
#include "streams/customer/outbound_reader.h"
#include "streams/customer/reader.h"
#include "streams/decide/decider.h"
#include "tests/scenario/stage.h"

// What owners and dispatchers add: due journeys are decided, and what was decided is sent to a
// channel that takes everything. And the next best action, as a desk asks for it.
namespace hilo::scenario {
namespace {

constexpr size_t kPage = 100;
// One seed: a story has no luck.
constexpr uint64_t kSeed = 1;
constexpr uint64_t kIncarnation = 1;

decision::PosteriorOf Priors() {
  return [](const catalogue::Action& action) { return decision::PosteriorFrom(action, 0, 0); };
}

}  // namespace

Status Stage::Follow() {
  for (;;) {
    const auto before = Ends();
    bool more = false;
    for (uint32_t partition = 0; partition < shown_.CustomerPartitions(); ++partition) {
      HILO_ASSIGN_OR_RETURN(const bool decided, DecideDue(partition));
      more = more || decided;
    }
    if (more) {
      HILO_RETURN_IF_ERROR(Record(before));
      continue;
    }
    for (uint32_t partition = 0; partition < shown_.CustomerPartitions(); ++partition) {
      HILO_ASSIGN_OR_RETURN(const bool sent, SendNext(partition));
      more = more || sent;
    }
    if (!more) return OkStatus();
  }
}

StatusOr<bool> Stage::DecideDue(uint32_t partition) {
  const log::TopicPartition of{"customers", partition};
  const store::Store& store = driver_.store(of);
  HILO_ASSIGN_OR_RETURN(const customer::DuePage page, customer::ReadDue(store, kPage));
  const auto catalogue = catalogue::Catalogue::BuiltIn();
  bool any = false;
  for (const customer::DueRun& due : page.runs) {
    HILO_ASSIGN_OR_RETURN(const auto row, customer::ReadCustomer(store, due.customer));
    if (!row.has_value()) continue;
    const auto run =
        std::find_if(row->journeys().begin(), row->journeys().end(),
                     [&](const auto& candidate) { return candidate.run() == due.run; });
    if (run == row->journeys().end()) continue;
    store::v1::Record record;
    store::v1::Decided& decided = *record.mutable_decided();
    decided = decide::DecideRun({.customer = *row,
                                 .run = *run,
                                 .catalogue = *catalogue,
                                 .now = driver_.View(of).log_time,
                                 .seed = kSeed,
                                 .posterior = Priors()});
    decided.set_customer(std::string(due.customer.Bytes()));
    decided.set_member(std::string(due.member.Bytes()));
    decided.set_run(due.run);
    decided.set_turn(due.turn);
    driver_.Append(of, record);
    any = true;
  }
  return any;
}

StatusOr<bool> Stage::SendNext(uint32_t partition) {
  const log::TopicPartition of{"outbound.email", partition};
  log::Offset& position = dispatched_[partition];
  const auto records = driver_.Records(of, position);
  if (records.empty()) return false;
  ++position;
  if (!records.front().has_message()) return true;
  const store::v1::OutboundMessage& message = records.front().message();
  store::v1::Command ask;
  ask.mutable_request_permit()->set_message(message.message());
  ask.mutable_request_permit()->set_attempt(message.attempt());
  ask.mutable_request_permit()->set_incarnation(kIncarnation);
  HILO_ASSIGN_OR_RETURN(const store::v1::AnswerRow permit, Dispatch(message, std::move(ask)));
  if (!permit.result().permit().granted()) return true;
  store::v1::Command report;
  report.mutable_report_message()->set_message(message.message());
  report.mutable_report_message()->set_attempt(message.attempt());
  report.mutable_report_message()->set_incarnation(kIncarnation);
  report.mutable_report_message()->set_result(store::v1::ReportMessage::RESULT_SENT);
  HILO_RETURN_IF_ERROR(Dispatch(message, std::move(report)).status());
  return true;
}

StatusOr<store::v1::AnswerRow> Stage::Dispatch(const store::v1::OutboundMessage& message,
                                               store::v1::Command command) {
  command.set_customer(message.customer());
  command.set_member(message.member());
  command.set_caller(std::string(Bytes(Hash("hilo.dispatch.email"))));
  command.set_principal("dispatch.email");
  command.set_channel(v1::CHANNEL_EMAIL);
  return Ask(std::move(command));
}

StatusOr<std::vector<std::string>> Stage::Suggested(const std::string& agent) {
  const auto& open = desks_[agent].open;
  std::vector<std::string> names;
  if (!open) return names;
  const uint32_t partition = serving::PartitionOfCustomer(shown_, *open);
  HILO_ASSIGN_OR_RETURN(const auto row,
                        customer::ReadCustomer(shown_.CustomersStore(partition), *open));
  if (!row.has_value()) return names;
  const auto catalogue = catalogue::Catalogue::BuiltIn();
  const LogTime now = driver_.View({"customers", partition}).log_time;
  const auto profile = decision::ProfileOf(*row, *catalogue, now);
  v1::DecisionContext context;
  context.set_channel("desk");
  for (const CallAt& call : CallsAt(agent)) {
    if (call.customer != *open) continue;
    context.set_contact_channel("call");
    context.set_assurance(call.interaction.assurance());
  }
  const decision::Question question{.catalogue = *catalogue,
                                    .profile = profile,
                                    .context = context,
                                    .now = now,
                                    .seed = kSeed,
                                    .posterior = Priors()};
  const decision::Answer answer = decision::Decide(question);
  for (const decision::Verdict& verdict : answer.ranked) names.push_back(verdict.action->name);
  desks_[agent].decision = decision::RecordOf(question, answer);
  return names;
}

StatusOr<store::v1::Command> Stage::ReadAnswer(const std::string& agent, Sentence& sentence) {
  v1::OutcomeKind kind = v1::OUTCOME_KIND_UNSPECIFIED;
  if (sentence.Take("accepts")) {
    kind = v1::OUTCOME_KIND_ACCEPTED;
  } else if (sentence.Take("declines")) {
    kind = v1::OUTCOME_KIND_DECLINED;
  } else if (sentence.Take("snoozes")) {
    kind = v1::OUTCOME_KIND_SNOOZED;
  }
  store::v1::Command command;
  if (kind == v1::OUTCOME_KIND_UNSPECIFIED) return command;
  const std::string action = sentence.Word("an action");
  HILO_ASSIGN_OR_RETURN(const auto suggested, Suggested(agent));
  if (std::find(suggested.begin(), suggested.end(), action) == suggested.end()) {
    return Error(StatusCode::kInvalidArgument, "story_invalid",
                 "the desk does not suggest " + action);
  }
  // As a desk does: what is answered was recorded as shown.
  store::v1::Command shown;
  *shown.mutable_record_decision()->mutable_decision() = desks_[agent].decision;
  HILO_ASSIGN_OR_RETURN(const store::v1::AnswerRow recorded,
                        AskOf(agent, *desks_[agent].open, std::move(shown)));
  store::v1::RecordOutcome* outcome = command.mutable_record_outcome();
  outcome->set_decision(recorded.result().decision().decision());
  outcome->set_action(action);
  outcome->set_channel("desk");
  outcome->set_outcome(static_cast<uint32_t>(kind));
  for (const auto& ranked : desks_[agent].decision.ranked()) {
    if (ranked.action() == action) outcome->set_group(ranked.group());
  }
  for (const Token& field : sentence.Fields()) {
    if (field.key == "reason") outcome->set_reason(field.text);
    if (field.key == "for") {
      const auto span = ParseDuration(field.text);
      if (!span) sentence.Fail("expected a span of time such as 7d");
      outcome->set_snooze_until_micros(
          (driver_.clock().Wall() + span.value_or(std::chrono::seconds(0)))
              .time_since_epoch()
              .count());
    }
  }
  return command;
}

}  // namespace hilo::scenario
