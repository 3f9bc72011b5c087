#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ops/base/clock.h"
#include "ops/base/status.h"

namespace hilo::kit {

// Reads ISO 8601 as the SDKs and RFC 3339 write it: "2026-03-01T10:00:00.123Z", an offset instead
// of Z, a date alone; without a zone it is UTC. nullopt for anything else, and for years outside
// 1970 to 2199.
std::optional<WallTime> ParseTime(std::string_view text);

// When an event happened, by our clock.
struct CorrectedTime {
  WallTime time;
  bool clamped = false;  // the source was ahead and was set back to the arrival
};

// arrival − (sent − time) when the source says when it sent: its clock's error cancels out. An
// unusable `sent` (unreadable, or before `time`) is ignored. More than `ahead` after the arrival is
// set back to it.
// **Errors**: INVALID_ARGUMENT `bad_time` when `time` is unreadable.
// **Source**: Segment's tracking API, "clock skew".
StatusOr<CorrectedTime> CorrectTime(const std::optional<std::string>& time,
                                    const std::optional<std::string>& sent, WallTime arrival,
                                    std::chrono::microseconds ahead);

}  // namespace hilo::kit
