#include "connectors/kit/message_token.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hilo::kit
