// The identity fold in its partition, on RocksDB, beside what RocksDB alone takes for the same
// rows.
//
//   build/release/bin/hilo_identity_bench
//
// Compare within one run: Known and New with RowsAlone, which reads and writes as many rows of the
// same sizes in batches of the same length. items_per_second counts events against the partition
// thread's CPU time; RocksDB's own threads are not in it.
#include <benchmark/benchmark.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/check.h"
#include "ops/base/clock.h"
#include "state/store/rocksdb_store.h"
#include "state/types/hash.h"
#include "streams/fold/partition.h"
#include "streams/identity/identity_fold.h"
#include "streams/identity/keys.h"
#include "streams/log/memory_log.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::identity {
namespace {

constexpr int64_t kCustomers = 200'000;
constexpr int64_t kEvents = 100'000;  // of one measured run
constexpr size_t kBodyBytes = 300;
constexpr size_t kBatch = 1'024;
const log::TopicPartition kFrom{"events", 0};

std::string Name(const char* what, int64_t number) {
  return std::string(Bytes(Hash(what + std::to_string(number))));
}

// Three identifiers, as a shop's signed-in visitor has them: account, address, browser.
log::Record EventOf(int64_t event, int64_t customer, int64_t micros) {
  static const std::string body(kBodyBytes, 'b');
  store::v1::Event one;
  one.set_event_id(Name("event", event));
  one.set_body_hash(Name("body", event));
  one.set_event_micros(micros);
  one.set_receive_micros(micros);
  const std::pair<uint32_t, const char*> kinds[] = {{1, "user"}, {2, "email"}, {4, "browser"}};
  for (const auto& [kind, what] : kinds) {
    store::v1::Identifier& identifier = *one.add_identifiers();
    identifier.set_kind(kind);
    identifier.set_hash(Name(what, customer));
    identifier.set_sealed(std::string(60, 's'));
  }
  one.set_body(body);
  store::v1::Record record;
  record.set_event(one.SerializeAsString());
  return {.payload = fold::Encode(record)};
}

// A partition of events on RocksDB, with the customers who are known.
class Node {
 public:
  explicit Node(int64_t customers)
      : log_({{"events", 1}, {"customers", 4}, {"dead-letters", 1}}, clock_),
        resources_({}),
        fold_(NewIdentityFold({})),
        progress_(fold::NewLocalProgress()) {
    auto store =
        store::RocksDbStore::Open({.directory = directory_.Sub("state"), .resources = resources_});
    HILO_CHECK(store.ok(), "a benchmark has a disk");
    store_ = *std::move(store);
    fold::Partition::Options options{.of = kFrom,
                                     .targets = {{"dead-letters", 0}},
                                     .durable_is_accepted = {"customers", "dead-letters"},
                                     .owner = true};
    for (uint32_t p = 0; p < 4; ++p) options.targets.push_back({"customers", p});
    auto partition =
        fold::Partition::Open(std::move(options), log_, *store_, *fold_, *progress_, listener_);
    HILO_CHECK(partition.ok(), "the store is new");
    partition_ = *std::move(partition);
    std::vector<int64_t> all(static_cast<size_t>(customers));
    for (int64_t i = 0; i < customers; ++i) all[static_cast<size_t>(i)] = i;
    Append(all);
    Fold(true);
    HILO_CHECK(store_->Flush().ok(), "a benchmark has a disk");
  }

  void Append(const std::vector<int64_t>& customers) {
    const int64_t micros =
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.Wall().time_since_epoch())
            .count();
    std::vector<log::Record> records;
    for (const int64_t customer : customers) {
      records.push_back(EventOf(events_++, customer, micros));
      if (records.size() == kBatch) Send(records);
    }
    if (!records.empty()) Send(records);
  }

  // Folds all there is; `send` whether what it emits goes out too.
  void Fold(bool send) {
    for (;;) {
      const StatusOr<size_t> folded = partition_->Step(std::chrono::milliseconds(0));
      HILO_CHECK(folded.ok(), "nothing fails in a benchmark");
      if (*folded == 0) return;
      if (!send) continue;
      partition_->Send();
      HILO_CHECK(partition_->Trim(false).ok(), "nothing fails in a benchmark");
    }
  }
  store::RocksDbStore& store() { return *store_; }
  int64_t events() const { return events_; }

 private:
  void Send(std::vector<log::Record>& records) {
    log_.Append(kFrom, std::move(records), [](const StatusOr<log::Offset>&) {});
    records.clear();
  }

  SystemClock clock_;
  testing::TemporaryDirectory directory_;
  log::MemoryLog log_;
  store::SharedResources resources_;
  std::unique_ptr<store::RocksDbStore> store_;
  std::unique_ptr<fold::Fold> fold_;
  std::unique_ptr<fold::Progress> progress_;
  fold::Listener listener_;
  std::unique_ptr<fold::Partition> partition_;
  int64_t events_ = 0;
};

// Events of people who are known, any of them equally often: no cache of a few rows helps.
void Measure(benchmark::State& state, bool known, bool send) {
  Node node(kCustomers);
  std::mt19937_64 random(1);
  int64_t next = kCustomers;
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<int64_t> customers(kEvents);
    for (int64_t& customer : customers) {
      customer = known ? static_cast<int64_t>(random() % kCustomers) : next++;
    }
    node.Append(customers);
    state.ResumeTiming();
    node.Fold(send);
  }
  state.SetItemsProcessed(state.iterations() * kEvents);
}

void Known(benchmark::State& state) { Measure(state, true, false); }
void KnownAndSent(benchmark::State& state) { Measure(state, true, true); }
void New(benchmark::State& state) { Measure(state, false, false); }
BENCHMARK(Known)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(KnownAndSent)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(New)->Unit(benchmark::kMillisecond)->Iterations(3);

// Rows in a hash table, nothing sent: what the fold itself takes.
class TableContext final : public fold::Context {
 public:
  LogTime Now() const override { return {1}; }
  bool Closed() const override { return false; }
  uint32_t Version() const override { return 1; }
  const store::v1::Parameters& Parameters() const override { return parameters_; }
  StatusOr<std::optional<std::string>> Get(std::string_view key) override {
    const auto at = rows_.find(std::string(key));
    if (at == rows_.end()) return std::optional<std::string>();
    return std::optional<std::string>(at->second);
  }
  void Put(std::string_view key, std::string_view value) override {
    rows_.insert_or_assign(std::string(key), std::string(value));
  }
  void Delete(std::string_view key) override { rows_.erase(std::string(key)); }
  Status Scan(const store::KeyRange&,
              const std::function<bool(std::string_view, std::string_view)>&) override {
    return OkStatus();
  }
  void Emit(const log::TopicPartition&, const store::v1::Record& record) override {
    benchmark::DoNotOptimize(fold::Encode(record));
  }
  void SetTimer(const fold::Timer&) override {}
  void CancelTimer(std::string_view) override {}
  void Answer(std::string_view, RequestId, const store::v1::AnswerRow&) override {}
  void Tell(const fold::Notice&) override {}

 private:
  const store::v1::Parameters parameters_;
  std::unordered_map<std::string, std::string> rows_;
};

void FoldAlone(benchmark::State& state) {
  TableContext context;
  const std::unique_ptr<fold::Fold> fold = NewIdentityFold({});
  const store::v1::RecordHeader header;
  log::Offset offset = 0;
  int64_t event = 0;
  const auto apply = [&](int64_t customer) {
    store::v1::Record record;
    HILO_CHECK(fold::Decode(EventOf(event++, customer, 1).payload, &record).ok(), "it is whole");
    return [&, record] {
      HILO_CHECK(fold->Apply({.from = kFrom,
                              .offset = offset++,
                              .append_micros = 1,
                              .header = header,
                              .record = record},
                             context)
                     .ok(),
                 "the events are good");
    };
  };
  for (int64_t customer = 0; customer < kCustomers; ++customer) apply(customer)();
  std::mt19937_64 random(1);
  for (auto _ : state) {
    state.PauseTiming();
    std::vector<std::function<void()>> events;
    for (size_t i = 0; i < kBatch; ++i) {
      events.emplace_back(apply(static_cast<int64_t>(random() % kCustomers)));
    }
    state.ResumeTiming();
    for (const auto& apply_one : events) apply_one();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}
BENCHMARK(FoldAlone)->Unit(benchmark::kMillisecond)->Iterations(100);

// Per event: one row that is not there, four that are, two small ones written; per batch one of
// what is sent on.
void RowsAlone(benchmark::State& state) {
  Node node(kCustomers);
  std::mt19937_64 random(1);
  int64_t event = 1'000'000'000;
  const std::string sent(kBatch * (kBodyBytes + 300), 's');
  for (auto _ : state) {
    for (int64_t done = 0; done < kEvents; done += kBatch) {
      state.PauseTiming();
      std::vector<std::string> keys;
      std::vector<std::string> ids;
      for (size_t i = 0; i < kBatch; ++i) {
        const auto customer = static_cast<int64_t>(random() % kCustomers);
        ids.push_back(EventIdKey(*EventId::FromBytes(Name("event", event++))));
        keys.push_back(ids.back());
        for (const auto& [kind, what] : {std::pair{1, "user"}, {2, "email"}, {4, "browser"}}) {
          keys.push_back(IdentifierKey({.kind = static_cast<uint8_t>(kind),
                                        .hash = *IdentifierHash::FromBytes(Name(what, customer))}));
        }
        keys.push_back(CustomerKey(CustomerIdAt({}, kFrom, customer, 0)));
      }
      state.ResumeTiming();
      size_t found = 0;
      for (const auto& row : node.store().MultiGet(keys)) found += row.ok() && row->has_value();
      HILO_CHECK(found == 4 * kBatch, "all customers are known");
      std::unique_ptr<store::Batch> batch = node.store().NewBatch();
      for (const std::string& id : ids) batch->Put(id, std::string_view(sent).substr(0, 24));
      for (size_t i = 0; i < kBatch / EventIdGroup::kOffsets; ++i) {
        batch->Put(EventIdHourKey({.hour = 1, .group = event + static_cast<int64_t>(i)}),
                   std::string_view(sent).substr(0, 1'024));
      }
      batch->Put("~" + std::to_string(event), sent);
      HILO_CHECK(node.store().Write(std::move(batch)).ok(), "a benchmark has a disk");
    }
  }
  state.SetItemsProcessed(state.iterations() * (kEvents / static_cast<int64_t>(kBatch) + 1) *
                          static_cast<int64_t>(kBatch));
}
BENCHMARK(RowsAlone)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace hilo::identity
