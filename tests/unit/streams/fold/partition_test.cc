#include "streams/fold/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "streams/fold/digest.h"
#include "tests/driver/fold_driver.h"
#include "tests/driver/ledger_fold.h"

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
const log::TopicPartition kFirst{"customers", 0};
const log::TopicPartition kSecond{"customers", 1};

FoldDriver::Options Ledgers(driver::Refolding folding = {}) {
  return {.topics = {{"events", 1}, {"customers", 2}},
          .partitions = driver::LedgerPartitions(2),
          .folding = folding};
}

TEST(Partition, CarriesRecordsOverLanesInOrder) {
  FoldDriver driver(Ledgers());
  for (uint64_t id = 1; id <= 5; ++id) driver.Append(kEvents, LedgerEvent(id, id % 2));

  ASSERT_TRUE(driver.Settle().ok());

  EXPECT_THAT(LedgerFold::Read(driver.store(kFirst)), ElementsAre("2", "4"));
  EXPECT_THAT(LedgerFold::Read(driver.store(kSecond)), ElementsAre("1", "3", "5"));
  EXPECT_TRUE(driver.partition(kEvents).OutboxEmpty());
}

TEST(Partition, ComesToTheSameStateWhateverTheBatchesAndRestarts) {
  FoldDriver driver(Ledgers());
  for (uint64_t id = 1; id <= 200; ++id) {
    const auto wish = static_cast<LedgerWish>(id % 7 == 1 ? 0 : id % 9);
    driver.Append(kEvents,
                  LedgerEvent(id, id % 2, wish == LedgerWish::kFail ? LedgerWish::kNone : wish));
    if (id % 10 == 0) {
      ASSERT_TRUE(driver.Advance(std::chrono::seconds(37)).ok());
    }
  }
  ASSERT_TRUE(driver.Settle().ok());

  for (const size_t batch : {1, 7, 1'000}) {
    for (const bool restart : {false, true}) {
      const Status same = driver.Refold({.batch = batch, .restart_after_each_batch = restart});
      EXPECT_TRUE(same.ok()) << Describe(same) << " at batch " << batch
                             << (restart ? " with restarts" : "");
    }
  }
  const auto digest = ComputeDigest(driver.store(kFirst));
  ASSERT_TRUE(digest.ok());
  EXPECT_EQ(*digest, driver.View(kFirst).state_digest);
}

TEST(Partition, RestartsAfterEachRecord) {
  FoldDriver driver(Ledgers({.batch = 1, .restart_after_each_batch = true}));
  for (uint64_t id = 1; id <= 50; ++id) driver.Append(kEvents, LedgerEvent(id, 0));

  ASSERT_TRUE(driver.Settle().ok());

  EXPECT_THAT(LedgerFold::Read(driver.store(kFirst)), SizeIs(50));
  EXPECT_THAT(driver.DeadLetters(), IsEmpty());
}

}  // namespace
}  // namespace hilo::fold
