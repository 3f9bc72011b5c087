#include "streams/customer/customer_fold.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "state/timeline/interactions.h"
#include "tests/unit/streams/customer/customer_driver.h"
#include "tests/unit/streams/customer/map_context.h"

namespace hilo::customer {
namespace {

using Kind = fold::Notice::Kind;
using std::chrono::minutes;

int CountOf(const std::vector<fold::Notice>& notices, Kind kind) {
  int count = 0;
  for (const auto& notice : notices) count += notice.kind == kind ? 1 : 0;
  return count;
}

TEST(CustomerFold, TheFirstEventMakesTheMember) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.TakeNotices();
  hub.Give(EventOf("ana", now)
               .Begins()
               .Identified(v1::IDENTIFIER_KIND_EMAIL, "mail")
               .Identified(v1::IDENTIFIER_KIND_PHONE, "elsewhere", false)
               .Trait("first_name", "Ana")
               .Fact("size", "42"));
  const auto row = hub.Row("ana");
  ASSERT_TRUE(row.has_value());
  EXPECT_EQ(row->events(), 1u);
  EXPECT_EQ(row->first_micros(), now);
  ASSERT_EQ(row->identifiers_size(), 1) << "only what is bound to this member";
  EXPECT_EQ(row->identifiers(0).identifier().hash(), Id("mail"));
  EXPECT_EQ(row->traits(0).sealed(), "Ana");
  EXPECT_EQ(row->facts(0).sealed(), "42");
  ASSERT_EQ(row->interactions_size(), 1);
  EXPECT_FALSE(row->interactions(0).known_before());
  EXPECT_EQ(row->facts(0).origin().interaction(), row->interactions(0).interaction());
  const auto notices = hub.TakeNotices();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].kind, Kind::kMemberChanged);
  EXPECT_EQ(notices[0].receive_micros, now + 1);
  const TimelinePage page = hub.Timeline("ana");
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].row.interaction(), row->interactions(0).interaction());
}

TEST(CustomerFold, EventTimeIsTheEnvelopesNotTheEvents) {
  CustomerDriver hub;
  store::v1::Record record = EventOf("ana", hub.Now() + 500 * kMinute).Fact("size", "42").Record();
  record.mutable_customer_event()->set_event_micros(hub.Now());
  hub.Give(record);
  EXPECT_EQ(hub.Row("ana")->last_micros(), hub.Now());
  EXPECT_EQ(hub.Row("ana")->facts(0).origin().event_micros(), hub.Now());
  EXPECT_EQ(hub.Timeline("ana").entries[0].row.event_micros(), hub.Now());
}

TEST(CustomerFold, ASuggestionAloneIsNoEvent) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()));
  store::v1::Record record;
  auto* envelope = record.mutable_customer_event();
  envelope->set_customer(Id("ana"));
  envelope->set_member(Id("ana"));
  envelope->set_identity_offset(9);
  envelope->add_suggestions()->set_other(Id("other"));
  hub.Give(record);
  EXPECT_EQ(hub.Row("ana")->events(), 1u);
  EXPECT_EQ(hub.Row("ana")->suggestions_size(), 1);
  EXPECT_EQ(hub.Timeline("ana").entries.size(), 1u);
}

TEST(CustomerFold, ARingingCallPopsAtItsAgentAndLeavesWhenItEnds) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.Give(EventOf("ana", now - kMinute).Begins());
  hub.TakeNotices();
  hub.Give(EventOf("ana", now).Call("c1", "agent_ringing", "marta"));
  auto notices = hub.TakeNotices();
  ASSERT_EQ(CountOf(notices, Kind::kAgentCall), 1);
  EXPECT_EQ(notices[0].agent, "marta");
  EXPECT_TRUE(notices[0].began_ringing);
  EXPECT_EQ(notices[0].receive_micros, now + 1);
  auto calls = hub.CallsAt("marta");
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].interaction.state(), static_cast<uint32_t>(v1::INTERACTION_STATE_RINGING));
  EXPECT_EQ(calls[0].interaction.assurance(), static_cast<uint32_t>(v1::ASSURANCE_CLAIMED));
  EXPECT_TRUE(calls[0].interaction.known_before());
  EXPECT_TRUE(hub.CallsAt("luis").empty());

  hub.Give(EventOf("ana", now + 1).Call("c1", "answered", "marta"));
  notices = hub.TakeNotices();
  ASSERT_EQ(CountOf(notices, Kind::kAgentCall), 1);
  EXPECT_FALSE(notices[0].began_ringing);
  EXPECT_EQ(hub.CallsAt("marta")[0].interaction.state(),
            static_cast<uint32_t>(v1::INTERACTION_STATE_ACTIVE));

  hub.Give(EventOf("ana", now + 2).Call("c1", "transferred", "luis"));
  notices = hub.TakeNotices();
  ASSERT_EQ(CountOf(notices, Kind::kAgentCall), 2);
  EXPECT_EQ(notices[0].agent, "marta");
  EXPECT_FALSE(notices[0].began_ringing);
  EXPECT_EQ(notices[1].agent, "luis");
  EXPECT_TRUE(notices[1].began_ringing);
  EXPECT_TRUE(hub.CallsAt("marta").empty());
  EXPECT_EQ(hub.CallsAt("luis").size(), 1u);

  hub.Give(EventOf("ana", now + 3).Call("c1", "ended"));
  EXPECT_EQ(CountOf(hub.TakeNotices(), Kind::kAgentCall), 1);
  EXPECT_TRUE(hub.CallsAt("luis").empty());
}

TEST(CustomerFold, AHangUpBeforeTheRingingNeverPopsAndStandsOnTheTimeline) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.Give(EventOf("ana", now).Call("c1", "ended", "marta"));
  hub.Give(EventOf("ana", now + 1).Call("c1", "agent_ringing", "marta"));
  EXPECT_EQ(CountOf(hub.notices, Kind::kAgentCall), 0);
  EXPECT_TRUE(hub.CallsAt("marta").empty());
  EXPECT_EQ(hub.Timeline("ana").entries.size(), 2u);
  EXPECT_EQ(hub.Row("ana")->interactions_size(), 1);
}

TEST(CustomerFold, AVisitEndsAfterItsIdleTimeAndTellsSo) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()));
  ASSERT_TRUE(hub.driver().Advance(minutes(20)).ok());
  hub.Give(EventOf("ana", hub.Now()));
  ASSERT_TRUE(hub.driver().Advance(minutes(29)).ok());
  EXPECT_TRUE(timeline::IsOpen(hub.Row("ana")->interactions(0)));
  hub.TakeNotices();
  ASSERT_TRUE(hub.driver().Advance(minutes(2)).ok());
  ASSERT_EQ(hub.Row("ana")->interactions_size(), 1);
  EXPECT_FALSE(timeline::IsOpen(hub.Row("ana")->interactions(0)));
  EXPECT_EQ(CountOf(hub.TakeNotices(), Kind::kMemberChanged), 1);
  hub.Give(EventOf("ana", hub.Now()));
  EXPECT_EQ(hub.Row("ana")->interactions_size(), 2);
}

TEST(CustomerFold, TheIdleTimeIsAParameter) {
  CustomerDriver hub;
  store::v1::Record record;
  record.mutable_parameters()->set_visit_idle_micros(2 * kMinute);
  hub.Give(record);
  hub.Give(EventOf("ana", hub.Now()));
  ASSERT_TRUE(hub.driver().Advance(minutes(3)).ok());
  EXPECT_FALSE(timeline::IsOpen(hub.Row("ana")->interactions(0)));
}

TEST(CustomerFold, ACallWhoseEndNeverComesIsEndedAndLeavesItsAgent) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()).Call("c1", "answered", "marta"));
  ASSERT_TRUE(hub.driver().Advance(minutes(110)).ok());
  EXPECT_EQ(hub.CallsAt("marta").size(), 1u);
  // A note within the call shows that it goes on.
  store::v1::Record note = CommandFor("ana", "r1");
  note.mutable_command()->set_interaction(hub.Row("ana")->interactions(0).interaction());
  note.mutable_command()->mutable_add_note()->set_sealed_text("still talking");
  hub.Give(note);
  ASSERT_TRUE(hub.driver().Advance(minutes(110)).ok());
  EXPECT_EQ(hub.CallsAt("marta").size(), 1u);
  hub.TakeNotices();
  ASSERT_TRUE(hub.driver().Advance(minutes(20)).ok());
  EXPECT_TRUE(hub.CallsAt("marta").empty());
  EXPECT_EQ(hub.Row("ana")->interactions(0).disposition(), "lost");
  EXPECT_EQ(CountOf(hub.TakeNotices(), Kind::kAgentCall), 1);
}

TEST(CustomerFold, AskingWhatIsOnRecordIsCountedUntilTheFactExpires) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()).Fact("return_order", "1042", 10 * kMinute));
  store::v1::Record ask = CommandFor("ana", "r1");
  ask.mutable_command()->mutable_ask_question()->set_kind("return_order");
  const auto answer = hub.Ask(ask);
  EXPECT_EQ(answer.code(), 0u);
  EXPECT_TRUE(answer.result().question().already_on_record());
  EXPECT_EQ(answer.result().known_fact().sealed(), "1042");
  EXPECT_EQ(hub.Row("ana")->asked_again(), 1u);
  ASSERT_TRUE(hub.driver().Advance(minutes(11)).ok());
  ask.mutable_command()->set_request_id(Id("r2"));
  EXPECT_FALSE(hub.Ask(ask).result().has_known_fact());
  EXPECT_EQ(hub.Row("ana")->asked_again(), 1u);
}

TEST(CustomerFold, ACommandHasOneEffectHoweverOftenItComes) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()));
  store::v1::Record record = CommandFor("ana", "r1");
  record.mutable_command()->mutable_record_fact()->set_kind("size");
  const auto first = hub.Ask(record);
  EXPECT_EQ(first.code(), 0u);
  const auto again = hub.Ask(record);
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(hub.Row("ana")->facts_size(), 1);
  EXPECT_EQ(hub.Timeline("ana").entries.size(), 2u);
  record.mutable_command()->set_content_hash(Id("other"));
  EXPECT_EQ(hub.Ask(record).reason(), "request_id_conflict");
  EXPECT_EQ(hub.Row("ana")->facts_size(), 1);
}

TEST(CustomerFold, ACommandNeverMakesACustomer) {
  CustomerDriver hub;
  store::v1::Record record = CommandFor("nobody", "r1");
  record.mutable_command()->mutable_add_note()->set_sealed_text("hello");
  const auto answer = hub.Ask(record);
  EXPECT_EQ(answer.code(), static_cast<uint32_t>(StatusCode::kNotFound));
  EXPECT_EQ(answer.reason(), "customer_not_found");
  EXPECT_FALSE(hub.Row("nobody").has_value());
  EXPECT_TRUE(hub.Timeline("nobody").entries.empty());
  EXPECT_TRUE(hub.driver().DeadLetters().empty());
}

TEST(CustomerFold, EachCommandThatIsAppliedStandsOnTheTimeline) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now() - kMinute));
  store::v1::Record note = CommandFor("ana", "r1");
  note.mutable_command()->mutable_add_note()->set_sealed_text("wants a refund");
  const auto answer = hub.Ask(note);
  store::v1::Record refused = CommandFor("ana", "r2");
  refused.mutable_command()->mutable_close_case()->set_case_(Id("none"));
  EXPECT_EQ(hub.Ask(refused).reason(), "case_not_found");
  const TimelinePage page = hub.Timeline("ana");
  ASSERT_EQ(page.entries.size(), 2u);
  store::v1::Command kept;
  ASSERT_TRUE(kept.ParseFromString(page.entries[0].row.command()));
  EXPECT_EQ(kept.add_note().sealed_text(), "wants a refund");
  EXPECT_EQ(answer.result().entry().offset(), page.entries[0].row.offset());
  EXPECT_EQ(answer.result().entry().event_micros(), page.entries[0].row.event_micros());
}

TEST(CustomerFold, AStaleVersionIsAnAnswerWithWhatStandsNow) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()).Case("return", 60 * kMinute));
  const auto opened = hub.Row("ana")->cases(0);
  EXPECT_EQ(opened.due_micros(), hub.Now() + 60 * kMinute);
  store::v1::Record close = CommandFor("ana", "r1");
  close.mutable_command()->mutable_close_case()->set_case_(opened.case_());
  close.mutable_command()->mutable_close_case()->set_version(opened.version() + 5);
  const auto answer = hub.Ask(close);
  EXPECT_EQ(answer.code(), static_cast<uint32_t>(StatusCode::kAborted));
  EXPECT_EQ(answer.reason(), "stale_version");
  EXPECT_EQ(answer.result().case_().version(), opened.version());
  EXPECT_TRUE(hub.driver().DeadLetters().empty());
  close.mutable_command()->mutable_close_case()->set_version(opened.version());
  close.mutable_command()->set_request_id(Id("r2"));
  EXPECT_EQ(hub.Ask(close).code(), 0u);
  EXPECT_EQ(hub.Row("ana")->cases(0).state(), static_cast<uint32_t>(v1::CASE_STATE_CLOSED));
}

TEST(CustomerFold, APromiseThatFallsDueTellsThoseWhoWatchUnlessItEnded) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()).On(v1::CHANNEL_SYSTEM));
  for (const char* request : {"r1", "r2"}) {
    store::v1::Record record = CommandFor("ana", request);
    record.mutable_command()->mutable_make_promise()->set_due_micros(hub.Now() + 5 * kMinute);
    hub.Ask(record);
  }
  store::v1::Record kept = CommandFor("ana", "r3");
  kept.mutable_command()->mutable_end_promise()->set_promise(hub.Row("ana")->promises(0).promise());
  kept.mutable_command()->mutable_end_promise()->set_state(v1::PROMISE_STATE_KEPT);
  EXPECT_EQ(hub.Ask(kept).code(), 0u);
  hub.TakeNotices();
  ASSERT_TRUE(hub.driver().Advance(minutes(4)).ok());
  EXPECT_EQ(hub.TakeNotices().size(), 0u);
  ASSERT_TRUE(hub.driver().Advance(minutes(2)).ok());
  EXPECT_EQ(hub.TakeNotices().size(), 1u);
}

TEST(CustomerFold, APromiseThatEndedLeavesNoTimer) {
  const auto fold = NewCustomerFold({.partition = 1});
  const log::TopicPartition of{"customers", 1};
  const store::v1::RecordHeader header;
  MapContext context;
  const store::v1::Record event = EventOf("ana", 1'000).On(v1::CHANNEL_SYSTEM).Record();
  ASSERT_TRUE(fold->Apply({of, 0, 0, header, event}, context).ok());
  store::v1::Record make = CommandFor("ana", "r1");
  make.mutable_command()->mutable_make_promise()->set_due_micros(5'000);
  ASSERT_TRUE(fold->Apply({of, 1, 0, header, make}, context).ok());
  ASSERT_EQ(context.timers.size(), 1u);
  EXPECT_EQ(context.timers.begin()->second.due.micros, 5'000);
  store::v1::Record kept = CommandFor("ana", "r2");
  kept.mutable_command()->mutable_end_promise()->set_promise(
      context.answers[0].result().promise().promise());
  kept.mutable_command()->mutable_end_promise()->set_state(v1::PROMISE_STATE_KEPT);
  ASSERT_TRUE(fold->Apply({of, 2, 0, header, kept}, context).ok());
  EXPECT_EQ(context.answers[1].code(), 0u);
  EXPECT_TRUE(context.timers.empty());
}

TEST(CustomerFold, InteractionsByHandBeginAreVerifiedAndEnd) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()).On(v1::CHANNEL_SYSTEM));
  store::v1::Record start = CommandFor("ana", "r1");
  start.mutable_command()->mutable_start_interaction()->set_channel(v1::CHANNEL_CALL);
  const auto started = hub.Ask(start);
  const std::string id = started.result().interaction().interaction();
  EXPECT_EQ(hub.Timeline("ana").entries[0].row.interaction(), id);
  store::v1::Record verify = CommandFor("ana", "r2");
  verify.mutable_command()->mutable_verify_interaction()->set_interaction(id);
  EXPECT_EQ(hub.Ask(verify).result().interaction().assurance(),
            static_cast<uint32_t>(v1::ASSURANCE_VERIFIED));
  store::v1::Record end = CommandFor("ana", "r3");
  end.mutable_command()->mutable_end_interaction()->set_interaction(id);
  end.mutable_command()->mutable_end_interaction()->set_disposition("solved");
  EXPECT_EQ(hub.Ask(end).result().interaction().disposition(), "solved");
  EXPECT_FALSE(timeline::IsOpen(hub.Row("ana")->interactions(0)));
}

TEST(CustomerFold, ConsentIsTheStricterOfALateOptOutAndALaterGrantOfLessTrust) {
  CustomerDriver hub;
  const int64_t now = hub.Now();
  hub.Give(EventOf("ana", now).Consent(v1::CONSENT_STATUS_GRANTED, 1));
  hub.Give(EventOf("ana", now - kMinute).Consent(v1::CONSENT_STATUS_DENIED, 5));
  ASSERT_EQ(hub.Row("ana")->consents_size(), 1);
  EXPECT_EQ(hub.Row("ana")->consents(0).signal().status(),
            static_cast<uint32_t>(v1::CONSENT_STATUS_DENIED));
  store::v1::Record grant = CommandFor("ana", "r1");
  auto* signal = grant.mutable_command()->mutable_record_consent()->mutable_signal();
  signal->set_channel(v1::CHANNEL_EMAIL);
  signal->set_purpose("marketing");
  signal->set_status(v1::CONSENT_STATUS_GRANTED);
  EXPECT_EQ(hub.Ask(grant).result().consent().signal().status(),
            static_cast<uint32_t>(v1::CONSENT_STATUS_DENIED))
      << "the answer is what is in force";
}

TEST(CustomerFold, AnOrderCountsOnce) {
  CustomerDriver hub;
  hub.Give(EventOf("ana", hub.Now()).Name("e1").Bought("1042", 8'990));
  hub.Give(EventOf("ana", hub.Now()).Name("e2").Bought("1042", 8'990));
  EXPECT_EQ(hub.Row("ana")->purchases(0).total_minor(), 8'990);
  EXPECT_EQ(hub.Row("ana")->purchases(0).repeats(), 1);
}

TEST(CustomerFold, RefusesWhatIsNotForItAndKeepsOn) {
  CustomerDriver hub;
  hub.Append(EventOf("ana", hub.Now()).Name("e1").Record());
  hub.Append(EventOf("\xff", hub.Now()).Record());  // another partition's bucket
  store::v1::Record broken = EventOf("ana", hub.Now()).Name("e2").Record();
  broken.mutable_customer_event()->set_event("\xff\xff");
  hub.Append(broken);
  store::v1::Record unbound = EventOf("ana", hub.Now()).Name("e3").Record();
  unbound.mutable_customer_event()->add_bound(3);
  hub.Append(unbound);
  store::v1::Record short_id = EventOf("ana", hub.Now()).Name("e4").Record();
  short_id.mutable_customer_event()->set_member("short");
  hub.Append(short_id);
  hub.Append(EventOf("ana", int64_t{1} << 61).Record());
  store::v1::Record stranger;
  stranger.set_event("not for this topic");
  hub.Append(stranger);
  store::v1::Record command = CommandFor("\xff", "r1");
  hub.Append(command);
  hub.Give(EventOf("ana", hub.Now()).Name("e5"));
  EXPECT_EQ(hub.Row("ana")->events(), 2u);
  EXPECT_EQ(hub.Row("ana")->changes(), 2u);
  std::vector<std::string> reasons;
  for (const auto& letter : hub.driver().DeadLetters()) reasons.push_back(letter.reason());
  EXPECT_EQ(reasons,
            (std::vector<std::string>{"wrong_partition", "record_malformed", "record_malformed",
                                      "record_malformed", "record_malformed", "unexpected_record",
                                      "wrong_partition"}));
}

TEST(CustomerFold, ARowNeverGrowsBeyondItsLimit) {
  CustomerDriver hub;
  for (int i = 0; i < 200; ++i) {
    hub.Append(EventOf("ana", hub.Now() + i)
                   .Fact("kind" + std::to_string(i), std::string(4'096, 'x'))
                   .Record());
  }
  ASSERT_TRUE(hub.driver().Settle().ok());
  EXPECT_LE(hub.Row("ana")->ByteSizeLong(), size_t{256} << 10);
  EXPECT_EQ(hub.Row("ana")->facts_size() + hub.Row("ana")->left_out().facts(), 200u);
  EXPECT_EQ(hub.Row("ana")->events(), 200u);
}

TEST(CustomerFold, WhatWasCachedFromABatchThatWasGivenUpIsForgotten) {
  const auto fold = NewCustomerFold({.partition = 1});
  const log::TopicPartition of{"customers", 1};
  const store::v1::RecordHeader header;
  const store::v1::Record first = EventOf("ana", 1'000).Record();
  const store::v1::Record second = EventOf("ana", 2'000).Name("e2").Record();
  MapContext context;
  ASSERT_TRUE(fold->Apply({of, 0, 0, header, first}, context).ok());
  const auto kept = context.rows;
  ASSERT_TRUE(fold->Apply({of, 1, 0, header, second}, context).ok());
  const auto expected = context.rows;
  context.rows = kept;  // the batch with the second was not written
  fold->Forget();
  ASSERT_TRUE(fold->Apply({of, 1, 0, header, second}, context).ok());
  EXPECT_EQ(context.rows, expected);
}

TEST(CustomerFold, AStoreThatFailsIsAFailureAndNoRefusal) {
  const auto fold = NewCustomerFold({.partition = 1});
  const log::TopicPartition of{"customers", 1};
  const store::v1::RecordHeader header;
  MapContext context;
  context.failure = Error(StatusCode::kDataLoss, "state_corrupt", "a block");
  const store::v1::Record event = EventOf("ana", 1'000).Record();
  const auto outcome = fold->Apply({of, 0, 0, header, event}, context);
  EXPECT_FALSE(outcome.ok());
  EXPECT_FALSE(outcome.refused());
}

TEST(CustomerFold, ReadsAMemberOnceForARunOfItsEventsAndWritesTwoRowsEach) {
  const auto fold = NewCustomerFold({.partition = 1});
  const log::TopicPartition of{"customers", 1};
  const store::v1::RecordHeader header;
  MapContext context;
  for (int i = 0; i < 10; ++i) {
    const store::v1::Record event = EventOf("ana", 1'000 + i).Record();
    ASSERT_TRUE(fold->Apply({of, i, 0, header, event}, context).ok());
  }
  EXPECT_EQ(context.gets, 1);
  EXPECT_EQ(context.puts, 20);
}

TEST(CustomerFold, ASmallCacheGivesTheSameState) {
  const log::TopicPartition of{"customers", 1};
  const store::v1::RecordHeader header;
  MapContext large_context;
  MapContext small_context;
  const auto large = NewCustomerFold({.partition = 1});
  const auto small = NewCustomerFold({.partition = 1, .max_cached_rows = 1, .max_cached_bytes = 1});
  std::mt19937_64 random(7);
  for (int i = 0; i < 500; ++i) {
    const std::string who = std::string(1, static_cast<char>('a' + random() % 5));
    const store::v1::Record event = EventOf(who, static_cast<int64_t>(random() % 100) * kMinute)
                                        .Name("e" + std::to_string(i))
                                        .Fact("kind" + std::to_string(random() % 4), "v")
                                        .Record();
    ASSERT_TRUE(large->Apply({of, i, 0, header, event}, large_context).ok());
    ASSERT_TRUE(small->Apply({of, i, 0, header, event}, small_context).ok());
  }
  EXPECT_EQ(large_context.rows, small_context.rows);
  EXPECT_GT(small_context.gets, large_context.gets);
}

}  // namespace
}  // namespace hilo::customer
