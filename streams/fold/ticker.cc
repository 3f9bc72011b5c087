#include <algorithm>
#include <utility>

#include "ops/base/mutex.h"
#include "streams/fold/log_clock.h"
#include "streams/fold/partition.h"

namespace hilo::fold {
namespace {

constexpr std::chrono::milliseconds kAgain{100};  // after an append that failed

int64_t MicrosOf(WallTime time) { return time.time_since_epoch().count(); }

class OwnersTicker final : public Ticker {
 public:
  OwnersTicker(log::TopicPartition of, uint64_t incarnation, log::Log& log, const Clock& clock,
               const Partition& partition)
      : of_(std::move(of)),
        incarnation_(incarnation),
        log_(log),
        clock_(clock),
        partition_(partition) {}

  void Beat() override {
    const MonotonicTime now = clock_.Monotonic();
    bool resend = false;
    {
      MutexLock lock(flight_->mutex);
      if (flight_->in_flight || now < flight_->due) return;
      resend = flight_->failed;
      if (flight_->counts_from) measured_ = *std::exchange(flight_->counts_from, std::nullopt);
      flight_->in_flight = true;
      flight_->failed = false;
    }
    const PartitionView view = partition_.View();
    // The same tick again when nobody knows whether it arrived: the fold counts it once.
    if (!resend) tick_ = Measure(now, view);
    store::v1::Record record;
    *record.mutable_tick() = tick_;
    std::vector<log::Record> records = {{.payload = Encode(record)}};
    log_.Append(of_, std::move(records),
                [flight = flight_, &clock = clock_, first = tick_.count() == 1,
                 sent = now](const StatusOr<log::Offset>& appended) {
                  const MonotonicTime answered = clock.Monotonic();
                  MutexLock lock(flight->mutex);
                  flight->in_flight = false;
                  flight->failed = !appended.ok();
                  flight->due = appended.ok() ? std::max(sent + LogClock::kTick, answered)
                                              : answered + kAgain;
                  if (appended.ok() && first) flight->counts_from = answered;
                });
    BridgeSilence(view);
  }

  MonotonicTime Due() const override {
    MutexLock lock(flight_->mutex);
    return flight_->in_flight ? clock_.Monotonic() + kAgain : flight_->due;
  }

 private:
  // Shared with the acknowledgement, which may come when the ticker is gone.
  struct Flight {
    Mutex mutex;
    bool in_flight HILO_GUARDED_BY(mutex) = false;
    bool failed HILO_GUARDED_BY(mutex) = false;
    MonotonicTime due HILO_GUARDED_BY(mutex) = {};
    std::optional<MonotonicTime> counts_from HILO_GUARDED_BY(mutex);
  };

  store::v1::Tick Measure(MonotonicTime now, const PartitionView& view) {
    store::v1::Tick tick;
    tick.set_incarnation(incarnation_);
    tick.set_count(tick_.count() + 1);
    tick.set_wall_micros(MicrosOf(clock_.Wall()));
    if (measured_)
      tick.set_elapsed_micros(std::chrono::duration_cast<Micros>(now - *measured_).count());
    measured_ = now;
    tick.set_position(view.mark.position);
    tick.set_record_hash(view.mark.record_hash);
    tick.set_state_digest(view.mark.state_digest);
    return tick;
  }

  // Only what a silence left behind is bridged without an operator: forwards, and when the log's
  // clock agrees with ours.
  void BridgeSilence(const PartitionView& view) {
    const TickView& seen = view.last_tick;
    if (!view.closed || !view.gap_silent || seen.incarnation != incarnation_ ||
        seen.count == bridged_at_)
      return;
    if (seen.wall_micros <= view.log_time.micros) return;
    if (std::abs(seen.wall_micros - seen.append_micros) > LogClock::kStep.count() / 2) return;
    bridged_at_ = seen.count;
    store::v1::Record record;
    record.mutable_accept_time()->set_gap(view.gap);
    record.mutable_accept_time()->set_wall_micros(seen.wall_micros);
    std::vector<log::Record> records = {{.payload = Encode(record)}};
    // Should it not arrive, the next tick that finds the gap open brings another.
    log_.Append(of_, std::move(records), [](const StatusOr<log::Offset>&) {});
  }

  const log::TopicPartition of_;
  const uint64_t incarnation_;
  log::Log& log_;
  const Clock& clock_;
  const Partition& partition_;
  const std::shared_ptr<Flight> flight_ = std::make_shared<Flight>();
  store::v1::Tick tick_;
  std::optional<MonotonicTime>
      measured_;  // when the tick before was; of the first one, when it was acknowledged
  uint64_t bridged_at_ = 0;
};

}  // namespace

std::unique_ptr<Ticker> Ticker::Create(const log::TopicPartition& of, uint64_t incarnation,
                                       log::Log& log, const Clock& clock,
                                       const Partition& partition) {
  return std::make_unique<OwnersTicker>(of, incarnation, log, clock, partition);
}

}  // namespace hilo::fold
