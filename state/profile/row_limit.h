#pragma once

#include <cstddef>

#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

namespace hilo::profile {

// Of a member's row as it is stored.
inline constexpr size_t kMaxRowBytes = 256 << 10;

// Lets things go until the row fits, and counts them: superseded and expired facts, closed cases,
// ended promises, ended interactions, questions, suggestions, the oldest facts, the oldest traits;
// last of all open promises and cases never go. Deterministic.
void FitToLimit(store::v1::MemberRow& row, LogTime now);

}  // namespace hilo::profile
