#include "connectors/kit/event_time.h"

#include <gtest/gtest.h>

#include "connectors/kit/amount.h"

namespace hilo::kit {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::minutes;
using std::chrono::seconds;

WallTime At(const char* text) { return ParseTime(text).value(); }

TEST(EventTime, ReadsWhatSdksWrite) {
  EXPECT_EQ(At("1970-01-01T00:00:01Z").time_since_epoch(), seconds(1));
  EXPECT_EQ(At("2026-03-01T10:00:00.123Z"), At("2026-03-01T10:00:00Z") + microseconds(123'000));
  EXPECT_EQ(At("2026-03-01T10:00:00.123456789Z"), At("2026-03-01T10:00:00.123456Z"));
  EXPECT_EQ(At("2026-03-01T11:00:00+01:00"), At("2026-03-01T10:00:00Z"));
  EXPECT_EQ(At("2026-03-01T04:30:00-0530"), At("2026-03-01T10:00:00Z"));
  EXPECT_EQ(At("2026-03-01 10:00:00"), At("2026-03-01T10:00:00Z"));
  EXPECT_EQ(At("2026-03-01"), At("2026-03-01T00:00:00Z"));
}

TEST(EventTime, RefusesTheRest) {
  for (const char* text :
       {"", "yesterday", "0000-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-03-01T24:00:00Z", "2026-03-01T10:60:00Z", "2026-03-01T10:00:00.Z", "1767225600",
        "2026-03-01T10:00:00Zx", "2026-03-01T10:00:00+1", "2026-03-01T", "2026-3-1"}) {
    EXPECT_FALSE(ParseTime(text)) << text;
  }
}

constexpr auto kAhead = minutes(10);

TEST(EventTime, TheSourcesClockCancelsOut) {
  const WallTime arrival = At("2026-03-01T10:00:00Z");
  // A telephone whose clock is a day behind, sending five seconds after the fact.
  const auto corrected =
      CorrectTime("2026-02-28T09:59:55Z", "2026-02-28T10:00:00Z", arrival, kAhead);
  ASSERT_TRUE(corrected.ok());
  EXPECT_EQ(corrected->time, arrival - seconds(5));
  EXPECT_FALSE(corrected->clamped);
}

TEST(EventTime, WithoutAUsableSentTimeTheOriginalStands) {
  const WallTime arrival = At("2026-03-01T10:00:00Z");
  for (const std::optional<std::string>& sent :
       {std::optional<std::string>(), std::optional<std::string>("soon"),
        std::optional<std::string>("2026-03-01T09:00:00Z")}) {
    const auto corrected = CorrectTime("2026-03-01T09:30:00Z", sent, arrival, kAhead);
    ASSERT_TRUE(corrected.ok());
    EXPECT_EQ(corrected->time, At("2026-03-01T09:30:00Z"));
  }
  EXPECT_EQ(CorrectTime(std::nullopt, std::nullopt, arrival, kAhead)->time, arrival);
}

TEST(EventTime, AheadIsSetBackAndFlagged) {
  const WallTime arrival = At("2026-03-01T10:00:00Z");
  const auto just = CorrectTime("2026-03-01T10:10:00Z", std::nullopt, arrival, kAhead);
  EXPECT_EQ(just->time, arrival + minutes(10));
  EXPECT_FALSE(just->clamped);
  const auto beyond = CorrectTime("2026-03-11T10:00:00Z", std::nullopt, arrival, kAhead);
  EXPECT_EQ(beyond->time, arrival);
  EXPECT_TRUE(beyond->clamped);
  const auto old = CorrectTime("2016-03-01T10:00:00Z", std::nullopt, arrival, kAhead);
  EXPECT_EQ(old->time, At("2016-03-01T10:00:00Z"));
  EXPECT_EQ(Reason(CorrectTime("yesterday", std::nullopt, arrival, kAhead).status()), "bad_time");
}

std::optional<int64_t> Minor(const char* text, const char* currency) {
  const auto amount = ParseAmount(text, *Currency::Parse(currency));
  return amount ? std::optional(amount->minor) : std::nullopt;
}

TEST(Amount, IsExact) {
  EXPECT_EQ(Minor("89.90", "EUR"), 8990);
  EXPECT_EQ(Minor("89.9", "EUR"), 8990);
  EXPECT_EQ(Minor("0", "EUR"), 0);
  EXPECT_EQ(Minor("-3", "EUR"), -300);
  EXPECT_EQ(Minor("1e2", "EUR"), 10'000);
  EXPECT_EQ(Minor("1.5E-1", "EUR"), 15);
  EXPECT_EQ(Minor("1500", "JPY"), 1500);
  EXPECT_EQ(Minor("1.234", "KWD"), 1234);
  EXPECT_EQ(Minor("92233720368547758.07", "EUR"), INT64_MAX);
}

TEST(Amount, RoundsTheNoiseOfFloatingPoint) {
  EXPECT_EQ(Minor("179.79999999999998", "EUR"), 17980);
  EXPECT_EQ(Minor("0.30000000000000004", "EUR"), 30);
  EXPECT_EQ(Minor("0.005", "EUR"), 1);
  EXPECT_EQ(Minor("0.0049", "EUR"), 0);
  EXPECT_EQ(Minor("-0.995", "EUR"), -100);
  EXPECT_EQ(Minor("1e-9", "EUR"), 0);
}

TEST(Amount, RefusesTheRest) {
  for (const char* text : {"", ".", "1.", ".5", "1,5", "12 EUR", "1e99", "1e", "--1", "1.2.3",
                           "NaN", "92233720368547758.08"}) {
    EXPECT_FALSE(Minor(text, "EUR")) << text;
  }
}

}  // namespace
}  // namespace hilo::kit
