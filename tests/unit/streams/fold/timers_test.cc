// Ticks, timers and the ticker on whole partitions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "streams/fold/log_clock.h"
#include "tests/driver/fold_driver.h"
#include "tests/unit/streams/fold/partition_bench.h"

namespace hilo::fold {
namespace {

using driver::FoldDriver;
using driver::LedgerEvent;
using driver::LedgerFold;
using driver::LedgerWish;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const log::TopicPartition kEvents{"events", 0};
const log::TopicPartition kCustomers{"customers", 0};

FoldDriver::Options Ledgers() {
  return {.topics = {{"events", 1}, {"customers", 1}}, .partitions = driver::LedgerPartitions(1)};
}

size_t CountOf(const std::vector<std::string>& entries, const std::string& entry) {
  return static_cast<size_t>(std::count(entries.begin(), entries.end(), entry));
}

TEST(Timers, FireWhenLogTimeReachesThem) {
  FoldDriver driver(Ledgers());
  driver.Append(kEvents, LedgerEvent(1, 0, LedgerWish::kTimer));
  ASSERT_TRUE(driver.Settle().ok());

  ASSERT_TRUE(driver.Advance(std::chrono::seconds(58)).ok());
  EXPECT_THAT(LedgerFold::Read(driver.store(kCustomers)), ElementsAre("1"));
  ASSERT_TRUE(driver.Advance(std::chrono::seconds(4)).ok());
  EXPECT_THAT(LedgerFold::Read(driver.store(kCustomers)), ElementsAre("1", "t1"));
}

TEST(Timers, PeriodicOnesGoOnByThemselves) {
  FoldDriver driver(Ledgers());
  driver.Append(kEvents, LedgerEvent(1, 0, LedgerWish::kPeriodic));

  ASSERT_TRUE(driver.Settle().ok());
  ASSERT_TRUE(driver.Advance(std::chrono::seconds(5 * 60 + 2)).ok());

  EXPECT_EQ(CountOf(LedgerFold::Read(driver.store(kCustomers)), "t1"), 5u);
}

TEST(Timers, FollowTheirCatchUpAfterASilence) {
  FoldDriver driver(Ledgers());
  driver.Append(kEvents, LedgerEvent(1, 0, LedgerWish::kTimer));
  driver.Append(kEvents, LedgerEvent(2, 0, LedgerWish::kSkippedTimer));
  driver.Append(kEvents, LedgerEvent(3, 0, LedgerWish::kPeriodic));
  ASSERT_TRUE(driver.Settle().ok());

  driver.clock().Advance(std::chrono::hours(8));  // nobody ticks: the process was down
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(driver.Advance(std::chrono::seconds(1)).ok());
  }

  const auto entries = LedgerFold::Read(driver.store(kCustomers));
  EXPECT_EQ(CountOf(entries, "t1"), 1u);
  EXPECT_EQ(CountOf(entries, "t2"), 0u) << "skipped";
  EXPECT_EQ(CountOf(entries, "t3"), 1u) << "the latest only";
  EXPECT_FALSE(driver.View(kCustomers).closed) << "a silence is bridged without an operator";
}

TEST(Timers, NothingFiresWhileClocksDisagree) {
  FoldDriver driver(Ledgers());
  driver.Append(kEvents, LedgerEvent(1, 0, LedgerWish::kTimer));
  ASSERT_TRUE(driver.Settle().ok());

  driver.clock().JumpWall(std::chrono::hours(48));
  ASSERT_TRUE(driver.Advance(std::chrono::seconds(90)).ok());
  EXPECT_TRUE(driver.View(kCustomers).closed);
  EXPECT_EQ(CountOf(LedgerFold::Read(driver.store(kCustomers)), "t1"), 0u);

  driver.clock().JumpWall(-std::chrono::hours(48));
  ASSERT_TRUE(driver.Advance(std::chrono::seconds(2)).ok());
  EXPECT_FALSE(driver.View(kCustomers).closed);
  EXPECT_EQ(CountOf(LedgerFold::Read(driver.store(kCustomers)), "t1"), 1u);
}

TEST(Timers, AtMostSoManyFireByOneRecord) {
  FoldDriver driver(Ledgers());
  store::v1::Record parameters;
  parameters.mutable_parameters()->set_timers_per_tick(4);
  driver.Append(kCustomers, parameters);
  driver.Append(kEvents, LedgerEvent(1, 0, LedgerWish::kManyTimers));
  ASSERT_TRUE(driver.Settle().ok());
  std::vector<size_t> fired;
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(driver.Advance(std::chrono::seconds(1)).ok());
    fired.push_back(LedgerFold::Read(driver.store(kCustomers)).size() - 1);
  }
  EXPECT_THAT(fired, ElementsAre(4u, 8u, 10u, 10u));
}

TEST(Ticker, SendsOneTickASecondAndOneAtATime) {
  PartitionBench bench(kEvents, log::MemoryLog::Mode::kManual);
  ASSERT_TRUE(bench.Open().ok());
  const auto ticker = Ticker::Create(kEvents, 7, bench.log, bench.clock, *bench.partition);
  ticker->Beat();
  ticker->Beat();
  EXPECT_EQ(bench.log.PendingAppends(), 1u);

  bench.clock.Advance(std::chrono::seconds(3));
  ticker->Beat();
  EXPECT_EQ(bench.log.PendingAppends(), 1u) << "one in flight";
  bench.log.Settle();
  EXPECT_LE(ticker->Due(), bench.clock.Monotonic());
  ticker->Beat();
  bench.log.Settle();
  bench.clock.Advance(std::chrono::milliseconds(400));
  ticker->Beat();
  EXPECT_EQ(bench.log.PendingAppends(), 0u);

  store::v1::Record second;
  ASSERT_TRUE(Decode(bench.Read(kEvents).at(1).record.payload, &second).ok());
  EXPECT_EQ(second.tick().count(), 2u);
  EXPECT_EQ(second.tick().elapsed_micros(), 0)
      << "the first interval counts from the acknowledgement";
}

TEST(Ticker, SendsTheSameTickAgainWhenNobodyKnows) {
  PartitionBench bench(kEvents, log::MemoryLog::Mode::kManual);
  ASSERT_TRUE(bench.Open().ok());
  const auto ticker = Ticker::Create(kEvents, 7, bench.log, bench.clock, *bench.partition);
  bench.log.SetFaults({.lose_answer = 1'000});
  ticker->Beat();
  bench.log.Pump();
  bench.log.SetFaults({});
  bench.clock.Advance(std::chrono::seconds(1));
  ticker->Beat();
  bench.log.Settle();
  ASSERT_TRUE(bench.FoldAll().ok());

  const auto ticks = bench.Read(kEvents);
  ASSERT_THAT(ticks, SizeIs(2));
  EXPECT_EQ(ticks[0].record.payload, ticks[1].record.payload);
  EXPECT_EQ(bench.partition->View().ticks, 1u);
}

}  // namespace
}  // namespace hilo::fold
