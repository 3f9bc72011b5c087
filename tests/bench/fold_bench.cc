// What the runtime costs a record: folds that do next to nothing, over a log in memory.
//
//   build/release/bin/hilo_fold_bench
//
// Nothing is the runtime alone; Emits adds a lane and its outbox; Counts adds a row read and a row
// written of 1,000 customers, on the map store; OnDisk is Counts on RocksDB. Read is the limit: the
// same records read and not folded.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ops/base/check.h"
#include "ops/base/clock.h"
#include "state/store/keys.h"
#include "state/store/map_store.h"
#include "state/store/rocksdb_store.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::fold {
namespace {

constexpr int64_t kRecords = 200'000;
constexpr size_t kEventBytes = 200;
const log::TopicPartition kEvents{"events", 0};
const log::TopicPartition kCustomers{"customers", 0};

enum class Work { kNothing, kEmits, kCounts };

class BenchFold final : public Fold {
 public:
  explicit BenchFold(Work work) : work_(work) {}
  void Prefetch(const FoldRecord& record, std::vector<std::string>& keys) override {
    if (work_ == Work::kCounts) keys.push_back(Key(record));
  }
  Outcome Apply(const FoldRecord& record, Context& context) override {
    if (work_ == Work::kEmits) {
      store::v1::Record onward;
      onward.mutable_customer_event()->set_event(record.record.event());
      context.Emit(kCustomers, onward);
    } else if (work_ == Work::kCounts) {
      const std::string key = Key(record);
      const auto row = context.Get(key);
      if (!row.ok()) return Outcome::Failed(row.status());
      std::string next = row->value_or(std::string(300, 'r'));
      ++next[0];
      context.Put(key, next);
    }
    return Outcome::Ok();
  }

 private:
  static std::string Key(const FoldRecord& record) {
    const uint64_t customer = static_cast<uint64_t>(record.offset) * 2'654'435'761u % 1'000;
    return store::KeyBuilder(store::Table::kMember).U64(customer).Build();
  }
  const Work work_;
};

// A log with kRecords events.
log::MemoryLog& FilledLog() {
  static SystemClock* const system = new SystemClock();
  static ManualClock* const clock = new ManualClock(system->Wall());
  static log::MemoryLog* const log = [] {
    auto* filled =
        new log::MemoryLog({{"events", 1}, {"customers", 1}, {"dead-letters", 1}}, *clock);
    for (int64_t i = 0; i < kRecords; i += 1'000) {
      std::vector<log::Record> records;
      for (int64_t j = i; j < i + 1'000; ++j) {
        store::v1::Record record;
        std::string event = std::to_string(j);
        event.resize(kEventBytes, 'e');
        record.set_event(std::move(event));
        records.push_back({.payload = Encode(record)});
      }
      filled->Append(kEvents, std::move(records), [](const StatusOr<log::Offset>&) {});
    }
    return filled;
  }();
  return *log;
}

void FoldAll(benchmark::State& state, Work work, store::Store& store) {
  BenchFold fold(work);
  Listener listener;
  const auto progress = NewLocalProgress();
  auto partition = Partition::Open({.of = kEvents, .targets = {kCustomers}, .owner = false},
                                   FilledLog(), store, fold, *progress, listener);
  HILO_CHECK(partition.ok(), "an empty store opens");
  while (true) {
    const auto folded = (*partition)->Step(std::chrono::milliseconds(0));
    HILO_CHECK(folded.ok(), "these folds do not fail");
    if (*folded == 0) break;
  }
  state.SetItemsProcessed(state.items_processed() + kRecords);
}

void Read(benchmark::State& state) {
  for (auto _ : state) {
    auto cursor = FilledLog().OpenCursor(kEvents, 0);
    while (!(*cursor)->Read(1'024, std::chrono::milliseconds(0))->empty()) {
    }
    state.SetItemsProcessed(state.items_processed() + kRecords);
  }
}
BENCHMARK(Read)->Unit(benchmark::kMillisecond);

void InMemory(benchmark::State& state, Work work) {
  FilledLog();
  for (auto _ : state) {
    store::MapStore store;
    FoldAll(state, work, store);
  }
}
BENCHMARK_CAPTURE(InMemory, Nothing, Work::kNothing)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(InMemory, Emits, Work::kEmits)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(InMemory, Counts, Work::kCounts)->Unit(benchmark::kMillisecond);

void OnDisk(benchmark::State& state, Work work) {
  FilledLog();
  for (auto _ : state) {
    testing::TemporaryDirectory directory;
    store::SharedResources resources({});
    auto store = store::RocksDbStore::Open({directory.Sub("state"), resources});
    HILO_CHECK(store.ok(), "a benchmark has a disk");
    FoldAll(state, work, **store);
  }
}
BENCHMARK_CAPTURE(OnDisk, Nothing, Work::kNothing)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(OnDisk, Emits, Work::kEmits)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(OnDisk, Counts, Work::kCounts)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace hilo::fold
