#include "streams/identity/identity_fold.h"

#include <gtest/gtest.h>

#include "state/types/bucket.h"
#include "world.h"

namespace hilo::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<uint32_t> Bound(const store::v1::CustomerEvent& told) {
  return {told.bound().begin(), told.bound().end()};
}
CustomerId Customer(const store::v1::CustomerEvent& told) {
  return *CustomerId::FromBytes(told.customer());
}

// ---- who begins, who is linked

TEST(IdentityFold, BeginsACustomerWhenNothingIsKnown) {
  World world;
  world.Accepted({.id = "before", .identifiers = {"anon other"}});
  const auto told = world.Accepted({.id = "e1", .identifiers = {"anon a1", "email ana@x"}});
  EXPECT_TRUE(told.begins());
  EXPECT_EQ(Customer(told), CustomerIdAt(TestKey(), {"events", 0}, 1, 0));
  EXPECT_EQ(told.member(), told.customer());
  EXPECT_EQ(told.identity_offset(), 1);
  EXPECT_THAT(Bound(told), ElementsAre(0, 1));
}

TEST(IdentityFold, SendsTheEventUnchangedToTheCustomersPartition) {
  World world(256);
  // Bytes that no serialiser of ours would write: an unknown field and the fields out of order.
  store::v1::Event event = EventOf({.id = "e1", .identifiers = {"user u1"}});
  std::string bytes =
      "\x3a\x03"
      "xyz";
  bytes += event.SerializeAsString();
  bytes +=
      "\xc2\x3e\x02"
      "ok";
  store::v1::Record record;
  record.set_event(bytes);
  ASSERT_TRUE(world.Apply(record).ok());
  ASSERT_THAT(world.emitted(), SizeIs(1));
  const Emission& sent = world.emitted()[0];
  EXPECT_EQ(sent.record.customer_event().event(), bytes);
  EXPECT_EQ(sent.to.topic, "customers");
  EXPECT_EQ(sent.to.partition, PartitionOf(Customer(sent.record.customer_event()), 256));
}

TEST(IdentityFold, LinksTheUnknownBesideTheKnown) {
  World world;
  const auto first = world.Accepted({.id = "e1", .identifiers = {"anon a1"}});
  const auto second =
      world.Accepted({.id = "e2", .identifiers = {"email ana@x", "anon a1", "phone 1"}});
  EXPECT_FALSE(second.begins());
  EXPECT_EQ(Customer(second), Customer(first));
  EXPECT_THAT(Bound(second), ElementsAre(0, 1, 2));
  EXPECT_EQ(world.CustomerOf({"phone 1"}), Customer(first));
}

TEST(IdentityFold, TheStrongestKnownIdentifierTakesTheNewOnesIn) {
  World world;
  const CustomerId by_mail = world.CustomerOf({"email ana@x"});
  const CustomerId by_phone = world.CustomerOf({"phone 1"});
  const CustomerId by_user = world.CustomerOf({"user u1"});
  ASSERT_NE(by_mail, by_phone);
  // E-mail before telephone, both medium; a user id before both; whatever their order in the event.
  EXPECT_EQ(world.CustomerOf({"phone 1", "anon new1", "email ana@x"}), by_mail);
  EXPECT_EQ(world.Find("anon new1")->place->customer, by_mail);
  EXPECT_EQ(world.CustomerOf({"anon new2", "phone 1", "email ana@x", "user u1"}), by_user);
  EXPECT_EQ(world.Find("anon new2")->place->customer, by_user);
}

TEST(IdentityFold, TiesAreBrokenByHashNotByOrder) {
  for (const bool swapped : {false, true}) {
    World world;
    const CustomerId one = world.CustomerOf({"email one"});
    const CustomerId two = world.CustomerOf({"email two"});
    const CustomerId lower = BytesOf("email one") < BytesOf("email two") ? one : two;
    EXPECT_EQ(world.CustomerOf(swapped ? std::vector<std::string>{"email two", "email one"}
                                       : std::vector<std::string>{"email one", "email two"}),
              lower);
  }
}

TEST(IdentityFold, TheSameIdentifierTwiceIsOne) {
  World world;
  const auto told =
      world.Accepted({.id = "e1", .identifiers = {"user u1", "user u1", "anon a", "anon a"}});
  EXPECT_THAT(Bound(told), ElementsAre(0, 2));
  EXPECT_THAT(told.suggestions(), IsEmpty());
}

TEST(IdentityFold, ANewUserIdBesideAnothersEmailBeginsACustomer) {
  World world;
  const CustomerId first = world.CustomerOf({"user u1", "email family@x"});
  const auto told = world.Accepted({.id = "e2", .identifiers = {"user u2", "email family@x"}});
  EXPECT_NE(Customer(told), first);
  EXPECT_THAT(Bound(told), ElementsAre(0));
  ASSERT_THAT(told.suggestions(), SizeIs(1));
  EXPECT_EQ(told.suggestions(0).reason(), "strong_conflict");
  EXPECT_EQ(told.suggestions(0).other(), first.Bytes());
  EXPECT_FALSE(world.Find("email family@x")->shared);
  EXPECT_THAT(world.Find("email family@x")->seen_with, ElementsAre(Customer(told)));
}

TEST(IdentityFold, ANewUserIdBesideAnothersCookieSharesTheCookie) {
  World world;
  const CustomerId first = world.CustomerOf({"user u1", "anon tablet"});
  const auto told = world.Accepted({.id = "e2", .identifiers = {"user u2", "anon tablet"}});
  EXPECT_NE(Customer(told), first);
  ASSERT_THAT(told.suggestions(), SizeIs(1));
  EXPECT_EQ(told.suggestions(0).reason(), "weak_identifier_shared");
  const auto tablet = world.Find("anon tablet");
  EXPECT_TRUE(tablet->shared);
  EXPECT_FALSE(tablet->place.has_value());
  EXPECT_THAT(tablet->seen_with, ElementsAre(first, Customer(told)));
  // It links nobody any more.
  EXPECT_NE(world.CustomerOf({"user u3", "anon tablet"}), first);
  EXPECT_EQ(world.CustomerOf({"user u1", "anon tablet"}), first);
}

TEST(IdentityFold, TwoNewUserIdsOnOneVisitorsCookiesStayTwo) {
  World world;
  const CustomerId visitor = world.CustomerOf({"anon a1", "anon a2"});
  EXPECT_EQ(world.CustomerOf({"user u1", "anon a1"}), visitor);
  EXPECT_NE(world.CustomerOf({"user u2", "anon a2"}), visitor);
}

TEST(IdentityFold, AWeakIdentifierDoesNotCarryANewEmailToSomeoneKnown) {
  World world;
  const CustomerId first = world.CustomerOf({"email one@x", "device d1"});
  const auto told = world.Accepted({.id = "e2", .identifiers = {"email two@x", "device d1"}});
  EXPECT_NE(Customer(told), first);
  EXPECT_TRUE(world.Find("device d1")->shared);
}

TEST(IdentityFold, AWeakIdentifierCarriesAnotherWeakOneToSomeoneKnown) {
  World world;
  const CustomerId first = world.CustomerOf({"email one@x", "device d1"});
  EXPECT_EQ(world.CustomerOf({"anon a1", "device d1"}), first);
}

TEST(IdentityFold, ARoleAddressIsWeak) {
  World world;
  const CustomerId first = world.CustomerOf({"user u1", "weak email info@x"});
  EXPECT_NE(world.CustomerOf({"user u2", "weak email info@x"}), first);
  EXPECT_TRUE(world.Find("email info@x")->shared);
  // It does not make its customer known either: the visitor's address comes to the visitor.
  World other;
  const CustomerId visitor = other.CustomerOf({"weak email info@x", "anon a1"});
  EXPECT_EQ(other.CustomerOf({"email ana@x", "anon a1"}), visitor);
  EXPECT_FALSE(other.Find("anon a1")->shared);
}

TEST(IdentityFold, ARoleAddressStaysWeakWithoutItsFlag) {
  World world;
  const CustomerId first = world.CustomerOf({"user u1", "weak email info@x"});
  EXPECT_NE(world.CustomerOf({"phone 2", "email info@x"}), first);
  EXPECT_TRUE(world.Find("email info@x")->shared);
}

// ---- two known customers meet

TEST(IdentityFold, TwoKnownCustomersAreSuggestedAndNeverMerged) {
  World world;
  const CustomerId mail = world.CustomerOf({"email ana@x"});
  const CustomerId phone = world.CustomerOf({"phone 1"});
  const auto told = world.Accepted({.id = "both", .identifiers = {"email ana@x", "phone 1"}});
  EXPECT_EQ(Customer(told), mail);
  EXPECT_THAT(Bound(told), ElementsAre(0));
  ASSERT_THAT(told.suggestions(), SizeIs(1));
  EXPECT_EQ(told.suggestions(0).other(), phone.Bytes());
  EXPECT_EQ(told.suggestions(0).reason(), "identifiers_meet");
  EXPECT_EQ(told.suggestions(0).identifier_kind(), kPhone);
  EXPECT_EQ(world.CustomerOf({"phone 1"}), phone);

  const auto suggestions = world.Suggestions(phone);
  ASSERT_THAT(suggestions, SizeIs(1));
  EXPECT_EQ(suggestions[0].offset, 2);
  EXPECT_EQ(suggestions[0].index, 0u);
  EXPECT_EQ(suggestions[0].row.customer(), mail.Bytes());
  EXPECT_EQ(suggestions[0].row.other(), phone.Bytes());
  EXPECT_EQ(suggestions[0].row.identifier(), BytesOf("phone 1"));
  EXPECT_EQ(suggestions[0].row.event_id(), BytesOf("event both"));
  EXPECT_THAT(world.Suggestions(mail), SizeIs(1));
}

TEST(IdentityFold, TellsTheOtherCustomerInItsOwnPartition) {
  World world(256);
  const CustomerId mail = world.CustomerOf({"email ana@x"});
  const CustomerId phone = world.CustomerOf({"phone 1"});
  world.Accepted({.id = "both", .identifiers = {"email ana@x", "phone 1"}, .micros = kNewYear + 5});
  ASSERT_THAT(world.emitted(), SizeIs(2));
  const store::v1::CustomerEvent& note = world.emitted()[1].record.customer_event();
  EXPECT_EQ(world.emitted()[1].to.partition, PartitionOf(phone, 256));
  EXPECT_EQ(Customer(note), phone);
  EXPECT_EQ(note.member(), phone.Bytes());
  EXPECT_TRUE(note.event().empty());
  EXPECT_FALSE(note.begins());
  EXPECT_EQ(note.event_micros(), kNewYear + 5);
  EXPECT_EQ(note.identity_offset(), 2);
  ASSERT_THAT(note.suggestions(), SizeIs(1));
  EXPECT_EQ(note.suggestions(0).other(), mail.Bytes());
  EXPECT_EQ(note.suggestions(0).index(), 0u);
}

TEST(IdentityFold, APairIsSuggestedOnce) {
  World world;
  const CustomerId mail = world.CustomerOf({"email ana@x", "email ana@y"});
  world.CustomerOf({"phone 1", "phone 2"});
  world.CustomerOf({"email ana@x", "phone 1"});
  world.Restart();
  // Again, by another identifier, and the other way round.
  for (const auto& identifiers :
       std::vector<std::vector<std::string>>{{"email ana@x", "phone 1"},
                                             {"email ana@y", "phone 2"},
                                             {"email ana@x", "phone 2", "anon new"}}) {
    world.context().emitted.clear();
    world.CustomerOf(identifiers);
    EXPECT_THAT(world.emitted(), SizeIs(1));
  }
  EXPECT_THAT(world.Suggestions(mail), SizeIs(1));
  EXPECT_EQ(world.RowsIn(store::Table::kSuggestion), 1u);
}

TEST(IdentityFold, OneEventMaySuggestSeveralPairs) {
  World world;
  const CustomerId user = world.CustomerOf({"user u1"});
  world.CustomerOf({"email e"});
  world.CustomerOf({"phone 1"});
  const auto told = world.Accepted({.id = "all", .identifiers = {"user u1", "email e", "phone 1"}});
  ASSERT_THAT(told.suggestions(), SizeIs(2));
  EXPECT_EQ(told.suggestions(0).index(), 0u);
  EXPECT_EQ(told.suggestions(1).index(), 1u);
  EXPECT_THAT(world.emitted(), SizeIs(3));
  EXPECT_THAT(world.Suggestions(user), SizeIs(2));
}

TEST(IdentityFold, AVisitorWhoSignsInAsSomeoneKnownIsSuggested) {
  World world;
  const CustomerId visitor = world.CustomerOf({"anon a1"});
  const CustomerId user = world.CustomerOf({"user u1"});
  const auto told = world.Accepted({.id = "sign in", .identifiers = {"user u1", "anon a1"}});
  EXPECT_EQ(Customer(told), user);
  ASSERT_THAT(told.suggestions(), SizeIs(1));
  EXPECT_EQ(told.suggestions(0).reason(), "identifiers_meet");
  EXPECT_EQ(world.CustomerOf({"anon a1"}), visitor);
  EXPECT_FALSE(world.Find("anon a1")->shared);
  // A second known customer on it makes it shared.
  world.CustomerOf({"user u2"});
  EXPECT_EQ(world.Accepted({.id = "other", .identifiers = {"user u2", "anon a1"}})
                .suggestions(0)
                .reason(),
            "weak_identifier_shared");
  EXPECT_TRUE(world.Find("anon a1")->shared);
}

TEST(IdentityFold, SuggestionsOfOneCustomerAreBounded) {
  World world;
  const CustomerId login = world.CustomerOf({"user shop"});
  for (uint32_t i = 0; i < kSuggestionsPerCustomer + 5; ++i) {
    const std::string mail = "email " + std::to_string(i);
    world.CustomerOf({mail});
    world.context().emitted.clear();
    EXPECT_EQ(world.CustomerOf({"user shop", mail}), login);
    EXPECT_THAT(world.emitted(), SizeIs(i < kSuggestionsPerCustomer ? 2 : 1));
  }
  EXPECT_THAT(world.Suggestions(login), SizeIs(kSuggestionsPerCustomer));
  EXPECT_EQ(world.Counted(metric::kIdentityNotSuggested), 5u);
}

TEST(IdentityFold, SuggestionsOfTheOtherCustomerAreBoundedToo) {
  World world;
  // Ten telephones, so that none is seen with too many.
  std::vector<std::string> phones;
  for (int i = 0; i < 10; ++i) phones.push_back("phone " + std::to_string(i));
  const CustomerId office = world.CustomerOf(phones);
  for (uint32_t i = 0; i < kSuggestionsPerCustomer + 5; ++i) {
    const std::string user = "user " + std::to_string(i);
    const CustomerId caller = world.CustomerOf({user});
    world.CustomerOf({user, phones[i % 10]});
    EXPECT_THAT(world.Suggestions(caller), SizeIs(i < kSuggestionsPerCustomer ? 1 : 0));
  }
  EXPECT_THAT(world.Suggestions(office), SizeIs(kSuggestionsPerCustomer));
}

// ---- shared identifiers

TEST(IdentityFold, OnlySharedIdentifiersBelongToAHomeOfTheirOwn) {
  World world;
  const CustomerId one = world.CustomerOf({"user u1", "anon tablet"});
  const CustomerId two = world.CustomerOf({"user u2", "anon tablet"});
  const auto told = world.Accepted({.id = "e3", .identifiers = {"anon tablet"}});
  EXPECT_TRUE(told.begins());
  EXPECT_NE(Customer(told), one);
  EXPECT_NE(Customer(told), two);
  EXPECT_THAT(Bound(told), IsEmpty());
  const auto again = world.Accepted({.id = "e4", .identifiers = {"anon tablet"}});
  EXPECT_FALSE(again.begins());
  EXPECT_EQ(Customer(again), Customer(told));
  EXPECT_EQ(world.Find("anon tablet")->home->customer, Customer(told));
  // The home takes nothing in.
  const CustomerId three = world.CustomerOf({"user u3", "anon tablet"});
  EXPECT_NE(three, Customer(told));
  const CustomerId visitor = world.CustomerOf({"anon new", "anon tablet"});
  EXPECT_NE(visitor, Customer(told));
}

TEST(IdentityFold, AMediumIdentifierOfManyBecomesShared) {
  World world;
  world.CustomerOf({"user own", "email sales@x"});
  for (size_t i = 0; i < kCustomersPerIdentifier; ++i) {
    world.CustomerOf({"user " + std::to_string(i), "email sales@x"});
    EXPECT_FALSE(world.Find("email sales@x")->shared) << i;
  }
  world.CustomerOf({"user one more", "email sales@x"});
  EXPECT_TRUE(world.Find("email sales@x")->shared);
  EXPECT_THAT(world.Find("email sales@x")->seen_with, SizeIs(kCustomersPerIdentifier));
  EXPECT_EQ(world.Counted(metric::kIdentityShared), 1u);
}

TEST(IdentityFold, AnIdentifierSharedByAHundredThousandCostsNoMore) {
  World world;
  int most = 0;
  for (int i = 0; i < 100'000; ++i) {
    world.context().gets = world.context().changes = 0;
    world.context().emitted.clear();
    const std::string n = std::to_string(i);
    ASSERT_TRUE(
        world.Apply({.id = n, .identifiers = {"user " + n, "anon kiosk", "email all@x"}}).ok());
    most = std::max(most, world.context().gets + world.context().changes);
  }
  EXPECT_LE(most, 20);
  EXPECT_TRUE(world.Find("anon kiosk")->shared);
  EXPECT_TRUE(world.Find("email all@x")->shared);
  for (const auto& [key, value] : *world.store().AllRows()) ASSERT_LT(value.size(), 2'000u);
}

// ---- limits

TEST(IdentityFold, FiveNewWeakIdentifiersAWeekAndKind) {
  World world;
  const CustomerId customer = world.CustomerOf({"user u1"});
  for (int i = 0; i < 7; ++i) world.CustomerOf({"user u1", "anon " + std::to_string(i)});
  EXPECT_TRUE(world.Find("anon 4").has_value());
  EXPECT_FALSE(world.Find("anon 5").has_value());
  EXPECT_EQ(world.NotLinked("weekly_limit"), 2u);
  // The event of the sixth still belonged to the customer; another kind has its own limit; role
  // addresses too.
  EXPECT_EQ(world.CustomerOf({"user u1", "anon 5"}), customer);
  world.CustomerOf({"user u1", "device 1", "weak email info@x"});
  EXPECT_TRUE(world.Find("device 1").has_value());
  EXPECT_TRUE(world.Find("email info@x").has_value());
  // The week ends by log time, whatever the event says.
  world.SetNow(kNewYear + 7 * kDay - 1);
  world.CustomerOf({"user u1", "anon 5"});
  EXPECT_FALSE(world.Find("anon 5").has_value());
  world.SetNow(kNewYear + 7 * kDay);
  world.CustomerOf({"user u1", "anon 5"});
  EXPECT_EQ(world.Find("anon 5")->place->customer, customer);
}

TEST(IdentityFold, FiftyIdentifiersAndTheStrongOneStillFits) {
  World world;
  const CustomerId customer = world.CustomerOf({"email 0"});
  for (uint32_t i = 1; i < kIdentifiersPerCustomer; ++i)
    world.CustomerOf({"email 0", "email " + std::to_string(i)});
  EXPECT_TRUE(world.Find("email 49").has_value());
  EXPECT_EQ(world.NotLinked("merge_limit"), 0u);
  const auto told = world.Accepted({.id = "beyond", .identifiers = {"email 50", "email 0"}});
  EXPECT_EQ(Customer(told), customer);
  EXPECT_THAT(Bound(told), ElementsAre(1));
  EXPECT_FALSE(world.Find("email 50").has_value());
  EXPECT_EQ(world.NotLinked("merge_limit"), 1u);
  EXPECT_THAT(told.suggestions(), IsEmpty());
  EXPECT_EQ(world.CustomerOf({"user u1", "email 0"}), customer);
  EXPECT_EQ(world.Find("user u1")->place->customer, customer);
}

TEST(IdentityFold, ARingOfTenThousandLinksStaysBounded) {
  World world;
  constexpr int kRing = 10'000;
  int most = 0;
  for (int i = 0; i <= kRing; ++i) {
    world.context().gets = world.context().changes = 0;
    const auto name = [](int at) { return "email " + std::to_string(at % kRing); };
    ASSERT_TRUE(world.Apply({.id = std::to_string(i), .identifiers = {name(i), name(i + 1)}}).ok());
    most = std::max(most, world.context().gets + world.context().changes);
  }
  EXPECT_LE(most, 20);
  EXPECT_GT(world.NotLinked("merge_limit"), 100u);
  // About fifty a customer, and none has more.
  std::map<CustomerId, int> sizes;
  for (int i = 0; i < kRing; ++i)
    ++sizes[world.Find("email " + std::to_string(i))->place->customer];
  for (const auto& [customer, size] : sizes)
    ASSERT_LE(size, static_cast<int>(kIdentifiersPerCustomer));
  EXPECT_GE(sizes.size(), 200u);
  EXPECT_LE(sizes.size(), 210u);
}

// ---- event ids and time

TEST(IdentityFold, ARepeatIsDroppedAndCounted) {
  World world;
  world.Accepted({.id = "e1", .identifiers = {"user u1"}});
  world.context().emitted.clear();
  const int changes = world.context().changes;
  // Even when its strongest identifier changed.
  ASSERT_TRUE(world.Apply({.id = "e1", .identifiers = {"anon a1"}}).ok());
  EXPECT_THAT(world.emitted(), IsEmpty());
  EXPECT_EQ(world.context().changes, changes);
  EXPECT_EQ(world.Counted(metric::kIdentityDuplicates), 1u);
}

TEST(IdentityFold, Refuses) {
  const struct {
    const char* what;
    EventSpec event;
    const char* reason;
  } kCases[] = {
      {"a known id with another body",
       {.id = "known", .identifiers = {"user u1"}, .body = "other"},
       "event_id_conflict"},
      {"two user ids", {.id = "e", .identifiers = {"user u1", "user u2"}}, "strong_conflict"},
      {"two user ids, one unknown",
       {.id = "e", .identifiers = {"user u9", "anon a", "user u1"}},
       "strong_conflict"},
      {"nobody", {.id = "e"}, "identifier_missing"},
      {"older than 7 days",
       {.id = "e", .identifiers = {"user u1"}, .micros = kNewYear - 7 * kDay - 1},
       "event_too_late"},
      {"as old as may be",
       {.id = "e", .identifiers = {"user u1"}, .micros = kNewYear - 7 * kDay},
       ""},
      {"an old one that is known", {.id = "known", .identifiers = {"user u1"}, .micros = 0}, ""},
      {"year 0", {.id = "e", .identifiers = {"user u1"}, .micros = INT64_MIN}, "event_too_late"},
      {"year 9999", {.id = "e", .identifiers = {"user u1"}, .micros = INT64_MAX}, ""},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.what);
    World world;
    world.Accepted({.id = "known", .identifiers = {"user u1"}});
    EXPECT_EQ(world.Refusal(test.event), test.reason);
  }
}

TEST(IdentityFold, RefusesWhatIsMalformed) {
  const store::v1::Event good =
      EventOf({.id = "e", .identifiers = {"user u1"}, .groups = {{"company", "c", ""}}});
  std::vector<std::pair<std::string, store::v1::Event>> bad;
  const auto add = [&](const std::string& what, auto&& spoil) {
    bad.emplace_back(what, good);
    spoil(bad.back().second);
  };
  add("short event id", [](store::v1::Event& e) { e.set_event_id("123"); });
  add("no body hash", [](store::v1::Event& e) { e.clear_body_hash(); });
  add("no kind", [](store::v1::Event& e) { e.mutable_identifiers(0)->set_kind(0); });
  add("unknown kind", [](store::v1::Event& e) { e.mutable_identifiers(0)->set_kind(6); });
  add("kind that wraps", [](store::v1::Event& e) { e.mutable_identifiers(0)->set_kind(257); });
  add("long hash",
      [](store::v1::Event& e) { e.mutable_identifiers(0)->set_hash(std::string(17, 'x')); });
  add("no group hash", [](store::v1::Event& e) { e.mutable_groups(0)->clear_group(); });
  add("17 identifiers", [](store::v1::Event& e) {
    for (int i = 0; i < 16; ++i) *e.add_identifiers() = IdentifierOf("anon " + std::to_string(i));
  });
  add("17 groups", [](store::v1::Event& e) {
    for (int i = 0; i < 16; ++i) *e.add_groups() = e.groups(0);
  });
  for (const auto& [what, event] : bad) {
    SCOPED_TRACE(what);
    World world;
    const fold::Outcome outcome = world.Apply(RecordOf(event));
    EXPECT_TRUE(outcome.refused());
    EXPECT_EQ(Reason(outcome.status()), "event_malformed");
    EXPECT_THAT(*world.store().AllRows(), IsEmpty());
  }
  World world;
  store::v1::Record record;
  record.set_event("\xff\xff");
  EXPECT_EQ(Reason(world.Apply(record).status()), "event_malformed");
}

TEST(IdentityFold, RefusesOtherRecords) {
  store::v1::Record accept, split, erase, command, empty, catalogue;
  accept.mutable_accept_suggestion();
  split.mutable_split_member();
  erase.mutable_erase_customer();
  command.mutable_command();
  catalogue.mutable_catalogue();
  const std::pair<store::v1::Record*, std::string> kCases[] = {
      {&accept, "not_yet_supported"}, {&split, "not_yet_supported"}, {&erase, "not_yet_supported"},
      {&command, "schema_unknown"},   {&empty, "schema_unknown"},    {&catalogue, ""}};
  World world;
  for (const auto& [record, reason] : kCases) {
    const fold::Outcome outcome = world.Apply(*record);
    EXPECT_EQ(outcome.refused(), !reason.empty());
    EXPECT_EQ(Reason(outcome.status()), reason);
  }
  EXPECT_THAT(*world.store().AllRows(), IsEmpty());
}

TEST(IdentityFold, ARefusedEventIsNotRemembered) {
  World world;
  EXPECT_EQ(world.Refusal({.id = "e", .identifiers = {"user u1", "user u2"}}), "strong_conflict");
  EXPECT_EQ(world.Refusal({.id = "e", .identifiers = {"user u1"}}), "");
}

TEST(IdentityFold, ABrokenStoreIsAFailureAndNoRefusal) {
  World world;
  world.context().failure = Error(StatusCode::kDataLoss, "state_corrupt", "checksum");
  const fold::Outcome outcome = world.Apply({.id = "e", .identifiers = {"user u1"}});
  EXPECT_FALSE(outcome.ok());
  EXPECT_FALSE(outcome.refused());
}

TEST(IdentityFold, BeforeTheFirstTickNothingIsTooLate) {
  World world;
  world.SetNow(0);
  EXPECT_EQ(
      world.Refusal({.id = "e", .identifiers = {"user u1"}, .micros = kNewYear - 1'000 * kDay}),
      "");
  EXPECT_EQ(world.Refusal({.id = "before 1970", .identifiers = {"user u1"}, .micros = -30 * kDay}),
            "");
}

TEST(IdentityFold, LatenessAndAheadAreParameters) {
  World world;
  world.context().parameters.set_lateness_micros(kHour);
  world.context().parameters.set_ahead_micros(kSecond);
  EXPECT_EQ(world.Refusal({.id = "e", .identifiers = {"user u1"}, .micros = kNewYear - kHour - 1}),
            "event_too_late");
  const auto told =
      world.Accepted({.id = "f", .identifiers = {"user u1"}, .micros = kNewYear + kMinute});
  EXPECT_EQ(told.event_micros(), kNewYear + kSecond);
}

TEST(IdentityFold, TimeTooFarAheadIsSetBackAndTheBytesAreNot) {
  World world;
  const auto within =
      world.Accepted({.id = "e1", .identifiers = {"user u1"}, .micros = kNewYear + 10 * kMinute});
  EXPECT_EQ(within.event_micros(), kNewYear + 10 * kMinute);
  const auto beyond =
      world.Accepted({.id = "e2", .identifiers = {"user u2"}, .micros = kNewYear + 10 * kDay});
  EXPECT_EQ(beyond.event_micros(), kNewYear + 10 * kMinute);
  store::v1::Event event;
  ASSERT_TRUE(event.ParseFromString(beyond.event()));
  EXPECT_EQ(event.event_micros(), kNewYear + 10 * kDay);
  EXPECT_EQ(world.Find("user u2")->last_micros, kNewYear + 10 * kMinute);
  EXPECT_EQ(world.Counted(metric::kIdentityTimeSetBack), 1u);
  // Log time may lag after a stop: what the log took in later is not ahead.
  world.SetAppendTime(kNewYear + 8 * kHour);
  const auto after_stop =
      world.Accepted({.id = "e3", .identifiers = {"user u3"}, .micros = kNewYear + 8 * kHour});
  EXPECT_EQ(after_stop.event_micros(), kNewYear + 8 * kHour);
}

TEST(IdentityFold, FirstAndLastSeenMoveByTheHour) {
  World world;
  const auto seen = [&] {
    const auto found = world.Find("user u1");
    return std::pair(found->first_micros - kNewYear, found->last_micros - kNewYear);
  };
  int count = 0;
  const auto event = [&](int64_t at) {
    world.Accepted(
        {.id = std::to_string(++count), .identifiers = {"user u1"}, .micros = kNewYear + at});
  };
  world.SetNow(kNewYear + kDay);
  event(0);
  event(kHour - 1);
  EXPECT_EQ(seen(), std::pair(int64_t{0}, int64_t{0}));
  event(kHour);
  EXPECT_EQ(seen(), std::pair(int64_t{0}, kHour));
  event(-5);
  EXPECT_EQ(seen(), std::pair(int64_t{-5}, kHour));
}

// ---- groups

TEST(IdentityFold, GroupsLinkNobody) {
  World world;
  const auto one = world.Accepted(
      {.id = "e1", .identifiers = {"user u1"}, .groups = {{"account", "7", "holder"}}});
  const auto two = world.Accepted(
      {.id = "e2", .identifiers = {"user u2"}, .groups = {{"account", "7", "payer"}}});
  EXPECT_NE(Customer(one), Customer(two));
  const auto page =
      FindByGroup(world.store(), *GroupId::FromBytes(BytesOf("account 7")), std::nullopt, 10);
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->members, SizeIs(2));
  std::map<CustomerId, std::string> roles;
  for (const GroupMember& member : page->members) roles[member.place.customer] = member.role;
  EXPECT_EQ(roles[Customer(one)], "holder");
  EXPECT_EQ(roles[Customer(two)], "payer");
}

TEST(IdentityFold, TheLatestRoleSaidHolds) {
  World world;
  const auto role = [&] {
    return FindByGroup(world.store(), *GroupId::FromBytes(BytesOf("company c")), std::nullopt, 1)
        ->members[0]
        .role;
  };
  int count = 0;
  const auto event = [&](const std::string& said, int64_t at) {
    world.Accepted({.id = std::to_string(++count),
                    .identifiers = {"user u1"},
                    .micros = kNewYear + at,
                    .groups = {{"company", "c", said}}});
  };
  world.SetNow(kNewYear + kDay);
  event("clerk", 0);
  event("", kMinute);
  EXPECT_EQ(role(), "clerk");
  event("head", 2 * kMinute);
  EXPECT_EQ(role(), "head");
  event("clerk", kMinute);
  EXPECT_EQ(role(), "head");
}

// ---- cost

TEST(IdentityFold, AnEventOfSomeoneKnownCostsFewLookUpsAndTwoRows) {
  World world;
  world.CustomerOf({"user u1", "anon a1"});
  world.Restart();
  world.context().gets = world.context().changes = 0;
  world.Accepted({.id = "next", .identifiers = {"user u1", "anon a1"}});
  // Event id, its hour, two identifiers, one customer.
  EXPECT_LE(world.context().gets, 5);
  // Event id and its hour.
  EXPECT_EQ(world.context().changes, 2);
}

}  // namespace
}  // namespace hilo::identity
