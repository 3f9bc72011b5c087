#include "state/timeline/entry_key.h"

#include <gtest/gtest.h>

namespace hilo::timeline {
namespace {

MemberId Member(char c) { return *MemberId::FromBytes(std::string(16, c)); }

TEST(EntryKey, SortsNewestFirstThenTheLaterOffset) {
  const MemberId m = Member('m');
  const std::string newest = EntryKey(1, {20, 1, m});
  const std::string later = EntryKey(1, {10, 9, m});
  const std::string earlier = EntryKey(1, {10, 8, m});
  const std::string before_1970 = EntryKey(1, {-10, 99, m});
  EXPECT_LT(newest, later);
  EXPECT_LT(later, earlier);
  EXPECT_LT(earlier, before_1970);
}

TEST(EntryKey, IsReadBack) {
  const EntryPlace place{-1'234'567, 42, Member('m')};
  const auto read = PlaceOf(EntryKey(200, place));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->event_micros, place.event_micros);
  EXPECT_EQ(read->offset, place.offset);
  EXPECT_EQ(read->member, place.member);
  const auto again = EntryPlace::FromBytes(place.Bytes());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->event_micros, place.event_micros);
  EXPECT_EQ(again->offset, place.offset);
  EXPECT_EQ(again->member, place.member);
}

TEST(EntryKey, WhatIsNoPlaceIsRefused) {
  EXPECT_FALSE(EntryPlace::FromBytes("").has_value());
  EXPECT_FALSE(EntryPlace::FromBytes(std::string(31, 'x')).has_value());
  EXPECT_FALSE(PlaceOf(MemberKey(1, Member('m'))).has_value());
}

TEST(EntryKey, EntriesOfOneMemberAreOneRange) {
  const store::KeyRange range = EntriesOf(7, Member('m'));
  EXPECT_LE(range.begin, EntryKey(7, {INT64_MAX, 0, Member('m')}));
  EXPECT_LT(EntryKey(7, {INT64_MIN, 0, Member('m')}), range.end);
  EXPECT_GE(EntryKey(7, {INT64_MAX, 0, Member('n')}), range.end);
}

}  // namespace
}  // namespace hilo::timeline
