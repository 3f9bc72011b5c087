#pragma once

#include <string>
#include <utility>
#include <vector>

#include "streams/fold/fold.h"
#include "streams/fold/log_clock.h"
#include "streams/fold/staging.h"
#include "streams/fold/timer_queue.h"

namespace hilo::fold {

// The Context of a partition: state and timers go to the staging, everything else is collected
// until the record is kept or refused. **Threads**: confined to the partition's thread.
class ApplyContext final : public Context {
 public:
  // Folds that a record and what follows from it may go through: a loop between folds ends here.
  static constexpr uint32_t kMaxHops = 16;

  struct Emission {
    log::TopicPartition to;
    std::string payload;
  };
  struct Answered {
    std::string caller;
    RequestId request;
    store::v1::AnswerRow answer;
  };

  ApplyContext(Staging& staging, TimerQueue& timers, const LogClock& clock)
      : staging_(staging), timers_(timers), clock_(clock) {}

  LogTime Now() const override;
  bool Closed() const override { return clock_.Closed(); }
  uint32_t Version() const override { return clock_.row().fold_version(); }
  const store::v1::Parameters& Parameters() const override { return clock_.row().parameters(); }
  StatusOr<std::optional<std::string>> Get(std::string_view key) override;
  void Put(std::string_view key, std::string_view value) override;
  void Insert(std::string_view key, std::string_view value) override;
  void Delete(std::string_view key) override;
  Status Scan(
      const store::KeyRange& range,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) override;
  void Emit(const log::TopicPartition& to, const store::v1::Record& record) override;
  void SetTimer(const Timer& timer) override;
  void CancelTimer(std::string_view name) override;
  // The one that the queue gave out.
  void RemoveTimer(const Timer& timer) { timers_.Remove(timer); }
  void Answer(std::string_view caller, RequestId request,
              const store::v1::AnswerRow& answer) override;
  void Tell(const Notice& notice) override { notices_.push_back(notice); }

  // One record, or one timer: from Begin to Commit or Rollback. `hops`: how many folds it went
  // through.
  void Begin(uint32_t hops);
  // What it really came to: a failure of the store, or a limit that it passed, outweighs what the
  // fold says.
  Outcome Judge(Outcome said) const;
  // Hands out its emissions, and keeps its answers and notices for the end of the batch.
  std::vector<Emission> Commit();
  void Rollback();

  // Of the batch, for the listener.
  std::vector<Answered> TakeAnswers() { return std::exchange(kept_answers_, {}); }
  std::vector<Notice> TakeNotices() { return std::exchange(kept_notices_, {}); }

 private:
  void RefuseOnce(std::string_view reason, std::string_view message);

  Staging& staging_;
  TimerQueue& timers_;
  const LogClock& clock_;

  std::vector<Emission> emissions_;
  std::vector<Answered> answers_;
  std::vector<Notice> notices_;
  uint32_t hops_ = 0;
  Status failure_;
  Outcome refusal_ = Outcome::Ok();
  std::vector<Answered> kept_answers_;
  std::vector<Notice> kept_notices_;
};

}  // namespace hilo::fold
