#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "connectors/serving/node.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "state/store/rocksdb_store.h"
#include "state/types/hash.h"
#include "streams/fold/partition.h"
#include "streams/log/embedded_log.h"

namespace hilo::hilod {

// Hands every call on to several listeners, in their order.
class Listeners final : public fold::Listener {
 public:
  void Add(fold::Listener& listener) { listeners_.push_back(&listener); }
  // What hears that a partition has a revision of the catalogue in force.
  void OnCatalogueDo(std::function<void(const log::TopicPartition&)> callback) {
    catalogue_ = std::move(callback);
  }

  void OnAnswer(std::string_view caller, RequestId request,
                const store::v1::AnswerRow& answer) override;
  void OnNotice(const log::TopicPartition& of, const fold::Notice& notice) override;
  void OnFolded(const log::TopicPartition& of, log::Offset position) override;

 private:
  std::vector<fold::Listener*> listeners_;  // not owned
  std::function<void(const log::TopicPartition&)> catalogue_;
};

// All partitions of a space in one process: identity over `events`, and the customers partitions,
// each with its store, its ticks and its thread.
//
// **Guarantees**: a partition that stops says so in its view and in the log; the others go on.
// **Threads**: View and the stores from any thread; the rest from one. **Lifetime**: log, listener,
// clock and registry outlive it. Start after everything that listens is built; Stop before it goes.
class LocalNode final : public serving::Node {
 public:
  static constexpr uint32_t kCustomerPartitions = 4;
  // How long a thread waits for records before it looks at ticks and trimming again.
  static constexpr std::chrono::milliseconds kWait{20};

  struct Options {
    std::string directory;
    // Blocks, indexes, filters and memtables of all stores.
    uint64_t cache_bytes = uint64_t{256} << 20;
    // Rows that all folds keep between batches.
    uint64_t staging_bytes = uint64_t{40} << 20;
    HashKey id_key;
  };
  static std::vector<log::TopicSpec> Topics();
  static StatusOr<std::unique_ptr<LocalNode>> Open(const Options& options, log::Log& log,
                                                   fold::Listener& listener, const Clock& clock,
                                                   Registry& registry, Logger logger);
  ~LocalNode() override;

  void Start();
  // Folds what has been read, sends what is emitted, flushes the stores.
  void Stop();

  uint32_t CustomerPartitions() const override { return kCustomerPartitions; }
  const store::Store& CustomersStore(uint32_t partition) const override;
  const store::Store& IdentityStore() const override;
  fold::PartitionView View(const log::TopicPartition& of) const override;
  fold::Standing StandingOf(const log::TopicPartition& of) const override;
  std::vector<log::TopicPartition> Folded() const override;

  // Every partition folds and none is further behind than `lag` records; else the first that is, in
  // words.
  std::string NotReadyReason(int64_t lag) const;
  // Any outbox is at its limit: intake must slow.
  bool OutboxFull() const;
  // Brings the gauges of streams/fold up to date.
  void UpdateGauges();

 private:
  struct Unit {
    log::TopicPartition of;
    std::unique_ptr<store::RocksDbStore> store;
    std::unique_ptr<fold::Fold> fold;
    std::unique_ptr<fold::Partition> partition;
    std::unique_ptr<fold::Ticker> ticker;
    std::jthread thread;
  };

  LocalNode(const Clock& clock, Registry& registry, Logger logger)
      : clock_(clock), registry_(registry), logger_(logger) {}
  void Run(Unit& unit, const std::stop_token& stop);
  const Unit& UnitOf(const log::TopicPartition& of) const;

  const Clock& clock_;
  Registry& registry_;
  const Logger logger_;
  std::unique_ptr<store::SharedResources> resources_;
  std::unique_ptr<fold::Progress> progress_;
  std::vector<std::unique_ptr<Unit>> units_;
};

}  // namespace hilo::hilod
