#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "streams/log/log.h"

namespace rocksdb {
class Env;
}

namespace hilo::log {

// A durable log inside the process: no broker, nothing to install. One directory of RocksDB files
// for all topics.
//
// One thread commits: it takes what is pending for all partitions, writes it as one batch, waits
// for the disk (fsync), and only then moves the ends, wakes cursors and calls `done`. What arrives
// meanwhile is the next batch: the slower the disk, the larger.
// Readers at the tail are served from memory, others by seeks into the files.
//
// **Guarantees**: those of Log, against a killed process and a power cut. Every row carries its
// checksum. A torn tail is never visible. Adding topics is allowed; topics left out at Open stay on
// the disk.
// **Errors**: those of Log. Open: `partition_count_changed`, `topic_identity_changed` (the
// directory holds another log), `log_locked`, `log_corrupt`, `log_failed`. A failed commit is
// final: its appends get `outcome_unknown`, all later ones `log_stopped`; close and open again.
// **Threads**: thread-safe; `done` is called on the committing thread. **Lifetime**: outlives its
// cursors; the clock outlives it.
// **Cost**: an append waits for one or two fsyncs; bytes are written twice (write-ahead log, then
// files). Trim works on the caller's thread.
// **Source**: group commit as in database logs (DeWitt et al., 1984).
class EmbeddedLog final : public Log {
 public:
  static constexpr size_t kMaxPendingBytes = 64 << 20;  // appended and not yet durable
  // Of one fsync, passed by at most one append: bounds its latency.
  static constexpr size_t kMaxCommitBytes = 8 << 20;
  static constexpr double kCloseIntakeBelow =
      0.10;  // free share of the disk: CheckIntake refuses …
  static constexpr double kReopenIntakeAt = 0.15;  // … until there is this much again
  static constexpr double kStopAppendsBelow =
      0.02;  // Append refuses too: RocksDB does not survive a full disk

  struct Options {
    std::string directory;  // made, with its parents, when absent
    std::vector<TopicSpec> topics;
    Clock& clock;
    // What Identity() answered when the log was made; empty: whatever is there.
    std::string expected_identity = {};
    size_t tail_cache_bytes = size_t{32} << 20;    // the newest rows of all partitions
    size_t write_buffer_bytes = size_t{32} << 20;  // of all partitions together
    size_t block_cache_bytes = size_t{16} << 20;
    // The free share of the disk, 0 to 1; empty: what the file system says.
    std::function<double()> free_share = {};
    // An operator's consent, after a power cut, to drop what cannot be read at the end of the
    // write-ahead log. Without it such bytes are `log_corrupt`, since they cannot be told from
    // acknowledged records that have rotted; a tail that merely ends early is always dropped.
    bool accept_unreadable_tail = false;
    rocksdb::Env* env = nullptr;  // where files are; null: the machine's
    Registry* metrics = nullptr;  // where hilo_log_* is counted; null: only CurrentFigures
#if HILO_PLANTED_FAULTS
    bool publish_before_sync = false;
#endif
  };
  static StatusOr<std::unique_ptr<EmbeddedLog>> Open(const Options& options);
  ~EmbeddedLog() override;

  void Append(const TopicPartition& to, std::vector<Record> records, AppendDone done) override;
  StatusOr<std::unique_ptr<Cursor>> OpenCursor(const TopicPartition& of, Offset from) override;
  StatusOr<Offset> StartOffset(const TopicPartition& of) const override;
  StatusOr<Offset> EndOffset(const TopicPartition& of) const override;
  Status Trim(const TopicPartition& of, Offset before) override;
  uint32_t PartitionCount(const std::string& topic) const override;
  Status CheckIntake() const override;

  // Commits what is pending and refuses what comes later. Idempotent; the destructor does it too.
  void Stop();
  // Why it takes no more appends; OK while it does.
  Status Failure() const;
  // 16 random bytes, made with the directory: two logs with equal topics are still two logs.
  std::string Identity() const;
  // A copy of everything acknowledged so far in `directory`, which must not exist; it can be opened
  // as a log.
  Status Checkpoint(const std::string& directory);

  struct Figures {
    size_t pending_bytes = 0;
    size_t tail_cache_bytes = 0;
    uint64_t commits = 0;  // fsyncs
    uint64_t committed_appends = 0;
    uint64_t committed_records = 0;
    uint64_t committed_bytes = 0;
    uint64_t disk_reads = 0;  // reads that the tail cache could not serve
  };
  Figures CurrentFigures() const;

 private:
  class Engine;
  class EmbeddedCursor;
  explicit EmbeddedLog(std::unique_ptr<Engine> engine);

  const std::unique_ptr<Engine> engine_;
};

}  // namespace hilo::log
