#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ops/base/clock.h"

namespace hilo::dispatch {

// From minute to minute of the local day, the end exclusive; over midnight when it is the smaller.
// Equal: none.
struct QuietHours {
  uint32_t from_minute = 0;
  uint32_t to_minute = 0;
};

// When the quiet hours that hold now in `zone` are over; nullopt when none hold. A zone that this
// machine does not know counts as `default_zone`, and that as UTC. Where the clock is set forward
// over the end, the end is the moment it is set; where it is set back, the later one.
// **Source**: absl::TimeZone over the system's tzdata, which differs between machines: so the
// dispatcher asks, and folds only see the moment.
std::optional<WallTime> QuietUntil(const QuietHours& hours, std::string_view zone,
                                   std::string_view default_zone, WallTime now);

}  // namespace hilo::dispatch
