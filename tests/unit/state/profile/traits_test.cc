#include "state/profile/traits.h"

#include <gtest/gtest.h>

#include <string>

#include "hilo/v1/common.pb.h"
#include "state/facts/facts.h"
#include "state/profile/row_limit.h"

namespace hilo::profile {
namespace {

using store::v1::MemberRow;
using store::v1::OriginRow;

OriginRow Origin(int64_t at, uint32_t rank = 0, const std::string& id = "id") {
  OriginRow origin;
  origin.set_event_micros(at);
  origin.set_source_rank(rank);
  origin.set_event_id(id);
  return origin;
}

store::v1::EventTrait Trait(const std::string& name, const std::string& value) {
  store::v1::EventTrait trait;
  trait.set_name(name);
  trait.set_sealed(value);
  return trait;
}

store::v1::Identifier Identifier(uint32_t kind, const std::string& hash, bool weak = false) {
  store::v1::Identifier identifier;
  identifier.set_kind(kind);
  identifier.set_hash(hash);
  identifier.set_weak(weak);
  return identifier;
}

TEST(Traits, TheLastWriterByTimeRankAndIdStandsInEitherOrder) {
  struct Case {
    OriginRow winner;
    OriginRow loser;
  };
  for (const Case& test :
       {Case{Origin(2), Origin(1, 9)}, Case{Origin(1, 2), Origin(1, 1, "zz")},
        Case{Origin(1, 1, "b"), Origin(1, 1, "a")}, Case{Origin(0), Origin(-5)}}) {
    MemberRow row;
    SetTrait(row, Trait("name", "won"), test.winner);
    SetTrait(row, Trait("name", "lost"), test.loser);
    EXPECT_EQ(row.traits(0).sealed(), "won");
    MemberRow other;
    SetTrait(other, Trait("name", "lost"), test.loser);
    SetTrait(other, Trait("name", "won"), test.winner);
    EXPECT_EQ(other.traits(0).sealed(), "won");
    EXPECT_EQ(other.traits_size(), 1);
  }
}

TEST(Traits, StandByNameAndTheOldestFallsOut) {
  MemberRow row;
  for (int i = 0; i < kMaxTraits + 2; ++i) {
    SetTrait(row, Trait("t" + std::to_string(i), "v"), Origin(1'000 - i));
  }
  EXPECT_EQ(row.traits_size(), kMaxTraits);
  EXPECT_EQ(row.left_out().traits(), 2u);
  for (int i = 1; i < row.traits_size(); ++i) {
    EXPECT_LT(row.traits(i - 1).name(), row.traits(i).name());
  }
  EXPECT_EQ(row.traits(0).name(), "t0") << "written last by event time";
}

TEST(Traits, LanguageAndZoneAreLastWritersToo) {
  MemberRow row;
  SetLanguage(row, "es", Origin(10));
  SetLanguage(row, "en", Origin(5));
  SetLanguage(row, "", Origin(20));
  EXPECT_EQ(row.language(), "es");
  SetTimeZone(row, "Europe/Madrid", Origin(1));
  SetTimeZone(row, "Europe/Lisbon", Origin(2));
  EXPECT_EQ(row.time_zone(), "Europe/Lisbon");
}

TEST(Identifiers, StandStrongestFirstWithTheirFirstAndLastTime) {
  MemberRow row;
  See(row, Identifier(v1::IDENTIFIER_KIND_ANONYMOUS_ID, "a"), 5);
  See(row, Identifier(v1::IDENTIFIER_KIND_EMAIL, "info", true), 5);
  See(row, Identifier(v1::IDENTIFIER_KIND_EMAIL, "ana"), 6);
  See(row, Identifier(v1::IDENTIFIER_KIND_USER_ID, "u"), 7);
  See(row, Identifier(v1::IDENTIFIER_KIND_EMAIL, "ana"), 3);
  See(row, Identifier(v1::IDENTIFIER_KIND_EMAIL, "ana"), 9);
  ASSERT_EQ(row.identifiers_size(), 4);
  EXPECT_EQ(row.identifiers(0).identifier().hash(), "u");
  EXPECT_EQ(row.identifiers(1).identifier().hash(), "ana");
  EXPECT_EQ(row.identifiers(1).first_micros(), 3);
  EXPECT_EQ(row.identifiers(1).last_micros(), 9);
  EXPECT_EQ(row.identifiers(3).identifier().hash(), "info") << "weak ones come last";
}

TEST(Identifiers, TheWeakestLongestUnseenFallsOut) {
  MemberRow row;
  See(row, Identifier(v1::IDENTIFIER_KIND_USER_ID, "u"), 1);
  for (int i = 0; i < kMaxIdentifiers - 1; ++i) {
    See(row, Identifier(v1::IDENTIFIER_KIND_ANONYMOUS_ID, "a" + std::to_string(i)), 10 + i);
  }
  See(row, Identifier(v1::IDENTIFIER_KIND_ANONYMOUS_ID, "a0"), 500);
  See(row, Identifier(v1::IDENTIFIER_KIND_EMAIL, "ana"), 2);
  EXPECT_EQ(row.identifiers_size(), kMaxIdentifiers);
  EXPECT_EQ(row.left_out().identifiers(), 1u);
  for (const auto& known : row.identifiers()) EXPECT_NE(known.identifier().hash(), "a1");
  EXPECT_EQ(row.identifiers(0).identifier().hash(), "u");
}

TEST(Groups, TheLastRoleStands) {
  MemberRow row;
  store::v1::Group group;
  group.set_group("g");
  group.set_role("holder");
  JoinGroup(row, group, Origin(2));
  group.set_role("member");
  JoinGroup(row, group, Origin(1));
  ASSERT_EQ(row.groups_size(), 1);
  EXPECT_EQ(row.groups(0).group().role(), "holder");
}

TEST(Suggestions, AreNotedOnceInIdentityOrderWithinTheirLimit) {
  MemberRow row;
  store::v1::SuggestionNote note;
  note.set_other("x");
  for (int i = kMaxSuggestions + 1; i > 0; --i) {
    NoteSuggestion(row, note, i, 0);
    NoteSuggestion(row, note, i, 0);
  }
  EXPECT_EQ(row.suggestions_size(), kMaxSuggestions);
  EXPECT_LT(row.suggestions(0).identity_offset(), row.suggestions(1).identity_offset());
  EXPECT_GE(row.left_out().suggestions(), 1u);
}

TEST(RowLimit, LetsStaleThingsGoFirst) {
  MemberRow row;
  for (int i = 0; i < 250; ++i) {
    store::v1::FactRow fact;
    fact.set_fact(std::to_string(i));
    fact.set_kind(i < 125 ? "same" + std::to_string(i / 5) : "kind" + std::to_string(i));
    fact.set_sealed(std::string(2'000, 'x'));
    fact.mutable_origin()->set_event_micros(i);
    facts::Add(row, fact, {});
  }
  ASSERT_GT(row.ByteSizeLong(), kMaxRowBytes);
  FitToLimit(row, {});
  EXPECT_LE(row.ByteSizeLong(), kMaxRowBytes);
  EXPECT_GT(row.ByteSizeLong(), kMaxRowBytes - 4'000) << "no more than needed";
  EXPECT_EQ(row.left_out().facts(), 250u - row.facts_size());
  EXPECT_NE(facts::Latest(row, "kind125", {}), nullptr);
  EXPECT_NE(facts::Latest(row, "same24", {}), nullptr);
  EXPECT_EQ(facts::Latest(row, "same24", {})->fact(), "124");
}

}  // namespace
}  // namespace hilo::profile
