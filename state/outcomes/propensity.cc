#include "state/outcomes/propensity.h"

#include <algorithm>
#include <utility>

namespace hilo::outcomes {
namespace {

using store::v1::PropensityRow;
__extension__ using Wide = unsigned __int128;

// 2^(2^-1), 2^(2^-2), …, in units of 2^-62, rounded to nearest.
constexpr uint64_t kRoots[] = {
    0x5a827999fcef3242, 0x4c1bf828c6dc54b8, 0x45cae0f1f545eb73, 0x42d561b3e6243d8a,
    0x4166c34c5615d0ec, 0x40b268f9de0183ba, 0x4058f6a7ecccd5b6, 0x402c6be96af2fb58,
    0x4016321b687027a8, 0x400b18178ba33b14, 0x40058bce410147e8, 0x4002c5d7bff71daf,
    0x400162e807ee7e5b, 0x4000b1730df6a524, 0x400058b9497b8152, 0x40002c5c955dd701,
    0x4000162e46d6f26c, 0x40000b1722757b1b, 0x4000058b90fd3e0c, 0x400002c5c86f3f26,
    0x40000162e433c79b, 0x400000b17218edd0, 0x40000058b90c3968, 0x4000002c5c860d54,
    0x400000162e4302d2, 0x4000000b17218073, 0x400000058b90bffc, 0x40000002c5c85fef,
    0x4000000162e42ff3, 0x40000000b17217f9, 0x4000000058b90bfc, 0x400000002c5c85fe,
    0x40000000162e42ff, 0x400000000b17217f, 0x40000000058b90c0, 0x4000000002c5c860,
    0x400000000162e430, 0x4000000000b17218, 0x400000000058b90c, 0x40000000002c5c86,
};
constexpr int kUnitBits = 30;
constexpr uint64_t kMillion = 1'000'000;

struct Sums {
  Wide positive = 0;
  Wide negative = 0;
};

Wide Join(uint64_t low, uint64_t high) { return Wide{high} << 64 | low; }

Sums Current(const PropensityRow& row) {
  return {Join(row.positive_low(), row.positive_high()),
          Join(row.negative_low(), row.negative_high())};
}

Sums Earlier(const PropensityRow& row) {
  return {Join(row.earlier_positive_low(), row.earlier_positive_high()),
          Join(row.earlier_negative_low(), row.earlier_negative_high())};
}

void SetCurrent(PropensityRow& row, const Sums& sums) {
  row.set_positive_low(static_cast<uint64_t>(sums.positive));
  row.set_positive_high(static_cast<uint64_t>(sums.positive >> 64));
  row.set_negative_low(static_cast<uint64_t>(sums.negative));
  row.set_negative_high(static_cast<uint64_t>(sums.negative >> 64));
}

void SetEarlier(PropensityRow& row, const Sums& sums) {
  row.set_earlier_positive_low(static_cast<uint64_t>(sums.positive));
  row.set_earlier_positive_high(static_cast<uint64_t>(sums.positive >> 64));
  row.set_earlier_negative_low(static_cast<uint64_t>(sums.negative));
  row.set_earlier_negative_high(static_cast<uint64_t>(sums.negative >> 64));
}

int64_t LandmarkOf(LogTime at) {
  return std::max<int64_t>(0, at.micros) / kLandmarkMicros * kLandmarkMicros;
}

// Moves on to a later landmark.
void Advance(PropensityRow& row, int64_t landmark) {
  if (landmark <= row.landmark_micros()) return;
  const bool next = landmark == row.landmark_micros() + kLandmarkMicros;
  SetEarlier(row, next ? Current(row) : Sums());
  SetCurrent(row, {});
  row.set_landmark_micros(landmark);
}

void Add(PropensityRow& row, LogTime at, bool positive) {
  const int64_t landmark = LandmarkOf(at);
  Advance(row, landmark);
  const Wide weight = Weight(std::max<int64_t>(0, at.micros) - landmark);
  const auto add = [&](Sums sums) {
    (positive ? sums.positive : sums.negative) += weight;
    return sums;
  };
  if (landmark == row.landmark_micros()) {
    SetCurrent(row, add(Current(row)));
  } else if (landmark + kLandmarkMicros == row.landmark_micros()) {
    SetEarlier(row, add(Earlier(row)));
  }
}

Sums Plus(const Sums& a, const Sums& b) {
  return {a.positive + b.positive, a.negative + b.negative};
}

// A sum of weights as it weighs 2^30 · `now_weight` later, in millionths.
uint64_t Millionths(Wide sum, uint64_t now_weight) {
  return static_cast<uint64_t>(std::min<Wide>(sum * kMillion / now_weight, UINT64_MAX));
}

}  // namespace

uint64_t Weight(int64_t since_micros) {
  const int64_t half_lives = since_micros / kHalfLife.count();
  int64_t rest = since_micros % kHalfLife.count();
  uint64_t weight = uint64_t{1} << 62;  // of a part of a half-life, in units of 2^-62: below 2
  for (const uint64_t root : kRoots) {
    rest *= 2;
    if (rest < kHalfLife.count()) continue;
    rest -= kHalfLife.count();
    weight = static_cast<uint64_t>(Wide{weight} * root >> 62);
  }
  return static_cast<uint64_t>((Wide{weight} << half_lives) >> (62 - kUnitBits));
}

void AddPositive(PropensityRow& row, LogTime at) {
  Add(row, at, /*positive=*/true);
  row.set_positives(row.positives() + 1);
}

void AddNegative(PropensityRow& row, LogTime at) {
  Add(row, at, /*positive=*/false);
  row.set_negatives(row.negatives() + 1);
}

void Merge(PropensityRow& into, const PropensityRow& from) {
  PropensityRow other = from;
  const int64_t landmark = std::max(into.landmark_micros(), other.landmark_micros());
  Advance(into, landmark);
  Advance(other, landmark);
  SetCurrent(into, Plus(Current(into), Current(other)));
  SetEarlier(into, Plus(Earlier(into), Earlier(other)));
  into.set_positives(into.positives() + from.positives());
  into.set_negatives(into.negatives() + from.negatives());
  into.set_impressions(into.impressions() + from.impressions());
}

Evidence EvidenceAt(const PropensityRow& row, LogTime now) {
  PropensityRow moved = row;
  // Before the landmark, which only a clock that is set back can ask for, nothing is forgotten.
  const LogTime at = std::max(now, LogTime{row.landmark_micros()});
  Advance(moved, LandmarkOf(at));
  const uint64_t weight = Weight(at.micros - moved.landmark_micros());
  const Sums current = Current(moved);
  const Sums earlier = Earlier(moved);
  return {.positive_micros = Millionths(current.positive + (earlier.positive >> 32), weight),
          .negative_micros = Millionths(current.negative + (earlier.negative >> 32), weight)};
}

}  // namespace hilo::outcomes
