// The fold in the real runtime: lanes, dead letters, ticks, batches and restarts.
#include <gtest/gtest.h>

#include <random>

#include "tests/driver/fold_driver.h"
#include "world.h"

namespace hilo::identity {
namespace {

const log::TopicPartition kEvents{"events", 0};

driver::FoldDriver::Options DriverOptions() {
  driver::FoldDriver::Options options;
  options.topics = {{"events", 1}, {"customers", 4}};
  driver::PartitionSpec events{.of = kEvents, .targets = {{"dead-letters", 0}}, .make_fold = [] {
                                 return NewIdentityFold({.id_key = TestKey(),
                                                         .cached_identifiers = 64,
                                                         .cached_customers = 32,
                                                         .cached_places = 16});
                               }};
  for (uint32_t p = 0; p < 4; ++p) events.targets.push_back({"customers", p});
  options.partitions = {events};
  return options;
}

int64_t Micros(const driver::FoldDriver& driver) { return driver.View(kEvents).log_time.micros; }

TEST(IdentityInItsPartition, FoldedAgainInAnyBatchesItComesToTheSame) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    driver::FoldDriver driver(DriverOptions());
    ASSERT_EQ(driver.Settle(), OkStatus());
    for (int i = 0; i < 150; ++i) {
      if (random() % 20 == 0) {
        ASSERT_EQ(driver.Advance(std::chrono::minutes(random() % 60)), OkStatus());
      }
      EventSpec event{.id = std::to_string(random() % 140), .micros = Micros(driver)};
      for (uint64_t n = 1 + random() % 3; n > 0; --n) {
        static const char* const kKinds[] = {"user ", "email ", "phone ", "anon ", "device "};
        event.identifiers.push_back(kKinds[random() % 5] + std::to_string(random() % 6));
      }
      driver.Append(kEvents, RecordOf(EventOf(event)));
    }
    ASSERT_EQ(driver.Settle(), OkStatus());
    EXPECT_EQ(driver.Refold({.batch = 1, .restart_after_each_batch = true}), OkStatus());
    EXPECT_EQ(driver.Refold({.batch = 7}), OkStatus());
    EXPECT_EQ(driver.Refold({.batch = 1'000}), OkStatus());
    EXPECT_FALSE(driver.DeadLetters().empty());
  }
}

TEST(IdentityInItsPartition, RefusalsAreDeadLetters) {
  driver::FoldDriver driver(DriverOptions());
  ASSERT_EQ(driver.Settle(), OkStatus());
  const int64_t now = Micros(driver);
  driver.Append(kEvents,
                RecordOf(EventOf({.id = "e1", .identifiers = {"user u1"}, .micros = now})));
  driver.Append(kEvents,
                RecordOf(EventOf({.id = "e1", .identifiers = {"user u1"}, .micros = now})));
  driver.Append(
      kEvents,
      RecordOf(EventOf({.id = "e1", .identifiers = {"user u1"}, .micros = now, .body = "x"})));
  driver.Append(
      kEvents,
      RecordOf(EventOf({.id = "e2", .identifiers = {"user u1"}, .micros = now - 8 * kDay})));
  ASSERT_EQ(driver.Settle(), OkStatus());
  std::vector<std::string> reasons;
  for (const store::v1::DeadLetter& letter : driver.DeadLetters())
    reasons.push_back(letter.reason());
  EXPECT_THAT(reasons, ::testing::ElementsAre("event_id_conflict", "event_too_late"));
}

// An event that fits in a record, but not with what its customer is told beside it, leaves nothing
// behind: neither in rows nor in memory.
TEST(IdentityInItsPartition, AnEventThatIsTooLargeToSendLeavesNothingBehind) {
  driver::FoldDriver driver(DriverOptions());
  ASSERT_EQ(driver.Settle(), OkStatus());
  const int64_t now = Micros(driver);
  const EventSpec small{.id = "small", .identifiers = {"user u1"}, .micros = now};
  EventSpec large{.id = "large", .identifiers = {"user u1", "anon a"}, .micros = now};
  large.body.resize(log::Log::kMaxRecordBytes - 400);
  driver.Append(kEvents, RecordOf(EventOf(large)));
  driver.Append(kEvents, RecordOf(EventOf(small)));
  ASSERT_EQ(driver.Settle(), OkStatus());
  ASSERT_EQ(driver.DeadLetters().size(), 1u);
  EXPECT_EQ(driver.DeadLetters()[0].reason(), "emission_too_large");
  EXPECT_FALSE((*FindByIdentifier(driver.store(kEvents), kAnonymousId,
                                  *IdentifierHash::FromBytes(BytesOf("anon a"))))
                   .has_value());
  const auto found = FindByIdentifier(driver.store(kEvents), kUserId,
                                      *IdentifierHash::FromBytes(BytesOf("user u1")));
  EXPECT_TRUE(found.ok() && found->has_value()) << found.status();
  EXPECT_EQ(driver.Refold({.batch = 1, .restart_after_each_batch = true}), OkStatus());
}

TEST(IdentityInItsPartition, EventIdsAreForgottenByTicks) {
  driver::FoldDriver driver(DriverOptions());
  ASSERT_EQ(driver.Settle(), OkStatus());
  const auto ids = [&] {
    size_t rows = 0;
    for (const auto& [key, value] : *driver.store(kEvents).AllRows()) {
      rows += key[0] == static_cast<char>(store::Table::kEventId);
    }
    return rows;
  };
  driver.Append(
      kEvents,
      RecordOf(EventOf({.id = "e1", .identifiers = {"user u1"}, .micros = Micros(driver)})));
  ASSERT_EQ(driver.Advance(std::chrono::hours(7 * 24)), OkStatus());
  EXPECT_EQ(ids(), 1u);
  ASSERT_EQ(driver.Advance(std::chrono::hours(2)), OkStatus());
  EXPECT_EQ(ids(), 0u);
}

}  // namespace
}  // namespace hilo::identity
