#include "state/outcomes/propensity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace hilo::outcomes {
namespace {

using store::v1::PropensityRow;

constexpr int64_t kHalf = kHalfLife.count();

TEST(Propensity, AWeightIsTwoToTheHalfLivesSinceTheLandmark) {
  EXPECT_EQ(Weight(0), uint64_t{1} << 30);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(Weight(i * kHalf), uint64_t{1} << (30 + i));
  std::mt19937_64 random(1);
  uint64_t last = 0;
  for (int64_t since = 0; since < kLandmarkMicros;
       since += 1 + static_cast<int64_t>(random() % (kHalf / 50))) {
    const double exact = std::exp2(30 + static_cast<double>(since) / static_cast<double>(kHalf));
    EXPECT_NEAR(static_cast<double>(Weight(since)) / exact, 1, 2e-9);
    EXPECT_GE(Weight(since), last);
    last = Weight(since);
  }
}

TEST(Propensity, AnOutcomeWeighsHalfAfterAHalfLifeAlsoAcrossALandmark) {
  for (int64_t at : {kLandmarkMicros * 20, kLandmarkMicros * 20 + 31 * kHalf + kHalf / 3}) {
    PropensityRow row;
    AddPositive(row, {at});
    AddNegative(row, {at});
    AddNegative(row, {at});
    EXPECT_NEAR(static_cast<double>(EvidenceAt(row, {at}).positive_micros), 1e6, 1);
    EXPECT_NEAR(static_cast<double>(EvidenceAt(row, {at}).negative_micros), 2e6, 1);
    EXPECT_NEAR(static_cast<double>(EvidenceAt(row, {at + kHalf}).positive_micros), 5e5, 1);
    EXPECT_NEAR(static_cast<double>(EvidenceAt(row, {at + 3 * kHalf}).negative_micros), 2.5e5, 1);
    EXPECT_EQ(EvidenceAt(row, {at + 70 * kHalf}).positive_micros, 0u);
    EXPECT_EQ(row.positives(), 1u);
    EXPECT_EQ(row.negatives(), 2u);
  }
}

// However outcomes are divided among partitions, and in whatever order they come, the sum is one.
TEST(Propensity, IsTheExactSumUnderAnyPartitioningAndOrder) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    struct One {
      int64_t at;
      bool positive;
    };
    std::vector<One> all;
    for (int i = 0; i < 200; ++i) {
      all.push_back(
          {kLandmarkMicros * 20 +
               static_cast<int64_t>(random() % (3 * static_cast<uint64_t>(kLandmarkMicros))),
           random() % 3 == 0});
    }
    const auto fold = [](const std::vector<One>& some, PropensityRow& row) {
      for (const One& one : some)
        one.positive ? AddPositive(row, {one.at}) : AddNegative(row, {one.at});
    };
    PropensityRow whole;
    fold(all, whole);
    std::shuffle(all.begin(), all.end(), random);
    std::vector<std::vector<One>> parts(1 + random() % 5);
    for (const One& one : all) parts[random() % parts.size()].push_back(one);
    PropensityRow merged;
    for (const auto& part : parts) {
      PropensityRow row;
      fold(part, row);
      Merge(merged, row);
    }
    EXPECT_EQ(whole.SerializeAsString(), merged.SerializeAsString()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hilo::outcomes
