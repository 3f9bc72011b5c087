#include "state/decision/draws.h"

#include <gtest/gtest.h>

#include <cmath>

namespace hilo::decision {
namespace {

TEST(Draws, AreTheSameForTheSameSeedAndNameAndDifferOtherwise) {
  Draws one(7, "basket-reminder");
  Draws same(7, "basket-reminder");
  Draws other_seed(8, "basket-reminder");
  Draws other_name(7, "voucher");
  const uint64_t first = one.Next();
  EXPECT_EQ(first, same.Next());
  EXPECT_NE(first, other_seed.Next());
  EXPECT_NE(first, other_name.Next());
}

// Mean and variance of many draws against the distribution's own.
void ExpectBeta(const Posterior& posterior) {
  constexpr int kDraws = 200'000;
  Draws draws(42, "beta");
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = draws.Beta(posterior);
    ASSERT_GE(x, 0);
    ASSERT_LE(x, 1);
    sum += x;
    squares += x * x;
  }
  const double total = posterior.alpha + posterior.beta;
  const double variance = posterior.alpha * posterior.beta / (total * total * (total + 1));
  const double mean = sum / kDraws;
  // Five standard errors of the mean; 5 % for the variance.
  EXPECT_NEAR(mean, posterior.Mean(), 5 * std::sqrt(variance / kDraws));
  EXPECT_NEAR(squares / kDraws - mean * mean, variance, 0.05 * variance);
}

TEST(Draws, FollowTheBetaDistribution) {
  ExpectBeta({1, 1});
  ExpectBeta({0.5, 3});
  ExpectBeta({20, 180});
  ExpectBeta({2'000, 1});
}

TEST(Draws, StayWithinBoundsForShapesNearZero) {
  Draws draws(1, "tiny");
  for (int i = 0; i < 10'000; ++i) {
    const double x = draws.Beta({1e-6, 1e-6});
    ASSERT_TRUE(x >= 0 && x <= 1) << x;
  }
}

}  // namespace
}  // namespace hilo::decision
