#include "ops/keys/key_cache.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/ops/keys/key_fixtures.h"

namespace hilo::keys {
namespace {

class KeyCacheTest : public testing::Test {
 protected:
  void Put(uint64_t number) {
    cache_->Put(Subject(number), SubjectKey{1, Secret::Random()}, cache_->Epoch());
  }
  bool Has(uint64_t number) { return cache_->Find(Subject(number)).has_value(); }

  ManualClock clock_{WallTime{}};
  Registry registry_;
  std::unique_ptr<KeyCache> cache_ =
      KeyCache::Create({.capacity = 3, .age = std::chrono::seconds(10)}, clock_, registry_);
};

TEST_F(KeyCacheTest, GivesBackWhatWasPutIn) {
  const SubjectKey key{7, Secret::Random()};
  cache_->Put(Subject(1), key, cache_->Epoch());
  EXPECT_EQ(cache_->Find(Subject(1))->generation, 7);
  EXPECT_TRUE(cache_->Find(Subject(1))->secret == key.secret);
  EXPECT_FALSE(Has(2));
}

TEST_F(KeyCacheTest, TakesNoKeyThatWasReadBeforeAnErase) {
  const uint64_t before = cache_->Epoch();
  // Meanwhile the key, read from disk, is destroyed there.
  cache_->Erase(std::vector{Subject(1)});
  cache_->Put(Subject(1), SubjectKey{1, Secret::Random()}, before);
  EXPECT_FALSE(Has(1));
  Put(1);
  EXPECT_TRUE(Has(1));
}

TEST_F(KeyCacheTest, DropsTheOldestBeyondItsCapacity) {
  for (uint64_t i = 1; i <= 4; ++i) Put(i);
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(2) && Has(3) && Has(4));
}

TEST_F(KeyCacheTest, PassesOverErasedSlotsAsTheRingTurns) {
  for (uint64_t i = 1; i <= 3; ++i) Put(i);
  cache_->Erase(std::vector{Subject(2), Subject(9)});
  EXPECT_TRUE(Has(1) && !Has(2) && Has(3));
  for (uint64_t i = 4; i <= 40; ++i) {
    Put(i);
    EXPECT_TRUE(Has(i));
    if (i % 3 != 0) continue;
    cache_->Erase(std::vector{Subject(i - 1)});
    EXPECT_FALSE(Has(i - 1));
  }
}

TEST_F(KeyCacheTest, KeepsAKeyNoLongerThanItsAge) {
  Put(1);
  clock_.Advance(std::chrono::seconds(5));
  Put(2);
  Put(1);  // is in already: its age does not begin anew
  clock_.Advance(std::chrono::seconds(5));
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(2));
}

}  // namespace
}  // namespace hilo::keys
