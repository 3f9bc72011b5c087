#include "streams/identity/lookup.h"

#include <gtest/gtest.h>

#include "streams/identity/keys.h"
#include "world.h"

namespace hilo::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

IdentifierHash HashOfText(const std::string& text) {
  return *IdentifierHash::FromBytes(BytesOf(text));
}
GroupId Group(const std::string& text) { return *GroupId::FromBytes(BytesOf(text)); }

TEST(Lookup, FindsNobodyByWhatWasNeverSeen) {
  World world;
  for (const uint32_t kind : {0u, 1u, 6u, 257u}) {
    const auto found = FindByIdentifier(world.store(), kind, HashOfText("user u1"));
    ASSERT_TRUE(found.ok());
    EXPECT_FALSE(found->has_value());
  }
}

TEST(Lookup, FindsByKindAndHashOnly) {
  World world;
  const CustomerId customer = world.CustomerOf({"email ana@x"});
  EXPECT_EQ(world.Find("email ana@x")->place,
            (Place{.member = BirthMember(customer), .customer = customer}));
  const auto other_kind = FindByIdentifier(world.store(), kPhone, HashOfText("email ana@x"));
  EXPECT_FALSE(other_kind->has_value());
}

TEST(Lookup, AMemberOfACustomerThatMovedIsFoundAtItsNewCustomer) {
  World world;
  const CustomerId young = world.CustomerOf({"email ana@x"});
  const CustomerId elder = world.CustomerOf({"phone 1"});
  world.CustomerOf({"email ana@x", "phone 1"});
  CustomerState row = *DecodeCustomer(**world.store().Get(CustomerKey(young)));
  row.moved_to = elder;
  std::unique_ptr<store::Batch> batch = world.store().NewBatch();
  batch->Put(CustomerKey(young), EncodeCustomer(row));
  ASSERT_TRUE(world.store().Write(std::move(batch)).ok());
  world.Restart();

  EXPECT_EQ(world.Find("email ana@x")->place,
            (Place{.member = BirthMember(young), .customer = elder}));
  // What it was seen with has become its own customer.
  EXPECT_THAT(world.Find("phone 1")->seen_with, IsEmpty());
  EXPECT_EQ(world.CustomerOf({"email ana@x"}), elder);
  EXPECT_FALSE(FindMember(world.store(), *MemberId::FromBytes(BytesOf("nobody")))->has_value());
}

TEST(Lookup, SharedIdentifiersTellWithWhomTheyWereSeen) {
  World world;
  const CustomerId one = world.CustomerOf({"user u1", "anon tablet"});
  const CustomerId two = world.CustomerOf({"user u2", "anon tablet"});
  auto found = world.Find("anon tablet");
  EXPECT_TRUE(found->shared);
  EXPECT_FALSE(found->home.has_value());
  EXPECT_THAT(found->seen_with, ElementsAre(one, two));
  const CustomerId home = world.CustomerOf({"anon tablet"});
  EXPECT_EQ(world.Find("anon tablet")->home->customer, home);
}

TEST(Lookup, GroupsComeInPages) {
  World world;
  std::set<CustomerId> want;
  for (int i = 0; i < 25; ++i) {
    const std::string n = std::to_string(i);
    const auto told = world.Accepted(
        {.id = n, .identifiers = {"user " + n}, .groups = {{"household", "h", "r" + n}}});
    want.insert(*CustomerId::FromBytes(told.customer()));
  }
  world.Accepted(
      {.id = "other", .identifiers = {"user o"}, .groups = {{"household", "other", ""}}});

  std::set<CustomerId> found;
  std::optional<MemberId> after;
  std::vector<size_t> sizes;
  do {
    const StatusOr<GroupPage> page = FindByGroup(world.store(), Group("household h"), after, 10);
    ASSERT_TRUE(page.ok());
    sizes.push_back(page->members.size());
    for (const GroupMember& member : page->members)
      EXPECT_TRUE(found.insert(member.place.customer).second);
    after = page->next;
  } while (after);
  EXPECT_THAT(sizes, ElementsAre(10, 10, 5));
  EXPECT_EQ(found, want);
  // A last page that is full has no next one.
  EXPECT_FALSE(
      FindByGroup(world.store(), Group("household h"), std::nullopt, 25)->next.has_value());
  EXPECT_THAT(FindByGroup(world.store(), Group("household none"), std::nullopt, 10)->members,
              IsEmpty());
}

TEST(Lookup, SuggestionsComeOldestFirst) {
  World world;
  const CustomerId user = world.CustomerOf({"user u1"});
  for (int i = 0; i < 12; ++i) world.CustomerOf({"email " + std::to_string(i)});
  for (int i = 11; i >= 0; --i) world.CustomerOf({"user u1", "email " + std::to_string(i)});
  const auto suggestions = world.Suggestions(user);
  ASSERT_THAT(suggestions, SizeIs(12));
  for (size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(suggestions[i].offset, static_cast<int64_t>(13 + i));
    EXPECT_EQ(suggestions[i].row.identifier(), BytesOf("email " + std::to_string(11 - i)));
  }
  EXPECT_THAT(world.Suggestions(*CustomerId::FromBytes(BytesOf("nobody"))), IsEmpty());
}

TEST(Lookup, ARowThatCannotBeReadIsAnError) {
  World world;
  world.CustomerOf({"user u1"});
  const auto put = [&](const std::string& key, std::string_view value) {
    std::unique_ptr<store::Batch> batch = world.store().NewBatch();
    batch->Put(key, value);
    ASSERT_TRUE(world.store().Write(std::move(batch)).ok());
  };
  const std::string key = IdentifierKey({.kind = kUserId, .hash = HashOfText("user u1")});
  const auto reason = [&] {
    return Reason(FindByIdentifier(world.store(), kUserId, HashOfText("user u1")).status());
  };
  put(key, "\x02");
  EXPECT_EQ(reason(), "schema_unknown");
  put(key,
      "\x01\x0a\x03"
      "abc");  // a member of 3 bytes
  EXPECT_EQ(reason(), "undecodable");
  IdentifierState nowhere;
  nowhere.member = *MemberId::FromBytes(BytesOf("nobody"));
  put(key, EncodeIdentifier(nowhere));
  EXPECT_EQ(reason(), "undecodable");
}

}  // namespace
}  // namespace hilo::identity
