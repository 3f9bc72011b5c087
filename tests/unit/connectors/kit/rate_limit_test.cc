#include "connectors/kit/rate_limit.h"

#include <gtest/gtest.h>

#include <string>

#include "ops/base/metric_names.h"

namespace hilo::kit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RateLimitTest : public ::testing::Test {
 protected:
  RateLimit Make(Rate rate, size_t max_keys = RateLimit::kMaxKeys) {
    return RateLimit({.by = "address", .rate = rate, .max_keys = max_keys}, clock_, registry_);
  }
  uint64_t Limited() { return registry_.Get(metric::kKitRateLimited, {"address"}).Value(); }
  double Keys() { return registry_.Get(metric::kKitRateLimitKeys, {"address"}).Value(); }

  ManualClock clock_{WallTime(seconds(1'700'000'000))};
  Registry registry_;
};

TEST_F(RateLimitTest, LetsTheBurstInAndThenTheRate) {
  RateLimit limit = Make({.per_second = 2, .burst = 4});
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(limit.Take("a", 1)) << i;
  EXPECT_EQ(limit.Take("a", 1), seconds(1));
  clock_.Advance(milliseconds(500));
  EXPECT_FALSE(limit.Take("a", 1));
  EXPECT_TRUE(limit.Take("a", 1));
  clock_.Advance(seconds(3'600));
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(limit.Take("a", 1)) << "no more than the burst gathers";
  EXPECT_TRUE(limit.Take("a", 1));
  EXPECT_EQ(Limited(), 3u);
}

TEST_F(RateLimitTest, KeysDoNotShare) {
  RateLimit limit = Make({.per_second = 1});
  EXPECT_FALSE(limit.Take("a", 1));
  EXPECT_TRUE(limit.Take("a", 1));
  EXPECT_FALSE(limit.Take("b", 1));
}

TEST_F(RateLimitTest, ABatchLargerThanTheBurstPassesAndIsPaidFor) {
  RateLimit limit = Make({.per_second = 10});
  EXPECT_FALSE(limit.Take("a", 110));
  EXPECT_EQ(limit.Take("a", 1), seconds(11));
  clock_.Advance(seconds(10));
  EXPECT_EQ(limit.Take("a", 1), seconds(1));
  clock_.Advance(seconds(1));
  EXPECT_FALSE(limit.Take("a", 1));
}

TEST_F(RateLimitTest, NeverAsksForMoreThanSdksWait) {
  RateLimit limit = Make({.per_second = 1});
  EXPECT_FALSE(limit.Take("a", 5'000));
  EXPECT_EQ(limit.Take("a", 1), seconds(300));
}

TEST_F(RateLimitTest, ChargesWhatTurnsOutToBeMore) {
  RateLimit limit = Make({.per_second = 10});
  EXPECT_FALSE(limit.Take("a", 1));
  limit.Charge("a", 19);
  EXPECT_EQ(limit.Take("a", 1), seconds(2));
}

TEST_F(RateLimitTest, NoRateIsNoLimitAndRemembersNobody) {
  RateLimit limit = Make({});
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(limit.Take(std::to_string(i), 100));
  limit.Charge("a", 1'000'000);
  EXPECT_EQ(Keys(), 0);
}

TEST_F(RateLimitTest, RemembersNoMoreKeysThanItMay) {
  RateLimit limit = Make({.per_second = 1, .burst = 2}, 3);
  for (const char* key : {"a", "b", "c"}) EXPECT_FALSE(limit.Take(key, 2));
  // All three owe: who comes now shares one bucket.
  EXPECT_FALSE(limit.Take("d", 2));
  EXPECT_TRUE(limit.Take("e", 1));
  EXPECT_EQ(Keys(), 4);
  // Who owes nothing any more is forgotten.
  clock_.Advance(seconds(60));
  EXPECT_FALSE(limit.Take("f", 2));
  EXPECT_TRUE(limit.Take("f", 1));
  EXPECT_EQ(Keys(), 1);
}

TEST(AddressKey, IsAnAddressOfVersion4OrTheNetworkOfASubscriber) {
  EXPECT_EQ(AddressKey("203.0.113.7"), AddressKey("::ffff:203.0.113.7"));
  EXPECT_NE(AddressKey("203.0.113.7"), AddressKey("203.0.113.8"));
  EXPECT_EQ(AddressKey("2001:db8:1:2::1"), AddressKey("2001:db8:1:2:ffff::9"));
  EXPECT_NE(AddressKey("2001:db8:1:2::1"), AddressKey("2001:db8:1:3::1"));
}

}  // namespace
}  // namespace hilo::kit
