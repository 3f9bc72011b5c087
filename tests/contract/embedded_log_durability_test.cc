// What only a log on a disk can break: kills, power cuts, rot, space.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ops/base/metric_names.h"
#include "streams/log/embedded_log.h"
#include "tests/testing/child_process.h"
#include "tests/testing/losing_file_system.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::log {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr milliseconds kNoWait{0};
const TopicPartition kEvents{"events", 0};

class EmbeddedLogDurability : public ::testing::Test {
 protected:
  EmbeddedLog::Options Options() {
    return {.directory = directory_.Sub("log"),
            .topics = {{.name = "events"}, {.name = "customers", .partitions = 4}},
            .clock = clock_};
  }
  static std::unique_ptr<EmbeddedLog> Open(const EmbeddedLog::Options& options) {
    auto opened = EmbeddedLog::Open(options);
    EXPECT_TRUE(opened.ok()) << Describe(opened.status());
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  static std::string OpenReason(const EmbeddedLog::Options& options) {
    return Reason(EmbeddedLog::Open(options).status());
  }
  static Status Append(Log& log, const std::string& payload, const TopicPartition& to = kEvents) {
    return AppendAndWait(log, to, {{.payload = payload}}).status();
  }
  static std::vector<std::string> Contents(Log& log, const TopicPartition& of = kEvents) {
    std::vector<std::string> payloads;
    const auto cursor = log.OpenCursor(of, *log.StartOffset(of));
    for (;;) {
      const auto batch = (*cursor)->Read(10'000, kNoWait);
      EXPECT_TRUE(batch.ok()) << Describe(batch.status());
      if (!batch.ok() || batch->empty()) return payloads;
      for (const StoredRecord& stored : *batch) payloads.push_back(stored.record.payload);
    }
  }
  // The one write-ahead log file with something in it.
  std::string WriteAheadLog() const {
    std::string largest;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.Sub("log"))) {
      if (entry.path().extension() != ".log") continue;
      if (largest.empty() || entry.file_size() > std::filesystem::file_size(largest))
        largest = entry.path();
    }
    return largest;
  }

  testing::TemporaryDirectory directory_;
  ManualClock clock_{WallTime(std::chrono::seconds(1'700'000'000))};
};

TEST_F(EmbeddedLogDurability, RefusesOtherPartitionCountsAndTakesNewTopics) {
  { ASSERT_TRUE(Append(*Open(Options()), "a").ok()); }
  auto recounted = Options();
  recounted.topics[1].partitions = 8;
  EXPECT_EQ(OpenReason(recounted), "partition_count_changed");
  auto options = Options();
  options.topics.push_back({.name = "feed", .partitions = 2});
  {
    const auto log = Open(options);
    EXPECT_EQ(log->PartitionCount("feed"), 2u);
    ASSERT_TRUE(Append(*log, "f", {"feed", 1}).ok());
    EXPECT_THAT(Contents(*log), ElementsAre("a"));
  }
  std::swap(options.topics[0], options.topics[2]);
  EXPECT_THAT(Contents(*Open(options)), ElementsAre("a"))
      << "the order in which topics are named means nothing";
}

TEST_F(EmbeddedLogDurability, RefusesAnotherLogThanTheExpectedOne) {
  std::string identity;
  {
    const auto log = Open(Options());
    identity = log->Identity();
    EXPECT_EQ(identity.size(), 16u);
  }
  auto options = Options();
  options.expected_identity = identity;
  EXPECT_EQ(Open(options)->Identity(), identity);
  options.directory = directory_.Sub("other");
  EXPECT_EQ(OpenReason(options), "topic_identity_changed");
}

TEST_F(EmbeddedLogDurability, RefusesASecondOpening) {
  const auto log = Open(Options());
  EXPECT_EQ(OpenReason(Options()), "log_locked");
}

TEST_F(EmbeddedLogDurability, ACheckpointIsALogOfThatMoment) {
  const auto log = Open(Options());
  ASSERT_TRUE(Append(*log, "a").ok());
  ASSERT_TRUE(log->Checkpoint(directory_.Sub("backups/1")).ok());
  ASSERT_TRUE(Append(*log, "b").ok());
  auto options = Options();
  options.directory = directory_.Sub("backups/1");
  const auto copy = Open(options);
  EXPECT_THAT(Contents(*copy), ElementsAre("a"));
  EXPECT_EQ(copy->Identity(), log->Identity());
}

TEST_F(EmbeddedLogDurability, StopCommitsWhatIsPendingAndRefusesTheRest) {
  const auto log = Open(Options());
  std::atomic<int> acknowledged = 0;
  for (int i = 0; i < 100; ++i) {
    log->Append(kEvents, {{.payload = "a"}},
                [&](StatusOr<Offset> first) { acknowledged += first.ok(); });
  }
  log->Stop();
  EXPECT_EQ(acknowledged, 100);
  EXPECT_EQ(Reason(Append(*log, "b")), "log_stopped");
  EXPECT_EQ(Contents(*log).size(), 100u);
}

TEST_F(EmbeddedLogDurability, CountsWhatItDoesAndRefuses) {
  Registry metrics;
  std::atomic<double> free_share = 0.5;
  auto options = Options();
  options.metrics = &metrics;
  options.free_share = [&] { return free_share.load(); };
  const auto log = Open(options);
  ASSERT_TRUE(AppendAndWait(*log, kEvents, {{.payload = "a"}, {.payload = "b"}}).ok());
  free_share = 0;
  EXPECT_EQ(Reason(Append(*log, "c")), "disk_full");
  EXPECT_EQ(Reason(AppendAndWait(*log, kEvents, {}).status()), "append_empty");
  EXPECT_EQ(metrics.Get(metric::kLogRecords).Value(), 2u);
  EXPECT_EQ(metrics.Get(metric::kLogCommitSeconds).Count(), 1u);
  EXPECT_EQ(metrics.Get(metric::kLogAppendsRefused, {"disk_full"}).Value(), 1u);
  EXPECT_EQ(metrics.Get(metric::kLogAppendsRefused, {"append_empty"}).Value(), 1u);
  EXPECT_GT(metrics.Get(metric::kLogTailCacheBytes).Value(), 0);
}

TEST_F(EmbeddedLogDurability, ServesTheTailFromMemoryAndTheRestFromDisk) {
  auto options = Options();
  options.tail_cache_bytes = 10'000;
  const auto log = Open(options);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(Append(*log, std::string(1'000, 'x')).ok());
  EXPECT_LE(log->CurrentFigures().tail_cache_bytes, 10'000u);
  const auto tail = log->OpenCursor(kEvents, 95);
  EXPECT_EQ((*tail)->Read(100, kNoWait)->size(), 5u);
  EXPECT_EQ(log->CurrentFigures().disk_reads, 0u);
  EXPECT_EQ(Contents(*log).size(), 100u);
  EXPECT_GE(log->CurrentFigures().disk_reads, 1u);
}

TEST_F(EmbeddedLogDurability, TrimmedSpaceIsNotReadThroughAfterwards) {
  auto options = Options();
  options.tail_cache_bytes = 0;
  auto log = Open(options);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(Append(*log, std::to_string(i)).ok());
  for (Offset before = 10; before <= 290; before += 10)
    ASSERT_TRUE(log->Trim(kEvents, before).ok());
  EXPECT_EQ(Contents(*log).size(), 10u);
  log.reset();
  log = Open(options);
  EXPECT_EQ(Contents(*log).front(), "290");
}

TEST_F(EmbeddedLogDurability, ClosesIntakeAtTheFloorAndOpensItHigher) {
  std::atomic<double> free_share = 0.5;
  auto options = Options();
  options.free_share = [&] { return free_share.load(); };
  const auto log = Open(options);
  EXPECT_TRUE(log->CheckIntake().ok());
  free_share = 0.0999;
  EXPECT_EQ(Reason(log->CheckIntake()), "disk_full");
  EXPECT_TRUE(IsRetryable(log->CheckIntake()));
  EXPECT_TRUE(Append(*log, "a").ok()) << "what was taken in is still worked off";
  free_share = 0.149;
  EXPECT_EQ(Reason(log->CheckIntake()), "disk_full");
  free_share = 0.15;
  EXPECT_TRUE(log->CheckIntake().ok());
  free_share = 0.10;
  EXPECT_TRUE(log->CheckIntake().ok());
}

TEST_F(EmbeddedLogDurability, RefusesAllAppendsBeforeTheDiskIsFullAndGoesOnAfterwards) {
  std::atomic<double> free_share = 0.5;
  auto options = Options();
  options.free_share = [&] { return free_share.load(); };
  const auto log = Open(options);
  ASSERT_TRUE(Append(*log, "a").ok());
  free_share = 0.019;
  EXPECT_EQ(Reason(Append(*log, "lost")), "disk_full");
  free_share = 0.021;
  EXPECT_TRUE(Append(*log, "b").ok());
  EXPECT_THAT(Contents(*log), ElementsAre("a", "b")) << "no hole either";
}

TEST_F(EmbeddedLogDurability, FindsAFlippedBitInAcknowledgedRecords) {
  {
    const auto log = Open(Options());
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(Append(*log, std::string(1'000, 'x')).ok());
  }
  std::fstream file(WriteAheadLog(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(5'000);
  file.put('?');
  file.close();
  EXPECT_EQ(OpenReason(Options()), "log_corrupt") << "never dropped in silence";

  auto options = Options();
  options.accept_unreadable_tail = true;
  const auto log = Open(options);
  EXPECT_THAT(Contents(*log).size(), ::testing::Lt(10u)) << "what an operator has agreed to";
}

TEST_F(EmbeddedLogDurability, FindsAFlippedBitInATableFile) {
  auto options = Options();
  options.tail_cache_bytes = 0;
  { ASSERT_TRUE(Append(*Open(options), std::string(100'000, 'x')).ok()); }
  { Open(options); }  // recovery moves the row to a table file
  for (const auto& entry : std::filesystem::directory_iterator(directory_.Sub("log"))) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100);
    file.put('?');
  }
  // The last row is looked at when the end is found.
  EXPECT_EQ(OpenReason(options), "log_corrupt");
}

// ---- power cuts

// A log on a disk that loses what is not synced.
struct LosingLog {
  LosingLog(EmbeddedLog::Options options, uint64_t seed)
      : disk(std::make_shared<testing::LosingFileSystem>(seed)),
        env(rocksdb::NewCompositeEnv(disk)) {
    options.env = env.get();
    auto opened = EmbeddedLog::Open(options);
    EXPECT_TRUE(opened.ok()) << Describe(opened.status());
    log = *std::move(opened);
  }
  std::shared_ptr<testing::LosingFileSystem> disk;
  std::unique_ptr<rocksdb::Env> env;
  std::unique_ptr<EmbeddedLog> log;
};

// What a cursor shows of an append whose sync has not come back.
std::vector<std::string> SeenWhileSyncIsHeld(const EmbeddedLog::Options& options) {
  LosingLog losing(options, /*seed=*/1);
  EXPECT_TRUE(AppendAndWait(*losing.log, kEvents, {{.payload = "durable"}}).ok());
  const auto cursor = losing.log->OpenCursor(kEvents, 1);
  losing.disk->HoldSyncs();
  std::promise<std::string> answer;
  losing.log->Append(kEvents, {{.payload = "unsynced"}},
                     [&](StatusOr<Offset> first) { answer.set_value(Reason(first.status())); });
  losing.disk->AwaitHeldSync();
  std::vector<std::string> seen;
  const auto batch = (*cursor)->Read(10, kNoWait);
  for (const StoredRecord& stored : *batch) seen.push_back(stored.record.payload);
  auto outcome = answer.get_future();
  EXPECT_EQ(outcome.wait_for(kNoWait), std::future_status::timeout)
      << "acknowledged before the sync";
  losing.disk->PowerCut();
  EXPECT_EQ(outcome.get(), "outcome_unknown");
  EXPECT_EQ(Reason(AppendAndWait(*losing.log, kEvents, {{.payload = "later"}}).status()),
            "log_stopped");
  EXPECT_FALSE(losing.log->Failure().ok());
  return seen;
}

TEST_F(EmbeddedLogDurability, ACursorShowsNothingBeforeItsSync) {
  EXPECT_THAT(SeenWhileSyncIsHeld(Options()), IsEmpty());
  EXPECT_THAT(Contents(*Open(Options())).front(), "durable");
}

// Writers, a reader at the tail and a power cut at a seeded sync. How many records were shown or
// acknowledged and are gone, or are others, when the log is opened again.
int LostByPowerCut(const EmbeddedLog::Options& options, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::map<Offset, std::string> known;  // by the reader and by acknowledgements; all of kEvents
  std::mutex mutex;
  {
    LosingLog losing(options, seed);
    losing.disk->PowerCutAtSync(1 + static_cast<int>(random() % 40));
    std::atomic<bool> off = false;
    std::jthread reader([&] {
      const auto cursor = losing.log->OpenCursor(kEvents, *losing.log->StartOffset(kEvents));
      while (!off) {
        const auto batch = (*cursor)->Read(10, milliseconds(1));
        if (!batch.ok()) return;
        std::lock_guard lock(mutex);
        for (const StoredRecord& stored : *batch)
          known.emplace(stored.offset, stored.record.payload);
      }
    });
    std::vector<std::jthread> writers;
    for (int w = 0; w < 2; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; losing.log->Failure().ok(); ++i) {
          const std::string payload =
              std::to_string(seed) + "/" + std::to_string(w) + "/" + std::to_string(i);
          const auto first = AppendAndWait(*losing.log, kEvents,
                                           {{.payload = payload}, {.payload = payload + "'"}});
          if (!first.ok()) continue;
          std::lock_guard lock(mutex);
          known[*first] = payload;
          known[*first + 1] = payload + "'";
        }
      });
    }
    writers.clear();
    off = true;
    reader.join();
  }
  auto reopened = EmbeddedLog::Open(options);
  EXPECT_TRUE(reopened.ok()) << "seed " << seed << ": " << Describe(reopened.status());
  if (!reopened.ok()) return 1;
  std::map<Offset, std::string> stored;
  const auto cursor = (*reopened)->OpenCursor(kEvents, 0);
  for (;;) {
    const auto batch = (*cursor)->Read(1'000, kNoWait);
    EXPECT_TRUE(batch.ok()) << "seed " << seed << ": " << Describe(batch.status());
    if (!batch.ok() || batch->empty()) break;
    for (const StoredRecord& record : *batch) stored.emplace(record.offset, record.record.payload);
  }
  int lost = 0;
  for (const auto& [offset, payload] : known) {
    const auto found = stored.find(offset);
    lost += found == stored.end() || found->second != payload;
  }
  return lost;
}

TEST_F(EmbeddedLogDurability, APowerCutTakesNothingThatWasShownOrAcknowledged) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    auto options = Options();
    options.directory =
        directory_.Sub("log-" + std::to_string(seed / 3));  // three cuts on each log
    EXPECT_EQ(LostByPowerCut(options, seed), 0) << "seed " << seed;
  }
}

#if HILO_PLANTED_FAULTS
TEST_F(EmbeddedLogDurability, PlantedPublishBeforeSyncIsFound) {
  auto options = Options();
  options.publish_before_sync = true;
  EXPECT_THAT(SeenWhileSyncIsHeld(options), ElementsAre("unsynced"));
  int lost = 0;
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    options.directory = directory_.Sub("log-" + std::to_string(seed));
    lost += LostByPowerCut(options, seed);
  }
  EXPECT_GT(lost, 0);
}
#endif

TEST_F(EmbeddedLogDurability, RefusesBeyondItsPendingBytes) {
  LosingLog losing(Options(), /*seed=*/1);
  losing.disk->HoldSyncs();
  std::atomic<int> answered = 0;
  std::promise<void> all_answered;
  const std::string large(Log::kMaxRecordBytes - 64,
                          'x');  // with the header of its row below 1 MiB
  constexpr int kFull = EmbeddedLog::kMaxPendingBytes / Log::kMaxRecordBytes;
  for (int i = 0; i < kFull; ++i) {
    losing.log->Append(kEvents, {{.payload = large}}, [&](StatusOr<Offset> first) {
      EXPECT_TRUE(first.ok());
      if (++answered == kFull) all_answered.set_value();
    });
  }
  EXPECT_EQ(answered, 0);
  EXPECT_EQ(Reason(Append(*losing.log, large)), "log_overloaded");
  losing.disk->ReleaseSyncs();
  all_answered.get_future().wait();
  EXPECT_TRUE(Append(*losing.log, large).ok());
  EXPECT_EQ(losing.log->CurrentFigures().pending_bytes, 0u);
}

TEST_F(EmbeddedLogDurability, WhatComesDuringASyncIsTheNextCommit) {
  LosingLog losing(Options(), /*seed=*/1);
  const uint64_t before = losing.log->CurrentFigures().commits;
  losing.disk->HoldSyncs();
  std::atomic<int> answered = 0;
  losing.log->Append(kEvents, {{.payload = "a"}}, [&](StatusOr<Offset>) { ++answered; });
  losing.disk->AwaitHeldSync();
  for (uint32_t i = 0; i < 1'000; ++i) {
    losing.log->Append({"customers", i % 4}, {{.payload = "b"}},
                       [&](StatusOr<Offset>) { ++answered; });
  }
  losing.disk->ReleaseSyncs();
  losing.log->Stop();
  EXPECT_EQ(answered, 1'001);
  EXPECT_EQ(losing.log->CurrentFigures().commits - before, 2u);
}

// ---- kills

// Appends numbers to four partitions, each beginning with what is there, until it is killed.
TEST(EmbeddedLogChild, DISABLED_AppendsUntilKilled) {
  const std::string directory = testing::ChildProcess::Argument();
  if (directory.empty()) GTEST_SKIP() << "runs only as a child";
  SystemClock clock;
  auto log =
      EmbeddedLog::Open({.directory = directory,
                         .topics = {{.name = "events"}, {.name = "customers", .partitions = 4}},
                         .clock = clock});
  ASSERT_TRUE(log.ok()) << Describe(log.status());
  std::vector<std::jthread> writers;
  for (uint32_t p = 0; p < 4; ++p) {
    writers.emplace_back([&, p] {
      for (Offset next = *(*log)->EndOffset({"customers", p});;) {
        std::vector<Record> records;
        const Offset end = next + 1 + next % 3;
        for (; next < end; ++next) records.push_back({.payload = std::to_string(next)});
        // Two in flight: the second is waited for.
        const auto done = [p](StatusOr<Offset> first) {
          testing::ChildProcess::Say(std::to_string(p) + " " + std::to_string(first.value_or(-1)));
        };
        (*log)->Append({"customers", p}, std::move(records), done);
        const auto second =
            AppendAndWait(**log, {"customers", p}, {{.payload = std::to_string(next++)}});
        ASSERT_TRUE(second.ok());
        testing::ChildProcess::Say(std::to_string(p) + " " + std::to_string(*second));
      }
    });
  }
}

TEST_F(EmbeddedLogDurability, AKilledProcessLosesNothingAcknowledged) {
  std::map<uint32_t, Offset> acknowledged;
  for (const int kill_after : {1, 50, 400, 2'000}) {
    testing::ChildProcess child("EmbeddedLogChild.DISABLED_AppendsUntilKilled",
                                directory_.Sub("log"));
    const auto hear = [&]() -> bool {
      const auto line = child.Line();
      if (!line) return false;
      Offset& highest = acknowledged[static_cast<uint32_t>(std::stoul(*line))];
      highest = std::max<Offset>(highest, std::stoll(line->substr(2)));
      return true;
    };
    for (int i = 0; i < kill_after; ++i) ASSERT_TRUE(hear()) << "the child ended by itself";
    child.Kill();
    while (hear()) {
    }
    const auto log = Open(Options());
    ASSERT_NE(log, nullptr);
    for (uint32_t p = 0; p < 4; ++p) {
      const auto contents = Contents(*log, {"customers", p});
      EXPECT_GE(static_cast<Offset>(contents.size()), acknowledged[p]);
      for (size_t i = 0; i < contents.size(); ++i) ASSERT_EQ(contents[i], std::to_string(i));
    }
  }
}

}  // namespace
}  // namespace hilo::log
