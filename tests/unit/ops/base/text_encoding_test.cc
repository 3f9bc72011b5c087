#include "ops/base/text_encoding.h"

#include <gtest/gtest.h>

#include <string>

namespace hilo {
namespace {

TEST(TextEncoding, AgreesWithTheVectorsOfTheRfc) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg");
  EXPECT_EQ(Base64("fo"), "Zm8");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xfb\xff"), "+/8");
  EXPECT_EQ(UrlSafeBase64("\xfb\xff"), "-_8");
  EXPECT_EQ(Hex(std::string("\x00\xff!", 3)), "00ff21");
}

TEST(TextEncoding, ReadsBackWhatItWrote) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    EXPECT_EQ(ParseUrlSafeBase64(UrlSafeBase64(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(TextEncoding, RefusesOtherAlphabets) {
  for (const std::string& text : {std::string("a+b"), std::string("a/b"), std::string("Zg=="),
                                  std::string("a b"), std::string(1, '\0')}) {
    EXPECT_EQ(ParseUrlSafeBase64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hilo
