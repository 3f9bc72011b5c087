#include "connectors/kit/message_token.h"

#include <gtest/gtest.h>

#include <cctype>
#include <string>

#include "ops/base/text_encoding.h"

namespace hilo::kit {
namespace {

HashKey Key(uint8_t fill) {
  HashKey key;
  key.bytes.fill(fill);
  return key;
}

MessageToken Some() {
  return {*CustomerId::FromBytes("cccccccccccccccc"), *MemberId::FromBytes("mmmmmmmmmmmmmmmm"),
          *MessageId::FromBytes("0123456789abcdef"), "marketing"};
}

TEST(MessageToken, NamesWhatItWasMadeOf) {
  const std::string text = MakeToken(Key(1), Some());
  const auto token = ParseToken(Key(1), text);
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->customer, Some().customer);
  EXPECT_EQ(token->member, Some().member);
  EXPECT_EQ(token->message, Some().message);
  EXPECT_EQ(token->purpose, "marketing");
}

TEST(MessageToken, IsRefusedWithAnyCharacterChangedCutOrAdded) {
  const std::string text = MakeToken(Key(1), Some());
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(ParseToken(Key(1), changed).has_value()) << i;
    EXPECT_FALSE(ParseToken(Key(1), text.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(ParseToken(Key(1), text + "A").has_value());
  EXPECT_FALSE(ParseToken(Key(1), std::string(100'000, 'A')).has_value());
  EXPECT_FALSE(ParseToken(Key(1), "").has_value());
}

TEST(MessageToken, IsRefusedUnderAnotherKey) {
  EXPECT_FALSE(ParseToken(Key(2), MakeToken(Key(1), Some())).has_value());
}

TEST(AddressToken, NamesItsMessageInEitherCaseAndFitsALocalPart) {
  const std::string text = MakeAddressToken(Key(1), Some().message);
  std::string upper = text;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_LE(("bounce+" + text).size(), 64u);
  EXPECT_EQ(ParseAddressToken(Key(1), text), Some().message);
  EXPECT_EQ(ParseAddressToken(Key(1), upper), Some().message);
}

TEST(AddressToken, IsRefusedWithAnyDigitChangedCutOrAddedAndUnderAnotherKey) {
  const std::string text = MakeAddressToken(Key(1), Some().message);
  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(ParseAddressToken(Key(1), changed).has_value()) << i;
    EXPECT_FALSE(ParseAddressToken(Key(1), text.substr(0, i)).has_value()) << i;
  }
  EXPECT_FALSE(ParseAddressToken(Key(1), text + "0").has_value());
  EXPECT_FALSE(ParseAddressToken(Key(1), std::string(text.size(), 'x')).has_value());
  EXPECT_FALSE(ParseAddressToken(Key(2), text).has_value());
}

}  // namespace
}  // namespace hilo::kit
