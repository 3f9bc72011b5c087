#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "state/types/ids.h"
#include "streams/fold/fold.h"
#include "streams/fold/partition.h"
#include "streams/log/log.h"

namespace hilo::command {

// A place that a later read may demand to have seen: opaque to callers ("c1.customers.2.1042").
struct PositionToken {
  log::TopicPartition of;
  log::Offset position = 0;  // the read must have folded everything below it
  std::string ToString() const;
  static std::optional<PositionToken> Parse(std::string_view text);
};

// A request id's issue time, from its UUIDv7 bits; nullopt when it is no UUIDv7.
std::optional<WallTime> IssueTime(RequestId request);
// A fresh UUIDv7.
RequestId NewRequestId(WallTime now);
// For the write that a write leads to: of the same issue time and the same each time, so that a
// repeat of the first has no second effect of the other either.
RequestId FollowingRequestId(RequestId first, std::string_view purpose);

// What a write came to.
struct Answered {
  store::v1::AnswerRow answer;
  PositionToken token;
};
// Called once, on any thread.
using AnswerDone = std::function<void(StatusOr<Answered>)>;

// Writes through the log: append to the member's partition, wait for the fold, answer with what the
// fold returned.
//
// **Guarantees**: the same (caller, request id) has one effect, however often and wherever it is
// sent, for 24 h; the answer is the fold's, never the producer's. **Errors**: `request_id_expired`
// (older than 24 h, or more than 5 minutes ahead), `partition_lagging` (UNAVAILABLE, before the
// append: the fold is further behind than the deadline allows), `outcome_unknown`
// (DEADLINE_EXCEEDED, after the append: it will happen; the same id gets the answer),
// `waiters_full`, the log's. A refusal by the fold comes as an Answered whose code is not 0.
// **Threads**: thread-safe. **Cost**: one append, one look-up by request id.
class Commands : public fold::Listener {
 public:
  static constexpr size_t kMaxWaiters = 100'000;
  // How old a request id may be, and how far ahead its maker's clock.
  static constexpr std::chrono::hours kMaxRequestAge{24};
  static constexpr std::chrono::minutes kMaxRequestAhead{5};
  // A partition that is at most this many records behind is not lagging: one batch.
  static constexpr log::Offset kNoLagRecords = 1'024;

  struct Options {
    std::string topic = "customers";
    uint32_t partitions = 4;
    Registry* registry = nullptr;  // counters of hilo_command_*; may be null
  };
  // `view` tells where a partition stands (for lag).
  static std::unique_ptr<Commands> Create(
      Options options, log::Log& log, const Clock& clock,
      std::function<fold::PartitionView(uint32_t partition)> view);
  ~Commands() override = default;
  // Sends `command` (everything but caller scope is set by the caller of this; a not_after of 0
  // becomes `deadline`); answers by `deadline`.
  virtual void Send(store::v1::Command command, MonotonicTime deadline, AnswerDone done) = 0;
  // Ends the waits whose deadline has passed; call it at least every 20 ms (hilod's housekeeping
  // thread does).
  virtual void Expire() = 0;
  // Calls `done` when `token` has been folded, or with `not_up_to_bound` at `deadline`.
  virtual void WaitFor(const PositionToken& token, MonotonicTime deadline,
                       std::function<void(Status)> done) = 0;
};

// The fold's side: one answer per (member, caller, request id), forgotten after 24 h of log time.
class AnswerBook {
 public:
  // An answer that is already there for this command, told to whoever waits: apply nothing. It is
  // the stored one, `request_id_conflict` when that was for other content, `too_late` when
  // not_after lies before the append time, or `command_malformed`; the last three are not stored.
  // nullopt: apply it.
  static StatusOr<std::optional<store::v1::AnswerRow>> Find(const fold::FoldRecord& record,
                                                            const store::v1::Command& command,
                                                            fold::Context& context);
  // Stores `answer` and tells whoever waits.
  static void Store(const fold::FoldRecord& record, const store::v1::Command& command,
                    store::v1::AnswerRow answer, fold::Context& context);
  // Forgets answers older than 24 h, at most `limit` of them. From Fold::Ticked.
  static Status ForgetOld(fold::Context& context, int limit);
};

}  // namespace hilo::command
