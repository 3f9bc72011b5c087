#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/clock.h"
#include "state/store/map_store.h"
#include "state/types/hash.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"
#include "tests/driver/ledger_fold.h"

namespace hilo::fold {

// A store that can be told to fail, as a disk does.
class FailingStore final : public store::Store {
 public:
  StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    if (fail_reads) return Error(StatusCode::kUnavailable, "disk_error", "planted");
    return rows_.Get(key);
  }
  std::unique_ptr<store::Iterator> NewIterator(const store::KeyRange& range) const override {
    return rows_.NewIterator(range);
  }
  std::unique_ptr<store::Batch> NewBatch() override { return rows_.NewBatch(); }
  Status Write(std::unique_ptr<store::Batch> batch) override {
    if (fail_writes) return Error(StatusCode::kUnavailable, "disk_full", "planted");
    return rows_.Write(std::move(batch));
  }
  std::unique_ptr<store::View> NewView() const override { return rows_.NewView(); }
  Status Flush() override { return OkStatus(); }

  bool fail_writes = false;
  bool fail_reads = false;

 private:
  store::MapStore rows_;
};

// One partition of the ledger folds on a log that answers when told to (or at once), to be closed
// and opened again.
class PartitionBench {
 public:
  explicit PartitionBench(log::TopicPartition of,
                          log::MemoryLog::Mode mode = log::MemoryLog::Mode::kImmediate)
      : log({{"events", 1}, {"customers", 2}, {"dead-letters", 1}}, clock, {.mode = mode}) {
    options.of = std::move(of);
    options.targets = {{"customers", 0}, {"customers", 1}};
  }

  Status Open() {
    partition.reset();
    fold = std::make_unique<driver::LedgerFold>();
    auto opened = Partition::Open(options, log, store, *fold, *progress, listener);
    if (opened.ok()) partition = *std::move(opened);
    return opened.status();
  }

  // Appends an edge's record, or one of a lane when it has a header.
  void Append(log::Record record) {
    std::vector<log::Record> records;
    records.push_back(std::move(record));
    log.Append(options.of, std::move(records), [](const StatusOr<log::Offset>&) {});
    log.Settle();
  }
  void Append(const store::v1::Record& record) { Append(log::Record{.payload = Encode(record)}); }

  StatusOr<size_t> Step() { return partition->Step(std::chrono::milliseconds(0)); }
  // Folds all there is; the first error ends it.
  Status FoldAll() {
    while (true) {
      HILO_ASSIGN_OR_RETURN(const size_t folded, Step());
      if (folded == 0) return OkStatus();
    }
  }

  std::vector<log::StoredRecord> Read(const log::TopicPartition& of) {
    auto cursor = log.OpenCursor(of, 0);
    std::vector<log::StoredRecord> all;
    while (cursor.ok()) {
      auto some = (*cursor)->Read(1'024, std::chrono::milliseconds(0));
      if (!some.ok() || some->empty()) break;
      std::move(some->begin(), some->end(), std::back_inserter(all));
    }
    return all;
  }
  // Reasons of the dead letters that were sent, in order.
  std::vector<std::string> DeadLetterReasons() {
    partition->Send();
    log.Settle();
    std::vector<std::string> reasons;
    for (const log::StoredRecord& stored : Read({"dead-letters", 0})) {
      store::v1::Record record;
      if (Decode(stored.record.payload, &record).ok())
        reasons.push_back(record.dead_letter().reason());
    }
    return reasons;
  }
  LaneView LaneTo(const log::TopicPartition& target) const {
    for (const LaneView& lane : partition->View().lanes) {
      if (!lane.incoming && lane.lane.target == target) return lane;
    }
    return {};
  }
  LaneView LaneFrom(const log::TopicPartition& source) const {
    for (const LaneView& lane : partition->View().lanes) {
      if (lane.incoming && lane.lane.source == source) return lane;
    }
    return {};
  }

  ManualClock clock{WallTime(std::chrono::hours(24 * 20'000))};
  log::MemoryLog log;
  FailingStore store;
  std::unique_ptr<Progress> progress = NewLocalProgress();
  Listener listener;
  Partition::Options options;
  std::unique_ptr<driver::LedgerFold> fold;
  std::unique_ptr<Partition> partition;
};

// A sender that is no partition: records of a lane as `source` would send them.
class LaneSender {
 public:
  explicit LaneSender(log::TopicPartition source) : source_(std::move(source)) {}

  log::Record Next(std::string payload) {
    chain_ = Hash(Bytes(chain_), payload);
    store::v1::RecordHeader header;
    header.set_source_topic(source_.topic);
    header.set_source_partition(source_.partition);
    header.set_epoch(epoch);
    header.set_sequence(++sequence_);
    header.set_chain(chain_.data(), chain_.size());
    header.set_fold_version(fold_version);
    header.set_hops(hops);
    return {.header = header.SerializeAsString(), .payload = std::move(payload)};
  }
  // An event's id for the ledger.
  log::Record Next(uint64_t id, driver::LedgerWish wish = driver::LedgerWish::kNone) {
    store::v1::Record record;
    record.mutable_customer_event()->set_event(driver::LedgerEvent(id, 0, wish).event());
    return Next(Encode(record));
  }
  std::string Chain() const { return std::string(Bytes(chain_)); }

  uint32_t epoch = 1;
  uint32_t fold_version = 1;
  uint32_t hops = 1;

 private:
  log::TopicPartition source_;
  uint64_t sequence_ = 0;
  Hash16 chain_{};
};

}  // namespace hilo::fold
