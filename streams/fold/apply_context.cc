#include "streams/fold/apply_context.h"

#include <iterator>

#include "ops/base/check.h"
#include "ops/base/fault.h"
#include "state/store/tables.h"

namespace hilo::fold {
namespace {

// Room for key and lane header beside a payload.
constexpr size_t kHeaderReserve = 512;

bool OfTheFold(std::string_view key) {
  return !key.empty() &&
         static_cast<uint8_t>(key[0]) >= static_cast<uint8_t>(store::Table::kIdentifier);
}

}  // namespace

LogTime ApplyContext::Now() const {
  if (fault::Enabled("clock_in_fold")) {
    // Like a clock, it differs between nodes.
    static int64_t reads = 0;
    return clock_.Now() + Micros(++reads);
  }
  return clock_.Now();
}

StatusOr<std::optional<std::string>> ApplyContext::Get(std::string_view key) {
  HILO_ASSIGN_OR_RETURN(const auto value, staging_.Get(key));
  if (!value) return std::optional<std::string>();
  return std::optional<std::string>(*value);
}

void ApplyContext::Put(std::string_view key, std::string_view value) {
  HILO_CHECK(OfTheFold(key), "the first tables are the runtime's");
  staging_.Put(key, value);
}

void ApplyContext::Insert(std::string_view key, std::string_view value) {
  HILO_CHECK(OfTheFold(key), "the first tables are the runtime's");
  staging_.Insert(key, value);
}

void ApplyContext::Delete(std::string_view key) {
  HILO_CHECK(OfTheFold(key), "the first tables are the runtime's");
  staging_.Delete(key);
}

Status ApplyContext::Scan(
    const store::KeyRange& range,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  return staging_.Scan(range, visit);
}

void ApplyContext::Emit(const log::TopicPartition& to, const store::v1::Record& record) {
  if (emissions_.size() >= Fold::kMaxEmissions) {
    return RefuseOnce("too_many_emissions", "it would emit more records than one record may");
  }
  if (hops_ >= kMaxHops)
    return RefuseOnce("hop_limit", "it went through more folds than a record may");
  std::string payload = Encode(record);
  if (payload.size() + kHeaderReserve > log::Log::kMaxRecordBytes) {
    return RefuseOnce("emission_too_large", "it would emit a record that no log takes");
  }
  emissions_.push_back({to, std::move(payload)});
}

void ApplyContext::SetTimer(const Timer& timer) {
  if (timer.name.empty() || timer.name.size() > TimerQueue::kMaxNameBytes ||
      timer.payload.size() > TimerQueue::kMaxPayloadBytes || timer.period.count() < 0) {
    return RefuseOnce("timer_malformed",
                      "it would set a timer beyond the limits of name, payload or period");
  }
  if (Status set = timers_.Set(timer); !set.ok()) failure_ = std::move(set);
}

void ApplyContext::CancelTimer(std::string_view name) {
  if (Status cancelled = timers_.Cancel(name); !cancelled.ok()) failure_ = std::move(cancelled);
}

void ApplyContext::Answer(std::string_view caller, RequestId request,
                          const store::v1::AnswerRow& answer) {
  answers_.push_back({std::string(caller), request, answer});
}

void ApplyContext::RefuseOnce(std::string_view reason, std::string_view message) {
  if (refusal_.ok()) refusal_ = Outcome::Refused(reason, message);
}

void ApplyContext::Begin(uint32_t hops) {
  staging_.Begin();
  hops_ = hops;
  failure_ = OkStatus();
  refusal_ = Outcome::Ok();
}

Outcome ApplyContext::Judge(Outcome said) const {
  if (!said.ok() && !said.refused()) return said;
  if (!failure_.ok()) return Outcome::Failed(failure_);
  if (staging_.failed()) {
    return Outcome::Failed(
        Error(StatusCode::kUnavailable, "state_unreadable", "a row could not be read"));
  }
  return said.ok() ? refusal_ : said;
}

std::vector<ApplyContext::Emission> ApplyContext::Commit() {
  staging_.Commit();
  timers_.Commit();
  std::move(answers_.begin(), answers_.end(), std::back_inserter(kept_answers_));
  std::move(notices_.begin(), notices_.end(), std::back_inserter(kept_notices_));
  answers_.clear();
  notices_.clear();
  return std::exchange(emissions_, {});
}

void ApplyContext::Rollback() {
  staging_.Rollback();
  timers_.Rollback();
  emissions_.clear();
  answers_.clear();
  notices_.clear();
}

}  // namespace hilo::fold
