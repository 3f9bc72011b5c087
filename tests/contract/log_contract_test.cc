// What every Log promises (streams/log/log.h).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "streams/log/embedded_log.h"
#include "streams/log/memory_log.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::log {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr milliseconds kNoWait{0};
constexpr milliseconds kLongWait{60'000};  // never reached by a test that passes

const TopicPartition kEvents{"events", 0};
const TopicPartition kCustomers0{"customers", 0};
const TopicPartition kCustomers1{"customers", 1};

std::vector<Record> Payloads(const std::vector<std::string>& payloads) {
  std::vector<Record> records;
  for (const std::string& payload : payloads)
    records.push_back({.key = "k", .header = "h", .payload = payload});
  return records;
}

enum class Engine { kMemory, kEmbedded, kEmbeddedFromDisk };

class LogContract : public ::testing::TestWithParam<Engine> {
 protected:
  void SetUp() override { Open(); }

  void Open() {
    log_.reset();
    if (GetParam() == Engine::kMemory) {
      log_ = std::make_unique<MemoryLog>(topics_, clock_);
      return;
    }
    EmbeddedLog::Options options{
        .directory = directory_.Sub("log"), .topics = topics_, .clock = clock_};
    if (GetParam() == Engine::kEmbeddedFromDisk) options.tail_cache_bytes = 0;
    auto opened = EmbeddedLog::Open(options);
    ASSERT_TRUE(opened.ok()) << Describe(opened.status());
    log_ = *std::move(opened);
  }

  Offset Append(const TopicPartition& to, const std::vector<std::string>& payloads) {
    const auto first = AppendAndWait(*log_, to, Payloads(payloads));
    EXPECT_TRUE(first.ok()) << Describe(first.status());
    return first.value_or(-1);
  }
  std::string AppendReason(const TopicPartition& to, std::vector<Record> records) {
    return Reason(AppendAndWait(*log_, to, std::move(records)).status());
  }
  std::unique_ptr<Cursor> CursorAt(const TopicPartition& of, Offset from) {
    auto cursor = log_->OpenCursor(of, from);
    EXPECT_TRUE(cursor.ok()) << Describe(cursor.status());
    return cursor.ok() ? *std::move(cursor) : nullptr;
  }
  // All payloads from `from` to the end; checks that offsets are contiguous.
  std::vector<std::string> ReadAll(const TopicPartition& of, Offset from,
                                   size_t max_records = 1'000) {
    const auto cursor = CursorAt(of, from);
    std::vector<std::string> payloads;
    for (Offset next = from;;) {
      const auto batch = cursor->Read(max_records, kNoWait);
      EXPECT_TRUE(batch.ok()) << Describe(batch.status());
      if (!batch.ok() || batch->empty()) return payloads;
      EXPECT_LE(batch->size(), max_records);
      for (const StoredRecord& stored : *batch) {
        EXPECT_EQ(stored.offset, next++);
        payloads.push_back(stored.record.payload);
      }
    }
  }

  const std::vector<TopicSpec> topics_ = {{.name = "events"},
                                          {.name = "customers", .partitions = 4}};
  testing::TemporaryDirectory directory_;
  ManualClock clock_{WallTime(std::chrono::seconds(1'700'000'000))};
  std::unique_ptr<Log> log_;
};

TEST_P(LogContract, BeginsEmptyAtOffsetZero) {
  EXPECT_EQ(*log_->StartOffset(kEvents), 0);
  EXPECT_EQ(*log_->EndOffset(kEvents), 0);
  EXPECT_THAT(ReadAll(kEvents, 0), IsEmpty());
}

TEST_P(LogContract, KnowsItsTopicsAndPartitions) {
  EXPECT_EQ(log_->PartitionCount("events"), 1u);
  EXPECT_EQ(log_->PartitionCount("customers"), 4u);
  EXPECT_EQ(log_->PartitionCount("nothing"), 0u);
}

TEST_P(LogContract, GivesBackTheBytesAndTheTimeOfAppending) {
  const Record record{
      .key = std::string("\x00k", 2), .header = "", .payload = std::string("\xff\x00p", 3)};
  ASSERT_TRUE(AppendAndWait(*log_, kEvents, {record}).ok());
  const auto batch = CursorAt(kEvents, 0)->Read(10, kNoWait);
  ASSERT_TRUE(batch.ok());
  ASSERT_EQ(batch->size(), 1u);
  EXPECT_EQ((*batch)[0].record.key, record.key);
  EXPECT_EQ((*batch)[0].record.header, record.header);
  EXPECT_EQ((*batch)[0].record.payload, record.payload);
  EXPECT_EQ((*batch)[0].append_time, clock_.Wall());
}

TEST_P(LogContract, GivesTheRecordsOfOneAppendContiguousOffsets) {
  EXPECT_EQ(Append(kEvents, {"a", "b", "c"}), 0);
  EXPECT_EQ(Append(kEvents, {"d"}), 3);
  EXPECT_EQ(*log_->EndOffset(kEvents), 4);
  EXPECT_THAT(ReadAll(kEvents, 0), ElementsAre("a", "b", "c", "d"));
}

TEST_P(LogContract, ReadsFromTheMiddleOfAnAppend) {
  Append(kEvents, {"a", "b", "c"});
  Append(kEvents, {"d", "e"});
  EXPECT_THAT(ReadAll(kEvents, 1), ElementsAre("b", "c", "d", "e"));
  EXPECT_THAT(ReadAll(kEvents, 2, /*max_records=*/1), ElementsAre("c", "d", "e"));
  EXPECT_THAT(ReadAll(kEvents, 5), IsEmpty());
}

TEST_P(LogContract, KeepsPartitionsApart) {
  Append(kCustomers0, {"a"});
  Append(kCustomers1, {"b"});
  Append(kCustomers0, {"c"});
  EXPECT_THAT(ReadAll(kCustomers0, 0), ElementsAre("a", "c"));
  EXPECT_THAT(ReadAll(kCustomers1, 0), ElementsAre("b"));
  EXPECT_THAT(ReadAll(kEvents, 0), IsEmpty());
}

TEST_P(LogContract, BoundsTheBytesOfOneRead) {
  const std::string large(900'000, 'x');
  for (int i = 0; i < 10; ++i) Append(kEvents, {large});
  const auto cursor = CursorAt(kEvents, 0);
  const auto batch = cursor->Read(100, kNoWait);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->size(), 5u) << "the record that passes 4 MiB is the last";
  EXPECT_EQ(cursor->Read(100, kNoWait)->size(), 5u);
}

TEST_P(LogContract, RefusesUnknownPartitions) {
  for (const TopicPartition& unknown :
       {TopicPartition{"nothing", 0}, TopicPartition{"customers", 4}}) {
    EXPECT_EQ(AppendReason(unknown, Payloads({"a"})), "not_found");
    EXPECT_EQ(Reason(log_->OpenCursor(unknown, 0).status()), "not_found");
    EXPECT_EQ(Reason(log_->StartOffset(unknown).status()), "not_found");
    EXPECT_EQ(Reason(log_->EndOffset(unknown).status()), "not_found");
    EXPECT_EQ(Reason(log_->Trim(unknown, 0)), "not_found");
  }
}

TEST_P(LogContract, RefusesAnEmptyAppend) { EXPECT_EQ(AppendReason(kEvents, {}), "append_empty"); }

TEST_P(LogContract, TakesARecordAtTheLimitAndAllOrNoneBeyondIt) {
  Record record{.key = "k", .header = "h", .payload = std::string(Log::kMaxRecordBytes - 2, 'x')};
  ASSERT_TRUE(AppendAndWait(*log_, kEvents, {record}).ok());
  record.payload.push_back('x');
  EXPECT_EQ(AppendReason(kEvents, {{.payload = "small"}, record}), "record_too_large");
  EXPECT_EQ(*log_->EndOffset(kEvents), 1) << "the small record was not taken either";
}

TEST_P(LogContract, RefusesAnAppendBeyondItsLimit) {
  const std::vector<Record> full(16, {.payload = std::string(Log::kMaxAppendBytes / 16, 'x')});
  ASSERT_TRUE(AppendAndWait(*log_, kEvents, full).ok());
  std::vector<Record> more = full;
  more.push_back({.payload = "x"});
  EXPECT_EQ(AppendReason(kEvents, more), "append_too_large");
}

TEST_P(LogContract, AWaitingReadReturnsWhenARecordCame) {
  const auto cursor = CursorAt(kEvents, 0);
  auto read = std::async(std::launch::async, [&] { return cursor->Read(10, kLongWait); });
  Append(kEvents, {"a"});
  const auto batch = read.get();
  ASSERT_TRUE(batch.ok());
  ASSERT_EQ(batch->size(), 1u);
  EXPECT_EQ((*batch)[0].record.payload, "a");
}

TEST_P(LogContract, AWaitingReadReturnsEmptyAtItsTime) {
  const auto batch = CursorAt(kEvents, 0)->Read(10, milliseconds(1));
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(*batch, IsEmpty());
}

TEST_P(LogContract, InterruptEndsOneRead) {
  const auto cursor = CursorAt(kEvents, 0);
  auto read = std::async(std::launch::async, [&] { return cursor->Read(10, kLongWait); });
  cursor->Interrupt();
  const auto batch = read.get();
  ASSERT_TRUE(batch.ok());
  EXPECT_THAT(*batch, IsEmpty());

  auto next = std::async(std::launch::async, [&] { return cursor->Read(10, kLongWait); });
  EXPECT_EQ(next.wait_for(milliseconds(20)), std::future_status::timeout)
      << "the next Read waits again";
  Append(kEvents, {"a"});
  EXPECT_EQ(next.get()->size(), 1u);
}

TEST_P(LogContract, TrimGivesUpTheHeadAndIsIdempotent) {
  Append(kEvents, {"a", "b", "c"});
  Append(kEvents, {"d", "e"});
  ASSERT_TRUE(log_->Trim(kEvents, 4).ok());
  ASSERT_TRUE(log_->Trim(kEvents, 4).ok());
  ASSERT_TRUE(log_->Trim(kEvents, 2).ok()) << "below the start there is nothing to do";
  EXPECT_EQ(*log_->StartOffset(kEvents), 4);
  EXPECT_EQ(*log_->EndOffset(kEvents), 5);
  EXPECT_THAT(ReadAll(kEvents, 4), ElementsAre("e"));
}

TEST_P(LogContract, TrimmedWhollyItGoesOnAtItsEnd) {
  Append(kEvents, {"a", "b"});
  ASSERT_TRUE(log_->Trim(kEvents, 2).ok());
  EXPECT_EQ(Append(kEvents, {"c"}), 2);
  EXPECT_THAT(ReadAll(kEvents, 2), ElementsAre("c"));
}

TEST_P(LogContract, RefusesToTrimBeyondTheEnd) {
  Append(kEvents, {"a"});
  EXPECT_EQ(Reason(log_->Trim(kEvents, 2)), "out_of_range");
  EXPECT_EQ(*log_->StartOffset(kEvents), 0);
}

TEST_P(LogContract, ReadsOnlyWithinItsBounds) {
  Append(kEvents, {"a", "b"});
  ASSERT_TRUE(log_->Trim(kEvents, 1).ok());
  EXPECT_EQ(Reason(log_->OpenCursor(kEvents, 0).status()), "offset_lost");
  EXPECT_EQ(Reason(log_->OpenCursor(kEvents, 3).status()), "offset_lost");
  EXPECT_EQ(Reason(log_->OpenCursor(kEvents, -1).status()), "offset_lost");
  EXPECT_TRUE(log_->OpenCursor(kEvents, 2).ok());
}

TEST_P(LogContract, ACursorOvertakenByTrimNeverGoesOnElsewhere) {
  Append(kEvents, {"a", "b", "c"});
  const auto cursor = CursorAt(kEvents, 0);
  ASSERT_EQ(cursor->Read(1, kNoWait)->size(), 1u);
  ASSERT_TRUE(log_->Trim(kEvents, 2).ok());
  EXPECT_EQ(Reason(cursor->Read(10, kLongWait).status()), "offset_lost");
  EXPECT_EQ(Reason(cursor->Read(10, kNoWait).status()), "offset_lost") << "final for this cursor";
}

TEST_P(LogContract, CallsDoneOnceAndOnlyWhenTheRecordsCanBeRead) {
  std::atomic<int> calls = 0;
  std::promise<std::vector<std::string>> seen;
  const auto cursor = CursorAt(kEvents, 0);
  log_->Append(kEvents, Payloads({"a", "b"}), [&](StatusOr<Offset> first) {
    ASSERT_TRUE(first.ok());
    std::vector<std::string> payloads;
    const auto batch = cursor->Read(10, kNoWait);
    for (const StoredRecord& stored : *batch) payloads.push_back(stored.record.payload);
    if (++calls == 1) seen.set_value(payloads);
  });
  EXPECT_THAT(seen.get_future().get(), ElementsAre("a", "b"));
  log_.reset();
  EXPECT_EQ(calls, 1);
}

TEST_P(LogContract, KeepsTheOrderOfEachThreadAndNoHoleAmongMany) {
  constexpr int kThreads = 4, kAppends = 200, kRecords = 3;
  std::vector<std::jthread> threads;
  std::atomic<int> left = kThreads * kAppends;
  std::promise<void> all_done;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kAppends; ++i) {
        std::vector<std::string> payloads;
        for (int r = 0; r < kRecords; ++r) {
          payloads.push_back(std::to_string(t) + " " + std::to_string(i * kRecords + r));
        }
        log_->Append(kEvents, Payloads(payloads), [&](StatusOr<Offset> first) {
          EXPECT_TRUE(first.ok()) << Describe(first.status());
          if (--left == 0) all_done.set_value();
        });
      }
    });
  }
  all_done.get_future().wait();
  std::vector<int> next(kThreads, 0);
  const auto payloads = ReadAll(kEvents, 0, /*max_records=*/7);
  ASSERT_EQ(payloads.size(), size_t{kThreads * kAppends * kRecords});
  for (size_t i = 0; i < payloads.size(); ++i) {
    const int thread = payloads[i][0] - '0';
    EXPECT_EQ(payloads[i], std::to_string(thread) + " " + std::to_string(next[thread]++));
    if (next[thread] % kRecords != 0) {
      EXPECT_EQ(payloads[i + 1][0], payloads[i][0]) << "an append is contiguous";
    }
  }
}

TEST_P(LogContract, ReadersThatFollowSeeEveryRecordOnceInOrder) {
  constexpr int kRecords = 2'000;
  std::jthread writer([this] {
    for (int i = 0; i < kRecords; i += 4) {
      std::vector<std::string> payloads;
      for (int r = 0; r < 4; ++r) payloads.push_back(std::to_string(i + r));
      log_->Append(kEvents, Payloads(payloads),
                   [](StatusOr<Offset> first) { EXPECT_TRUE(first.ok()); });
    }
  });
  std::vector<std::jthread> readers;
  for (const size_t step : {1, 3, 1'000}) {
    readers.emplace_back([this, step] {
      const auto cursor = CursorAt(kEvents, 0);
      for (int next = 0; next < kRecords;) {
        const auto batch = cursor->Read(step, kLongWait);
        ASSERT_TRUE(batch.ok());
        for (const StoredRecord& stored : *batch) {
          ASSERT_EQ(stored.offset, next);
          ASSERT_EQ(stored.record.payload, std::to_string(next++));
        }
      }
    });
  }
}

// The engines that keep what they took when their process ends.
class DurableLogContract : public LogContract {};

TEST_P(DurableLogContract, ARestartKeepsEverything) {
  Append(kEvents, {"a", "b", "c"});
  Append(kCustomers1, {"x"});
  clock_.Advance(std::chrono::seconds(5));
  Append(kEvents, {"d"});
  ASSERT_TRUE(log_->Trim(kEvents, 1).ok());
  ASSERT_TRUE(log_->Trim(kCustomers1, 1).ok());
  Open();
  EXPECT_EQ(*log_->StartOffset(kEvents), 1);
  EXPECT_THAT(ReadAll(kEvents, 1), ElementsAre("b", "c", "d"));
  EXPECT_EQ(*log_->StartOffset(kCustomers1), 1);
  EXPECT_EQ(Append(kEvents, {"e"}), 4);
  EXPECT_EQ(Append(kCustomers1, {"y"}), 1) << "a wholly trimmed partition goes on at its end";
  const auto batch = CursorAt(kEvents, 3)->Read(1, kNoWait);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ((*batch)[0].append_time, WallTime(std::chrono::seconds(1'700'000'005)));
}

std::string NameOf(const ::testing::TestParamInfo<Engine>& info) {
  switch (info.param) {
    case Engine::kMemory:
      return "Memory";
    case Engine::kEmbedded:
      return "Embedded";
    case Engine::kEmbeddedFromDisk:
      return "EmbeddedFromDisk";
  }
  return "";
}

INSTANTIATE_TEST_SUITE_P(DurableEngines, DurableLogContract,
                         ::testing::Values(Engine::kEmbedded, Engine::kEmbeddedFromDisk), NameOf);
INSTANTIATE_TEST_SUITE_P(Engines, LogContract,
                         ::testing::Values(Engine::kMemory, Engine::kEmbedded,
                                           Engine::kEmbeddedFromDisk),
                         NameOf);

}  // namespace
}  // namespace hilo::log
