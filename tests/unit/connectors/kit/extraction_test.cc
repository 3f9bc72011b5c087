#include "connectors/kit/extraction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/edge_fixture.h"

namespace hilo::kit {
namespace {

using testing::Edge;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const char kJourneys[] = R"(
apiVersion: hilo/v1
kind: Template
metadata: {name: mail}
spec: {channel: email, texts: {en: {subject: S, text: T}}}
---
apiVersion: hilo/v1
kind: Action
metadata: {name: act}
spec: {group: g, class: transactional, title: {en: T}, channels: [email], templates: {email: mail}}
---
apiVersion: hilo/v1
kind: Journey
metadata: {name: basket}
spec:
  when: {type: web.track, event: Product Added}
  key: cart_id
  wait: 4h
  restart: true
  exits:
    - {when: {type: web.track, event: Order Completed}, reason: bought, key: cart_id}
    - {when: {type: web.track, event: Complaint}, reason: complained}
  expires_after: 2d
  reenter_after: 3d
  channel: email
  actions: [act]
---
apiVersion: hilo/v1
kind: Journey
metadata: {name: gift}
spec:
  when: {type: web.track, event: Product Added, condition: {path: gift, equals: "true"}}
  expires_after: 1d
  reenter_after: 1d
  channel: email
  actions: [act]
)";

// Events and the signals that the edge wrote into them.
class Signals : public ::testing::Test {
 protected:
  Signals() {
    const std::vector<catalogue::File> files = {{"a.yaml", kJourneys}};
    const auto parsed = catalogue::Catalogue::Parse(files, 1);
    EXPECT_TRUE(parsed.catalogue) << parsed.problems[0].message;
    edge_.intake->UseCatalogue(parsed.catalogue);
  }

  std::vector<store::v1::JourneySignal> Of(const std::string& name, const std::string& json) {
    IncomingEvent event{.source = {.name = "shop", .default_region = "ES"},
                        .channel = v1::CHANNEL_WEB,
                        .id = std::to_string(++events_),
                        .type = "web.track",
                        .event = name,
                        .received = edge_.clock.Wall()};
    event.identifiers.push_back({v1::IDENTIFIER_KIND_USER_ID, "u1"});
    event.document = json::Document::Parse(json).value();
    event.properties = event.document->root();
    event.body = json;
    std::vector<IncomingEvent> batch;
    batch.push_back(std::move(event));
    edge_.intake->Accept(std::move(batch), [](std::vector<Accepted>) {});
    const auto journeys = edge_.Stored().back().body.journeys();
    return {journeys.begin(), journeys.end()};
  }

  Edge edge_;
  int events_ = 0;
};

TEST_F(Signals, BeginWithTheRulesOfTheJourney) {
  const auto signals = Of("Product Added", R"({"cart_id": "c-1"})");
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].journey(), "basket");
  EXPECT_FALSE(signals[0].leaves());
  EXPECT_EQ(signals[0].key().size(), 16u);
  EXPECT_EQ(signals[0].wait_micros(), 4LL * 3'600 * 1'000'000);
  EXPECT_TRUE(signals[0].restarts());
  EXPECT_EQ(signals[0].expires_micros(), 2LL * 86'400 * 1'000'000);
  EXPECT_EQ(signals[0].reenter_micros(), 3LL * 86'400 * 1'000'000);
}

TEST_F(Signals, EndTheRunOfTheSameKeyAlone) {
  const auto begins = Of("Product Added", R"({"cart_id": 17})");
  const auto same = Of("Order Completed", R"({"cart_id": "17"})");
  const auto other = Of("Order Completed", R"({"cart_id": "18"})");
  ASSERT_THAT(same, SizeIs(1));
  EXPECT_TRUE(same[0].leaves());
  EXPECT_EQ(same[0].reason(), "bought");
  EXPECT_EQ(same[0].key(), begins[0].key());
  EXPECT_NE(other[0].key(), begins[0].key());
  EXPECT_EQ(same[0].key().find("17"), std::string::npos);
}

TEST_F(Signals, AnExitWithoutItsKeyEndsNothing) {
  EXPECT_THAT(Of("Order Completed", "{}"), IsEmpty());
  EXPECT_THAT(Of("Order Completed", R"({"cart_id": {"a": 1}})"), IsEmpty());
  EXPECT_THAT(Of("Order Completed", R"({"cart_id": "  "})"), IsEmpty());
}

TEST_F(Signals, AnExitThatNamesNoKeyEndsEveryRun) {
  const auto signals = Of("Complaint", "{}");
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].reason(), "complained");
  EXPECT_EQ(signals[0].key(), "");
}

TEST_F(Signals, WithoutAKeyInTheEventThereIsOneRunACustomer) {
  const auto signals = Of("Product Added", "{}");
  ASSERT_THAT(signals, SizeIs(1));
  EXPECT_EQ(signals[0].key(), "");
}

TEST_F(Signals, KeepTheConditionOfTheTrigger) {
  EXPECT_THAT(Of("Product Added", R"({"gift": false})"), SizeIs(1));
  const auto signals = Of("Product Added", R"({"gift": true})");
  ASSERT_THAT(signals, SizeIs(2));
  EXPECT_EQ(signals[1].journey(), "gift");
  EXPECT_EQ(signals[1].wait_micros(), 0);
}

TEST_F(Signals, AreNotInOtherEvents) { EXPECT_THAT(Of("Page Viewed", "{}"), IsEmpty()); }

}  // namespace
}  // namespace hilo::kit
