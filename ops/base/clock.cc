#include "ops/base/clock.h"

namespace hilo {

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
