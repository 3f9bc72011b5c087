#include "connectors/dispatch/quiet_hours.h"

#include <gtest/gtest.h>

#include <string>

namespace hilo::dispatch {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using std::chrono::year;

WallTime Utc(int y, unsigned m, unsigned d, int hour, int minute) {
  return WallTime(sys_days(year(y) / std::chrono::month(m) / std::chrono::day(d)) + hours(hour) +
                  minutes(minute));
}

constexpr QuietHours kNight{.from_minute = 21 * 60, .to_minute = 9 * 60};

std::string Until(const QuietHours& quiet, std::string_view zone, WallTime now) {
  const auto until = QuietUntil(quiet, zone, "Europe/Madrid", now);
  return until.has_value() ? Rfc3339(*until).substr(0, 16) : "";
}

TEST(QuietHours, HoldOverMidnightInTheCustomersZone) {
  // Madrid is two hours ahead of UTC in July.
  EXPECT_EQ(Until(kNight, "Europe/Madrid", Utc(2026, 7, 1, 18, 59)), "");
  EXPECT_EQ(Until(kNight, "Europe/Madrid", Utc(2026, 7, 1, 19, 0)), "2026-07-02T07:00");
  EXPECT_EQ(Until(kNight, "Europe/Madrid", Utc(2026, 7, 2, 6, 59)), "2026-07-02T07:00");
  EXPECT_EQ(Until(kNight, "Europe/Madrid", Utc(2026, 7, 2, 7, 0)), "");
  EXPECT_EQ(Until(kNight, "America/Bogota", Utc(2026, 7, 2, 7, 0)), "2026-07-02T14:00");
}

TEST(QuietHours, WithinADay) {
  constexpr QuietHours kSiesta{.from_minute = 14 * 60, .to_minute = 16 * 60 + 30};
  EXPECT_EQ(Until(kSiesta, "Europe/Madrid", Utc(2026, 1, 5, 12, 59)), "");
  EXPECT_EQ(Until(kSiesta, "Europe/Madrid", Utc(2026, 1, 5, 13, 0)), "2026-01-05T15:30");
  EXPECT_EQ(Until(kSiesta, "Europe/Madrid", Utc(2026, 1, 5, 15, 30)), "");
}

TEST(QuietHours, EndWhereTheClockIsSetForward) {
  // On 2026-03-29 Madrid's clocks go from 2:00 to 3:00: 2:30 does not exist.
  constexpr QuietHours kEarly{.from_minute = 60, .to_minute = 150};
  EXPECT_EQ(Until(kEarly, "Europe/Madrid", Utc(2026, 3, 29, 0, 30)), "2026-03-29T01:00");
}

TEST(QuietHours, EndAtTheLaterOfTwoWhereTheClockIsSetBack) {
  // On 2026-10-25 Madrid's clocks go from 3:00 back to 2:00: 2:30 comes twice.
  constexpr QuietHours kEarly{.from_minute = 60, .to_minute = 150};
  EXPECT_EQ(Until(kEarly, "Europe/Madrid", Utc(2026, 10, 24, 23, 30)), "2026-10-25T01:30");
}

TEST(QuietHours, TakeTheDefaultZoneForOneThatIsNotKnown) {
  EXPECT_EQ(Until(kNight, "Mars/Olympus", Utc(2026, 7, 1, 19, 0)), "2026-07-02T07:00");
  EXPECT_EQ(Until(kNight, "../../etc/passwd", Utc(2026, 7, 1, 19, 0)), "2026-07-02T07:00");
  EXPECT_EQ(QuietUntil(kNight, "", "", Utc(2026, 7, 1, 21, 0)), Utc(2026, 7, 2, 9, 0));
}

TEST(QuietHours, NoneWhenBothEndsAreEqual) {
  EXPECT_EQ(Until({.from_minute = 540, .to_minute = 540}, "Europe/Madrid", Utc(2026, 7, 1, 7, 0)),
            "");
}

}  // namespace
}  // namespace hilo::dispatch
