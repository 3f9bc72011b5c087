// The embedded log against its limit: the same bytes written to a plain file, synced, and read
// back.
//
//   build/release/bin/hilo_log_bench
//
// Compare within one run: AppendAndRead with RawFileWriteSyncRead, OneAppend with OneFdatasync.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ops/base/check.h"
#include "streams/log/embedded_log.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::log {
namespace {

constexpr size_t kRecordBytes = 244;  // a small event
constexpr size_t kBatch = 100;        // records of one append
constexpr size_t kAppends = 2'000;    // of one measured run
constexpr uint32_t kPartitions = 4;

constexpr size_t kPoolBytes = EmbeddedLog::kMaxCommitBytes;

// Bytes that do not compress, as sealed ones do not.
const std::string& Pool() {
  static const std::string pool = [] {
    std::mt19937_64 random(1);
    std::string bytes(kPoolBytes, 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
  }();
  return pool;
}

std::vector<Record> Batch(size_t records) {
  static size_t at = 0;
  std::vector<Record> batch;
  batch.reserve(records);
  for (size_t i = 0; i < records; ++i, at = (at + kRecordBytes) % (kPoolBytes - kRecordBytes)) {
    batch.push_back({.key = "0123456789abcdef", .payload = Pool().substr(at, kRecordBytes - 16)});
  }
  return batch;
}

std::unique_ptr<EmbeddedLog> OpenLog(const std::string& directory, Clock& clock,
                                     size_t tail_cache_bytes) {
  auto log = EmbeddedLog::Open({.directory = directory,
                                .topics = {{.name = "events", .partitions = kPartitions}},
                                .clock = clock,
                                .tail_cache_bytes = tail_cache_bytes});
  HILO_CHECK(log.ok(), "a benchmark has a disk");
  return *std::move(log);
}

void AppendAll(EmbeddedLog& log) {
  std::atomic<size_t> left = kAppends;
  std::promise<void> done;
  for (size_t i = 0; i < kAppends; ++i) {
    log.Append({"events", static_cast<uint32_t>(i % kPartitions)}, Batch(kBatch),
               [&](StatusOr<Offset> first) {
                 HILO_CHECK(first.ok(), "all of it fits in what may be pending");
                 if (--left == 0) done.set_value();
               });
  }
  done.get_future().wait();
}

size_t ReadAll(EmbeddedLog& log, const std::vector<Offset>& from) {
  size_t records = 0;
  for (uint32_t p = 0; p < kPartitions; ++p) {
    const auto cursor = log.OpenCursor({"events", p}, from[p]);
    for (;;) {
      const auto batch = (*cursor)->Read(1'000, std::chrono::milliseconds(0));
      HILO_CHECK(batch.ok(), "the log was just written");
      if (batch->empty()) break;
      records += batch->size();
    }
  }
  return records;
}

// Argument: MiB of tail cache; 0 reads everything from the files.
void AppendAndRead(benchmark::State& state) {
  testing::TemporaryDirectory directory;
  SystemClock clock;
  const auto log = OpenLog(directory.Sub("log"), clock, static_cast<size_t>(state.range(0)) << 20);
  size_t records = 0;
  for (auto _ : state) {
    std::vector<Offset> from;
    for (uint32_t p = 0; p < kPartitions; ++p) from.push_back(*log->EndOffset({"events", p}));
    AppendAll(*log);
    records += ReadAll(*log, from);
  }
  HILO_CHECK(records == state.iterations() * kAppends * kBatch, "what is appended is read once");
  state.SetItemsProcessed(static_cast<int64_t>(records));
  state.SetBytesProcessed(static_cast<int64_t>(records * kRecordBytes));
  state.counters["commits"] = static_cast<double>(log->CurrentFigures().commits);
}
BENCHMARK(AppendAndRead)->Arg(256)->Arg(0)->UseRealTime()->Unit(benchmark::kMillisecond);

void Append(benchmark::State& state) {
  testing::TemporaryDirectory directory;
  SystemClock clock;
  const auto log = OpenLog(directory.Sub("log"), clock, size_t{32} << 20);
  for (auto _ : state) AppendAll(*log);
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kAppends * kBatch));
  state.SetBytesProcessed(
      static_cast<int64_t>(state.iterations() * kAppends * kBatch * kRecordBytes));
}
BENCHMARK(Append)->UseRealTime()->Unit(benchmark::kMillisecond);

void RawFileWriteSyncRead(benchmark::State& state) {
  testing::TemporaryDirectory directory;
  const std::string& block = Pool();
  const size_t total = kAppends * kBatch * kRecordBytes;
  std::string buffer(Log::kMaxReadBytes, 0);
  for (auto _ : state) {
    const int fd = ::open(directory.Sub("raw").c_str(), O_CREAT | O_TRUNC | O_RDWR, 0600);
    for (size_t written = 0; written < total;) {
      const ssize_t n = ::write(fd, block.data(), std::min(block.size(), total - written));
      HILO_CHECK(n > 0 && ::fdatasync(fd) == 0, "a benchmark has a disk");
      written += static_cast<size_t>(n);
    }
    ::lseek(fd, 0, SEEK_SET);
    while (::read(fd, buffer.data(), buffer.size()) > 0) benchmark::DoNotOptimize(buffer.data());
    ::close(fd);
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kAppends * kBatch));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * total));
}
BENCHMARK(RawFileWriteSyncRead)->UseRealTime()->Unit(benchmark::kMillisecond);

// One caller, one record, waiting for each.
void OneAppend(benchmark::State& state) {
  testing::TemporaryDirectory directory;
  SystemClock clock;
  const auto log = OpenLog(directory.Sub("log"), clock, size_t{32} << 20);
  for (auto _ : state)
    HILO_CHECK(AppendAndWait(*log, {"events", 0}, Batch(1)).ok(), "a benchmark has a disk");
}
BENCHMARK(OneAppend)->UseRealTime()->Unit(benchmark::kMicrosecond);

void OneFdatasync(benchmark::State& state) {
  testing::TemporaryDirectory directory;
  const int fd = ::open(directory.Sub("raw").c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  const std::string record(kRecordBytes, 'x');
  for (auto _ : state) {
    HILO_CHECK(::write(fd, record.data(), record.size()) > 0 && ::fdatasync(fd) == 0,
               "a benchmark has a disk");
  }
  ::close(fd);
}
BENCHMARK(OneFdatasync)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hilo::log
