// The customer fold alone, on one core, over a store that is a hash map: what its rules and its
// rows cost, without the runtime, the log and RocksDB.
//
//   build/release/bin/hilo_customer_bench
//
// Compare within one run: Events with DecodeAndEncode, which opens the same events and encodes the
// same timeline rows and does nothing else.
#include <benchmark/benchmark.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "hilo/v1/common.pb.h"
#include "ops/base/check.h"
#include "state/store/tables.h"
#include "streams/customer/customer_fold.h"

namespace hilo::customer {
namespace {

constexpr size_t kEvents = 100'000;  // prepared once, folded again and again

// Keeps members' rows; of all others only what there is to write is counted.
class HashContext final : public fold::Context {
 public:
  LogTime Now() const override { return {int64_t{1'700'000'000} * 1'000'000}; }
  bool Closed() const override { return false; }
  uint32_t Version() const override { return 1; }
  const store::v1::Parameters& Parameters() const override { return parameters_; }
  StatusOr<std::optional<std::string>> Get(std::string_view key) override {
    const auto found = rows_.find(std::string(key));
    if (found == rows_.end()) return std::optional<std::string>();
    return std::optional<std::string>(found->second);
  }
  void Put(std::string_view key, std::string_view value) override {
    bytes += key.size() + value.size();
    if (key[0] == static_cast<char>(store::Table::kMember)) {
      rows_[std::string(key)] = value;
      member_bytes += value.size();
    }
  }
  void Delete(std::string_view) override {}
  Status Scan(const store::KeyRange&,
              const std::function<bool(std::string_view, std::string_view)>&) override {
    return OkStatus();
  }
  void Emit(const log::TopicPartition&, const store::v1::Record&) override {}
  void SetTimer(const fold::Timer&) override {}
  void CancelTimer(std::string_view) override {}
  void Answer(std::string_view, RequestId, const store::v1::AnswerRow&) override {}
  void Tell(const fold::Notice&) override {}

  size_t bytes = 0;
  size_t member_bytes = 0;

 private:
  store::v1::Parameters parameters_;
  std::unordered_map<std::string, std::string> rows_;
};

std::string IdOf(uint64_t number) {
  std::string id(16, 'a');
  for (int i = 1; i <= 8; ++i, number >>= 8) id[i] = static_cast<char>(number);
  return id;
}

// A tracked event of a shop as the web edge writes it: three identifiers, two open fields, sealed
// properties, one in eight with a fact, one in thirty-two with an order.
store::v1::Record EventNumber(uint64_t number, uint64_t members) {
  store::v1::EventBody body;
  body.set_type("web.track");
  body.set_event("Product Viewed");
  body.set_channel(v1::CHANNEL_WEB);
  body.set_source("shop");
  body.set_subject(IdOf(number % members));
  body.set_assurance(v1::ASSURANCE_MATCHED);
  body.set_language("es");
  body.set_time_zone("Europe/Madrid");
  for (const char* name : {"product_id", "category"}) {
    auto* open = body.add_open();
    open->set_name(name);
    open->set_value("shoes-7");
  }
  body.set_sealed_properties(std::string(160, 's'));
  if (number % 8 == 0) {
    auto* fact = body.add_facts();
    fact->set_kind("kind" + std::to_string(number / 8 % 6));
    fact->set_sealed(std::string(80, 'f'));
    fact->set_confidence(100);
    fact->set_expires_after_micros(1'000'000);
  }
  if (number % 32 == 0) {
    body.mutable_purchase()->set_kind(store::v1::Purchase::KIND_ORDER);
    body.mutable_purchase()->set_order(IdOf(number));
    body.mutable_purchase()->set_minor(8'990);
    body.mutable_purchase()->set_currency("EUR");
  }
  store::v1::Event event;
  event.set_event_id(IdOf(number));
  event.set_body_hash(IdOf(number + 1));
  event.set_event_micros(int64_t{1'700'000'000} * 1'000'000 + static_cast<int64_t>(number));
  event.set_receive_micros(event.event_micros());
  for (uint32_t kind : {1u, 2u, 4u}) {
    auto* identifier = event.add_identifiers();
    identifier->set_kind(kind);
    identifier->set_hash(IdOf(number % members * 8 + kind));
    identifier->set_sealed(std::string(80, 'i'));
  }
  body.SerializeToString(event.mutable_body());
  store::v1::Record record;
  auto* envelope = record.mutable_customer_event();
  envelope->set_customer(IdOf(number % members));
  envelope->set_member(IdOf(number % members));
  event.SerializeToString(envelope->mutable_event());
  envelope->set_event_micros(event.event_micros());
  for (uint32_t i = 0; i < 3; ++i) envelope->add_bound(i);
  return record;
}

std::vector<store::v1::Record> Prepare(uint64_t members) {
  std::vector<store::v1::Record> records;
  for (uint64_t i = 0; i < kEvents; ++i) records.push_back(EventNumber(i, members));
  return records;
}

// Argument: members among whom the events go round. Up to 4,096 rows stay parsed; with more, each
// event reads and parses its member's row.
void Events(benchmark::State& state) {
  const std::vector<store::v1::Record> records = Prepare(static_cast<uint64_t>(state.range(0)));
  const log::TopicPartition of{"customers", 0};
  const store::v1::RecordHeader header;
  const auto fold = NewCustomerFold({.partition = 0, .partitions = 1});
  HashContext context;
  log::Offset offset = 0;
  for (auto _ : state) {
    const auto& record = records[static_cast<size_t>(offset) % records.size()];
    HILO_CHECK(fold->Apply({of, offset, 0, header, record}, context).ok(), "the events are whole");
    ++offset;
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["row_bytes"] =
      static_cast<double>(context.member_bytes) / static_cast<double>(state.iterations());
  state.counters["written_bytes"] =
      static_cast<double>(context.bytes) / static_cast<double>(state.iterations());
}
BENCHMARK(Events)->Arg(1)->Arg(1'000)->Arg(20'000);

void DecodeAndEncode(benchmark::State& state) {
  const std::vector<store::v1::Record> records = Prepare(1'000);
  store::v1::Event event;
  store::v1::EventBody body;
  size_t bytes = 0;
  size_t number = 0;
  for (auto _ : state) {
    const auto& envelope = records[number++ % records.size()].customer_event();
    HILO_CHECK(event.ParseFromString(envelope.event()) && body.ParseFromString(event.body()),
               "the events are whole");
    store::v1::TimelineRow row;
    row.set_event(envelope.event());
    bytes += fold::Encode(row).size();
  }
  benchmark::DoNotOptimize(bytes);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(DecodeAndEncode);

}  // namespace
}  // namespace hilo::customer
