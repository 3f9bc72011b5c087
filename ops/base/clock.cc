#include "ops/base/clock.h"

#include <fmt/format.h>

namespace hilo {

std::string Rfc3339(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", int{date.year()},
                     unsigned{date.month()}, unsigned{date.day()}, clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

WallTime SystemClock::Wall() const {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

MonotonicTime SystemClock::Monotonic() const { return std::chrono::steady_clock::now(); }

WallTime ManualClock::Wall() const {
  std::lock_guard lock(mutex_);
  return wall_;
}

MonotonicTime ManualClock::Monotonic() const {
  std::lock_guard lock(mutex_);
  return monotonic_;
}

void ManualClock::Advance(std::chrono::microseconds step) {
  std::lock_guard lock(mutex_);
  wall_ += step;
  monotonic_ += step;
}

void ManualClock::JumpWall(std::chrono::microseconds step) {
  std::lock_guard lock(mutex_);
  wall_ += step;
}

}  // namespace hilo
