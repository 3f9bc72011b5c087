#include "state/profile/join.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "state/cases/cases.h"
#include "state/consent/consents.h"
#include "state/facts/facts.h"
#include "state/profile/traits.h"
#include "state/timeline/interactions.h"
#include "state/value/purchases.h"

namespace hilo::profile {
namespace {

using store::v1::MemberRow;

// A member as records would have left it. Identifiers, traits, orders and days come from small
// pools so that members share them.
class RandomMember {
 public:
  explicit RandomMember(uint64_t seed) : random_(seed) {}

  MemberRow Make(char name) {
    MemberRow row;
    row.set_member(std::string(16, name));
    row.set_customer(std::string(16, 'c'));
    row.set_first_micros(Below(1'000));
    row.set_last_micros(row.first_micros() + Below(1'000));
    const int64_t events = 1 + Below(40);
    for (int64_t i = 0; i < events; ++i) Change(row);
    return row;
  }

  void Change(MemberRow& row) {
    row.set_changes(row.changes() + 1);
    row.set_events(row.events() + 1);
    const store::v1::OriginRow origin = Origin();
    switch (Below(9)) {
      case 0: {
        store::v1::Identifier identifier;
        identifier.set_kind(1 + Below(5));
        identifier.set_hash(Text("hash", 8));
        identifier.set_sealed(Text("sealed", 4));
        identifier.set_weak(Below(4) == 0);
        return See(row, identifier, Below(1'000));
      }
      case 1: {
        store::v1::EventTrait trait;
        trait.set_name(Text("trait", 6));
        trait.set_sealed(Text("value", 50));
        SetTrait(row, trait, origin);
        return SetLanguage(row, Text("language", 3), origin);
      }
      case 2: {
        store::v1::FactRow fact;
        fact.set_fact(Id());
        fact.set_kind(Text("kind", 5));
        *fact.mutable_origin() = origin;
        return facts::Add(row, fact, {});
      }
      case 3: {
        store::v1::QuestionRow question;
        question.set_question(Id());
        question.set_kind(Text("kind", 5));
        *question.mutable_origin() = origin;
        facts::Ask(row, question, {});
        return;
      }
      case 4: {
        store::v1::CaseRow opened;
        opened.set_case_(Id());
        *opened.mutable_origin() = origin;
        (void)cases::OpenCase(row, opened);
        store::v1::PromiseRow promise;
        promise.set_promise(Id());
        *promise.mutable_origin() = origin;
        (void)cases::MakePromise(row, promise);
        return;
      }
      case 5: {
        store::v1::ConsentRow consent;
        consent.mutable_signal()->set_channel(Below(3));
        consent.mutable_signal()->set_purpose("marketing");
        consent.mutable_signal()->set_status(1 + Below(2));
        *consent.mutable_origin() = origin;
        consent::Record(row, consent);
        return;
      }
      case 6: {
        store::v1::Purchase purchase;
        purchase.set_kind(static_cast<store::v1::Purchase::Kind>(1 + Below(3)));
        purchase.set_order(Text("order-----------", 10).substr(0, 17).erase(0, 1));
        purchase.set_minor(Below(10'000));
        purchase.set_currency(Below(2) == 0 ? "EUR" : "USD");
        value::Apply(row, purchase, Below(10) * 86'400'000'000);
        return;
      }
      case 7: {
        store::v1::CallStep step;
        step.set_call(Text("call------------", 10));
        step.set_step(Below(2) == 0 ? "agent_ringing" : "ended");
        step.set_agent(Text("agent", 3));
        timeline::ApplyCallStep(row, *MemberId::FromBytes(row.member()), step,
                                {.channel = v1::CHANNEL_CALL, .event_micros = Below(1'000)});
        return;
      }
      default: {
        store::v1::Group group;
        group.set_group(Text("group", 3));
        group.set_role(Text("role", 3));
        JoinGroup(row, group, origin);
        store::v1::SuggestionNote note;
        note.set_other(Text("other", 3));
        return NoteSuggestion(row, note, Below(10), 0);
      }
    }
  }

 private:
  int64_t Below(int64_t bound) { return static_cast<int64_t>(random_() % bound); }
  std::string Text(const std::string& stem, int64_t pool) {
    return stem + std::to_string(Below(pool));
  }
  std::string Id() { return "id" + std::to_string(random_()); }
  store::v1::OriginRow Origin() {
    store::v1::OriginRow origin;
    origin.set_event_micros(Below(50));
    origin.set_source_rank(Below(3));
    // Event ids are unique: equal origins come from one event, which belongs to one member.
    origin.set_event_id(Id());
    return origin;
  }

  std::mt19937_64 random_;
};

MemberRow JoinOf(std::vector<MemberRow> rows) { return Join(rows); }
std::string BytesOf(const MemberRow& row) { return row.SerializeAsString(); }

TEST(Join, OfOneMemberIsThatMember) {
  const MemberRow row = RandomMember(1).Make('a');
  EXPECT_EQ(BytesOf(JoinOf({row})), BytesOf(row));
  EXPECT_EQ(BytesOf(JoinOf({})), "");
  EXPECT_EQ(BytesOf(JoinOf({MemberRow()})), "") << "an empty row is no member";
}

TEST(Join, IsCommutativeAssociativeAndIdempotent) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    RandomMember random(seed);
    const MemberRow a = random.Make('a');
    const MemberRow b = random.Make('b');
    const MemberRow c = random.Make('c');
    const std::string all = BytesOf(JoinOf({a, b, c}));
    ASSERT_EQ(BytesOf(JoinOf({c, a, b})), all) << "seed " << seed;
    ASSERT_EQ(BytesOf(JoinOf({b, c, a})), all) << "seed " << seed;
    ASSERT_EQ(BytesOf(JoinOf({JoinOf({a, b}), c})), all) << "seed " << seed;
    ASSERT_EQ(BytesOf(JoinOf({a, JoinOf({c, b})})), all) << "seed " << seed;
    ASSERT_EQ(BytesOf(JoinOf({JoinOf({a, b}), JoinOf({b, c})})), all) << "seed " << seed;
    ASSERT_EQ(BytesOf(JoinOf({JoinOf({a, b, c}), JoinOf({a, b, c}), a})), all) << "seed " << seed;
  }
}

TEST(Join, TakesTheNewerOfTwoCopiesOfOneMember) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    RandomMember random(seed);
    const MemberRow a = random.Make('a');
    MemberRow newer = a;
    random.Change(newer);
    const MemberRow b = random.Make('b');
    const std::string expected = BytesOf(JoinOf({newer, b}));
    ASSERT_EQ(BytesOf(JoinOf({JoinOf({a, b}), newer})), expected) << "seed " << seed;
    ASSERT_EQ(BytesOf(JoinOf({newer, JoinOf({b, a})})), expected) << "seed " << seed;
  }
}

TEST(Join, TellsOfEveryMember) {
  MemberRow a;
  a.set_member(std::string(16, 'a'));
  a.set_customer(std::string(16, 'b'));
  a.set_events(2);
  a.set_first_micros(5);
  a.set_last_micros(6);
  store::v1::FactRow fact;
  fact.set_fact("f");
  fact.set_kind("size");
  facts::Add(a, fact, {});
  MemberRow b;
  b.set_member(std::string(16, 'b'));
  b.set_customer(std::string(16, 'b'));
  b.set_events(3);
  b.set_first_micros(4);
  b.set_last_micros(5);
  store::v1::Identifier identifier;
  identifier.set_hash("h");
  See(b, identifier, 4);
  const MemberRow joined = JoinOf({a, b});
  EXPECT_EQ(joined.events(), 5u);
  EXPECT_EQ(joined.first_micros(), 4);
  EXPECT_EQ(joined.last_micros(), 6);
  EXPECT_EQ(joined.facts_size(), 1);
  EXPECT_EQ(joined.identifiers_size(), 1);
  EXPECT_EQ(joined.member(), std::string(16, 'b')) << "the member the customer was born with";
  EXPECT_EQ(joined.parts_size(), 2);
}

TEST(Join, KeepsToTheLimitsOfOneMember) {
  std::vector<MemberRow> rows;
  for (char name : {'a', 'b', 'c'}) {
    MemberRow row;
    row.set_member(std::string(16, name));
    for (int i = 0; i < 150; ++i) {
      store::v1::FactRow fact;
      fact.set_fact(std::string(1, name) + std::to_string(i));
      fact.set_kind(fact.fact());
      fact.mutable_origin()->set_event_micros(i);
      facts::Add(row, fact, {});
      store::v1::CaseRow opened;
      opened.set_case_(fact.fact());
      ASSERT_TRUE(cases::OpenCase(row, opened).ok());
    }
    rows.push_back(row);
  }
  const MemberRow joined = Join(rows);
  EXPECT_EQ(joined.facts_size(), facts::kMaxFacts);
  EXPECT_EQ(joined.cases_size(), cases::kMaxCases);
  EXPECT_EQ(joined.left_out().facts(), 450u - facts::kMaxFacts);
}

}  // namespace
}  // namespace hilo::profile
