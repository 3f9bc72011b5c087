#include "ops/base/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace hilo {
namespace {

// The examples of RFC 3720, appendix B.4.
TEST(Crc32c, IsWhatTheRfcSays) {
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) rising.push_back(static_cast<char>(i));
  for (int i = 31; i >= 0; --i) falling.push_back(static_cast<char>(i));
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(ExtendCrc32c(0, std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(ExtendCrc32c(0, rising), 0x46dd794eu);
  EXPECT_EQ(ExtendCrc32c(0, falling), 0x113fdb5cu);
  EXPECT_EQ(ExtendCrc32c(0, "123456789"), 0xe3069283u);
}

TEST(Crc32c, GoesOnWhereverItWasCut) {
  std::string bytes;
  for (int i = 0; i < 100; ++i) bytes.push_back(static_cast<char>(i * 37));
  const uint32_t whole = ExtendCrc32c(0, bytes);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    EXPECT_EQ(ExtendCrc32c(ExtendCrc32c(0, bytes.substr(0, cut)), bytes.substr(cut)), whole) << cut;
  }
  EXPECT_EQ(ExtendCrc32c(whole, ""), whole);
}

}  // namespace
}  // namespace hilo
