#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/mutex.h"
#include "streams/log/log.h"

namespace hilo::log {

// How often the world is hostile to an append, in thousandths, drawn once per append and Pump. What
// is left is kindness.
struct MemoryLogFaults {
  uint32_t delay = 0;        // it, and what is behind it in its partition, waits for the next Pump
  uint32_t reorder = 0;      // a later append of the same partition goes first
  uint32_t lose = 0;         // never lands; `outcome_unknown`
  uint32_t lose_answer = 0;  // lands; `outcome_unknown` all the same
  uint32_t arrive_late = 0;  // `outcome_unknown`, and lands in a later Pump
  uint32_t repeat = 0;       // lands, is acknowledged, and lands once more in a later Pump
};

// The log of simulations and tests: in memory, seeded, faulty on demand.
//
// In mode kImmediate an append is durable, visible and acknowledged before Append returns. In mode
// kManual it is nothing of that until Pump, which decides its fate by the faults; a run is then a
// function of the seed and of the calls.
//
// **Guarantees**: those of Log, but for what the faults, PowerCut and Cut are there to break:
// `reorder` breaks the order of appends, `repeat` and `arrive_late` store what was given up or
// acknowledged already. Without faults nothing is broken.
// **Errors**: those of Log. **Threads**: thread-safe; deterministic when one thread calls. `done`
// is called on the thread that calls Append or Pump, without a lock: it may append again.
// **Lifetime**: outlives its cursors.
class MemoryLog final : public Log {
 public:
  static constexpr size_t kMaxPendingBytes = 64 << 20;  // appended and not pumped

  enum class Mode { kImmediate, kManual };
  struct Options {
    Mode mode = Mode::kImmediate;
    uint64_t seed = 0;
    MemoryLogFaults faults = {};  // kManual only
  };

  MemoryLog(std::vector<TopicSpec> topics, Clock& clock, const Options& options);
  MemoryLog(std::vector<TopicSpec> topics, Clock& clock)
      : MemoryLog(std::move(topics), clock, Options()) {}
  // What is pending is dropped without an answer, as at a PowerCut.
  ~MemoryLog() override;

  void Append(const TopicPartition& to, std::vector<Record> records, AppendDone done) override;
  StatusOr<std::unique_ptr<Cursor>> OpenCursor(const TopicPartition& of, Offset from) override;
  StatusOr<Offset> StartOffset(const TopicPartition& of) const override;
  StatusOr<Offset> EndOffset(const TopicPartition& of) const override;
  Status Trim(const TopicPartition& of, Offset before) override;
  uint32_t PartitionCount(const std::string& topic) const override;
  Status CheckIntake() const override;

  // Settles up to `max_appends` pending appends, and before them what arrives late, in partition
  // order or not as the faults have it; then calls their callbacks. Returns how many it settled: 0
  // may also mean that all were delayed.
  size_t Pump(size_t max_appends = SIZE_MAX);
  // Pumps without faults until nothing is pending and nothing is late.
  void Settle();
  size_t PendingAppends() const;
  void SetFaults(const MemoryLogFaults& faults);

  // The machine of the log and of its callers loses power: pending and late appends vanish, their
  // callbacks are never called.
  void PowerCut();
  // The connection breaks: each pending append lands or not, by the seed, and all get
  // `outcome_unknown`.
  void BreakConnection();
  // An unclean election: the partition loses everything from `end` on, also what was acknowledged,
  // and grows again from there.
  void Cut(const TopicPartition& of, Offset end);
  // From now on every append gets `refusal` at once, for instance `disk_full`; OK lifts it.
  void RefuseAppends(Status refusal);
  // What CheckIntake answers from now on.
  void RefuseIntake(Status refusal);

 private:
  struct Partition;
  struct Pending {
    Partition* partition;
    std::vector<Record> records;
    AppendDone done;  // empty for late copies
    size_t bytes;
  };
  struct Answer {
    AppendDone done;
    StatusOr<Offset> result;
  };
  class MemoryCursor;

  StatusOr<Partition*> Find(const TopicPartition& of) const;
  Offset Land(Partition& partition, std::vector<Record> records) HILO_REQUIRES(mutex_);
  // The fate of the pending append at `at`; false when it was delayed.
  bool SettleOne(std::deque<Pending>::iterator at, std::vector<Answer>& answers)
      HILO_REQUIRES(mutex_);
  void DeliverLate(bool all) HILO_REQUIRES(mutex_);
  uint64_t Draw(uint64_t below) HILO_REQUIRES(mutex_) { return random_() % below; }

  Clock& clock_;
  const Mode mode_;
  // Topics and partitions are fixed; what is in a partition is guarded by mutex_.
  std::map<TopicPartition, std::unique_ptr<Partition>> partitions_;
  std::map<std::string, uint32_t> counts_;

  mutable Mutex mutex_;
  ConditionVariable
      grown_;  // some partition has grown, was cut or trimmed, or a cursor is interrupted
  std::mt19937_64 random_ HILO_GUARDED_BY(mutex_);
  MemoryLogFaults faults_ HILO_GUARDED_BY(mutex_);
  Status refusal_ HILO_GUARDED_BY(mutex_);
  Status intake_refusal_ HILO_GUARDED_BY(mutex_);
  std::deque<Pending> pending_ HILO_GUARDED_BY(mutex_);
  std::deque<Pending> late_ HILO_GUARDED_BY(mutex_);
  size_t pending_bytes_ HILO_GUARDED_BY(mutex_) = 0;
};

}  // namespace hilo::log
