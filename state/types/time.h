#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace hilo {

using Micros = std::chrono::microseconds;

// What the source of an event claims, microseconds since 1970-01-01 UTC. Data, never a clock.
struct EventTime {
  int64_t micros = 0;
  friend auto operator<=>(const EventTime&, const EventTime&) = default;
};

// The time a partition's folds know, microseconds since 1970-01-01 UTC. It comes from ticks alone,
// and never goes back.
struct LogTime {
  int64_t micros = 0;
  friend auto operator<=>(const LogTime&, const LogTime&) = default;
  LogTime operator+(Micros step) const { return {micros + step.count()}; }
  Micros operator-(LogTime earlier) const { return Micros(micros - earlier.micros); }
};

}  // namespace hilo
