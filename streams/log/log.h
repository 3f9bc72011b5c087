#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/status.h"

namespace hilo::log {

// A position in a partition; the first record ever has offset 0. Contiguous: the next offset is the
// last one + 1.
using Offset = int64_t;

struct TopicPartition {
  std::string topic;
  uint32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};

// What is written. Bytes are stored as they come and given back unchanged; the log reads none of
// them.
struct Record {
  std::string key;     // nothing personal: a customer id or a keyed hash; may be empty
  std::string header;  // lane header (streams/fold); outside what a lane's chain covers
  std::string payload;
};

// What is read.
struct StoredRecord {
  Offset offset = 0;
  WallTime append_time;  // when the log took it in, by the log's clock
  Record record;
};

// A reader at a position of one partition.
// **Threads**: confined to one thread, except Interrupt.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // The next records, in order without a hole, at most `max_records` (>= 1) and about 4 MiB. When
  // there are none it waits up to `wait` (0: not at all) and may return an empty batch. A record is
  // returned only when it is durable.
  // **Errors**: `offset_lost` (the position was trimmed or lies beyond the end), `log_corrupt` (a
  // checksum), others of the disk; all final for this cursor: it never goes on at another position
  // by itself.
  virtual StatusOr<std::vector<StoredRecord>> Read(size_t max_records,
                                                   std::chrono::milliseconds wait) = 0;
  // Ends a waiting Read early, from any thread; the next Read waits again.
  virtual void Interrupt() = 0;
};

// Called once: with the offset of the first record when all of them are durable, or with an error.
// An error means "unknown" unless its reason says otherwise: the records may be in the log. On a
// thread of the log's: do little, and do not append from it synchronously.
using AppendDone = std::function<void(StatusOr<Offset>)>;

// A durable, partitioned, ordered log: the only truth. Topics and partitions are fixed when it is
// opened.
//
// **Guarantees**: the records of one Append take contiguous offsets, all or none; appends of one
// thread to one partition keep their order; nothing is acknowledged *or visible to a cursor* before
// it is durable. It may store twice what was appended once only if the engine says so (none here).
// **Errors**: `not_found` (unknown topic or partition), `append_empty`, `record_too_large`,
// `append_too_large`, `disk_full` and `log_overloaded` (retryable; nothing was written),
// `log_stopped`, `outcome_unknown` (retryable; the records may be in the log).
// **Threads**: thread-safe. **Lifetime**: outlives its cursors.
class Log {
 public:
  static constexpr size_t kMaxRecordBytes =
      1 << 20;  // key + header + payload of one record, as Kafka's default
  static constexpr size_t kMaxAppendBytes =
      16 << 20;  // of one Append; far below every engine's kMaxPendingBytes
  static constexpr size_t kMaxReadBytes = 4 << 20;  // of one Read; passed by at most one record
  static constexpr std::chrono::hours kMaxReadWait{
      1};  // of one Read, whatever it was asked to wait

  virtual ~Log() = default;
  // Returns at once; bounded by kMaxPendingBytes of the engine: beyond it `done` gets
  // `log_overloaded` (retryable) at once.
  virtual void Append(const TopicPartition& to, std::vector<Record> records, AppendDone done) = 0;
  // A reader whose first record will have offset `from`, which may be the end. **Errors**:
  // `not_found`; `offset_lost`.
  virtual StatusOr<std::unique_ptr<Cursor>> OpenCursor(const TopicPartition& of, Offset from) = 0;
  // The first offset that can still be read, and the one the next record will take.
  virtual StatusOr<Offset> StartOffset(const TopicPartition& of) const = 0;
  virtual StatusOr<Offset> EndOffset(const TopicPartition& of) const = 0;
  // Gives up everything below `before`; offsets never change. Idempotent; beyond the end is
  // `out_of_range`.
  virtual Status Trim(const TopicPartition& of, Offset before) = 0;
  // The partitions of a topic; 0 when it is unknown.
  virtual uint32_t PartitionCount(const std::string& topic) const = 0;
  // Whether the edges may take in what comes from outside: `disk_full` while space runs out. They
  // ask before they append; folds, ticks and answers do not, so that what was taken in is still
  // worked off.
  virtual Status CheckIntake() const { return OkStatus(); }
};

// The bytes of a record that limits count.
size_t RecordBytes(const Record& record);

// For engines: whether an Append may be taken at all (`append_empty`, `record_too_large`,
// `append_too_large`).
Status CheckAppend(const std::vector<Record>& records);

// Appends and waits until durable. Not for threads of the log's.
StatusOr<Offset> AppendAndWait(Log& log, const TopicPartition& to, std::vector<Record> records);

// A topic and how many partitions it has.
struct TopicSpec {
  std::string name;
  uint32_t partitions = 1;
};

}  // namespace hilo::log
