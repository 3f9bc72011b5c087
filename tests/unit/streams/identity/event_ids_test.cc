#include "streams/identity/event_ids.h"

#include <gtest/gtest.h>

#include "world.h"

namespace hilo::identity {
namespace {

TEST(EventIds, AreForgottenWhenTheirTimeIsTooLate) {
  World world;
  world.Accepted({.id = "e1", .identifiers = {"user u1"}, .micros = kNewYear});
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 1u);
  world.Tick(kNewYear + 7 * kDay);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 1u);
  // The hour of 00:10, until which it might have claimed to be, ends at 01:00.
  world.Tick(kNewYear + 7 * kDay + kHour - 1);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 1u);
  world.Tick(kNewYear + 7 * kDay + kHour);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 0u);
  EXPECT_EQ(world.RowsIn(store::Table::kEventIdHour), 0u);
}

TEST(EventIds, ARepeatIsKnownOrTooLateWhateverItsTime) {
  for (const int64_t ahead : {-6 * kDay, -kHour, int64_t{0}, kMinute, 10 * kMinute}) {
    World world;
    world.SetNow(kNewYear + kHour - 5 * kMinute);  // so that being ahead falls into the next hour
    const EventSpec event{
        .id = "e", .identifiers = {"user u1"}, .micros = kNewYear + kHour + ahead};
    world.Accepted(event);
    for (int64_t now = kNewYear + kHour; now < kNewYear + 9 * kDay; now += 20 * kMinute) {
      world.Tick(now);
      world.context().emitted.clear();
      world.Apply(event);
      ASSERT_TRUE(world.emitted().empty())
          << "counted again at +" << (now - kNewYear) / kMinute << " min";
    }
  }
}

TEST(EventIds, OneTickForgetsABoundedNumber) {
  World world;
  constexpr int kEvents = kForgottenPerTick + 2'000;
  for (int i = 0; i < kEvents; ++i) {
    ASSERT_TRUE(world.Apply({.id = std::to_string(i), .identifiers = {"user u1"}}).ok());
  }
  world.context().emitted.clear();
  world.Tick(kNewYear + 8 * kDay);
  EXPECT_GE(world.RowsIn(store::Table::kEventId), 2'000u);
  EXPECT_LE(world.RowsIn(store::Table::kEventId), 2'000u + EventIdGroup::kOffsets);
  world.Tick(kNewYear + 8 * kDay);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 0u);
  EXPECT_EQ(world.RowsIn(store::Table::kEventIdHour), 0u);
}

TEST(EventIds, ATickThatForgetsNothingScansNothing) {
  World world;
  world.Accepted({.id = "e1", .identifiers = {"user u1"}});
  world.Tick(kNewYear + kDay);
  world.Tick(kNewYear + 8 * kDay);
  world.context().scanned = world.context().gets = 0;
  for (int i = 0; i < 100; ++i) world.Tick(kNewYear + 8 * kDay + i * kSecond);
  EXPECT_EQ(world.context().scanned, 0);
  EXPECT_EQ(world.context().gets, 0);
}

TEST(EventIds, WhatComesInBelowIsForgottenToo) {
  World world;
  // One far ahead of log time is forgotten last, and does not hide those before it.
  world.SetAppendTime(kNewYear + 2 * kDay);
  world.Accepted({.id = "ahead", .identifiers = {"user u1"}, .micros = kNewYear + 2 * kDay});
  world.Tick(kNewYear + 1);
  world.Accepted({.id = "now", .identifiers = {"user u1"}, .micros = kNewYear});
  world.Tick(kNewYear + 8 * kDay);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 1u);
  world.Tick(kNewYear + 10 * kDay);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 0u);
}

TEST(EventIds, AHistoricImportBeforeTheFirstTickIsForgottenByIt) {
  World world;
  world.SetNow(0);
  world.SetAppendTime(0);
  world.Accepted({.id = "old", .identifiers = {"user u1"}, .micros = kNewYear - 700 * kDay});
  world.Accepted({.id = "before 1970", .identifiers = {"user u1"}, .micros = -5});
  world.Tick(kNewYear);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 0u);
}

TEST(EventIds, TheGroupGoesOnAfterARestart) {
  World world;
  for (int i = 0; i < 10; ++i) {
    world.Accepted({.id = std::to_string(i), .identifiers = {"user u1"}});
    world.Restart();
  }
  EXPECT_EQ(world.RowsIn(store::Table::kEventIdHour), 1u);
  world.Tick(kNewYear + 8 * kDay);
  EXPECT_EQ(world.RowsIn(store::Table::kEventId), 0u);
}

}  // namespace
}  // namespace hilo::identity
