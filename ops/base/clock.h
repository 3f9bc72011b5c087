#pragma once

#include <chrono>
#include <mutex>
#include <string>

namespace hilo {

// Wall time as the machine believes it, to the microsecond. Nothing inside a fold may read it.
using WallTime = std::chrono::sys_time<std::chrono::microseconds>;
// Time that only runs forward, comparable within one process.
using MonotonicTime = std::chrono::steady_clock::time_point;

// "2026-01-31T09:15:00.000000Z". Source: RFC 3339, in UTC, always to the microsecond.
std::string Rfc3339(WallTime time);

// Where time comes from. Passed by reference to whoever needs it; tests pass a ManualClock.
// **Threads**: thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Wall() const = 0;
  virtual MonotonicTime Monotonic() const = 0;
};

// The machine's clocks.
class SystemClock final : public Clock {
 public:
  WallTime Wall() const override;
  MonotonicTime Monotonic() const override;
};

// A clock that moves only when told to. **Threads**: thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : wall_(start) {}
  WallTime Wall() const override;
  MonotonicTime Monotonic() const override;
  // Both clocks run on by `step`.
  void Advance(std::chrono::microseconds step);
  // The wall clock alone jumps, as when somebody sets it.
  void JumpWall(std::chrono::microseconds step);

 private:
  mutable std::mutex mutex_;
  WallTime wall_;
  MonotonicTime monotonic_{};
};

}  // namespace hilo
