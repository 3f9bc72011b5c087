#include "ops/keys/sealer.h"

#include <gtest/gtest.h>

#include <string>

#include "ops/base/metric_names.h"
#include "ops/keys/memory_key_store.h"
#include "tests/unit/ops/keys/key_fixtures.h"

namespace hilo::keys {
namespace {

class SealerTest : public testing::Test {
 protected:
  std::string Seal(SubjectId subject, std::string_view field, std::string_view value) {
    return *sealer_.Seal(subject, field, value);
  }
  std::string OpenReason(std::string_view sealed, std::string_view field) {
    return Reason(sealer_.Open(sealed, field).status());
  }

  MemoryKeyStore keys_;
  Registry registry_;
  Sealer sealer_{keys_, registry_};
};

TEST_F(SealerTest, OpensWhatItSealed) {
  for (const std::string& value :
       {std::string(), std::string("Ana"), std::string("a\0b", 3), std::string(100000, 'x')}) {
    const std::string sealed = Seal(Subject(1), "traits.email", value);
    EXPECT_EQ(sealed.size(), value.size() + Sealer::kOverhead);
    EXPECT_EQ(*sealer_.Open(sealed, "traits.email"), value);
    EXPECT_EQ(Sealer::SubjectOf(sealed), Subject(1));
  }
}

TEST_F(SealerTest, ShowsNothingOfTheValue) {
  const std::string sealed = Seal(Subject(1), "f", "ana@example.org");
  EXPECT_EQ(sealed.find("ana"), std::string::npos);
  EXPECT_NE(sealed, Seal(Subject(1), "f", "ana@example.org"));
}

TEST_F(SealerTest, NoticesEveryChangedBit) {
  const std::string sealed = Seal(Subject(1), "f", "Ana");
  // Flips in the subject name another one, who has no key here; everything else does not hold
  // together.
  for (size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string changed = sealed;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    const bool in_subject = bit / 8 >= 1 && bit / 8 < 17;
    EXPECT_EQ(OpenReason(changed, "f"), in_subject ? "key_unknown" : "seal_broken")
        << "bit " << bit;
  }
}

TEST_F(SealerTest, NoticesEveryCut) {
  const std::string sealed = Seal(Subject(1), "f", "Ana");
  for (size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(OpenReason(sealed.substr(0, size), "f"), "seal_broken") << size;
  }
  EXPECT_EQ(OpenReason(sealed + "x", "f"), "seal_broken");
}

TEST_F(SealerTest, CannotBeMovedToAnotherFieldOrSubject) {
  const std::string sealed = Seal(Subject(1), "email", "Ana");
  EXPECT_EQ(OpenReason(sealed, "phone"), "seal_broken");
  EXPECT_EQ(OpenReason(sealed, "emai"), "seal_broken");
  ASSERT_TRUE(keys_.EnsureKey(Subject(2)).ok());
  std::string moved = sealed;
  moved.replace(1, SubjectId::kSize, Subject(2).Bytes());
  EXPECT_EQ(OpenReason(moved, "email"), "seal_broken");
}

TEST_F(SealerTest, RefusesValuesBeyondItsLimit) {
  EXPECT_TRUE(sealer_.Seal(Subject(1), "f", std::string(Sealer::kMaxValueBytes, 'x')).ok());
  EXPECT_EQ(
      Reason(sealer_.Seal(Subject(1), "f", std::string(Sealer::kMaxValueBytes + 1, 'x')).status()),
      "value_too_large");
}

TEST_F(SealerTest, CountsWhyAValueDidNotOpen) {
  const std::string sealed = Seal(Subject(1), "f", "Ana");
  (void)sealer_.Open(sealed, "g");
  ASSERT_TRUE(keys_.DestroyKey(Subject(1)).ok());
  (void)sealer_.Open(sealed, "f");
  EXPECT_EQ(registry_.Get(metric::kKeysOpenRefused, {"seal_broken"}).Value(), 1u);
  EXPECT_EQ(registry_.Get(metric::kKeysOpenRefused, {"key_destroyed"}).Value(), 1u);
}

}  // namespace
}  // namespace hilo::keys
