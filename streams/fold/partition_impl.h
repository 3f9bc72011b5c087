#pragma once

#include <google/protobuf/arena.h>

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/mutex.h"
#include "state/types/hash.h"
#include "streams/fold/apply_context.h"
#include "streams/fold/lane.h"
#include "streams/fold/log_clock.h"
#include "streams/fold/outbox.h"
#include "streams/fold/partition.h"
#include "streams/fold/staging.h"
#include "streams/fold/timer_queue.h"

namespace hilo::fold {

// The running hash over a partition's records: RunningHash of append time ‖ sizes of key and header
// ‖ key ‖ header, and of the payload; numbers big-endian (8 bytes with the sign flipped, 4, 4). It
// begins with 16 zero bytes.
Hash16 RecordHash(const Hash16& before, const log::StoredRecord& stored);

// The runtime behind Partition. Its files: partition.cc (a step), partition_open.cc (opening),
// partition_records.cc (what the runtime itself does with a record), partition_outbox.cc (sending,
// trimming, the view).
class PartitionImpl final : public Partition {
 public:
  PartitionImpl(Options options, log::Log& log, store::Store& store, Fold& fold, Progress& progress,
                Listener& listener);
  ~PartitionImpl() override;

  Status Open();

  StatusOr<size_t> Step(std::chrono::milliseconds wait) override;
  void Send() override;
  Status Trim(bool now) override;
  bool OutboxEmpty() const override { return outbox_empty_; }
  bool OutboxFull() const override {
    return outbox_bytes_ > static_cast<int64_t>(options_.max_outbox_bytes);
  }
  PartitionView View() const override;
  fold::Standing Standing() const override;
  void Interrupt() override;

 private:
  // A record of the batch under way. Messages live in the batch's arena.
  struct Decoded {
    const log::StoredRecord* stored;
    store::v1::RecordHeader* header;
    store::v1::Record* record;
    bool header_readable;
    Status payload;  // why the payload cannot be folded
  };
  // A mark of the batch under way; its digest is known when the staging has resolved it.
  struct StagedMark {
    size_t staging_mark;
    log::Offset position;
    std::string record_hash;
  };
  struct InboundSlot {
    InboundLane lane;
    bool dirty = false;
  };
  struct OutboundSlot {
    explicit OutboundSlot(OutboundLane outbound) : lane(std::move(outbound)) {}
    OutboundLane lane;
    bool dirty = false;
    uint64_t waiting_since_tick = 0;  // + 1; since when what is durable is not accepted
    uint64_t waiting_from = 0;        // accepted then
    bool diverged = false;            // the target's chain is not ours
  };
  struct Counters {
    Registry* registry = nullptr;
    Counter* duplicates = nullptr;
    Counter* out_of_order = nullptr;
    Counter* timers_fired = nullptr;
  };

  // partition_open.cc
  Status LoadMeta();
  Status CheckTopics();
  Status CheckLog();
  Status LoadLanes();
  Status VerifyWritten();
  Status CountOpening();
  OutboundSlot& Outbound(const log::TopicPartition& to);

  // partition.cc
  StatusOr<std::vector<log::StoredRecord>> Read(std::chrono::milliseconds wait);
  Status CheckContiguous(std::vector<log::StoredRecord>& records) const;
  Status FoldBatch(const std::vector<log::StoredRecord>& records);
  void Decode(const std::vector<log::StoredRecord>& records);
  Status Prefetch();
  Status FoldOne(const Decoded& decoded);
  Status WriteBatch(const StateMark& begin);
  Status CheckClaims(const std::vector<StateMark>& marks);
  void StageRuntimeRows();
  void AddMark();
  void TellListener();
  Status NoteTrying();
  StatusOr<uint32_t> CountAttempt(std::string_view name, log::Offset offset);
  void Publish();
  Status Stop(Status why);

  // partition_records.cc
  Status VersionStop(const Decoded& decoded) const;
  Status Dispatch(const Decoded& decoded);
  Status ApplyTick(const Decoded& decoded);
  Status ApplyAcceptTime(const Decoded& decoded);
  Status ApplyLaneReset(const Decoded& decoded);
  Status ApplyFold(const Decoded& decoded);
  Status FireDue(const Decoded& decoded);
  Status FireOne(const Decoded& decoded, const Timer& timer, bool* fired);
  // Ends what context_ began: keeps it, or takes it back and emits a dead letter. Only a failure is
  // an error.
  Status Settle(const Decoded& decoded, const Outcome& said, std::string_view payload);
  void DeadLetter(const Decoded& decoded, const Status& why, std::string_view payload);
  void EmitOn(const Decoded& decoded, const log::TopicPartition& to, std::string payload);
  Verdict OfferToLane(const Decoded& decoded);

  // partition_outbox.cc
  void PublishAccepted();
  void WatchUnaccepted();

  const Options options_;
  log::Log& log_;
  store::Store& store_;
  Fold& fold_;
  Progress& progress_;
  Listener& listener_;
  Counters counters_;

  std::unique_ptr<log::Cursor> cursor_;
  bool reopened_ = false;  // the cursor, since the last record read
  // Below it records are folded one by one, each noted before: whichever ends the process is found.
  log::Offset careful_until_ = 0;

  // State, with the batch under way.
  Staging staging_;
  TimerQueue timers_;
  LogClock clock_;
  bool clock_dirty_ = false;
  ApplyContext context_;
  std::map<log::TopicPartition, InboundSlot> inbound_;
  std::map<log::TopicPartition, OutboundSlot> outbound_;
  log::Offset position_ = 0;
  Hash16 record_hash_{};
  uint64_t state_digest_ = 0;
  std::vector<store::v1::TopicRow> topics_;
  // Just behind the newest ticks; without a hole, the newest last.
  std::deque<StateMark> marks_;
  // The batch that was written last: verified against the log when there is doubt.
  StateMark written_begin_;
  StateMark written_end_;
  uint64_t foreign_ticks_ = 0;
  TickView last_tick_;
  int64_t last_append_micros_ = 0;

  // The batch under way, whose records are parsed into memory that stays.
  static constexpr size_t kParsedBytes = size_t{1} << 20;
  const std::unique_ptr<char[]> parsed_ = std::make_unique_for_overwrite<char[]>(kParsedBytes);
  google::protobuf::Arena arena_{parsed_.get(), kParsedBytes};
  std::vector<Decoded> batch_;
  bool kept_ = false;  // what Settle ended last
  std::vector<StagedMark> staged_marks_;
  std::vector<StateMark> claims_;  // what owners say in their ticks

  uint64_t published_tick_ = 0;
  bool unsent_ = false;  // something emitted waits for room among what is in flight
  Status stopped_;       // folds no more
  bool broken_ = false;  // memory and store differ: neither sends nor trims

  std::atomic<bool> outbox_empty_{true};
  std::atomic<int64_t> outbox_bytes_{0};
  mutable Mutex view_mutex_;
  PartitionView view_ HILO_GUARDED_BY(view_mutex_);
};

}  // namespace hilo::fold
