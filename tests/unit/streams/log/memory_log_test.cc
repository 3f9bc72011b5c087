#include "streams/log/memory_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace hilo::log {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

const TopicPartition kEvents{"events", 0};
const TopicPartition kCustomers{"customers", 0};

class MemoryLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<MemoryLog> Manual(const MemoryLogFaults& faults, uint64_t seed = 1) {
    return std::make_unique<MemoryLog>(
        std::vector<TopicSpec>{{.name = "events"}, {.name = "customers"}}, clock_,
        MemoryLog::Options{.mode = MemoryLog::Mode::kManual, .seed = seed, .faults = faults});
  }
  // Appends one record and notes its answer under its payload: "a=0", "b=outcome_unknown".
  void Append(MemoryLog& log, const std::string& payload, const TopicPartition& to = kEvents) {
    log.Append(to, {{.payload = payload}}, [this, payload](StatusOr<Offset> first) {
      answers_.push_back(payload + "=" +
                         (first.ok() ? std::to_string(*first) : Reason(first.status())));
    });
  }
  static std::vector<std::string> Contents(MemoryLog& log, const TopicPartition& of = kEvents) {
    std::vector<std::string> payloads;
    const auto cursor = log.OpenCursor(of, *log.StartOffset(of));
    const auto batch = (*cursor)->Read(10'000, std::chrono::milliseconds(0));
    for (const StoredRecord& stored : *batch) {
      payloads.push_back(stored.record.payload);
    }
    return payloads;
  }

  ManualClock clock_{WallTime(std::chrono::seconds(1'700'000'000))};
  std::vector<std::string> answers_;
};

TEST_F(MemoryLogTest, ManualShowsAndAcknowledgesNothingBeforePump) {
  const auto log = Manual({});
  Append(*log, "a");
  Append(*log, "b");
  EXPECT_THAT(Contents(*log), IsEmpty());
  EXPECT_THAT(answers_, IsEmpty());
  EXPECT_EQ(log->Pump(1), 1u);
  EXPECT_THAT(Contents(*log), ElementsAre("a"));
  EXPECT_EQ(log->Pump(), 1u);
  EXPECT_THAT(answers_, ElementsAre("a=0", "b=1"));
  EXPECT_EQ(log->PendingAppends(), 0u);
}

TEST_F(MemoryLogTest, APowerCutTakesThePendingTailAndItsCallbacks) {
  const auto log = Manual({});
  Append(*log, "a");
  log->Pump();
  Append(*log, "b");
  log->PowerCut();
  log->Settle();
  EXPECT_THAT(Contents(*log), ElementsAre("a"));
  EXPECT_THAT(answers_, ElementsAre("a=0"));
}

TEST_F(MemoryLogTest, ABrokenConnectionLeavesEveryOutcomeUnknown) {
  const auto log = Manual({});
  for (int i = 0; i < 100; ++i) Append(*log, std::to_string(i));
  log->BreakConnection();
  EXPECT_EQ(answers_.size(), 100u);
  EXPECT_EQ(answers_[7], "7=outcome_unknown");
  const size_t landed = Contents(*log).size();
  EXPECT_GT(landed, 20u);
  EXPECT_LT(landed, 80u);
}

TEST_F(MemoryLogTest, LostAppendsNeverLand) {
  const auto log = Manual({.lose = 1'000});
  Append(*log, "a");
  log->Pump();
  log->Settle();
  EXPECT_THAT(answers_, ElementsAre("a=outcome_unknown"));
  EXPECT_THAT(Contents(*log), IsEmpty());
}

TEST_F(MemoryLogTest, AnAppendMayLandThoughItsAnswerIsLost) {
  const auto log = Manual({.lose_answer = 1'000});
  Append(*log, "a");
  log->Pump();
  EXPECT_THAT(answers_, ElementsAre("a=outcome_unknown"));
  EXPECT_THAT(Contents(*log), ElementsAre("a"));
}

TEST_F(MemoryLogTest, LateAppendsLandBehindLaterOnes) {
  const auto log = Manual({.arrive_late = 1'000});
  Append(*log, "a");
  log->Pump();
  EXPECT_THAT(answers_, ElementsAre("a=outcome_unknown"));
  log->SetFaults({});
  log->Settle();
  Append(*log, "b");
  log->Settle();
  EXPECT_THAT(Contents(*log), ElementsAre("a", "b"));
}

TEST_F(MemoryLogTest, RepeatedAppendsLandTwiceAndAreAcknowledgedOnce) {
  const auto log = Manual({.repeat = 1'000});
  Append(*log, "a");
  Append(*log, "b");
  log->Pump();
  log->Settle();
  EXPECT_THAT(answers_, ElementsAre("a=0", "b=1"));
  EXPECT_THAT(Contents(*log), ElementsAre("a", "b", "a", "b"));
}

TEST_F(MemoryLogTest, DelayHoldsOnePartitionInItsOrder) {
  const auto log = Manual({.delay = 500}, /*seed=*/3);
  std::vector<std::string> payloads;
  for (int i = 0; i < 50; ++i) {
    payloads.push_back(std::to_string(i));
    Append(*log, payloads.back());
  }
  size_t pumps = 0;
  while (log->PendingAppends() > 0) {
    log->Pump();
    ++pumps;
  }
  EXPECT_GT(pumps, 5u);
  EXPECT_EQ(Contents(*log), payloads);
}

TEST_F(MemoryLogTest, ReorderChangesTheOrderAndNothingElse) {
  const auto log = Manual({.reorder = 500});
  std::vector<std::string> payloads;
  for (int i = 0; i < 50; ++i) {
    payloads.push_back(std::to_string(i));
    Append(*log, payloads.back());
  }
  log->Pump();
  const auto contents = Contents(*log);
  EXPECT_NE(contents, payloads);
  EXPECT_THAT(contents, UnorderedElementsAreArray(payloads));
}

TEST_F(MemoryLogTest, ASeedRepeatsARun) {
  const auto run = [this](uint64_t seed) {
    answers_.clear();
    const auto log = Manual({.delay = 100,
                             .reorder = 100,
                             .lose = 100,
                             .lose_answer = 100,
                             .arrive_late = 100,
                             .repeat = 100},
                            seed);
    for (int i = 0; i < 200; ++i) {
      Append(*log, std::to_string(i), i % 3 == 0 ? kCustomers : kEvents);
      if (i % 5 == 0) log->Pump(3);
    }
    log->Settle();
    auto story = Contents(*log);
    for (const auto& payload : Contents(*log, kCustomers)) story.push_back(payload);
    story.insert(story.end(), answers_.begin(), answers_.end());
    return story;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST_F(MemoryLogTest, ACutLogEndsReadersBeyondItAndGrowsAgain) {
  const auto log = Manual({});
  for (const char* payload : {"a", "b", "c"}) Append(*log, payload);
  log->Settle();
  auto beyond = *log->OpenCursor(kEvents, 3);
  log->Cut(kEvents, 1);
  EXPECT_EQ(*log->EndOffset(kEvents), 1);
  EXPECT_EQ(Reason(beyond->Read(1, std::chrono::milliseconds(0)).status()), "offset_lost");
  Append(*log, "x");
  log->Settle();
  EXPECT_THAT(Contents(*log), ElementsAre("a", "x"));
  EXPECT_EQ(answers_.back(), "x=1");
}

TEST_F(MemoryLogTest, RefusesWhatItIsToldToRefuse) {
  const auto log = Manual({});
  log->RefuseAppends(Error(StatusCode::kResourceExhausted, "disk_full", "no space"));
  Append(*log, "a");
  EXPECT_THAT(answers_, ElementsAre("a=disk_full"));
  log->RefuseAppends(OkStatus());
  Append(*log, "b");
  log->Settle();
  EXPECT_THAT(Contents(*log), ElementsAre("b"));
}

TEST_F(MemoryLogTest, RefusesBeyondItsPendingBytes) {
  const auto log = Manual({});
  const std::string large(Log::kMaxRecordBytes, 'x');
  for (size_t bytes = 0; bytes < MemoryLog::kMaxPendingBytes; bytes += large.size())
    Append(*log, large);
  EXPECT_THAT(answers_, IsEmpty());
  Append(*log, "a");
  EXPECT_THAT(answers_, ElementsAre("a=log_overloaded"));
  log->Pump(1);
  answers_.clear();
  Append(*log, "b");
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(MemoryLogTest, ACallbackMayAppendAgain) {
  const auto log = Manual({});
  log->Append(kEvents, {{.payload = "a"}}, [&](StatusOr<Offset>) { Append(*log, "b"); });
  log->Settle();
  EXPECT_THAT(Contents(*log), ElementsAre("a", "b"));
}

}  // namespace
}  // namespace hilo::log
