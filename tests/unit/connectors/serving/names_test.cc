#include "connectors/serving/names.h"

#include <gtest/gtest.h>

namespace hilo::serving {
namespace {

constexpr char kHex[] = "00112233445566778899aabbccddeeff";

TEST(Names, RoundTrip) {
  const auto id = CustomerId::FromHex(kHex);
  ASSERT_TRUE(id.has_value());
  const std::string name = CustomerName(id->Bytes());
  EXPECT_EQ(name, std::string("customers/") + kHex);
  const auto parsed = ParseCustomer(name, "customer");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, *id);
}

TEST(Names, ChildrenNameTheirCustomer) {
  const std::string name = std::string("customers/") + kHex + "/facts/" + kHex;
  const auto child = ParseChild(name, "facts", "fact");
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(child->customer.Hex(), kHex);
  EXPECT_EQ(ChildName<FactId>(child->customer.Bytes(), "facts", child->id), name);
}

TEST(Names, RefusesOtherForms) {
  for (const std::string name :
       {"", "customers/", "customers/zz112233445566778899aabbccddeeff",
        "customer/00112233445566778899aabbccddeeff", "customers/00112233445566778899aabbccddeeff0",
        "customers/00112233445566778899aabbccddeeff/facts"}) {
    const auto parsed = ParseCustomer(name, "customer");
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(Reason(parsed.status()), "name_invalid");
    EXPECT_FALSE(ParseChild(name, "facts", "fact").ok()) << name;
  }
  EXPECT_FALSE(
      ParseChild(std::string("customers/") + kHex + "/cases/" + kHex, "facts", "fact").ok());
}

TEST(PageSize, FollowsTheConvention) {
  EXPECT_EQ(*PageSize(0, 20, 100), 20u);
  EXPECT_EQ(*PageSize(7, 20, 100), 7u);
  EXPECT_EQ(*PageSize(10'000'000, 20, 100), 100u);
  EXPECT_EQ(Reason(PageSize(-1, 20, 100).status()), "page_size_invalid");
}

TEST(PageToken, IsOpaqueAndBoundToItsRequest) {
  const std::string place("\x00\xff\x10 place", 9);
  const std::string token = MakePageToken("timeline of a", place);
  EXPECT_EQ(
      token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
      std::string::npos);
  EXPECT_EQ(*ParsePageToken(token, "timeline of a"), place);
  EXPECT_EQ(*ParsePageToken("", "timeline of a"), "");
  for (const std::string& bad :
       {token + "!", token.substr(0, 3), std::string("garbage"), std::string(1, '\0')}) {
    EXPECT_EQ(Reason(ParsePageToken(bad, "timeline of a").status()), "page_token_invalid");
  }
  EXPECT_EQ(Reason(ParsePageToken(token, "timeline of b").status()), "page_token_invalid");
}

}  // namespace
}  // namespace hilo::serving
