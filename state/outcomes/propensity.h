#pragma once

#include <cstdint>

#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

// What came of one action on one channel, summed up with forgetting: an outcome of time t weighs
// 2^((t − L) / H), where the landmark L is a multiple of 32 · H. Weights are integers in units of
// 2^-30 and are only added, so that nothing is rounded twice and the sums of partitions add up to
// the sum over all, in whatever order outcomes come. What is older than the landmark before weighs
// less than 2^-32 of what is new, and is let go.
// **Source**: forward decay: Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009.
namespace hilo::outcomes {

// After this long an outcome weighs half.
inline constexpr Micros kHalfLife{30LL * 86'400 * 1'000'000};
inline constexpr int64_t kLandmarkMicros = 32 * kHalfLife.count();

// Adds an outcome that was taken up, or was not.
void AddPositive(store::v1::PropensityRow& row, LogTime at);
void AddNegative(store::v1::PropensityRow& row, LogTime at);
inline void AddImpression(store::v1::PropensityRow& row) {
  row.set_impressions(row.impressions() + 1);
}

// Adds the sums of another partition: commutative and associative.
void Merge(store::v1::PropensityRow& into, const store::v1::PropensityRow& from);

// Evidence as it weighs at `now`: millionths of outcomes.
struct Evidence {
  uint64_t positive_micros = 0;
  uint64_t negative_micros = 0;
};
Evidence EvidenceAt(const store::v1::PropensityRow& row, LogTime now);

// 2^(since / kHalfLife) in units of 2^-30, rounded down; 0 <= since < kLandmarkMicros. Integers
// only: the same on every machine.
uint64_t Weight(int64_t since_micros);

}  // namespace hilo::outcomes
