#include <gtest/gtest.h>

#include "streams/identity/keys.h"
#include "world.h"

// Bytes that are stored and ids that others remember: they may never change. A vector that fails
// means that states and logs written before can no longer be read.
namespace hilo::identity {
namespace {

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : bytes) {
    hex += kDigits[static_cast<uint8_t>(c) >> 4];
    hex += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

// 16 bytes that count up from `first`.
template <typename T>
T Counting(uint8_t first) {
  std::string bytes;
  for (uint8_t i = 0; i < 16; ++i) bytes.push_back(static_cast<char>(first + i));
  return *T::FromBytes(bytes);
}

TEST(Golden, CustomerIds) {
  const HashKey key = TestKey();
  HashKey zero;
  EXPECT_EQ(CustomerIdAt(key, {"events", 0}, 0, 0).Hex(), "2d78a70e5ae8f0626874b05c7d6cd6bd");
  EXPECT_EQ(CustomerIdAt(key, {"events", 0}, 1, 0).Hex(), "dd0515845e00e926793e271958519b59");
  EXPECT_EQ(CustomerIdAt(key, {"events", 0}, 0, 1).Hex(), "8d3c509762372cec1c270c2b0a18385d");
  EXPECT_EQ(CustomerIdAt(key, {"events", 1}, 0, 0).Hex(), "02c92c167a04626a8db2595acfdc98aa");
  EXPECT_EQ(CustomerIdAt(key, {"brand.events", 0}, int64_t{1} << 40, 0).Hex(),
            "569ba0c7a177252ee69ee404e3ffd406");
  EXPECT_EQ(CustomerIdAt(zero, {"events", 0}, 0, 0).Hex(), "9eb45077f390cd352e025d350cc680b8");
}

TEST(Golden, Keys) {
  const auto customer = Counting<CustomerId>(0x10);
  const auto other = Counting<CustomerId>(0x40);
  EXPECT_EQ(Hex(IdentifierKey({.kind = kEmail, .hash = Counting<IdentifierHash>(0)})),
            "1002000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(Hex(CustomerKey(customer)), "11101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(Hex(EventIdKey(Counting<EventId>(0x20))), "12202122232425262728292a2b2c2d2e2f");
  EXPECT_EQ(Hex(EventIdHourKey({.hour = 490'896, .group = 3})),
            "138000000000077d900000000000000003");
  EXPECT_EQ(Hex(EventIdHourKey({.hour = -1, .group = 0})), "137fffffffffffffff0000000000000000");
  EXPECT_EQ(Hex(SuggestionKey(0x0102030405, 7)), "14000000010203040500000007");
  EXPECT_EQ(Hex(GroupMemberKey(Counting<GroupId>(0x50), BirthMember(customer))),
            "16505152535455565758595a5b5c5d5e5f101112131415161718191a1b1c1d1e1f");
  EXPECT_EQ(Hex(SuggestionPairKey(customer, other)),
            "17101112131415161718191a1b1c1d1e1f404142434445464748494a4b4c4d4e4f");
}

TEST(Golden, Rows) {
  IdentifierState identifier;
  identifier.member = Counting<MemberId>(0x10);
  identifier.first_micros = 5;
  identifier.last_micros = 300;
  identifier.weak = true;
  identifier.seen_with = {Counting<CustomerId>(0x40)};
  const std::string bytes = EncodeIdentifier(identifier);
  EXPECT_EQ(
      Hex(bytes),
      "010a10101112131415161718191a1b1c1d1e1f100518ac023210404142434445464748494a4b4c4d4e4f3801");
  EXPECT_EQ(*DecodeIdentifier(bytes), identifier);

  CustomerState customer;
  customer.birth = 9;
  customer.members = {Counting<MemberId>(0x10)};
  customer.strong = Counting<IdentifierHash>(0x20);
  customer.moved_to = Counting<CustomerId>(0x30);
  customer.suggestions = 2;
  customer.Tally(kUserId, false).count = 1;
  customer.Tally(kAnonymousId, false) = {.count = 4, .this_week = 3, .week = 2'922};
  customer.Tally(kEmail, true).count = 1;
  const std::string row = EncodeCustomer(customer);
  EXPECT_EQ(
      Hex(row),
      "0108091210101112131415161718191a1b1c1d1e1f1a10202122232425262728292a2b2c2d2e2f220408011001"
      "2206080210012801220908041004180320ea162a10303132333435363738393a3b3c3d3e3f3002");
  EXPECT_EQ(*DecodeCustomer(row), customer);
}

// A whole event: rows and what is sent, as one digest.
TEST(Golden, OneEvent) {
  World world;
  world.Accepted({.id = "e1",
                  .identifiers = {"user u1", "email ana@x", "anon a1"},
                  .groups = {{"company", "acme", "buyer"}}});
  std::string all;
  for (const auto& [key, value] : *world.store().AllRows()) all += key + value;
  all += world.emitted()[0].to.topic + std::to_string(world.emitted()[0].to.partition);
  all += fold::Encode(world.emitted()[0].record);
  EXPECT_EQ(Hex(BytesOf(all)), "c2149c25e9a72760ce8be0e4082fbb86");
}

}  // namespace
}  // namespace hilo::identity
