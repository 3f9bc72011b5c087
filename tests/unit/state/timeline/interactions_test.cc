#include "state/timeline/interactions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hilo/v1/customer.pb.h"

namespace hilo::timeline {
namespace {

using store::v1::CallStep;
using store::v1::InteractionRow;
using store::v1::MemberRow;

constexpr int64_t kMinute = int64_t{60} * 1'000'000;

struct At {
  int64_t time;
  std::string step;
  std::string agent;
  std::string more;  // queue or disposition
};

// A member and what happens to it, as short as a table's row.
class Member {
 public:
  Moved Call(const At& at, const std::string& call = "call-1----------") {
    CallStep step;
    step.set_call(call);
    step.set_step(at.step);
    step.set_agent(at.agent);
    (at.step == "disposition" ? *step.mutable_disposition() : *step.mutable_queue()) = at.more;
    return ApplyCallStep(row, id, step,
                         {.channel = v1::CHANNEL_CALL,
                          .assurance = assurance,
                          .event_micros = at.time,
                          .now = now,
                          .known_before = true});
  }
  Moved Web(int64_t time, char fresh) {
    const auto name = [fresh] { return *InteractionId::FromBytes(std::string(16, fresh)); };
    return ApplyVisit(row, name, 30 * kMinute,
                      {.channel = v1::CHANNEL_WEB,
                       .assurance = assurance,
                       .event_micros = time,
                       .now = now,
                       .known_before = false});
  }
  const InteractionRow& Only() const { return row.interactions(0); }

  const MemberId id = *MemberId::FromBytes("member----------");
  uint32_t assurance = v1::ASSURANCE_CLAIMED;
  LogTime now;
  MemberRow row;
};

struct Case {
  const char* name;
  std::vector<At> steps;
  v1::InteractionState state;
  std::string agent;
  std::string ringing = "";
  std::string disposition = "";
};

std::string Ringing(const InteractionRow& call) {
  std::string all;
  for (const std::string& agent : call.ringing()) all += (all.empty() ? "" : ",") + agent;
  return all;
}

TEST(Calls, StepsMoveTheStateForwardsOnly) {
  const std::vector<Case> cases = {
      {"offered", {{1, "offered"}}, v1::INTERACTION_STATE_WAITING, ""},
      {"queued", {{1, "offered"}, {2, "queued"}}, v1::INTERACTION_STATE_WAITING, ""},
      {"ringing",
       {{1, "queued"}, {2, "agent_ringing", "marta"}},
       v1::INTERACTION_STATE_RINGING,
       "marta",
       "marta"},
      {"ringing is the first we hear",
       {{2, "agent_ringing", "marta"}},
       v1::INTERACTION_STATE_RINGING,
       "marta",
       "marta"},
      {"queued comes late",
       {{2, "agent_ringing", "marta"}, {1, "queued"}},
       v1::INTERACTION_STATE_RINGING,
       "marta",
       "marta"},
      {"queued comes late within the same second",
       {{2, "agent_ringing", "marta"}, {2, "queued"}},
       v1::INTERACTION_STATE_RINGING,
       "marta",
       "marta"},
      {"answered",
       {{1, "agent_ringing", "marta"}, {2, "answered", "marta"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"answered without a name",
       {{1, "agent_ringing", "marta"}, {2, "answered"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"answered before the ringing was reported",
       {{2, "answered", "marta"}, {1, "agent_ringing", "marta"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"answered, ringing reported late for another",
       {{2, "answered", "marta"}, {1, "agent_ringing", "luis"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"nobody answered, back to the queue",
       {{1, "agent_ringing", "marta"}, {2, "agent_failed", "marta"}},
       v1::INTERACTION_STATE_WAITING,
       ""},
      {"the second agent in turn",
       {{1, "agent_ringing", "marta"}, {2, "agent_failed", "marta"}, {3, "agent_ringing", "luis"}},
       v1::INTERACTION_STATE_RINGING,
       "luis",
       "luis"},
      {"the first agent's failure comes late",
       {{1, "agent_ringing", "marta"}, {3, "agent_ringing", "luis"}, {4, "agent_failed", "marta"}},
       v1::INTERACTION_STATE_RINGING,
       "luis",
       "luis"},
      {"a failure of somebody it does not ring at",
       {{1, "agent_ringing", "marta"}, {2, "agent_failed", "luis"}},
       v1::INTERACTION_STATE_RINGING,
       "marta",
       "marta"},
      {"a failure overtook its ringing",
       {{2, "agent_failed", "marta"}, {1, "agent_ringing", "marta"}},
       v1::INTERACTION_STATE_WAITING,
       ""},
      {"one call on two agents",
       {{1, "agent_ringing", "marta"}, {1, "agent_ringing", "luis"}},
       v1::INTERACTION_STATE_RINGING,
       "luis",
       "marta,luis"},
      {"one of two answers",
       {{1, "agent_ringing", "marta"}, {1, "agent_ringing", "luis"}, {2, "answered", "marta"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"held and resumed",
       {{1, "answered", "marta"}, {2, "held"}, {3, "resumed"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"held", {{1, "answered", "marta"}, {2, "held"}}, v1::INTERACTION_STATE_HELD, "marta"},
      {"resumed comes before held",
       {{1, "answered", "marta"}, {3, "resumed"}, {2, "held"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"a consultation rings while the talk goes on",
       {{1, "answered", "marta"}, {2, "agent_ringing", "luis"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta",
       "luis"},
      {"transferred to a queue",
       {{1, "answered", "marta"}, {2, "transferred"}},
       v1::INTERACTION_STATE_WAITING,
       ""},
      {"transferred to an agent",
       {{1, "answered", "marta"}, {2, "transferred", "luis"}},
       v1::INTERACTION_STATE_RINGING,
       "luis",
       "luis"},
      {"a chain of transfers",
       {{1, "answered", "marta"},
        {2, "transferred"},
        {2, "agent_ringing", "luis"},
        {3, "answered", "luis"},
        {4, "transferred", "eva"},
        {5, "answered", "eva"}},
       v1::INTERACTION_STATE_ACTIVE,
       "eva"},
      {"an answer of before the transfer",
       {{3, "transferred", "luis"}, {1, "answered", "marta"}},
       v1::INTERACTION_STATE_RINGING,
       "luis",
       "luis"},
      {"a transfer to oneself",
       {{1, "answered", "marta"}, {2, "transferred", "marta"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
      {"queued again without a transfer",
       {{1, "answered", "marta"}, {5, "queued"}},
       v1::INTERACTION_STATE_WAITING,
       ""},
      {"ended", {{1, "answered", "marta"}, {2, "ended"}}, v1::INTERACTION_STATE_ENDED, "marta"},
      {"the caller gave up",
       {{1, "queued"}, {2, "abandoned"}},
       v1::INTERACTION_STATE_ENDED,
       "",
       "",
       "abandoned"},
      {"a hang-up is the first we hear, then it rings with a later time",
       {{1, "ended"}, {2, "agent_ringing", "marta"}},
       v1::INTERACTION_STATE_ENDED,
       ""},
      {"a hang-up overtook the ringing",
       {{3, "ended"}, {1, "queued"}, {2, "agent_ringing", "marta"}},
       v1::INTERACTION_STATE_ENDED,
       ""},
      {"a hang-up stamped before the answer",
       {{5, "answered", "marta"}, {4, "ended"}},
       v1::INTERACTION_STATE_ENDED,
       "marta"},
      {"wrap-up after the end",
       {{1, "answered", "marta"}, {2, "ended"}, {3, "wrapup_started", "marta"}},
       v1::INTERACTION_STATE_WRAP_UP,
       "marta"},
      {"wrap-up reported before the end",
       {{1, "answered", "marta"}, {3, "wrapup_started", "marta"}, {2, "ended"}},
       v1::INTERACTION_STATE_WRAP_UP,
       "marta"},
      {"wrapped up",
       {{1, "answered", "marta"},
        {2, "ended"},
        {3, "wrapup_started"},
        {4, "disposition", "", "solved"}},
       v1::INTERACTION_STATE_ENDED,
       "marta",
       "",
       "solved"},
      {"wrap-up reported after the disposition",
       {{1, "answered", "marta"},
        {2, "ended"},
        {4, "disposition", "", "solved"},
        {3, "wrapup_started"}},
       v1::INTERACTION_STATE_ENDED,
       "marta",
       "",
       "solved"},
      {"the disposition during the talk",
       {{1, "answered", "marta"}, {2, "disposition", "", "solved"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta",
       "",
       "solved"},
      {"the disposition during the talk, then the end",
       {{1, "answered", "marta"}, {2, "disposition", "", "solved"}, {3, "ended"}},
       v1::INTERACTION_STATE_ENDED,
       "marta",
       "",
       "solved"},
      {"steps we do not know",
       {{1, "answered", "marta"}, {2, "transcript"}, {3, "danced"}},
       v1::INTERACTION_STATE_ACTIVE,
       "marta"},
  };
  for (const Case& test : cases) {
    Member member;
    for (const At& at : test.steps) member.Call(at);
    ASSERT_EQ(member.row.interactions_size(), 1) << test.name;
    EXPECT_EQ(member.Only().state(), static_cast<uint32_t>(test.state)) << test.name;
    EXPECT_EQ(member.Only().agent(), test.agent) << test.name;
    EXPECT_EQ(Ringing(member.Only()), test.ringing) << test.name;
    EXPECT_EQ(member.Only().disposition(), test.disposition) << test.name;
  }
}

TEST(Calls, OnceOverNoOrderOfTheOtherStepsBringsThemBack) {
  std::vector<At> steps = {{1, "queued"},
                           {2, "agent_ringing", "marta"},
                           {3, "answered", "marta"},
                           {4, "transferred", "luis"},
                           {5, "answered", "luis"},
                           {6, "ended"}};
  std::vector<size_t> order = {0, 1, 2, 3, 4, 5};
  do {
    Member member;
    bool over = false;
    for (size_t i : order) {
      member.Call(steps[i]);
      over = over || steps[i].step == "ended";
      if (over) {
        ASSERT_EQ(member.Only().state(), static_cast<uint32_t>(v1::INTERACTION_STATE_ENDED));
        ASSERT_TRUE(AgentPlaces(member.row).empty());
      }
    }
    EXPECT_EQ(member.Only().first_micros(), 1);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(Calls, TwoCallsOfOneCustomerAreTwoInteractions) {
  Member member;
  member.Call({1, "agent_ringing", "marta"});
  member.Call({2, "queued"}, "call-2----------");
  EXPECT_EQ(member.row.interactions_size(), 2);
  EXPECT_EQ(member.Only().state(), static_cast<uint32_t>(v1::INTERACTION_STATE_RINGING));
}

TEST(Calls, ACallerIdNeverGivesMoreThanAClaim) {
  Member member;
  member.assurance = v1::ASSURANCE_VERIFIED;
  member.Call({1, "queued"});
  EXPECT_EQ(member.Only().assurance(), static_cast<uint32_t>(v1::ASSURANCE_CLAIMED));
  ASSERT_TRUE(Verify(member.row, member.Only().interaction()).ok());
  member.Call({2, "answered", "marta"});
  EXPECT_EQ(member.Only().assurance(), static_cast<uint32_t>(v1::ASSURANCE_VERIFIED));
}

TEST(Calls, TheEndTimeStaysWhereTheCallEnded) {
  Member member;
  member.Call({1, "answered", "marta"});
  member.Call({10, "ended"});
  member.Call({12, "wrapup_started"});
  member.Call({40, "disposition", "", "solved"});
  member.Call({50, "transcript"});
  EXPECT_EQ(member.Only().last_micros(), 10);
}

TEST(Calls, AgentPlacesTellWhereItRingsAndWhoTalks) {
  Member member;
  member.Call({1, "answered", "marta"});
  member.Call({2, "agent_ringing", "luis"});
  const auto places = AgentPlaces(member.row);
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[0].agent, "luis");
  EXPECT_TRUE(places[0].rings);
  EXPECT_EQ(places[1].agent, "marta");
  EXPECT_FALSE(places[1].rings);
  member.Call({3, "wrapup_started", "marta"});
  EXPECT_EQ(AgentPlaces(member.row).size(), 1u);
  member.Call({4, "disposition", "", "solved"});
  EXPECT_TRUE(AgentPlaces(member.row).empty());
}

TEST(Calls, ManyCallsOfOneNumberStayBounded) {
  Member member;
  for (int i = 0; i < 10'000; ++i) {
    std::string call = std::to_string(i);
    call.resize(16, '-');
    member.now = LogTime{i};
    member.Call({i, "agent_ringing", "marta"}, call);
  }
  EXPECT_EQ(member.row.interactions_size(), kMaxOpenInteractions + kMaxEndedInteractions);
  EXPECT_EQ(AgentPlaces(member.row).size(), static_cast<size_t>(kMaxOpenInteractions));
  EXPECT_EQ(member.row.left_out().interactions_cut(), 10'000u - kMaxOpenInteractions);
  EXPECT_EQ(member.row.left_out().interactions(),
            10'000u - kMaxOpenInteractions - kMaxEndedInteractions);
}

TEST(Calls, AStepOfACallThatFellOutDoesNotRingAgain) {
  Member member;
  for (int i = 0; i <= kMaxEndedInteractions; ++i) {
    std::string call = std::to_string(i);
    call.resize(16, '-');
    member.Call({100 + i, "ended"}, call);
  }
  ASSERT_EQ(member.row.left_out().interactions(), 1u);
  std::string first = "0";
  first.resize(16, '-');
  const Moved moved = member.Call({50, "agent_ringing", "marta"}, first);
  EXPECT_FALSE(moved.created);
  EXPECT_EQ(moved.interaction, CallInteraction(member.id, first));
  EXPECT_TRUE(AgentPlaces(member.row).empty());
}

TEST(Visits, EventsWithinTheIdleTimeAreOneVisit) {
  Member member;
  const Moved first = member.Web(0, 'a');
  EXPECT_TRUE(first.created);
  const Moved second = member.Web(30 * kMinute, 'b');
  EXPECT_FALSE(second.created);
  EXPECT_EQ(second.interaction, first.interaction);
  EXPECT_EQ(member.Only().last_micros(), 30 * kMinute);
  EXPECT_EQ(member.Only().state(), static_cast<uint32_t>(v1::INTERACTION_STATE_ACTIVE));
}

TEST(Visits, ALaterVisitEndsTheEarlierOne) {
  Member member;
  member.Web(0, 'a');
  const Moved second = member.Web(30 * kMinute + 1, 'b');
  EXPECT_TRUE(second.created);
  ASSERT_EQ(member.row.interactions_size(), 2);
  EXPECT_EQ(member.row.interactions(0).state(), static_cast<uint32_t>(v1::INTERACTION_STATE_ENDED));
  EXPECT_EQ(member.row.interactions(1).state(),
            static_cast<uint32_t>(v1::INTERACTION_STATE_ACTIVE));
}

TEST(Visits, ALateEventJoinsItsOwnVisitOrMakesOneThatHasEnded) {
  Member member;
  member.Web(100 * kMinute, 'a');
  member.Web(200 * kMinute, 'b');
  EXPECT_FALSE(member.Web(95 * kMinute, 'c').created) << "within the idle time of the first";
  EXPECT_TRUE(member.Web(10 * kMinute, 'd').created);
  ASSERT_EQ(member.row.interactions_size(), 3);
  EXPECT_EQ(member.row.interactions(0).first_micros(), 10 * kMinute);
  EXPECT_EQ(member.row.interactions(0).state(), static_cast<uint32_t>(v1::INTERACTION_STATE_ENDED));
  EXPECT_EQ(member.row.interactions(1).first_micros(), 95 * kMinute);
  EXPECT_EQ(member.row.interactions(2).state(),
            static_cast<uint32_t>(v1::INTERACTION_STATE_ACTIVE));
}

TEST(Visits, OneThatBeganEarlierThanWeKnewMovesBackInTheList) {
  Member member;
  member.Call({80 * kMinute, "queued"});
  member.Web(100 * kMinute, 'a');
  member.Web(75 * kMinute, 'b');
  ASSERT_EQ(member.row.interactions_size(), 2);
  EXPECT_EQ(member.row.interactions(0).channel(), static_cast<uint32_t>(v1::CHANNEL_WEB));
  EXPECT_EQ(member.row.interactions(0).first_micros(), 75 * kMinute);
  member.Call({70 * kMinute, "offered"});
  EXPECT_EQ(member.row.interactions(0).channel(), static_cast<uint32_t>(v1::CHANNEL_CALL));
}

TEST(Visits, AnEventThatWasLongOnItsWayHasEndedAlready) {
  Member member;
  member.now = LogTime{31 * kMinute};
  member.Web(0, 'a');
  EXPECT_EQ(member.Only().state(), static_cast<uint32_t>(v1::INTERACTION_STATE_ENDED));
}

TEST(Visits, ASignedInBrowserRaisesAssuranceToMatchedAndNoMore) {
  Member member;
  member.Web(0, 'a');
  EXPECT_EQ(member.Only().assurance(), static_cast<uint32_t>(v1::ASSURANCE_CLAIMED));
  member.assurance = v1::ASSURANCE_VERIFIED;
  member.Web(1, 'b');
  EXPECT_EQ(member.Only().assurance(), static_cast<uint32_t>(v1::ASSURANCE_MATCHED));
}

TEST(Silence, EndsAVisitOnlyAfterItsIdleTimeOfLogTime) {
  Member member;
  member.now = LogTime{1'000};
  member.Web(900, 'a');
  const std::string id = member.Only().interaction();
  member.now = LogTime{5'000};
  member.Web(4'900, 'b');
  const auto again = EndIfSilent(member.row, id, 2'000, LogTime{6'000});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->micros, 7'000);
  EXPECT_TRUE(IsOpen(member.Only()));
  EXPECT_FALSE(EndIfSilent(member.row, id, 2'000, LogTime{7'000}).has_value());
  EXPECT_FALSE(IsOpen(member.Only()));
  EXPECT_EQ(member.Only().last_micros(), 4'900) << "it ended with its last event";
}

TEST(Silence, OfWhatCameBeforeTheFirstTickIsCountedFromNow) {
  Member member;
  member.Web(900, 'a');
  const auto again = EndIfSilent(member.row, member.Only().interaction(), 2'000, LogTime{50'000});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->micros, 52'000);
}

TEST(Silence, OfACallSaysThatItsEndNeverCame) {
  Member member;
  member.now = LogTime{1'000};
  member.Call({900, "answered", "marta"});
  EXPECT_FALSE(
      EndIfSilent(member.row, member.Only().interaction(), 10, LogTime{2'000}).has_value());
  EXPECT_EQ(member.Only().disposition(), "lost");
  EXPECT_TRUE(AgentPlaces(member.row).empty());
  member.Call({2'100, "disposition", "", "solved"});
  EXPECT_EQ(member.Only().disposition(), "solved");
  EXPECT_FALSE(IsOpen(member.Only()));
}

TEST(ByHand, BeginsVerifiesAndEnds) {
  MemberRow row;
  const InteractionId fresh = *InteractionId::FromBytes("fresh-----------");
  const Touch touch{.channel = v1::CHANNEL_CALL,
                    .assurance = v1::ASSURANCE_MATCHED,
                    .event_micros = 5,
                    .now = LogTime{1}};
  ASSERT_TRUE(Start(row, fresh, touch).ok());
  EXPECT_EQ(row.interactions(0).assurance(), static_cast<uint32_t>(v1::ASSURANCE_MATCHED));
  ASSERT_TRUE(Verify(row, fresh.Bytes()).ok());
  EXPECT_EQ(row.interactions(0).assurance(), static_cast<uint32_t>(v1::ASSURANCE_VERIFIED));
  ASSERT_TRUE(End(row, fresh.Bytes(), "solved", 9).ok());
  EXPECT_EQ(row.interactions(0).last_micros(), 9);
  ASSERT_TRUE(End(row, fresh.Bytes(), "other", 12).ok()) << "a second end is no error";
  EXPECT_EQ(row.interactions(0).disposition(), "solved");
  EXPECT_EQ(row.interactions(0).last_micros(), 9);
  EXPECT_EQ(Reason(Verify(row, fresh.Bytes())), "interaction_ended");
}

TEST(ByHand, EndingTheWrapUpLeavesTheEndWhereTheCallEnded) {
  Member member;
  member.Call({1, "answered", "marta"});
  member.Call({10, "ended"});
  member.Call({11, "wrapup_started"});
  ASSERT_TRUE(End(member.row, member.Only().interaction(), "solved", 90).ok());
  EXPECT_FALSE(IsOpen(member.Only()));
  EXPECT_EQ(member.Only().last_micros(), 10);
}

TEST(ByHand, WhatCannotBeDoneSaysWhy) {
  MemberRow row;
  const InteractionId fresh = *InteractionId::FromBytes("fresh-----------");
  EXPECT_EQ(Reason(Start(row, fresh, {.assurance = v1::ASSURANCE_VERIFIED}).status()),
            "assurance_needs_verification");
  EXPECT_EQ(Reason(Verify(row, fresh.Bytes())), "interaction_not_found");
  EXPECT_EQ(Reason(End(row, fresh.Bytes(), "", 1)), "interaction_not_found");
  EXPECT_EQ(row.interactions_size(), 0);
}

}  // namespace
}  // namespace hilo::timeline
