#include "state/journey/journeys.h"

#include <gtest/gtest.h>

#include <string>

namespace hilo::journey {
namespace {

using store::v1::JourneyRow;
using store::v1::JourneySignal;
using store::v1::MemberRow;

constexpr int64_t kMinute = 60'000'000;
constexpr LogTime kNow{1'000'000 * kMinute};

LogTime After(int64_t micros) { return kNow + Micros(micros); }

JourneySignal Signal(const std::string& key = "") {
  JourneySignal signal;
  signal.set_journey("basket");
  signal.set_key(key);
  signal.set_wait_micros(30 * kMinute);
  signal.set_expires_micros(60 * kMinute);
  signal.set_reenter_micros(120 * kMinute);
  return signal;
}

Entry EnterAt(MemberRow& row, const JourneySignal& signal, LogTime now) {
  const std::string id = std::to_string(row.journeys_size()) + "/" + std::to_string(now.micros);
  return Enter(row, signal, {.run = id, .now = now, .event_micros = 5, .event_offset = 6});
}

TEST(Journeys, WaitThenAreDueThenExpire) {
  MemberRow row;
  const Entry begun = EnterAt(row, Signal(), kNow);
  ASSERT_EQ(begun.what, Entered::kBegan);
  const std::string id = begun.run->run();
  EXPECT_EQ(WakeTime(row.journeys(0))->micros, After(30 * kMinute).micros);
  EXPECT_FALSE(Wake(row, id, After(30 * kMinute - 1)));
  EXPECT_TRUE(Wake(row, id, After(30 * kMinute)));
  EXPECT_TRUE(IsDue(row.journeys(0), 1));
  EXPECT_FALSE(Wake(row, id, After(89 * kMinute)));
  EXPECT_TRUE(Wake(row, id, After(90 * kMinute)));
  EXPECT_EQ(row.journeys(0).state(), JourneyRow::STATE_ENDED);
  EXPECT_EQ(row.journeys(0).reason(), "expired");
  EXPECT_FALSE(Wake(row, id, After(91 * kMinute)));
  EXPECT_FALSE(WakeTime(row.journeys(0)).has_value());
}

TEST(Journeys, WhatIsFoundTooLateIsNeverDue) {
  MemberRow row;
  const std::string id = EnterAt(row, Signal(), kNow).run->run();
  EXPECT_TRUE(Wake(row, id, After(1'000 * kMinute)));
  EXPECT_EQ(row.journeys(0).reason(), "expired");
  EXPECT_EQ(row.journeys(0).turn(), 0u);
}

TEST(Journeys, ASecondSignalIsARepeatUntilAnotherMayBegin) {
  MemberRow row;
  EnterAt(row, Signal(), kNow);
  EXPECT_EQ(EnterAt(row, Signal(), After(kMinute)).what, Entered::kRepeat);
  EXPECT_EQ(EnterAt(row, Signal("other"), After(kMinute)).what, Entered::kBegan);
  End(*row.mutable_journeys(0), "sent", After(40 * kMinute));
  EXPECT_EQ(EnterAt(row, Signal(), After(119 * kMinute)).what, Entered::kRepeat);
  EXPECT_EQ(row.journeys(0).repeats(), 2u);
  EXPECT_EQ(EnterAt(row, Signal(), After(120 * kMinute)).what, Entered::kBegan);
  EXPECT_EQ(row.journeys_size(), 3);
}

TEST(Journeys, OnlyAWaitThatHasNotEndedBeginsAnew) {
  MemberRow row;
  JourneySignal signal = Signal();
  signal.set_restarts(true);
  const std::string id = EnterAt(row, signal, kNow).run->run();
  EXPECT_EQ(EnterAt(row, signal, After(20 * kMinute)).what, Entered::kRestarted);
  EXPECT_FALSE(Wake(row, id, After(30 * kMinute)));
  EXPECT_TRUE(Wake(row, id, After(50 * kMinute)));
  EXPECT_EQ(EnterAt(row, signal, After(51 * kMinute)).what, Entered::kRepeat);
  Postpone(*row.mutable_journeys(0), After(60 * kMinute), "quiet_hours");
  EXPECT_EQ(EnterAt(row, signal, After(52 * kMinute)).what, Entered::kRepeat);
  EXPECT_TRUE(Wake(row, id, After(60 * kMinute)));
  EXPECT_TRUE(IsDue(row.journeys(0), 2));
}

TEST(Journeys, LeavingEndsTheOneItNamesOrAll) {
  MemberRow row;
  EnterAt(row, Signal("a"), kNow);
  EnterAt(row, Signal("b"), kNow);
  EnterAt(row, Signal("c"), kNow);
  BeginSending(*row.mutable_journeys(1));
  JourneySignal left;
  left.set_journey("basket");
  left.set_leaves(true);
  left.set_reason("bought");
  left.set_key("b");
  EXPECT_EQ(Leave(row, left, kNow), 1);
  EXPECT_EQ(Leave(row, left, kNow), 0);
  left.clear_key();
  EXPECT_EQ(Leave(row, left, kNow), 2);
  for (const JourneyRow& run : row.journeys()) EXPECT_EQ(run.reason(), "bought");
  left.set_journey("other");
  EXPECT_EQ(Leave(row, left, kNow), 0);
}

TEST(Journeys, WhatIsOverMakesRoomAndWhatIsUnderWayDoesNot) {
  MemberRow row;
  for (int i = 0; i < kMaxRuns; ++i) EnterAt(row, Signal(std::to_string(i)), After(i));
  EXPECT_EQ(EnterAt(row, Signal("one more"), After(kMinute)).what, Entered::kNoRoom);
  EXPECT_EQ(row.left_out().journeys(), 1u);
  End(*row.mutable_journeys(5), "sent", kNow);
  End(*row.mutable_journeys(3), "sent", kNow);
  EXPECT_EQ(EnterAt(row, Signal("one more"), After(kMinute)).what, Entered::kBegan);
  EXPECT_EQ(row.journeys_size(), kMaxRuns);
  EXPECT_EQ(row.journeys(3).key(), "4") << "the one after which another may begin first went";
}

}  // namespace
}  // namespace hilo::journey
