#include "connectors/callcenter/call_center.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "connectors/callcenter/caller.h"
#include "tests/testing/edge_fixture.h"

namespace hilo::callcenter {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Edge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const http::Headers kSwitch = {{"Authorization", "Bearer pbx-key"},
                               {"Content-Type", "application/cloudevents+json"}};

class CallCenterTest : public ::testing::Test {
 protected:
  CallCenterTest() {
    CallCenterOptions options;
    options.sources = {{.source = {.name = "pbx", .default_region = "ES"}, .key = "pbx-key"}};
    options.agents = {{"marta", "sip:marta@pbx", {"billing", "returns"}},
                      {"luis", "sip:luis@pbx", {"returns"}},
                      {"eva", "sip:eva@pbx", {"sales"}}};
    options.queues = {{"returns", {"900 100 100"}, "returns", 8},
                      {"legal", {"900100200"}, "law", 1},
                      {"all", {"*"}, "", 0}};
    center = CallCenter::Create(options, *edge.intake, edge.clock, edge.registry).value();
    center->AddRoutes(edge.router);
  }

  // {"call_id":"c-1", …}
  std::shared_ptr<Edge::Answer> Begin(const std::string& step, const std::string& data,
                                      std::string id = {}, std::string time = {}) {
    if (id.empty()) id = "e" + std::to_string(++count_);
    return edge.Begin("POST", "/v1/calls/events", kSwitch,
                      R"({"specversion":"1.0","id":")" + id + R"(","source":"/pbx","type":"call.)" +
                          step + "\"" + (time.empty() ? "" : ",\"time\":\"" + time + "\"") +
                          R"(,"data":)" + data + "}");
  }
  Edge::Answer Send(const std::string& step, const std::string& data) { return *Begin(step, data); }
  std::string Route(const std::string& call, const std::string& from, const std::string& to) {
    return edge
        .Call("POST", "/v1/route", {{"Authorization", "Bearer pbx-key"}},
              R"({"call_id":")" + call + R"(","from":")" + from + R"(","to":")" + to + "\"}")
        .body;
  }
  // The id of the decision on a call, which is the same whoever asks.
  std::string DecisionOf(const std::string& call) const {
    return Id<struct CallDigestTag>(Hash("pbx\n" + call)).Hex().substr(0, 16);
  }
  std::vector<std::string> Steps() {
    std::vector<std::string> steps;
    for (const auto& stored : edge.Stored()) steps.push_back(stored.body.call().step());
    return steps;
  }

  Edge edge;
  std::shared_ptr<CallCenter> center;
  int count_ = 0;
};

TEST_F(CallCenterTest, ARingingCallCarriesTheCallerAndNeverMoreThanAClaim) {
  EXPECT_EQ(
      Send(
          "agent_ringing",
          R"({"call_id":"c-1","from":"600111222","to":"900100100","agent":"marta","queue":"returns"})")
          .status,
      200);
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(edge.Identifiers(stored[0].event), "phone:+34600111222");
  EXPECT_EQ(stored[0].body.type(), "call.agent_ringing");
  EXPECT_EQ(stored[0].body.channel(), static_cast<uint32_t>(v1::CHANNEL_CALL));
  EXPECT_EQ(stored[0].body.assurance(), static_cast<uint32_t>(v1::ASSURANCE_CLAIMED));
  EXPECT_EQ(stored[0].body.call().step(), "agent_ringing");
  EXPECT_EQ(stored[0].body.call().agent(), "marta");
  EXPECT_EQ(stored[0].body.call().queue(), "returns");
  EXPECT_EQ(edge.Open(stored[0].body.call().sealed_id(), "call"), "c-1");
  EXPECT_THAT(edge.RawLog(), Not(HasSubstr("600111222")));
  EXPECT_THAT(edge.RawLog(), Not(HasSubstr("c-1")));
}

TEST_F(CallCenterTest, LaterStepsMayLeaveTheCallerOut) {
  Send("offered", R"({"call_id":"c-1","from":"+34600111222","intent":"return"})");
  Send("answered", R"({"call_id":"c-1","agent":"marta"})");
  Send("transferred", R"({"call_id":"c-1","agent":"marta","to_agent":"luis"})");
  Send("ended", R"({"call_id":"c-1"})");
  EXPECT_EQ(Send("disposition", R"({"call_id":"c-1","disposition":"solved"})").status, 200);
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(5));
  for (const auto& one : stored) {
    EXPECT_EQ(edge.Identifiers(one.event), "phone:+34600111222");
    EXPECT_EQ(one.body.call().call(), stored[0].body.call().call());
  }
  EXPECT_EQ(edge.Facts(stored[0].body), "call_reason=return");
  EXPECT_EQ(stored[2].body.call().agent(), "luis");
  EXPECT_EQ(stored[4].body.call().disposition(), "solved");
}

struct CallerRow {
  const char* name;
  std::string from;
  std::string expected;
};
void PrintTo(const CallerRow& row, std::ostream* out) { *out << row.name; }
class Callers : public CallCenterTest, public ::testing::WithParamInterface<CallerRow> {};

TEST_P(Callers, AreKnownByNumberOrByTheCallAlone) {
  EXPECT_EQ(Send("offered", R"({"call_id":"c-1","from":)" + GetParam().from + "}").status, 200);
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(edge.Identifiers(stored[0].event), GetParam().expected);
}

constexpr char kCallAlone[] = "device_id:call:pbx:c-1";
INSTANTIATE_TEST_SUITE_P(
    Table, Callers,
    ::testing::Values(
        CallerRow{"E164", R"("+34600111222")", "phone:+34600111222"},
        CallerRow{"DoubleZero", R"("0034600111222")", "phone:+34600111222"},
        CallerRow{"National", R"("600 111 222")", "phone:+34600111222"},
        CallerRow{"SipUri", R"("sip:+34600111222@10.0.0.1:5060;user=phone")", "phone:+34600111222"},
        CallerRow{"NameAndSipUri", R"("\"Ana\" <sip:+34600111222@pbx>;tag=1")",
                  "phone:+34600111222"},
        CallerRow{"TelUri", R"("tel:+34600111222")", "phone:+34600111222"},
        CallerRow{"Number", "34600111222", "phone:+34600111222"},
        CallerRow{"Anonymous", R"("anonymous")", kCallAlone},
        CallerRow{"AnonymousUri", R"("sip:anonymous@anonymous.invalid")", kCallAlone},
        CallerRow{"Restricted", R"("Restricted")", kCallAlone},
        CallerRow{"Empty", R"("")", kCallAlone}, CallerRow{"ShortCode", R"("1004")", kCallAlone},
        CallerRow{"Extension", R"("sip:204@pbx")", kCallAlone},
        CallerRow{"Script", R"("\"><script>")", kCallAlone}, CallerRow{"Null", "null", kCallAlone}),
    [](const auto& info) { return std::string(info.param.name); });

// Row 43.

TEST_F(CallCenterTest, AnEventOfAnUnknownCallWaitsForItsBeginning) {
  const auto ended = Begin("ended", R"({"call_id":"c-1"})");
  const auto ringing = Begin("agent_ringing", R"({"call_id":"c-1","agent":"marta"})");
  edge.clock.Advance(seconds(4));
  center->Expire();
  EXPECT_EQ(ended->status, 0) << "not answered, as it is not durable";
  EXPECT_EQ(Send("offered", R"({"call_id":"c-1","from":"+34600111222"})").status, 200);
  EXPECT_EQ(ended->status, 200);
  EXPECT_EQ(ringing->status, 422) << "the end came first, so the call is over";
  EXPECT_THAT(Steps(), (std::vector<std::string>{"offered", "ended"}));
}

TEST_F(CallCenterTest, AfterFiveSecondsItIsRefusedWithACode) {
  const auto answer = Begin("ended", R"({"call_id":"c-1"})");
  edge.clock.Advance(seconds(5));
  center->Expire();
  EXPECT_EQ(answer->status, 422);
  EXPECT_THAT(answer->body, HasSubstr(R"("code":"cti_out_of_order")"));
  EXPECT_THAT(edge.Stored(), IsEmpty());
  EXPECT_THAT(edge.registry.Expose(),
              HasSubstr(R"(hilo_callcenter_events_total{type="ended",outcome="rejected"} 1)"));
  EXPECT_THAT(edge.registry.Expose(),
              HasSubstr(R"(hilo_callcenter_rejected_total{code="cti_out_of_order"} 1)"));
}

TEST_F(CallCenterTest, WhatWaitsIsBounded) {
  for (size_t i = 0; i < CallCenter::kMaxParked; ++i) {
    EXPECT_EQ(Begin("ended", R"({"call_id":"c-)" + std::to_string(i) + "\"}")->status, 0);
  }
  EXPECT_EQ(Send("ended", R"({"call_id":"c-more"})").status, 422);
}

TEST_F(CallCenterTest, ASwitchThatAlwaysSendsTheCallerDependsOnNothing) {
  EXPECT_EQ(Send("ended", R"({"call_id":"c-1","from":"+34600111222"})").status, 200);
  EXPECT_EQ(edge.Identifiers(edge.Stored()[0].event), "phone:+34600111222");
  const auto late =
      Send("agent_ringing", R"({"call_id":"c-1","from":"+34600111222","agent":"marta"})");
  EXPECT_EQ(late.status, 422) << "ringing after the hang-up";
  EXPECT_THAT(late.body, HasSubstr("cti_out_of_order"));
}

TEST_F(CallCenterTest, TenThousandCallsOfANumberAreJustCalls) {
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(
        Send("offered", R"({"call_id":"c-)" + std::to_string(i) + R"(","from":"+34600111222"})")
            .status,
        200);
  }
  EXPECT_THAT(edge.Stored(), SizeIs(10'000));
}

TEST_F(CallCenterTest, TextOfCallersStaysTextAndSealed) {
  Send("offered", R"({"call_id":"c-1","from":"\"><script>alert(1)</script>"})");
  EXPECT_THAT(edge.Properties(edge.Stored()[0].body),
              HasSubstr(R"("from":"\"><script>alert(1)</script>")"));
  EXPECT_THAT(edge.RawLog(), Not(HasSubstr("script")));
}

// Row 44.

TEST_F(CallCenterTest, UnknownAgentsAndTransfersToOneselfAreRefused) {
  const auto unknown =
      Send("agent_ringing", R"({"call_id":"c-1","from":"+34600111222","agent":"nobody"})");
  EXPECT_EQ(unknown.status, 422);
  EXPECT_THAT(unknown.body, HasSubstr("cti_agent_unknown"));
  EXPECT_THAT(unknown.body, Not(HasSubstr("nobody")));
  const auto self =
      Send("transferred",
           R"({"call_id":"c-1","from":"+34600111222","agent":"marta","to_agent":"marta"})");
  EXPECT_EQ(self.status, 422);
  EXPECT_THAT(self.body, HasSubstr("cti_transfer_to_self"));
  EXPECT_THAT(edge.Stored(), IsEmpty());
}

TEST_F(CallCenterTest, ASwitchWhoseClockIsOffIsOrderedByArrival) {
  for (const char* time : {"2026-03-01T11:00:00Z", "2026-03-01T09:00:00Z"}) {
    Begin("offered", R"({"call_id":"c-1","from":"+34600111222"})", {}, time);
    const auto stored = edge.Stored();
    EXPECT_EQ(stored.back().event.event_micros(), stored.back().event.receive_micros());
    edge.clock.Advance(seconds(1));
  }
  Begin("answered", R"({"call_id":"c-1","agent":"marta"})", {}, "2026-03-01T09:59:30Z");
  EXPECT_EQ(edge.Stored().back().event.receive_micros() - edge.Stored().back().event.event_micros(),
            32'000'000);
  EXPECT_EQ(Begin("ended", R"({"call_id":"c-1"})", {}, "noon")->status, 400);
}

TEST_F(CallCenterTest, OtherRefusals) {
  EXPECT_THAT(Send("exploded", R"({"call_id":"c-1","from":"+34600111222"})").body,
              HasSubstr("event_type"));
  EXPECT_THAT(Send("offered", R"({"from":"+34600111222"})").body, HasSubstr("cti_call_id"));
  EXPECT_EQ(edge.Call("POST", "/v1/calls/events",
                      {{"Content-Type", "application/cloudevents+json"}}, "{}")
                .status,
            401);
  EXPECT_EQ(edge.Call("POST", "/v1/route", {{"Authorization", "Bearer other"}}, "{}").status, 401);
  EXPECT_THAT(edge.Stored(), IsEmpty());
}

TEST_F(CallCenterTest, ABatchIsAnsweredWhenItsLastEventIsDecided) {
  http::Headers headers = kSwitch;
  headers.Set("Content-Type", "application/cloudevents-batch+json");
  const auto event = [](const char* id, const char* type, const char* data) {
    return std::string(R"({"specversion":"1.0","source":"/pbx","id":")") + id +
           R"(","type":"call.)" + type + R"(","data":)" + data + "}";
  };
  const auto answer =
      edge.Begin("POST", "/v1/calls/events", headers,
                 "[" + event("1", "offered", R"({"call_id":"c-1","from":"+34600111222"})") + "," +
                     event("2", "ended", R"({"call_id":"c-2"})") + "," +
                     event("3", "ended", R"({"call_id":"c-1"})") + "]");
  EXPECT_EQ(answer->status, 0);
  EXPECT_THAT(Steps(), (std::vector<std::string>{"offered", "ended"}));
  edge.clock.Advance(seconds(6));
  center->Expire();
  EXPECT_EQ(answer->status, 207);
  EXPECT_THAT(answer->body,
              HasSubstr(R"("accepted":2,"rejected":[{"index":1,"code":"cti_out_of_order")"));
}

TEST_F(CallCenterTest, RepeatedEventsHaveOneEffect) {
  EXPECT_EQ(Begin("offered", R"({"call_id":"c-1","from":"+34600111222"})", "same")->status, 200);
  EXPECT_EQ(Begin("offered", R"({"call_id":"c-1","from":"+34600111222"})", "same")->status, 200);
  EXPECT_THAT(edge.Stored(), SizeIs(1));
  EXPECT_EQ(Begin("offered", R"({"call_id":"c-1","from":"+34600111333"})", "same")->status, 409);
}

// Routing.

TEST_F(CallCenterTest, RoutesToTheFreeAgentsWithTheSkillWhoeverIsFreeLongestFirst) {
  const std::string decision = DecisionOf("c-1");
  const std::string rest = R"(,"headers":{"extra":"X-Hilo-Decision: )" + decision +
                           R"(\r\nX-Hilo-Queue: returns\r\nX-Hilo-Skill: returns)"
                           R"(\r\nX-Hilo-Priority: 8\r\n"},"fr_timer":5000,"fr_inv_timer":20000})";
  EXPECT_EQ(Route("c-1", "+34600111222", "900100100"),
            R"({"version":"1.0","routing":"serial","routes":[{"uri":"sip:marta@pbx")" + rest +
                R"(,{"uri":"sip:luis@pbx")" + rest + R"(],"decision_id":")" + decision +
                R"(","queue":"returns","skill":"returns","priority":8,"reason":"agent_free",)"
                R"("agents":["marta","luis"]})");
  Send("agent_ringing", R"({"call_id":"c-1","agent":"marta"})");
  EXPECT_THAT(Route("c-2", "+34600111333", "900100100"), HasSubstr(R"("agents":["luis"])"));
  Send("answered", R"({"call_id":"c-2","agent":"luis"})");
  EXPECT_THAT(Route("c-3", "+34600111444", "900100100"), HasSubstr(R"("routes":[],)"));
  EXPECT_THAT(Route("c-3", "+34600111444", "900100100"),
              HasSubstr(R"("reason":"all_agents_busy")"));
  Send("ended", R"({"call_id":"c-2"})");
  edge.clock.Advance(seconds(10));
  Send("ended", R"({"call_id":"c-1"})");
  EXPECT_THAT(Route("c-4", "+34600111555", "900100100"), HasSubstr(R"("agents":["luis","marta"])"));
  EXPECT_THAT(Route("c-5", "+34600111666", "900100200"),
              HasSubstr(R"("reason":"no_agent_has_the_skill")"));
  EXPECT_THAT(Route("c-6", "+34600111777", "sip:912345678@pbx"), HasSubstr(R"("queue":"all")"));
}

TEST_F(CallCenterTest, AQuestionThatComesAgainGetsTheFirstAnswer) {
  const std::string first = Route("c-1", "+34600111222", "900100100");
  Send("agent_ringing", R"({"call_id":"c-9","from":"+34600111999","agent":"marta"})");
  EXPECT_EQ(Route("c-1", "+34600111222", "900100100"), first);
  EXPECT_THAT(Steps(), (std::vector<std::string>{"offered", "routed", "agent_ringing"}));
  const auto routed = edge.Stored()[1];
  EXPECT_EQ(routed.body.call().queue(), "returns");
  EXPECT_EQ(edge.Identifiers(routed.event), "phone:+34600111222");
  EXPECT_EQ(routed.body.open(0).name(), "decision_id");
}

TEST_F(CallCenterTest, CallsAreRoutedAlsoWhenTheLogTakesNothing) {
  edge.intake->Pause("disk_full");
  EXPECT_THAT(Route("c-1", "+34600111222", "900100100"), HasSubstr(R"("reason":"agent_free")"));
  EXPECT_EQ(Send("offered", R"({"call_id":"c-2","from":"+34600111222"})").status, 503);
}

TEST_F(CallCenterTest, AnAgentWhoseCallNeverEndedIsFreeAgainSomeTime) {
  Send("answered", R"({"call_id":"c-1","from":"+34600111222","agent":"eva"})");
  Send("answered", R"({"call_id":"c-2","from":"+34600111222","agent":"marta"})");
  Send("answered", R"({"call_id":"c-3","from":"+34600111222","agent":"luis"})");
  EXPECT_THAT(Route("c-4", "+34600111222", "1"), HasSubstr("all_agents_busy"));
  edge.clock.Advance(minutes(121));
  center->Expire();
  EXPECT_THAT(Route("c-5", "+34600111222", "1"), HasSubstr("agent_free"));
}

TEST_F(CallCenterTest, TakesADispositionByPath) {
  Send("offered", R"({"call_id":"c-1","from":"+34600111222"})");
  const auto post = [&](const std::string& body) {
    return edge.Call("POST", "/v1/calls/c-1/disposition", {{"Authorization", "Bearer pbx-key"}},
                     body);
  };
  EXPECT_EQ(
      post(R"({"code":"refund","notes":"will write","wrapup_ms":9000,"agent":"marta"})").status,
      200);
  EXPECT_EQ(
      post(R"({"code":"refund","notes":"will write","wrapup_ms":9000,"agent":"marta"})").status,
      200);
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(2)) << "the repeat has no second effect";
  EXPECT_EQ(stored[1].body.call().disposition(), "refund");
  EXPECT_EQ(stored[1].body.call().step(), "disposition");
  EXPECT_EQ(post(R"({"notes":"x"})").status, 422);
  EXPECT_EQ(post(R"({"code":"x","call_id":"c-2"})").status, 422);
}

}  // namespace
}  // namespace hilo::callcenter
