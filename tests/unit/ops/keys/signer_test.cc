#include "ops/keys/signer.h"

#include <gtest/gtest.h>

namespace hilo::keys {
namespace {

TEST(Signer, SignsWhatItsPublicKeyConfirms) {
  HashKey seed;
  seed.bytes[0] = 7;
  const Signer signer(seed);
  const Signature signature = signer.Sign("head");
  EXPECT_TRUE(IsSignedBy(signer.public_key(), "head", signature));
  EXPECT_FALSE(IsSignedBy(signer.public_key(), "hea", signature));
  EXPECT_EQ(Signer(seed).public_key(), signer.public_key());
  HashKey other;
  EXPECT_FALSE(IsSignedBy(Signer(other).public_key(), "head", signature));
}

TEST(StrongHash, IsThatOfTheJoinedBytes) {
  EXPECT_EQ(StrongHash("ab", "c"), StrongHash("a", "bc"));
  EXPECT_NE(StrongHash("ab", "c"), StrongHash("ab", "d"));
}

}  // namespace
}  // namespace hilo::keys
