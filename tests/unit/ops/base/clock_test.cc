#include "ops/base/clock.h"

#include <gtest/gtest.h>

namespace hilo {
namespace {

TEST(Clock, IsWrittenAsRfc3339) {
  EXPECT_EQ(Rfc3339(WallTime{}), "1970-01-01T00:00:00.000000Z");
  // Leap day, and the last microsecond of it.
  EXPECT_EQ(Rfc3339(WallTime(std::chrono::microseconds(1709251199999999))),
            "2024-02-29T23:59:59.999999Z");
  EXPECT_EQ(Rfc3339(WallTime(std::chrono::microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST(ManualClock, MovesOnlyWhenToldTo) {
  ManualClock clock{WallTime{}};
  const MonotonicTime before = clock.Monotonic();
  clock.Advance(std::chrono::seconds(3));
  clock.JumpWall(std::chrono::seconds(-10));
  EXPECT_EQ(clock.Wall(), WallTime(std::chrono::seconds(-7)));
  EXPECT_EQ(clock.Monotonic() - before, std::chrono::seconds(3));
}

}  // namespace
}  // namespace hilo
