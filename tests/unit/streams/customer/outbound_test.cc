#include "streams/customer/outbound.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "hilo/v1/decision.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "state/message/messages.h"
#include "state/outcomes/outcomes.h"
#include "streams/customer/outbound_reader.h"
#include "tests/unit/streams/customer/outbound_driver.h"

namespace hilo::customer {
namespace {

using store::v1::JourneyRow;
using store::v1::ReportMessage;

TEST(Outbound, FromAnAbandonedBasketToASentMessage) {
  OutboundDriver hub;
  hub.Know("ana");
  hub.Begin("ana", "basket", "b1", 30 * kMinute);
  ASSERT_EQ(hub.Run("ana").state(), JourneyRow::STATE_WAITING);
  EXPECT_TRUE(hub.Due().empty());

  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(31)).ok());
  ASSERT_EQ(hub.Due().size(), 1u);
  EXPECT_EQ(hub.Due()[0].turn, 1u);
  EXPECT_EQ(hub.Run("ana").state(), JourneyRow::STATE_DUE);
  EXPECT_EQ(hub.Count(fold::Notice::Kind::kDue), 2) << "told again after a minute";

  hub.Decide("ana", hub.Order());
  EXPECT_TRUE(hub.Due().empty());
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_DECIDED);
  ASSERT_EQ(hub.Outbound().size(), 1u);
  const store::v1::OutboundMessage sent = hub.Outbound()[0];
  EXPECT_EQ(sent.message(), hub.Message("ana").message());
  EXPECT_EQ(sent.attempt(), 1u);
  EXPECT_EQ(sent.address().hash(), Id("mail-ana"));
  store::v1::Event trigger;
  ASSERT_TRUE(trigger.ParseFromString(sent.event()));
  EXPECT_EQ(trigger.event_id(), Id("begin"));
  ASSERT_EQ(sent.traits_size(), 1);
  EXPECT_EQ(sent.traits(0).sealed(), "Ana");

  const auto permit = hub.AskPermit("ana", 1, 7);
  EXPECT_TRUE(permit.granted());
  EXPECT_GT(permit.valid_micros(), 0);
  EXPECT_EQ(hub.AskPermit("ana", 1, 8).reason(), "in_flight");

  hub.Report("ana", 1, 7, ReportMessage::RESULT_SENT);
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_SENT);
  EXPECT_EQ(hub.Run("ana").state(), JourneyRow::STATE_ENDED);
  EXPECT_EQ(hub.Run("ana").reason(), "sent");
  const TimelinePage page = hub.Timeline("ana");
  ASSERT_FALSE(page.entries.empty());
  EXPECT_EQ(page.entries[0].row.message().state(), v1::MESSAGE_STATE_SENT);
}

TEST(Outbound, TheSecondDecidedForARunAndTurnIsDropped) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  store::v1::Record first = hub.DecidedFor("ana");
  *first.mutable_decided()->mutable_order() = hub.Order();
  store::v1::Record second = first;
  second.mutable_decided()->mutable_order()->set_action("another");
  store::v1::Record earlier = first;
  earlier.mutable_decided()->set_turn(0);
  hub.Give(earlier);
  EXPECT_EQ(hub.Row("ana")->messages_size(), 0);
  hub.Give(first);
  hub.Give(second);
  ASSERT_EQ(hub.Row("ana")->messages_size(), 1);
  EXPECT_EQ(hub.Message("ana").order().action(), "basket_reminder");
  EXPECT_EQ(hub.Outbound().size(), 1u);
}

TEST(Outbound, NothingNowComesBackAndNothingAtAllEnds) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  store::v1::Record later = hub.DecidedFor("ana");
  later.mutable_decided()->set_reason("open_complaint");
  later.mutable_decided()->set_again_micros(hub.Now() + 10 * kMinute);
  hub.Give(later);
  EXPECT_EQ(hub.Run("ana").state(), JourneyRow::STATE_WAITING);
  EXPECT_EQ(hub.Run("ana").reason(), "open_complaint");
  EXPECT_TRUE(hub.Due().empty());
  const TimelinePage held = hub.Timeline("ana");
  EXPECT_EQ(held.entries[0].row.message().state(), v1::MESSAGE_STATE_HELD);
  EXPECT_EQ(held.entries[0].row.message().reason(), "open_complaint");
  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(11)).ok());
  ASSERT_EQ(hub.Due().size(), 1u);
  EXPECT_EQ(hub.Due()[0].turn, 2u);
  store::v1::Record nothing = hub.DecidedFor("ana");
  nothing.mutable_decided()->set_reason("nothing_better");
  hub.Give(nothing);
  EXPECT_EQ(hub.Run("ana").state(), JourneyRow::STATE_ENDED);
  EXPECT_EQ(hub.Run("ana").reason(), "nothing_better");
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_REFUSED);
  EXPECT_EQ(hub.Message("ana").reason(), "nothing_better");
  EXPECT_TRUE(hub.Due().empty());
}

TEST(Outbound, ARepeatIsCountedAndShownOnceAndSendsNothing) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  hub.Decide("ana", hub.Order());
  hub.AskPermit("ana", 1, 7);
  hub.Report("ana", 1, 7, ReportMessage::RESULT_SENT);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::seconds(2)).ok());
  for (int i = 0; i < 3; ++i) hub.Begin("ana", "basket", "b1", 0);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(5)).ok());
  EXPECT_EQ(hub.Run("ana").repeats(), 3u);
  ASSERT_EQ(hub.Row("ana")->messages_size(), 2);
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_REFUSED);
  EXPECT_EQ(hub.Message("ana").reason(), "duplicate");
  EXPECT_EQ(hub.Message("ana").order().action(), "basket_reminder");
  EXPECT_EQ(hub.Outbound().size(), 1u);
}

TEST(Outbound, BoughtMeanwhileCancelsAndBoughtAfterwardsIsTakenUp) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  hub.Decide("ana", hub.Order());
  hub.Leave("ana", "basket", "bought");
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_CANCELLED);
  EXPECT_EQ(hub.Message("ana").reason(), "bought");
  EXPECT_EQ(hub.AskPermit("ana", 1, 7).reason(), "bought");

  hub.KnowAndBegin("bob");
  hub.Decide("bob", hub.Order());
  hub.AskPermit("bob", 1, 7);
  hub.Report("bob", 1, 7, ReportMessage::RESULT_SENT);
  hub.Leave("bob", "basket", "bought");
  hub.Leave("bob", "basket", "bought");
  const auto sums = hub.Propensity("email", "basket_reminder");
  EXPECT_EQ(sums.impressions(), 1u);
  EXPECT_EQ(sums.positives(), 1u);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::hours(24 * 8)).ok());
  EXPECT_EQ(hub.Propensity("email", "basket_reminder").negatives(), 0u);
}

TEST(Outbound, WhatNobodyAnswersIsNoResponseInTheEnd) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  hub.Decide("ana", hub.Order());
  hub.AskPermit("ana", 1, 7);
  hub.Report("ana", 1, 7, ReportMessage::RESULT_SENT);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::hours(24 * 8)).ok());
  EXPECT_EQ(hub.Propensity("email", "basket_reminder").negatives(), 1u);
  EXPECT_EQ(hub.Row("ana")->outcomes_size(), 2);
}

TEST(Outbound, AnOptOutCancelsAndSuppressesAndConsentAnewLifts) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  hub.Decide("ana", hub.Order());
  hub.Consent("ana", v1::CONSENT_STATUS_DENIED);
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_CANCELLED);
  EXPECT_EQ(hub.Message("ana").reason(), "opted_out");
  EXPECT_EQ(hub.Run("ana").reason(), "opted_out");
  ASSERT_EQ(hub.Suppressions().size(), 1u);
  EXPECT_EQ(hub.Suppressions()[0].address().hash(), Id("mail-ana"));
  EXPECT_TRUE(hub.Suppressions()[0].address().sealed().empty());
  EXPECT_EQ(hub.Suppressions()[0].reason(), "opted_out");
  EXPECT_EQ(hub.Suppressions()[0].purpose(), "marketing");
  EXPECT_FALSE(hub.AskPermit("ana", 1, 7).granted());
  hub.Consent("ana", v1::CONSENT_STATUS_DENIED);
  EXPECT_EQ(hub.Suppressions().size(), 1u) << "told once";
  hub.Consent("ana", v1::CONSENT_STATUS_GRANTED);
  ASSERT_EQ(hub.Suppressions().size(), 2u);
  EXPECT_TRUE(hub.Suppressions()[1].lifted());
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_CANCELLED) << "what is over stays so";
}

TEST(Outbound, ABounceSuppressesTheAddress) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  hub.Decide("ana", hub.Order());
  hub.AskPermit("ana", 1, 7);
  hub.Report("ana", 1, 7, ReportMessage::RESULT_PERMANENT, "5.1.1");
  EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_FAILED);
  ASSERT_EQ(hub.Suppressions().size(), 1u);
  EXPECT_EQ(hub.Suppressions()[0].reason(), "bounced");
  EXPECT_EQ(hub.Suppressions()[0].purpose(), "");
}

TEST(Outbound, AnOpenComplaintHoldsUntilItIsClosedOrTheAgentReleasesIt) {
  for (bool released : {false, true}) {
    OutboundDriver hub;
    hub.KnowAndBegin("ana");
    hub.Give(EventOf("ana", hub.Now()).Name("complains").Case("complaint", 0));
    hub.Decide("ana", hub.Order());
    EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_HELD);
    EXPECT_EQ(hub.Message("ana").reason(), "open_complaint");
    EXPECT_TRUE(hub.Outbound().empty());
    if (released) {
      store::v1::Record start = CommandFor("ana", "start");
      start.mutable_command()->mutable_start_interaction()->set_channel(v1::CHANNEL_DESK);
      const auto contact = hub.Ask(start).result().interaction().interaction();
      store::v1::Record release = CommandFor("ana", "release");
      release.mutable_command()->mutable_release_selling()->set_interaction(contact);
      EXPECT_EQ(hub.Ask(release).code(), 0u);
    } else {
      store::v1::Record close = CommandFor("ana", "close");
      close.mutable_command()->mutable_close_case()->set_case_(hub.Row("ana")->cases(0).case_());
      EXPECT_EQ(hub.Ask(close).code(), 0u);
    }
    EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_DECIDED);
    EXPECT_EQ(hub.Outbound().size(), 1u);
    EXPECT_TRUE(hub.AskPermit("ana", 1, 7).granted());
  }
}

TEST(Outbound, HeldMessagesComeBackByThemselves) {
  OutboundDriver hub;
  hub.KnowAndBegin("ana");
  hub.Decide("ana", hub.Order());
  store::v1::RequestPermit quiet;
  quiet.set_hold_until_micros(hub.Now() + 30 * kMinute);
  EXPECT_EQ(hub.AskPermit("ana", 1, 7, quiet).reason(), "quiet_hours");
  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(29)).ok());
  EXPECT_EQ(hub.Outbound().size(), 1u);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(2)).ok());
  ASSERT_EQ(hub.Outbound().size(), 2u);
  EXPECT_EQ(hub.Outbound()[1].message(), hub.Outbound()[0].message());
  EXPECT_EQ(hub.Outbound()[1].attempt(), 2u);
  EXPECT_EQ(hub.AskPermit("ana", 1, 7).reason(), "not_due");
  EXPECT_TRUE(hub.AskPermit("ana", 2, 8).granted());
  hub.Report("ana", 2, 8, ReportMessage::RESULT_TRANSIENT);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(6)).ok());
  ASSERT_EQ(hub.Outbound().size(), 3u);
}

TEST(Outbound, APermitThatIsNeverReportedEndsUnknownAndTransactionalComesAgain) {
  for (const auto order_class :
       {store::v1::MessageOrder::CLASS_DEFAULT, store::v1::MessageOrder::CLASS_TRANSACTIONAL}) {
    OutboundDriver hub;
    hub.KnowAndBegin("ana");
    hub.Decide("ana", hub.Order(order_class));
    EXPECT_TRUE(hub.AskPermit("ana", 1, 7).granted());
    ASSERT_TRUE(hub.driver().Advance(std::chrono::hours(2)).ok());
    const bool again = order_class == store::v1::MessageOrder::CLASS_TRANSACTIONAL;
    ASSERT_EQ(hub.Outbound().size(), again ? 2u : 1u);
    EXPECT_EQ(hub.Message("ana").unknowns(), 1u);
    if (!again) {
      EXPECT_EQ(hub.Message("ana").state(), v1::MESSAGE_STATE_UNKNOWN);
      EXPECT_EQ(hub.Run("ana").reason(), "unknown");
    } else {
      EXPECT_EQ(hub.Outbound()[1].message(), hub.Outbound()[0].message());
    }
  }
}

TEST(Outbound, ADecisionIsKeptAnsweredAndSummedUp) {
  OutboundDriver hub;
  hub.Know("ana");
  store::v1::Record shown = CommandFor("ana", "decide");
  auto& decision = *shown.mutable_command()->mutable_record_decision()->mutable_decision();
  v1::DecisionContext where;
  where.set_channel("desk");
  where.SerializeToString(decision.mutable_context());
  for (const char* action : {"keep", "upgrade"}) decision.add_ranked()->set_action(action);
  const std::string id = hub.Ask(shown).result().decision().decision();
  ASSERT_EQ(id.size(), 16u);
  const auto row =
      ReadDecision(hub.driver().store(CustomerDriver::kPartition),
                   *CustomerId::FromBytes(Id("ana")), *MemberId::FromBytes(Id("ana")), id);
  ASSERT_TRUE(row.ok() && row->has_value());
  EXPECT_EQ((*row)->principal(), "marta");

  const auto answer = [&](const std::string& request, const std::string& action,
                          v1::OutcomeKind kind) {
    store::v1::Record record = CommandFor("ana", request);
    auto& outcome = *record.mutable_command()->mutable_record_outcome();
    outcome.set_decision(id);
    outcome.set_action(action);
    outcome.set_outcome(kind);
    return hub.Ask(record);
  };
  EXPECT_EQ(answer("a", "keep", v1::OUTCOME_KIND_ACCEPTED).code(), 0u);
  EXPECT_EQ(answer("b", "unheard", v1::OUTCOME_KIND_ACCEPTED).reason(), "action_not_offered");
  EXPECT_EQ(answer("c", "keep", v1::OUTCOME_KIND_IMPRESSION).reason(), "outcome_invalid");
  EXPECT_EQ(hub.Propensity("desk", "keep").positives(), 1u);
  EXPECT_EQ(hub.Propensity("desk", "keep").impressions(), 1u);
  ASSERT_TRUE(hub.driver().Advance(std::chrono::hours(2)).ok());
  EXPECT_EQ(hub.Propensity("desk", "keep").negatives(), 0u);
  EXPECT_EQ(hub.Propensity("desk", "upgrade").negatives(), 1u) << "shown, and nothing came of it";
}

TEST(Outbound, ManyDecisionsLetTheOldestGo) {
  OutboundDriver hub;
  hub.Know("ana");
  std::string first;
  for (int i = 0; i <= outcomes::kMaxDecisions; ++i) {
    store::v1::Record shown = CommandFor("ana", "decide" + std::to_string(i));
    v1::DecisionContext where;
    where.set_channel("desk");
    where.SerializeToString(
        shown.mutable_command()->mutable_record_decision()->mutable_decision()->mutable_context());
    const std::string id = hub.Ask(shown).result().decision().decision();
    if (!first.empty()) continue;
    first = id;
    ASSERT_TRUE(hub.driver().Advance(std::chrono::seconds(2)).ok());
  }
  const auto row =
      ReadDecision(hub.driver().store(CustomerDriver::kPartition),
                   *CustomerId::FromBytes(Id("ana")), *MemberId::FromBytes(Id("ana")), first);
  ASSERT_TRUE(row.ok());
  EXPECT_FALSE(row->has_value());
}

TEST(Outbound, DuePagesNameEachRunOnce) {
  OutboundDriver hub;
  for (const char* customer : {"ana", "bob", "cid"}) hub.KnowAndBegin(customer);
  auto page = ReadDue(hub.driver().store(CustomerDriver::kPartition), 2);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->runs.size(), 2u);
  ASSERT_FALSE(page->next.empty());
  const auto rest = ReadDue(hub.driver().store(CustomerDriver::kPartition), 2, page->next);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->runs.size(), 1u);
  EXPECT_TRUE(rest->next.empty());
  EXPECT_NE(rest->runs[0].run, page->runs[0].run);
  EXPECT_NE(rest->runs[0].run, page->runs[1].run);
}

// Journeys, decisions, permits, reports, opt-outs, answers and time, as they may come.
void LiveAtRandom(OutboundDriver& hub, uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&random](uint64_t bound) { return random() % bound; };
  const std::vector<std::string> people = {"ana", "bob", "cid"};
  for (const std::string& customer : people) hub.Know(customer);
  for (int step = 0; step < 400; ++step) {
    const std::string& customer = people[below(people.size())];
    const bool has_message = hub.Row(customer)->messages_size() > 0;
    switch (below(8)) {
      case 0:
        hub.Begin(customer, "basket", "b" + std::to_string(below(5)), below(3) * kMinute);
        break;
      case 1:
        if (below(3) == 0) hub.Leave(customer, "basket", "bought");
        break;
      case 2:
        hub.Decide(customer, hub.Order(below(3) == 0 ? store::v1::MessageOrder::CLASS_TRANSACTIONAL
                                                     : store::v1::MessageOrder::CLASS_DEFAULT));
        break;
      case 3:
      case 4:
        if (has_message) hub.AskPermit(customer, hub.Message(customer).offered(), 7);
        break;
      case 5:
        if (has_message) {
          hub.Report(customer, hub.Message(customer).permitted(), 7,
                     static_cast<ReportMessage::Result>(1 + below(5)),
                     below(9) == 0 ? "5.1.1" : "");
        }
        break;
      case 6:
        if (below(4) == 0) {
          hub.Consent(customer,
                      below(3) == 0 ? v1::CONSENT_STATUS_DENIED : v1::CONSENT_STATUS_GRANTED);
        }
        break;
      default:
        ASSERT_TRUE(hub.driver().Advance(std::chrono::minutes(below(30))).ok());
    }
  }
  ASSERT_TRUE(hub.driver().Advance(std::chrono::hours(26)).ok());
}

TEST(Outbound, OneLogIsOneStateWhateverTheBatchesAndRestarts) {
  for (uint64_t seed : {1, 2, 3}) {
    OutboundDriver hub;
    LiveAtRandom(hub, seed);
    ASSERT_FALSE(hub.Outbound().empty());
    for (size_t batch : {1, 7, 1'000}) {
      const Status again = hub.driver().Refold({.batch = batch});
      EXPECT_TRUE(again.ok()) << "seed " << seed << " batch " << batch << ": " << Describe(again);
    }
    const Status restarted = hub.driver().Refold({.batch = 1, .restart_after_each_batch = true});
    EXPECT_TRUE(restarted.ok()) << "seed " << seed << " restarted: " << Describe(restarted);
    for (const char* customer : {"ana", "bob", "cid"}) {
      const auto row = hub.Row(customer);
      ASSERT_TRUE(row.has_value());
      for (const auto& message : row->messages()) {
        EXPECT_TRUE(message::IsSettled(message)) << "seed " << seed;
      }
    }
    EXPECT_TRUE(hub.Due().empty());
  }
}

}  // namespace
}  // namespace hilo::customer
