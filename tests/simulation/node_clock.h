#pragma once

#include <chrono>

#include "ops/base/clock.h"

namespace hilo::simulation {

// A node's clock: everybody's time, and a wall clock that may be wrong.
class NodeClock final : public Clock {
 public:
  explicit NodeClock(const Clock& truth) : truth_(truth) {}
  WallTime Wall() const override { return truth_.Wall() + wrong_by; }
  MonotonicTime Monotonic() const override { return truth_.Monotonic(); }
  std::chrono::microseconds wrong_by{0};

 private:
  const Clock& truth_;
};

}  // namespace hilo::simulation
