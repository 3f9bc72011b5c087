#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/clock.h"
#include "ops/base/status.h"
#include "state/store/map_store.h"
#include "streams/fold/fold.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"

namespace hilo::driver {

// A partition that a driver folds.
struct PartitionSpec {
  log::TopicPartition of;
  std::vector<log::TopicPartition> targets;
  // Called at each opening: a restarted partition has a fold that remembers nothing.
  std::function<std::unique_ptr<fold::Fold>()> make_fold;
};

// How to fold a log again.
struct Refolding {
  size_t batch = 1'024;
  bool restart_after_each_batch = false;
};

// Runs folds, lanes and timers of any number of partitions on a log in memory: no threads, no
// files, time moved by hand.
//
//   FoldDriver driver({.topics = {{"events", 1}, {"customers", 4}}, .partitions = {…}});
//   driver.Append({"events", 0}, record);
//   driver.Settle();                         // everything that follows from it has happened
//   driver.Advance(std::chrono::minutes(30));
//   EXPECT_EQ(driver.Refold({.batch = 7}), OkStatus());
//
// **Guarantees**: a run is a function of the calls. Each partition begins with a tick, so that log
// time is the driver's.
// **Errors**: a partition that stops stays so (see View) and Settle returns why; the others go on.
// **Threads**: confined to one. **Cost**: Advance ticks every second up to 2 minutes, else every 10
// s; about 10 µs a tick and partition.
class FoldDriver {
 public:
  struct Options {
    std::vector<log::TopicSpec> topics;  // "dead-letters" is added
    std::vector<PartitionSpec> partitions;
    WallTime start = WallTime(std::chrono::hours(24 * 20'000));  // 2024-10-04
    Refolding folding = {};
    uint32_t newest_version = 1;
    fold::Listener* listener = nullptr;
  };

  explicit FoldDriver(Options options);
  ~FoldDriver();

  // Appends as an edge, a caller or an operator does; nothing is folded yet.
  log::Offset Append(const log::TopicPartition& to, const store::v1::Record& record);
  log::Offset AppendRaw(const log::TopicPartition& to, log::Record record);
  // Folds, sends and trims everywhere until nothing is left to do.
  Status Settle();
  // Time passes, with ticks; everything settles after each.
  Status Advance(std::chrono::microseconds time);
  // Closes and opens it again over the same store, as after a kill.
  Status Restart(const log::TopicPartition& of);

  // Folds every log again from its beginning into fresh stores, as another node does, and compares
  // position, digest, record hash and rows with what stands here. An error says which partition
  // differs and in what.
  Status Refold(const Refolding& how) const;

  ManualClock& clock() { return clock_; }
  log::MemoryLog& log() { return log_; }
  const fold::Progress& progress() const { return *progress_; }
  fold::Partition& partition(const log::TopicPartition& of);
  fold::PartitionView View(const log::TopicPartition& of) const;
  fold::Fold& fold(const log::TopicPartition& of);
  store::MapStore& store(const log::TopicPartition& of);
  // A topic partition's records from `from` on, ticks left out. What cannot be decoded is an empty
  // Record.
  std::vector<store::v1::Record> Records(const log::TopicPartition& of, log::Offset from = 0) const;
  std::vector<store::v1::DeadLetter> DeadLetters() const;

 private:
  class Node;

  const Options options_;
  ManualClock clock_;
  log::MemoryLog log_;
  std::unique_ptr<fold::Progress> progress_;
  fold::Listener deaf_;
  std::map<log::TopicPartition, std::unique_ptr<Node>> nodes_;
};

}  // namespace hilo::driver
