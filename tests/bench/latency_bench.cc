// How long an event takes under an open loop: sent at its appointed time whatever became of the
// others (no coordinated omission), and measured from that time on until it is durable, until it
// is visible, and until an agent's stream has its message.
//
//   build/release/bin/hilo_latency_bench [--rate 1000] [--seconds 20] [--customers 20000]
#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "connectors/serving/hub.h"
#include "connectors/serving/names.h"
#include "connectors/serving/rights.h"
#include "ops/audit/audit.h"
#include "ops/keys/signer.h"
#include "streams/identity/lookup.h"
#include "tests/bench/bench_node.h"
#include "tests/bench/figures.h"
#include "tests/bench/web_events.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::bench {
namespace {

constexpr uint64_t kWatched = 16;       // as many as one stream may watch
constexpr uint64_t kOneInWatched = 50;  // of the events, one in so many is of a watched customer
constexpr double kWarmUpSeconds = 2;

// Latencies from appointed times, added by many threads.
class Collected {
 public:
  void Add(int64_t appointed_micros) {
    const int64_t now = WallMicros();
    std::lock_guard lock(mutex_);
    if (appointed_micros >= from_)
      latencies_.Add(static_cast<double>(now - appointed_micros) * 1e-6);
  }
  // What is appointed earlier does not count; before this call nothing does.
  void CountFrom(int64_t micros) {
    std::lock_guard lock(mutex_);
    from_ = micros;
  }
  Latencies& latencies() { return latencies_; }

 private:
  std::mutex mutex_;
  Latencies latencies_;
  int64_t from_ = std::numeric_limits<int64_t>::max();
};

// The wire's end of a stream: serialises as gRPC does, and reads at once.
class ReadingSink final : public serving::MessageSink {
 public:
  explicit ReadingSink(Collected& collected) : collected_(collected) {}
  Result Send(const google::protobuf::Message& message) override {
    bytes_ = message.SerializeAsString();
    v1::WatchDesktopResponse read;
    if (!read.ParseFromString(bytes_)) return Result::kClosed;
    for (const v1::TimelineEntry& entry : read.change().context().timeline()) {
      collected_.Add(entry.receive_time().seconds() * 1'000'000 +
                     entry.receive_time().nanos() / 1'000);
    }
    return Result::kTaken;
  }
  void Finish(const Status& status) override {}
  void OnWritable(std::function<void()> callback) override {}
  void OnClosed(std::function<void()> callback) override {}

 private:
  Collected& collected_;
  std::string bytes_;
};

// Hears how far identity has folded, and knows when each offset was appointed.
class Identified final : public fold::Listener {
 public:
  explicit Identified(Collected& collected) : collected_(collected) {}
  void Appointed(log::Offset offset, int64_t micros) {
    std::lock_guard lock(mutex_);
    if (offset < folded_) {
      collected_.Add(micros);  // folded before its acknowledgement was heard
    } else {
      waiting_.emplace(offset, micros);
    }
  }
  void OnFolded(const log::TopicPartition& of, log::Offset position) override {
    if (of.topic != "events") return;
    std::lock_guard lock(mutex_);
    folded_ = position;
    while (!waiting_.empty() && waiting_.begin()->first < position) {
      collected_.Add(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
  }

 private:
  Collected& collected_;
  std::mutex mutex_;
  log::Offset folded_ = 0;
  std::map<log::Offset, int64_t> waiting_;
};

std::string CustomerName(BenchNode& node, uint64_t identifier) {
  const IdentifierHash hash = Must(node.intake().HashIdentifier(
      {v1::IDENTIFIER_KIND_USER_ID, WebEvents::UserId(identifier)}, "ES"));
  const auto found = Must(
      identity::FindByIdentifier(node.node().IdentityStore(), v1::IDENTIFIER_KIND_USER_ID, hash));
  return serving::CustomerName(found->place->customer.Bytes());
}

// Every customer exists, so that the loop measures the steady state.
void Fill(BenchNode& node, WebEvents& source, uint64_t customers) {
  constexpr uint64_t kBatch = 500;
  for (uint64_t done = 0; done < customers; done += kBatch) {
    std::vector<kit::IncomingEvent> some;
    for (uint64_t i = done; i < std::min(done + kBatch, customers); ++i)
      some.push_back(source.Of(i));
    const uint64_t expected = done + some.size();
    node.intake().Accept(std::move(some), [](std::vector<kit::Accepted> results) {
      for (const kit::Accepted& result : results) Must(result.status);
    });
    node.AwaitVisible(expected);
  }
}

int Main(int argc, char** argv) {
  const double rate = NumberArgument(argc, argv, "--rate", 1'000);
  const double seconds = NumberArgument(argc, argv, "--seconds", 20);
  const auto customers = static_cast<uint64_t>(NumberArgument(argc, argv, "--customers", 20'000));
  testing::TemporaryDirectory directory;
  Collected accepted;
  Collected identified;
  Collected visible;
  Collected streamed;
  Identified identity(identified);
  BenchNode node({.directory = directory.Sub("hilo")});
  const keys::Signer signer(Must(node.keys().PurposeKey("audit")));
  auto audit = Must(audit::Audit::Open({.path = directory.Sub("audit.jsonl"), .heads_path = ""},
                                       signer, node.clock(), node.logger(), node.registry()));
  const serving::CatalogueInForce catalogue(node.registry(), {});
  serving::Worker worker;
  serving::Hub hub({.node = node.node(),
                    .sealer = node.sealer(),
                    .catalogue = catalogue,
                    .worker = worker,
                    .clock = node.clock(),
                    .registry = node.registry()});
  node.Listen(hub);
  node.Listen(identity);
  node.OnVisible([&](int64_t appointed) { visible.Add(appointed); });
  node.Start();
  WebEvents source(3, customers);
  Fill(node, source, customers);

  const serving::Principal principal{.name = "bench", .display_name = "Bench", .agent = "bench"};
  auto call =
      std::make_shared<serving::Call>(*serving::RightsOf("/hilo.v1.DeskService/WatchDesktop"),
                                      principal, MonotonicTime::max(), "bench", audit.get());
  v1::WatchDesktopRequest request;
  for (uint64_t i = 0; i < kWatched; ++i) request.add_customers(CustomerName(node, i));
  hub.Watch(call, request, std::make_shared<ReadingSink>(streamed));

  const int64_t began = WallMicros() + 100'000;
  for (Collected* collected : {&accepted, &identified, &visible, &streamed})
    collected->CountFrom(began + static_cast<int64_t>(kWarmUpSeconds * 1e6));
  const auto count = static_cast<uint64_t>(rate * (seconds + kWarmUpSeconds));
  const double cpu = CpuSeconds();
  for (uint64_t i = 0; i < count; ++i) {
    const int64_t appointed = began + static_cast<int64_t>(static_cast<double>(i) * 1e6 / rate);
    kit::IncomingEvent event =
        i % kOneInWatched == 0 ? source.Of(i / kOneInWatched % kWatched) : source.Next();
    event.received = WallTime(WallTime::duration(appointed));
    if (const int64_t early = appointed - WallMicros(); early > 0)
      std::this_thread::sleep_for(std::chrono::microseconds(early));
    node.intake().Accept(std::move(event),
                         [&accepted, &identity, appointed](const kit::Accepted& result) {
                           Must(result.status);
                           accepted.Add(appointed);
                           identity.Appointed(result.offset, appointed);
                         });
  }
  node.AwaitVisible(customers + count);
  const double used = CpuSeconds() - cpu;
  hub.Stop();
  node.Stop();

  const std::string at = "_at_" + std::to_string(static_cast<int>(rate));
  accepted.latencies().PrintMillis("accepted" + at);
  identified.latencies().PrintMillis("identified" + at);
  visible.latencies().PrintMillis("visible" + at);
  streamed.latencies().PrintMillis("in_stream" + at);
  Print("latency_cpu" + at, used / static_cast<double>(count) * 1e6, "us/event");
  return 0;
}

}  // namespace
}  // namespace hilo::bench

int main(int argc, char** argv) { return hilo::bench::Main(argc, argv); }
