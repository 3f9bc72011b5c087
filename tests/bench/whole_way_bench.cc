// How many events a second go the whole way, from the log to what agents see, and what each costs;
// beside the limit: the same bytes appended to and read from the same log by nobody else.
//
//   build/release/bin/hilo_whole_way_bench [--events 300000] [--identifiers 100000] [--batch 100]
//     [--intake 0|1]
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/bench/bench_node.h"
#include "tests/bench/figures.h"
#include "tests/bench/web_events.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::bench {
namespace {

constexpr uint64_t kMaxAhead = 40'000;  // events appended and not yet visible
const log::TopicPartition kEvents{"events", 0};

struct Load {
  std::vector<std::vector<log::Record>> batches;
  uint64_t events = 0;
  uint64_t bytes = 0;
};

// Finished records, sealed with the keys of `node`.
Load Prepare(BenchNode& node, uint64_t events, uint64_t identifiers, size_t batch) {
  KeptRecords kept;
  auto intake = Must(kit::Intake::Create({.worker = false, .recent_events = 1}, kept, node.keys(),
                                         node.clock(), node.registry()));
  WebEvents source(1, identifiers);
  for (uint64_t done = 0; done < events;) {
    std::vector<kit::IncomingEvent> some;
    for (; some.size() < 1'000 && done < events; ++done) some.push_back(source.Next());
    intake->Accept(std::move(some), [](std::vector<kit::Accepted> results) {
      for (const kit::Accepted& result : results) Must(result.status);
    });
  }
  Load load;
  load.events = kept.records().size();
  for (log::Record& record : kept.records()) {
    load.bytes += log::RecordBytes(record);
    if (load.batches.empty() || load.batches.back().size() >= batch) load.batches.emplace_back();
    load.batches.back().push_back(std::move(record));
  }
  return load;
}

// Counts what is appended, and holds appends back at a bound.
class Window {
 public:
  void Acknowledged(uint64_t events) {
    std::lock_guard lock(mutex_);
    acknowledged_ += events;
    changed_.notify_one();
  }
  void AwaitAcknowledged(uint64_t events) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return acknowledged_ >= events; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t acknowledged_ = 0;
};

struct Measured {
  double seconds = 0;
  double cpu = 0;
};

Measured AppendAndRead(const Load& load) {
  testing::TemporaryDirectory directory;
  SystemClock clock;
  auto log = Must(log::EmbeddedLog::Open(
      {.directory = directory.Sub("log"), .topics = hilod::LocalNode::Topics(), .clock = clock}));
  auto copies = load.batches;
  Window window;
  std::atomic<uint64_t> read = 0;
  const double began = Seconds();
  const double cpu = CpuSeconds();
  std::thread reader([&] {
    const auto cursor = Must(log->OpenCursor(kEvents, 0));
    while (read < load.events) {
      read += Must(cursor->Read(1'024, std::chrono::milliseconds(100))).size();
    }
  });
  uint64_t sent = 0;
  for (auto& batch : copies) {
    if (sent > kMaxAhead) window.AwaitAcknowledged(sent - kMaxAhead);
    const size_t size = batch.size();
    log->Append(kEvents, std::move(batch), [&window, size](const StatusOr<log::Offset>& appended) {
      Must(appended.status());
      window.Acknowledged(size);
    });
    sent += size;
  }
  reader.join();
  return {Seconds() - began, CpuSeconds() - cpu};
}

Measured WholeWay(BenchNode& node, Load load) {
  node.Start();
  const uint64_t before = node.visible();
  const double began = Seconds();
  const double cpu = CpuSeconds();
  uint64_t sent = 0;
  for (auto& batch : load.batches) {
    if (sent > kMaxAhead) node.AwaitVisible(before + sent - kMaxAhead);
    sent += batch.size();
    node.log().Append(kEvents, std::move(batch),
                      [](const StatusOr<log::Offset>& appended) { Must(appended.status()); });
  }
  node.AwaitVisible(before + load.events);
  return {Seconds() - began, CpuSeconds() - cpu};
}

// From the door: normalised, extracted, sealed and appended in the same process.
Measured WithIntake(BenchNode& node, uint64_t events, uint64_t identifiers, size_t batch) {
  node.Start();
  WebEvents source(2, identifiers);
  std::vector<std::vector<kit::IncomingEvent>> calls;
  for (uint64_t done = 0; done < events; ++done) {
    if (calls.empty() || calls.back().size() >= batch) calls.emplace_back();
    calls.back().push_back(source.Next());
  }
  const double began = Seconds();
  const double cpu = CpuSeconds();
  uint64_t sent = 0;
  for (auto& call : calls) {
    if (sent > kMaxAhead) node.AwaitVisible(sent - kMaxAhead);
    sent += call.size();
    node.intake().Accept(std::move(call), [](std::vector<kit::Accepted> results) {
      for (const kit::Accepted& result : results) Must(result.status);
    });
  }
  node.AwaitVisible(events);
  return {Seconds() - began, CpuSeconds() - cpu};
}

int Main(int argc, char** argv) {
  const auto events = static_cast<uint64_t>(NumberArgument(argc, argv, "--events", 300'000));
  const auto identifiers =
      static_cast<uint64_t>(NumberArgument(argc, argv, "--identifiers", 100'000));
  const auto batch = static_cast<size_t>(NumberArgument(argc, argv, "--batch", 100));
  const bool intake = NumberArgument(argc, argv, "--intake", 1) != 0;
  const auto count = static_cast<double>(events);
  {
    testing::TemporaryDirectory directory;
    BenchNode node({.directory = directory.Sub("hilo")});
    Load load = Prepare(node, events, identifiers, batch);
    Print("whole_way_record_bytes", static_cast<double>(load.bytes) / count, "bytes");
    const Measured raw = AppendAndRead(load);
    Print("raw_append_read_events_per_second", count / raw.seconds, "events/s");
    Print("raw_append_read_cpu", raw.cpu / count * 1e6, "us/event");
    const Measured whole = WholeWay(node, std::move(load));
    Print("whole_way_events_per_second", count / whole.seconds, "events/s");
    Print("whole_way_cpu", whole.cpu / count * 1e6, "us/event");
    Print("whole_way_of_raw", raw.seconds / whole.seconds, "ratio");
  }
  if (!intake) return 0;
  testing::TemporaryDirectory directory;
  BenchNode node({.directory = directory.Sub("hilo")});
  const Measured door = WithIntake(node, events, identifiers, batch);
  Print("whole_way_with_intake_events_per_second", count / door.seconds, "events/s");
  Print("whole_way_with_intake_cpu", door.cpu / count * 1e6, "us/event");
  return 0;
}

}  // namespace
}  // namespace hilo::bench

int main(int argc, char** argv) { return hilo::bench::Main(argc, argv); }
