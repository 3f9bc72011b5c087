#include "streams/customer/customer_fold.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/cases/cases.h"
#include "state/timeline/entry_key.h"
#include "state/timeline/interactions.h"
#include "state/types/bucket.h"
#include "streams/command/command.h"
#include "streams/customer/agent_key.h"
#include "streams/customer/apply.h"
#include "streams/customer/catalogue_rows.h"
#include "streams/customer/change.h"
#include "streams/customer/member_cache.h"
#include "streams/customer/timers.h"

namespace hilo::customer {
namespace {

using fold::Context;
using fold::FoldRecord;
using fold::Outcome;
using store::v1::MemberRow;

// Answers forgotten by one tick at most: above any sustained rate of commands to one partition,
// since a tick comes once a second.
constexpr int kForgottenPerTick = 8'192;

// 36,000 years around 1970: sums of times stay within 64 bits.
constexpr int64_t kMaxEventMicros = int64_t{1} << 60;
bool InRange(int64_t event_micros) {
  return event_micros > -kMaxEventMicros && event_micros < kMaxEventMicros;
}

Outcome Malformed(std::string_view what) { return Outcome::Refused("record_malformed", what); }

class CustomerFold : public fold::Fold {
 public:
  explicit CustomerFold(const Options& options)
      : options_(options),
        cache_({.max_rows = options.max_cached_rows, .max_bytes = options.max_cached_bytes}) {}

  Outcome Apply(const FoldRecord& record, Context& context) override {
    switch (record.record.kind_case()) {
      case store::v1::Record::kCustomerEvent:
        return ApplyCustomerEvent(record, context);
      case store::v1::Record::kCommand:
        return ApplyMemberCommand(record, context);
      case store::v1::Record::kDecided:
        return ApplyDecidedRecord(record, context);
      case store::v1::Record::kCatalogue:
        return ApplyCatalogue(record.record.catalogue(), context);
      default:
        return Outcome::Refused("unexpected_record",
                                "this kind of record does not belong among customers");
    }
  }

  void Prefetch(const FoldRecord& record, std::vector<std::string>& keys) override {
    std::optional<Change::Subject> subject;
    if (record.record.has_customer_event()) {
      const auto& event = record.record.customer_event();
      subject = SubjectOf(event.customer(), event.member());
    } else if (record.record.has_command()) {
      subject = SubjectOf(record.record.command().customer(), record.record.command().member());
    } else if (record.record.has_decided()) {
      subject = SubjectOf(record.record.decided().customer(), record.record.decided().member());
    }
    if (!subject.has_value()) return;
    std::string key = timeline::MemberKey(BucketOf(subject->customer), subject->member);
    if (!cache_.Holds(key)) keys.push_back(std::move(key));
  }

  Outcome Fire(const fold::Timer& timer, Context& context) override {
    const auto target = TargetOf(timer);
    if (!target.has_value()) {
      return Outcome::Refused("unexpected_timer", "this timer is not of the fold's making");
    }
    auto row = cache_.Load(target->customer, target->member, context);
    if (!row.ok()) return Outcome::Failed(row.status());
    if (*row == nullptr) return Outcome::Ok();
    switch (target->kind) {
      case TimerKind::kSilence:
        return FireSilence(*target, **row, context);
      case TimerKind::kPromise:
        return FirePromise(*target, **row, context);
      default:
        return FireOutbound(timer, *target, **row, context);
    }
  }

  Outcome Ticked(Context& context) override {
    if (Status status = command::AnswerBook::ForgetOld(context, kForgottenPerTick); !status.ok()) {
      return Outcome::Failed(std::move(status));
    }
    return Outcome::Ok();
  }

  void Forget() override { cache_.Forget(); }

 private:
  std::optional<Change::Subject> SubjectOf(std::string_view customer,
                                           std::string_view member) const {
    const auto customer_id = CustomerId::FromBytes(customer);
    const auto member_id = MemberId::FromBytes(member);
    if (!customer_id.has_value() || !member_id.has_value()) return std::nullopt;
    return Change::Subject{*customer_id, *member_id, options_.partition};
  }

  bool IsOurs(CustomerId customer) const {
    return PartitionOf(customer, options_.partitions) == options_.partition;
  }

  Outcome WrongPartition() const {
    return Outcome::Refused("wrong_partition",
                            "the customer's bucket does not lie in this partition");
  }

  Outcome ApplyCustomerEvent(const FoldRecord& record, Context& context) {
    const store::v1::CustomerEvent& envelope = record.record.customer_event();
    const auto subject = SubjectOf(envelope.customer(), envelope.member());
    if (!subject.has_value()) return Malformed("its customer or member has not 16 bytes");
    if (!IsOurs(subject->customer)) return WrongPartition();
    // Kept between records: their strings keep their memory.
    event_.Clear();
    body_.Clear();
    if (!event_.ParseFromString(envelope.event()) || !body_.ParseFromString(event_.body())) {
      return Malformed("its event cannot be decoded");
    }
    for (uint32_t index : envelope.bound()) {
      if (index >= static_cast<uint32_t>(event_.identifiers_size())) {
        return Malformed("it names an identifier that its event has not");
      }
    }
    if (!InRange(event_.event_micros()) || !InRange(envelope.event_micros())) {
      return Malformed("its event time lies out of any range");
    }
    if (body_.has_call() && body_.call().call().size() != 16) {
      return Malformed("its call's hash has not 16 bytes");
    }
    auto loaded = cache_.Load(subject->customer, subject->member, context);
    if (!loaded.ok()) return Outcome::Failed(loaded.status());
    // Nothing is refused from here on: the row may be changed.
    MemberRow* row = *loaded;
    if (row == nullptr) row = cache_.Create(subject->customer, subject->member);
    Change change(*subject, *row, context);
    change.NameAfter(record);
    ApplyEvent(record, {envelope, event_, body_}, change);
    change.Finish(cache_, event_.receive_micros());
    return Outcome::Ok();
  }

  Outcome ApplyMemberCommand(const FoldRecord& record, Context& context) {
    const store::v1::Command& command = record.record.command();
    const auto subject = SubjectOf(command.customer(), command.member());
    if (!subject.has_value()) return Malformed("its customer or member has not 16 bytes");
    if (!IsOurs(subject->customer)) return WrongPartition();
    const auto answered = command::AnswerBook::Find(record, command, context);
    if (!answered.ok()) return Outcome::Failed(answered.status());
    if (answered->has_value()) return Outcome::Ok();  // whoever waits was told
    auto loaded = cache_.Load(subject->customer, subject->member, context);
    if (!loaded.ok()) return Outcome::Failed(loaded.status());
    if (*loaded == nullptr) {
      const Status unknown = Error(StatusCode::kNotFound, "customer_not_found",
                                   "there is no such customer; a write does not make one");
      command::AnswerBook::Store(record, command, AnswerOf(unknown), context);
      return Outcome::Ok();
    }
    Change change(*subject, **loaded, context);
    change.NameAfter(record);
    CommandOutcome outcome = ApplyCommand(record, change);
    if (outcome.applied) change.Finish(cache_, command.receive_micros());
    command::AnswerBook::Store(record, command, std::move(outcome.answer), context);
    return Outcome::Ok();
  }

  Outcome ApplyDecidedRecord(const FoldRecord& record, Context& context) {
    const store::v1::Decided& decided = record.record.decided();
    const auto subject = SubjectOf(decided.customer(), decided.member());
    if (!subject.has_value()) return Malformed("its customer or member has not 16 bytes");
    if (!IsOurs(subject->customer)) return WrongPartition();
    auto loaded = cache_.Load(subject->customer, subject->member, context);
    if (!loaded.ok()) return Outcome::Failed(loaded.status());
    if (*loaded == nullptr) return Malformed("it decides for a member that is not known");
    Change change(*subject, **loaded, context);
    change.NameAfter(record);
    if (ApplyDecided(decided, change)) change.Finish(cache_, 0);
    return Outcome::Ok();
  }

  Outcome FireOutbound(const fold::Timer& timer, const TimerTarget& target, MemberRow& row,
                       Context& context) {
    Change change({target.customer, target.member, options_.partition}, row, context);
    change.outbound().Fired(timer.name);
    if (WakeOutbound(target, change)) {
      change.Finish(cache_, 0);
    } else {
      change.outbound().Apply(change.offset());  // sets the timer anew where it came too early
    }
    return Outcome::Ok();
  }

  // Overdue is worked out by whoever reads; those who watch are told to look again.
  Outcome FirePromise(const TimerTarget& target, const MemberRow& row, Context& context) {
    const auto* promise = cases::FindPromise(row, target.thing);
    if (promise == nullptr || promise->end_micros() != 0) return Outcome::Ok();
    fold::Notice notice;
    notice.kind = fold::Notice::Kind::kMemberChanged;
    notice.member = target.member;
    notice.customer = target.customer;
    context.Tell(notice);
    return Outcome::Ok();
  }

  Outcome FireSilence(const TimerTarget& target, MemberRow& row, Context& context) {
    const auto* watched = timeline::Find(std::as_const(row), target.thing);
    if (watched == nullptr || !timeline::IsOpen(*watched)) return Outcome::Ok();
    const int64_t idle = IdleMicros(watched->channel(), context.Parameters());
    const int64_t seen_before = watched->seen_micros();
    Change change({target.customer, target.member, options_.partition}, row, context);
    const auto again = timeline::EndIfSilent(row, target.thing, idle, context.Now());
    if (again.has_value()) {
      context.SetTimer(MakeTimer(target, *again));
      if (watched->seen_micros() == seen_before) return Outcome::Ok();
    } else {
      timeline::Trim(row);
    }
    change.Finish(cache_, 0);
    return Outcome::Ok();
  }

  const Options options_;
  MemberCache cache_;
  store::v1::Event event_;
  store::v1::EventBody body_;
};

}  // namespace

std::unique_ptr<fold::Fold> NewCustomerFold(Options options) {
  return std::make_unique<CustomerFold>(options);
}

}  // namespace hilo::customer
