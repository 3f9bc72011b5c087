#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "streams/fold/fold.h"
#include "streams/log/log.h"

namespace hilo::fold {

// Where nodes and operators write what they decide; one partition, read when partitions open.
inline constexpr std::string_view kControlTopic = "control";

// A lane: the ordered stream of records from one fold partition to one target partition.
struct Lane {
  log::TopicPartition source;
  log::TopicPartition target;
  friend auto operator<=>(const Lane&, const Lane&) = default;
};

// How far a lane's target has accepted.
struct Accepted {
  uint32_t epoch = 0;
  uint64_t sequence = 0;
  std::string chain;  // 16 bytes
};

// Where the owners of targets publish what they have accepted, and senders look before they delete
// from the outbox. Not a log a fold reads: trimming is not folded. The highest (epoch, sequence)
// wins.
// **Threads**: thread-safe.
class Progress {
 public:
  virtual ~Progress() = default;
  virtual void Publish(const Lane& lane, const Accepted& accepted) = 0;
  virtual std::optional<Accepted> Latest(const Lane& lane) const = 0;
};

// In memory: enough where all partitions live in one process, since each publishes again from
// folded state when it opens.
std::unique_ptr<Progress> NewLocalProgress();

// What a partition tells this node after a batch is written. Calls come on the partition's thread:
// do little.
class Listener {
 public:
  virtual ~Listener() = default;
  virtual void OnAnswer(std::string_view caller, RequestId request,
                        const store::v1::AnswerRow& answer) {}
  virtual void OnNotice(const log::TopicPartition& of, const Notice& notice) {}
  // Everything below `position` is visible to readers of the store.
  virtual void OnFolded(const log::TopicPartition& of, log::Offset position) {}
};

// Ticks after which a hole in a lane, or records durable and not accepted, are an alarm. They never
// stop a lane.
inline constexpr uint64_t kAlarmTicks = 60;

struct LaneView {
  Lane lane;
  bool incoming = false;
  uint32_t epoch = 0;
  uint64_t sequence = 0;
  std::string chain;
  bool diverged = false;
  uint64_t hole_ticks =
      0;  // incoming: for how many ticks something is missing; from kAlarmTicks on it is an alarm
  uint64_t unaccepted_ticks =
      0;  // outgoing: for how many ticks what is durable is not accepted; likewise
};

// What a partition's state was at a position: equal on all who fold it.
struct StateMark {
  log::Offset position = 0;
  std::string record_hash;
  uint64_t state_digest = 0;
};

// The newest tick folded.
struct TickView {
  uint64_t incarnation = 0;
  uint64_t count = 0;
  int64_t wall_micros = 0;
  int64_t append_micros = 0;
};

// Where a partition stands: of PartitionView what every answer needs, without copying the rest.
struct Standing {
  log::TopicPartition of;
  log::Offset position = 0;
  log::Offset end = 0;
  LogTime log_time;
  int64_t last_append_micros = 0;  // of the newest record folded
};

struct PartitionView {
  log::TopicPartition of;
  log::Offset position = 0;
  log::Offset start = 0;
  log::Offset end = 0;
  LogTime log_time;
  bool closed = false;
  log::Offset gap = 0;      // offset of the tick that closed it, when closed
  bool gap_silent = false;  // the gap holds a silence
  std::string record_hash;
  uint64_t state_digest = 0;
  uint64_t ticks = 0;
  TickView last_tick;
  StateMark mark;  // just behind the newest tick
  uint64_t foreign_ticks =
      0;  // of owners who folded another history than the log's, since it was opened
  int64_t outbox_bytes = 0;
  int64_t last_append_micros = 0;  // of the newest record folded
  std::vector<LaneView> lanes;
  std::string stopped_reason;
};

// Folds one partition: reads a batch from its log, applies it to a staging map over the store,
// writes state, position, lane heads and outbox in one batch, then sends what it emitted.
//
// **Guarantees**: exactly-once effect on state after a kill at any instruction; what is sent twice
// is dropped by the receiver (lane contract: docs/ARCHITECTURE.md). Deterministic: equal logs give
// equal digests whatever the batch sizes and restarts.
// **Errors**: `offset_lost`, `log_rewritten`, `log_hole`, `log_corrupt`, `state_diverged`,
// `version_too_new`, `partition_count_changed`, `record_crashes` (each process that folded the next
// record ended there), and the store's: all stop this partition and stay
// in View().stopped_reason; never reset by itself.
// **Threads**: Step, Send and Trim on one thread at a time (the partition's); View, OutboxEmpty,
// OutboxFull and Interrupt from any.
// **Lifetime**: log, store, fold, progress and listener outlive it.
class Partition {
 public:
  struct Options {
    log::TopicPartition of;
    // Targets this partition may emit to.
    std::vector<log::TopicPartition> targets;
    // Targets without a fold behind them: accepted when durable.
    std::vector<std::string> durable_is_accepted = {"dead-letters"};
    bool owner = true;  // sends; a replica folds only
    size_t max_batch_records = 1'024;
    uint32_t newest_version = 1;  // behaviour this program can fold with
    // Offsets whose records become dead letters (`record_skipped`) without being looked at
    // (ReadSkips).
    std::set<log::Offset> skipped;
    size_t max_outbox_bytes =
        64 << 20;  // above it: `OutboxFull()`; intake slows, the fold does not
    size_t max_cached_bytes =
        16 << 20;  // rows kept in memory between batches; beyond it all are forgotten
    Registry* registry = nullptr;  // counters of hilo_fold_*; may be null
  };

  virtual ~Partition() = default;
  static StatusOr<std::unique_ptr<Partition>> Open(Options options, log::Log& log,
                                                   store::Store& store, Fold& fold,
                                                   Progress& progress, Listener& listener);

  // Reads up to max_batch_records, waiting at most `wait` for the first, folds and writes them. How
  // many were folded.
  virtual StatusOr<size_t> Step(std::chrono::milliseconds wait) = 0;
  // Sends, in order, what is emitted and not yet sent in this attempt; goes back to the
  // acknowledged prefix after a failure. Never waits.
  virtual void Send() = 0;
  // Deletes outbox rows that their targets have accepted, a bounded number a call, and publishes
  // what this partition has accepted, at most once a second; with `now` all rows and at once.
  virtual Status Trim(bool now) = 0;
  // Whether everything emitted has been accepted.
  virtual bool OutboxEmpty() const = 0;
  virtual bool OutboxFull() const = 0;
  virtual PartitionView View() const = 0;
  // The same as in View.
  virtual fold::Standing Standing() const {
    const PartitionView view = View();
    return {view.of, view.position, view.end, view.log_time, view.last_append_micros};
  }
  virtual void Interrupt() = 0;
};

// What operators decided to skip, by partition: the offsets. Each decision is a record in
// `control`, a dead letter with the position of what shall become one.
// **Errors**: the log's; those of Decode for a record that is not ours.
StatusOr<std::map<log::TopicPartition, std::set<log::Offset>>> ReadSkips(log::Log& log);

// Appends an owner's ticks: one a second, one in flight, and AcceptTime by itself after a silence
// when wall and append time agree.
// **Threads**: confined to one thread; `Due` tells when to call Beat again.
class Ticker {
 public:
  virtual ~Ticker() = default;
  static std::unique_ptr<Ticker> Create(const log::TopicPartition& of, uint64_t incarnation,
                                        log::Log& log, const Clock& clock,
                                        const Partition& partition);
  // Sends a tick when one is due and none is in flight.
  virtual void Beat() = 0;
  virtual MonotonicTime Due() const = 0;
};

}  // namespace hilo::fold
