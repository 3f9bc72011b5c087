#pragma once

#include <cstddef>

#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

namespace hilo::profile {

// Of a member's row as it is stored.
inline constexpr size_t kMaxRowBytes = 256 << 10;

// Lets things go until the row fits, and counts them, in this order: expired and superseded facts,
// closed cases, ended promises, ended interactions, messages that are settled and count no more,
// runs of journeys that are over, outcomes, questions, suggestions, the oldest order ids
// and days of purchase, the oldest facts, the oldest traits and groups, and when nothing else is
// left the oldest open promises and cases. Deterministic.
void FitToLimit(store::v1::MemberRow& row, LogTime now);

}  // namespace hilo::profile
