#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "state/types/hash.h"
#include "streams/fold/lane.h"
#include "streams/fold/partition.h"
#include "streams/log/log.h"

namespace hilo::fold {

// The sending end of a lane: its head in state, what it has emitted and the target has not
// accepted, and the sender.
//
// Emissions of a batch become one row (or several of about kMaxRowBytes) in the table kOutbox,
// written with the batch. They are sent in order from there, at most kMaxInFlight records ahead of
// the acknowledgements; what was just written is sent from memory. On any failure the sender
// forgets its attempt and goes back to the prefix acknowledged in order: what is sent twice is
// recognised and dropped by the receiver. Rows go when the target has accepted them, with our
// chain.
//
// **Guarantees**: an acknowledgement counts only in the attempt that sent it, and only in order.
// **Errors**: the store's.
// **Threads**: confined to its partition's thread; acknowledgements come from any.
// **Lifetime**: log and store outlive it; acknowledgements may come after it is gone.
// **Cost**: 24 bytes of memory a row in the outbox, and at most kMaxReadyBytes of emissions.
class OutboundLane {
 public:
  static constexpr size_t kMaxRowBytes = 1 << 20;
  static constexpr size_t kMaxReadyBytes = 4 << 20;
  static constexpr uint64_t kMaxInFlight = 8'192;
  static constexpr size_t kMaxAppendRecords = 512;
  static constexpr size_t kMaxAppendBytes = 512 << 10;
  // By one Trim that is not told to hurry. Acceptance comes once a second, and to delete the rows
  // of a second in one batch held the fold up for as long as that took.
  static constexpr size_t kMaxTrimmedRows = 64;

  // `durable_is_accepted`: no fold reads the target.
  OutboundLane(log::TopicPartition source, log::TopicPartition target, bool owner,
               bool durable_is_accepted);
  // The head, then the outbox.
  Status Load(std::string_view head_row);
  Status LoadOutbox(const store::Store& store);

  // In the batch under way. `header` gets epoch, sequence and chain.
  void Emit(store::v1::RecordHeader& header, std::string payload);
  // False when the lane is in this epoch or a later one already.
  bool Reset(const store::v1::LaneReset& reset);
  std::string HeadRow() const;
  void WriteOutbox(store::Batch& batch);
  // The batch is in the store.
  void Written();

  Status Send(log::Log& log, const store::Store& store);
  // Deletes rows up to what is accepted, at most `max_rows`, the oldest first, if our chain is the
  // same there. False when it is not.
  // `published`: by the target's owner, or, where no fold reads the target, by the owner of this
  // partition, who knows what is durable.
  StatusOr<bool> Trim(const std::optional<Accepted>& published, const store::Store& store,
                      size_t max_rows, store::Batch& batch);
  // What Trim has found; nullopt until it has.
  std::optional<Accepted> Trimmed() const {
    if (accepted_chain_.empty()) return std::nullopt;
    return Accepted{.epoch = epoch_, .sequence = verified_, .chain = accepted_chain_};
  }

  const log::TopicPartition& target() const { return target_; }
  uint32_t epoch() const { return epoch_; }
  uint64_t sequence() const { return sequence_; }
  std::string_view Chain() const { return Bytes(chain_); }
  bool durable_is_accepted() const { return durable_is_accepted_; }
  // Rows that the target is not known to have accepted.
  bool Empty() const { return rows_.empty(); }
  // Something waits for room among what is in flight; not for a log that refuses.
  bool Unsent() const;
  int64_t outbox_bytes() const { return outbox_bytes_; }
  // What is acknowledged in order in this attempt.
  uint64_t Acknowledged() const;
  // What was accepted when Trim looked last.
  uint64_t accepted() const { return accepted_; }

 private:
  struct RowRef {
    uint64_t first;
    uint32_t count;
    uint32_t bytes;
    uint64_t end() const { return first + count; }
  };
  // What this attempt to send has reached; acknowledgements of earlier ones find another.
  struct Attempt {
    Mutex mutex;
    uint64_t acknowledged HILO_GUARDED_BY(mutex) = 0;
    uint64_t in_flight HILO_GUARDED_BY(mutex) = 0;
    bool failed HILO_GUARDED_BY(mutex) = false;
  };

  std::string RowKey(uint64_t first) const;
  void BeginAttempt(uint64_t from);
  const RowRef* RowWith(uint64_t sequence) const;
  StatusOr<store::v1::OutboxRow> ReadRow(const RowRef& row, const store::Store& store) const;
  StatusOr<std::string> ChainAt(uint64_t sequence, const store::Store& store) const;
  Status FillReady(uint64_t next, const store::Store& store);
  void AppendReady(log::Log& log, size_t records);

  const log::TopicPartition source_;
  const log::TopicPartition target_;
  const std::string place_;
  const bool owner_;
  const bool durable_is_accepted_;

  // The head, with the batch under way.
  uint32_t epoch_ = 1;
  uint64_t sequence_ = 0;
  Hash16 chain_ = kChainBegin;
  // Rows of the batch under way.
  struct StagedRow {
    uint64_t first;
    store::v1::OutboxRow row;
    size_t bytes = 0;
  };
  std::vector<StagedRow> staged_;
  std::optional<uint64_t> reset_to_;

  // The outbox, as the store has it.
  std::deque<RowRef> rows_;
  int64_t outbox_bytes_ = 0;
  uint64_t written_ = 0;  // last sequence in the store
  Hash16 written_chain_ = kChainBegin;
  uint64_t accepted_ = 0;       // or given up by a reset: not sent again
  uint64_t verified_ = 0;       // up to where Trim has compared chains and deleted
  std::string accepted_chain_;  // empty until Trim has moved it

  // The sender.
  std::shared_ptr<Attempt> attempt_;
  uint64_t sent_ = 0;
  std::deque<log::Record> ready_;  // from sent_ + 1 on
  size_t ready_bytes_ = 0;
};

}  // namespace hilo::fold
