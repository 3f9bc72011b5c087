#include "ops/keys/key_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/keys/master_key.h"
#include "ops/keys/memory_key_store.h"
#include "ops/keys/sealer.h"
#include "ops/keys/stored_key_store.h"
#include "tests/testing/temporary_directory.h"
#include "tests/unit/ops/keys/key_fixtures.h"

// What every key store promises, run against each of them.
namespace hilo::keys {
namespace {

struct Kind {
  std::string name;
  bool stored;
};

class KeyStoreContract : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (!GetParam().stored) {
      store_ = std::make_unique<MemoryKeyStore>();
      return;
    }
    ASSERT_TRUE(CreateMasterKey(folder_.Sub("master")).ok());
    auto opened = OpenStoredKeyStore(
        {.directory = folder_.Sub("keys"), .master_key_file = folder_.Sub("master")}, clock_,
        registry_);
    ASSERT_TRUE(opened.ok()) << Describe(opened.status());
    store_ = *std::move(opened);
  }
  KeyStore& store() { return *store_; }
  Sealer sealer() { return Sealer(*store_, registry_); }
  // The reason of what a sealed value opens to; "" when it opens.
  std::string OpenReason(std::string_view sealed) {
    return Reason(sealer().Open(sealed, "field").status());
  }

  hilo::testing::TemporaryDirectory folder_;
  ManualClock clock_{WallTime{}};
  Registry registry_;
  std::unique_ptr<KeyStore> store_;
};

TEST_P(KeyStoreContract, GivesEachSubjectOneKeyOfItsOwn) {
  const StatusOr<SubjectKey> first = store().EnsureKey(Subject(1));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->generation, 1);
  EXPECT_FALSE(first->secret == Secret());
  EXPECT_TRUE(store().EnsureKey(Subject(1))->secret == first->secret);
  EXPECT_TRUE(store().FindKey(Subject(1))->secret == first->secret);
  EXPECT_FALSE(store().EnsureKey(Subject(2))->secret == first->secret);
}

TEST_P(KeyStoreContract, MakesNoKeyWhenOneIsOnlyLookedFor) {
  EXPECT_EQ(Reason(store().FindKey(Subject(1)).status()), "key_unknown");
  EXPECT_EQ(Reason(store().FindKey(Subject(1)).status()), "key_unknown");
}

TEST_P(KeyStoreContract, MakesKeysOfManySubjectsOnceEach) {
  const std::vector<SubjectId> subjects = {Subject(1), Subject(2), Subject(1), Subject(3)};
  ASSERT_TRUE(store().EnsureKeys(subjects).ok());
  const Secret first = store().FindKey(Subject(1))->secret;
  ASSERT_TRUE(store().EnsureKeys(subjects).ok());
  EXPECT_TRUE(store().FindKey(Subject(1))->secret == first);
  EXPECT_TRUE(store().FindKey(Subject(2)).ok());
  EXPECT_TRUE(store().FindKey(Subject(3)).ok());
  EXPECT_TRUE(store().EnsureKeys({}).ok());
}

TEST_P(KeyStoreContract, TellsDestroyedKeysFromUnknownOnes) {
  ASSERT_TRUE(store().EnsureKeys(std::vector{Subject(1), Subject(2)}).ok());
  ASSERT_TRUE(store().DestroyKey(Subject(1)).ok());
  EXPECT_EQ(Reason(store().FindKey(Subject(1)).status()), "key_destroyed");
  EXPECT_TRUE(store().FindKey(Subject(2)).ok());
  EXPECT_EQ(Reason(store().FindKey(Subject(3)).status()), "key_unknown");
}

TEST_P(KeyStoreContract, DestroysAgainAndWhatItNeverHad) {
  ASSERT_TRUE(store().EnsureKey(Subject(1)).ok());
  EXPECT_TRUE(store().DestroyKeys(std::vector{Subject(1), Subject(9), Subject(1)}).ok());
  EXPECT_TRUE(store().DestroyKey(Subject(1)).ok());
  EXPECT_TRUE(store().DestroyKeys({}).ok());
  EXPECT_EQ(Reason(store().FindKey(Subject(9)).status()), "key_unknown");
}

TEST_P(KeyStoreContract, GivesANewKeyToASubjectThatComesBack) {
  const Secret old = store().EnsureKey(Subject(1))->secret;
  const std::string sealed = *sealer().Seal(Subject(1), "field", "old");
  ASSERT_TRUE(store().DestroyKey(Subject(1)).ok());
  const StatusOr<SubjectKey> fresh = store().EnsureKey(Subject(1));
  ASSERT_TRUE(fresh.ok());
  EXPECT_EQ(fresh->generation, 2);
  EXPECT_FALSE(fresh->secret == old);
  EXPECT_EQ(OpenReason(sealed), "key_destroyed");
  EXPECT_EQ(OpenReason(*sealer().Seal(Subject(1), "field", "new")), "");
}

TEST_P(KeyStoreContract, OpensNothingOnceTheKeyIsDestroyed) {
  const std::string sealed = *sealer().Seal(Subject(1), "field", "Ana");
  EXPECT_EQ(*sealer().Open(sealed, "field"), "Ana");
  ASSERT_TRUE(store().DestroyKey(Subject(1)).ok());
  EXPECT_EQ(OpenReason(sealed), "key_destroyed");
}

TEST_P(KeyStoreContract, KeepsAKeyForEachPurpose) {
  const HashKey identifier = *store().IdentifierKey();
  EXPECT_EQ(store().IdentifierKey()->bytes, identifier.bytes);
  EXPECT_EQ(store().PurposeKey("identifier")->bytes, identifier.bytes);
  EXPECT_NE(store().PurposeKey("audit")->bytes, identifier.bytes);
  EXPECT_NE(identifier.bytes, HashKey().bytes);
  for (std::string_view bad : {"", "Identifier", "a b", "a_name_that_is_longer_than_32_chars"}) {
    EXPECT_EQ(Reason(store().PurposeKey(bad).status()), "key_purpose") << bad;
  }
}

TEST_P(KeyStoreContract, GivesThreadsThatAskAtOnceTheSameKey) {
  constexpr int kThreads = 8;
  constexpr uint64_t kSubjects = 40;
  std::vector<std::vector<Secret>> seen(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        for (uint64_t j = 0; j < kSubjects; ++j) {
          const StatusOr<SubjectKey> key = store().EnsureKey(Subject(j));
          if (key.ok()) seen[i].push_back(key->secret);
        }
      });
    }
  }
  for (const std::vector<Secret>& keys : seen) {
    ASSERT_EQ(keys.size(), kSubjects);
    for (uint64_t j = 0; j < kSubjects; ++j) EXPECT_TRUE(keys[j] == seen[0][j]);
  }
}

TEST_P(KeyStoreContract, TellsListenersOnceNothingOpensAnyMore) {
  class Ear final : public ErasureListener {
   public:
    explicit Ear(KeyStore& store) : store_(store) {}
    void OnKeysDestroyed(std::span<const SubjectId> subjects) override {
      for (SubjectId subject : subjects) {
        EXPECT_EQ(Reason(store_.FindKey(subject).status()), "key_destroyed");
        heard.push_back(subject);
      }
    }
    std::vector<SubjectId> heard;

   private:
    KeyStore& store_;
  };
  ASSERT_TRUE(store().EnsureKeys(std::vector{Subject(1), Subject(2), Subject(3)}).ok());
  Ear ear(store());
  Ear deaf(store());
  store().Listen(ear);
  store().Listen(deaf);
  store().StopListening(deaf);
  ASSERT_TRUE(store().DestroyKeys(std::vector{Subject(1), Subject(2)}).ok());
  EXPECT_EQ(ear.heard, (std::vector{Subject(1), Subject(2)}));
  EXPECT_TRUE(deaf.heard.empty());
  store().StopListening(ear);
}

TEST_P(KeyStoreContract, DestroysWhileOthersSeal) {
  // Once DestroyKey has returned, nothing that was sealed before its call opens, whatever others
  // cached meanwhile.
  for (int round = 0; round < 10; ++round) {
    const std::string sealed = *sealer().Seal(Subject(1), "field", "Ana");
    std::jthread opener([&](std::stop_token stop) {
      while (!stop.stop_requested()) (void)sealer().Open(sealed, "field");
    });
    std::jthread other([&](std::stop_token stop) {
      for (uint64_t i = 100; !stop.stop_requested(); ++i) (void)store().EnsureKey(Subject(i));
    });
    ASSERT_TRUE(store().DestroyKey(Subject(1)).ok());
    EXPECT_EQ(OpenReason(sealed), "key_destroyed");
  }
}

INSTANTIATE_TEST_SUITE_P(Each, KeyStoreContract,
                         ::testing::Values(Kind{"Memory", false}, Kind{"Stored", true}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hilo::keys
