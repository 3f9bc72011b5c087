#pragma once

#include <compare>

#include "hilo/store/v1/rows.pb.h"

namespace hilo {

// The order of late writers: event time, then source rank, then event id. Whoever is greater has
// the last word, in whatever order their records came. Equal only for the same event.
std::strong_ordering ComparePrecedence(const store::v1::OriginRow& a,
                                       const store::v1::OriginRow& b);

// Whether `origin` has the last word over what stands (`current`).
inline bool Supersedes(const store::v1::OriginRow& origin, const store::v1::OriginRow& current) {
  return ComparePrecedence(origin, current) > 0;
}

}  // namespace hilo
