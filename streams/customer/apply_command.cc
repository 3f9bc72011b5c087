#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/status.h"
#include "state/cases/cases.h"
#include "state/consent/consents.h"
#include "state/facts/facts.h"
#include "state/message/messages.h"
#include "state/timeline/interactions.h"
#include "streams/customer/apply.h"
#include "streams/customer/decisions.h"
#include "streams/customer/timers.h"

namespace hilo::customer {
namespace {

using store::v1::Command;
using store::v1::CommandResult;
using store::v1::MemberRow;
using store::v1::OriginRow;

// Carries out one command. The rules of state/ change nothing when they answer with an error.
class Execution {
 public:
  Execution(const fold::FoldRecord& record, Change& change)
      : record_(record), command_(record.record.command()), change_(change) {
    origin_.set_channel(command_.channel());
    origin_.set_source(command_.principal());
    origin_.set_event_micros(record.append_micros);
    origin_.set_source_rank(kCommandRank);
    origin_.set_event_id(command_.request_id());
    origin_.set_interaction(command_.interaction());
  }

  Status Run() {
    HILO_RETURN_IF_ERROR(Do());
    if (IsOfDispatcher()) return OkStatus();  // how a message went is an entry of its own
    timeline::Touched(row(), interaction(), now());
    // What was merely shown is nothing that happened.
    if (!command_.has_record_decision()) PutOnTimeline();
    return OkStatus();
  }

  CommandResult TakeResult() { return std::move(result_); }

 private:
  MemberRow& row() { return change_.row(); }
  LogTime now() { return change_.context().Now(); }
  int64_t event_micros() const { return origin_.event_micros(); }

  // The one it happens in: the one it is about, when it is about one.
  const std::string& interaction() const {
    return result_.has_interaction() ? result_.interaction().interaction() : command_.interaction();
  }

  bool IsOfDispatcher() const {
    return command_.has_request_permit() || command_.has_report_message();
  }

  Status Do() {
    switch (command_.operation_case()) {
      case Command::kAddNote:
        return OkStatus();
      case Command::kRecordFact:
        return RecordFact(command_.record_fact());
      case Command::kRetractFact:
        return RetractFact(command_.retract_fact());
      case Command::kAskQuestion:
        return AskQuestion(command_.ask_question());
      case Command::kOpenCase:
        return OpenCase(command_.open_case());
      case Command::kCloseCase:
        return CloseCase(command_.close_case());
      case Command::kMakePromise:
        return MakePromise(command_.make_promise());
      case Command::kEndPromise:
        return EndPromise(command_.end_promise());
      case Command::kStartInteraction:
        return StartInteraction(command_.start_interaction());
      case Command::kVerifyInteraction:
        return VerifyInteraction(command_.verify_interaction());
      case Command::kEndInteraction:
        return EndInteraction(command_.end_interaction());
      case Command::kRecordConsent:
        return RecordConsent(command_.record_consent());
      case Command::kRecordDecision:
        return RecordDecision();
      case Command::kRecordOutcome:
        return RecordOutcome(command_.record_outcome());
      case Command::kReleaseSelling:
        return ReleaseSelling(command_.release_selling());
      case Command::kRequestPermit:
        return RequestPermit(command_.request_permit());
      case Command::kReportMessage:
        return ReportMessage(command_.report_message());
      default:
        break;
    }
    return Error(StatusCode::kUnimplemented, "operation_unknown",
                 "this version does not know the operation");
  }

  Status RecordFact(const store::v1::RecordFact& asked) {
    store::v1::FactRow fact;
    fact.set_fact(change_.NextId());
    fact.set_kind(asked.kind());
    fact.set_sealed(asked.sealed_value());
    fact.set_sealed_question(asked.sealed_question());
    fact.set_confidence(asked.confidence());
    fact.set_expire_micros(asked.expire_micros());
    *fact.mutable_origin() = origin_;
    *result_.mutable_fact() = fact;
    facts::Add(row(), std::move(fact), now());
    return OkStatus();
  }

  Status RetractFact(const store::v1::RetractFact& asked) {
    auto fact = facts::Retract(row(), asked.fact());
    if (!fact.has_value()) {
      return Error(StatusCode::kNotFound, "fact_not_found",
                   "the customer has no fact with this id; it may be gone already");
    }
    *result_.mutable_fact() = *std::move(fact);
    return OkStatus();
  }

  Status AskQuestion(const store::v1::AskQuestion& asked) {
    store::v1::QuestionRow question;
    question.set_question(change_.NextId());
    question.set_kind(asked.kind());
    question.set_sealed_text(asked.sealed_text());
    *question.mutable_origin() = origin_;
    const facts::Asked outcome = facts::Ask(row(), std::move(question), now());
    *result_.mutable_question() = *outcome.question;
    if (outcome.known_fact != nullptr) *result_.mutable_known_fact() = *outcome.known_fact;
    return OkStatus();
  }

  Status OpenCase(const store::v1::OpenCase& asked) {
    store::v1::CaseRow fresh;
    fresh.set_case_(change_.NextId());
    fresh.set_kind(asked.kind());
    fresh.set_sealed_title(asked.sealed_title());
    fresh.set_due_micros(asked.due_micros());
    *fresh.mutable_origin() = origin_;
    return Keep(cases::OpenCase(row(), std::move(fresh)));
  }

  Status CloseCase(const store::v1::CloseCase& asked) {
    const cases::Closing closing{.version = asked.version(),
                                 .at_micros = event_micros(),
                                 .sealed_resolution = asked.sealed_resolution(),
                                 .satisfaction = asked.satisfaction()};
    auto closed = cases::CloseCase(row(), asked.case_(), closing);
    if (!closed.ok()) {
      // Whoever was too late sees what it is now.
      if (const auto* current = cases::FindCase(row(), asked.case_()); current != nullptr) {
        *result_.mutable_case_() = *current;
      }
    }
    return Keep(std::move(closed));
  }

  Status Keep(StatusOr<const store::v1::CaseRow*> outcome) {
    if (outcome.ok()) *result_.mutable_case_() = **outcome;
    return outcome.status();
  }

  Status MakePromise(const store::v1::MakePromise& asked) {
    store::v1::PromiseRow promise;
    promise.set_promise(change_.NextId());
    promise.set_sealed_text(asked.sealed_text());
    promise.set_due_micros(asked.due_micros());
    promise.set_case_(asked.case_());
    *promise.mutable_origin() = origin_;
    HILO_ASSIGN_OR_RETURN(const auto* made, cases::MakePromise(row(), std::move(promise)));
    *result_.mutable_promise() = *made;
    change_.context().SetTimer(MakeTimer(DueTimer(made->promise()), LogTime{made->due_micros()}));
    return OkStatus();
  }

  Status EndPromise(const store::v1::EndPromise& asked) {
    const cases::Ending ending{
        .version = asked.version(), .at_micros = event_micros(), .state = asked.state()};
    auto ended = cases::EndPromise(row(), asked.promise(), ending);
    if (const auto* current = cases::FindPromise(row(), asked.promise()); current != nullptr) {
      *result_.mutable_promise() = *current;
    }
    if (ended.ok()) change_.context().CancelTimer(MakeTimer(DueTimer(asked.promise()), {}).name);
    return ended.status();
  }

  TimerTarget DueTimer(const std::string& promise) const {
    return {TimerKind::kPromise, change_.customer(), change_.member(), promise};
  }

  Status StartInteraction(const store::v1::StartInteraction& asked) {
    const timeline::Touch touch{.channel = asked.channel(),
                                .assurance = asked.assurance(),
                                .event_micros = event_micros(),
                                .now = now(),
                                .known_before = true};
    const InteractionId fresh = *InteractionId::FromBytes(change_.NextId());
    HILO_RETURN_IF_ERROR(timeline::Start(row(), fresh, touch).status());
    change_.WatchSilence(fresh.Bytes());
    KeepInteraction(fresh.Bytes());
    return OkStatus();
  }

  Status VerifyInteraction(const store::v1::VerifyInteraction& asked) {
    HILO_RETURN_IF_ERROR(timeline::Verify(row(), asked.interaction()));
    KeepInteraction(asked.interaction());
    return OkStatus();
  }

  Status EndInteraction(const store::v1::EndInteraction& asked) {
    HILO_RETURN_IF_ERROR(
        timeline::End(row(), asked.interaction(), asked.disposition(), event_micros()));
    KeepInteraction(asked.interaction());
    timeline::Trim(row());
    return OkStatus();
  }

  void KeepInteraction(std::string_view id) {
    if (const auto* kept = timeline::Find(row(), id); kept != nullptr) {
      *result_.mutable_interaction() = *kept;
    }
  }

  Status RecordConsent(const store::v1::RecordConsent& asked) {
    if (asked.signal().status() != v1::CONSENT_STATUS_GRANTED &&
        asked.signal().status() != v1::CONSENT_STATUS_DENIED) {
      return Error(StatusCode::kInvalidArgument, "consent_status_missing",
                   "a consent is granted or denied");
    }
    store::v1::ConsentRow signal;
    *signal.mutable_signal() = asked.signal();
    *signal.mutable_origin() = origin_;
    *result_.mutable_consent() = consent::Record(row(), signal);
    return OkStatus();
  }

  Status RecordDecision() {
    HILO_ASSIGN_OR_RETURN(*result_.mutable_decision(), ShowDecision(command_, change_));
    return OkStatus();
  }

  Status RecordOutcome(const store::v1::RecordOutcome& asked) {
    HILO_ASSIGN_OR_RETURN(*result_.mutable_outcome(), AnswerDecision(asked, change_));
    return OkStatus();
  }

  Status ReleaseSelling(const store::v1::ReleaseSelling& asked) {
    HILO_RETURN_IF_ERROR(timeline::Release(row(), asked.interaction()));
    KeepInteraction(asked.interaction());
    return OkStatus();
  }

  Status RequestPermit(const store::v1::RequestPermit& asked) {
    fold::Context& context = change_.context();
    *result_.mutable_permit() = message::Permit(
        row(), asked,
        {.now = now(), .closed = context.Closed(), .times = TimesOf(context.Parameters())});
    return OkStatus();
  }

  Status ReportMessage(const store::v1::ReportMessage& asked) {
    const auto* message = message::Find(row(), asked.message());
    if (message == nullptr) {
      return Error(StatusCode::kNotFound, "message_not_found",
                   "the customer has no message with this id; it may be gone already");
    }
    const bool was_sent = message->state() == v1::MESSAGE_STATE_SENT;
    message::Report(row(), asked, now());
    if (!was_sent && message->state() == v1::MESSAGE_STATE_SENT) ShowSent(*message, change_);
    *result_.mutable_message() = *message;
    return OkStatus();
  }

  void PutOnTimeline() {
    store::v1::TimelineRow entry;
    entry.set_interaction(interaction());
    entry.set_event_micros(event_micros());
    entry.set_channel(command_.channel());
    entry.set_offset(record_.offset);
    if (command_.has_add_note()) *result_.mutable_entry() = entry;  // its place; its text was given
    command_.SerializeToString(entry.mutable_command());
    change_.AddEntry(record_, entry);
  }

  const fold::FoldRecord& record_;
  const Command& command_;
  Change& change_;
  OriginRow origin_;
  CommandResult result_;
};

}  // namespace

CommandOutcome ApplyCommand(const fold::FoldRecord& record, Change& change) {
  Execution execution(record, change);
  const Status status = execution.Run();
  CommandOutcome outcome;
  outcome.applied = status.ok();
  if (!status.ok()) outcome.answer = AnswerOf(status);
  *outcome.answer.mutable_result() = execution.TakeResult();
  return outcome;
}

store::v1::AnswerRow AnswerOf(const Status& status) {
  store::v1::AnswerRow answer;
  answer.set_code(static_cast<uint32_t>(status.code()));
  answer.set_reason(Reason(status));
  answer.set_message(std::string(status.message()));
  return answer;
}

}  // namespace hilo::customer
