#include "connectors/web/web.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/base/metric_names.h"
#include "tests/testing/edge_fixture.h"

namespace hilo::web {
namespace {

using testing::Edge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kAuth[] = "Basic d2stc2hvcDo=";  // "wk-shop:"

class WebTest : public ::testing::Test {
 protected:
  WebTest() : WebTest({.worker = false}) {}
  explicit WebTest(kit::Intake::Options options, log::MemoryLog::Options log_options = {})
      : edge(options, log_options) {
    WebOptions web_options;
    web_options.sources.push_back({.source = {.name = "shop", .default_region = "ES", .rank = 3},
                                   .key = "wk-shop",
                                   .origins = {"https://shop.example"}});
    web_options.sources.push_back(
        {.source = {.name = "app"}, .key = "wk-app", .origins = {"https://app.example"}});
    web = Web::Create(std::move(web_options), *edge.intake, edge.clock, edge.registry).value();
    web->AddRoutes(edge.router);
  }

  Edge::Answer Post(const std::string& path, std::string body,
                    http::Headers headers = {{"Authorization", kAuth}}) {
    return edge.Call("POST", path, std::move(headers), std::move(body));
  }
  static std::string Repeat(std::string_view text, size_t times) {
    std::string out;
    for (size_t i = 0; i < times; ++i) out += text;
    return out;
  }

  Edge edge;
  std::shared_ptr<Web> web;
};

TEST_F(WebTest, TakesInAReturnFormWithItsFactsAndCase) {
  const auto answer =
      Post("/v1/track", R"({"messageId":"m1","userId":"u-ana","event":"Return Requested",
      "timestamp":"2026-03-01T09:59:00.000Z","sentAt":"2026-03-01T10:00:00.000Z",
      "properties":{"order_id":"1042","size":42,"reason":"arrived torn","category":"shoes"},
      "context":{"locale":"es-ES","timezone":"Europe/Madrid","page":{"path":"/returns"},"library":{"name":"x"}}})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"success":true})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(1));
  const auto& [event, body] = stored[0];
  EXPECT_EQ(edge.Identifiers(event), "user_id:u-ana");
  EXPECT_EQ(event.receive_micros() - event.event_micros(), 60'000'000);
  EXPECT_EQ(body.type(), "web.track");
  EXPECT_EQ(body.event(), "Return Requested");
  EXPECT_EQ(body.source(), "shop");
  EXPECT_EQ(body.source_rank(), 3u);
  EXPECT_EQ(body.channel(), static_cast<uint32_t>(v1::CHANNEL_WEB));
  EXPECT_EQ(body.assurance(), static_cast<uint32_t>(v1::ASSURANCE_MATCHED));
  EXPECT_EQ(body.subject(), event.identifiers(0).hash());
  EXPECT_EQ(edge.Facts(body), "return_order=1042; return_reason=arrived torn; shoe_size=42");
  EXPECT_EQ(body.case_().kind(), "return");
  EXPECT_EQ(edge.Open(body.case_().sealed_title(), "case"), "arrived torn");
  EXPECT_EQ(body.language(), "es-ES");
  EXPECT_EQ(body.time_zone(), "Europe/Madrid");
  ASSERT_EQ(body.open_size(), 1);
  EXPECT_EQ(body.open(0).name() + "=" + body.open(0).value(), "category=shoes");
  EXPECT_EQ(
      edge.Properties(body),
      R"({"order_id":"1042","size":42,"reason":"arrived torn",)"
      R"("context":{"locale":"es-ES","timezone":"Europe/Madrid","page":{"path":"/returns"}}})");
}

TEST_F(WebTest, NothingPersonalIsReadableInTheLogMetricsOrRejections) {
  Post("/v1/identify",
       R"({"messageId":"m1","userId":"canary-user","traits":{"email":"canary@example.com",
      "phone":"+34600111222","first_name":"canaryname","loyalty_card":"canary-card",
      "address":{"street":"canarystreet"}}})");
  Post("/v1/track", R"({"messageId":"m2","userId":"canary-user","event":"Complaint Submitted",
      "properties":{"subject":"canarysubject","text":"canarytext"},
      "context":{"ip":"203.0.113.77","page":{"url":"canaryurl"}}})");
  Post("/v1/track",
       R"({"messageId":"m3","userId":"canary-user","traits":{},
      "context":{"traits":{"email":"canary canary"}},"event":"X"})");
  ASSERT_THAT(edge.Stored(), SizeIs(2));
  const std::string raw = edge.RawLog() + edge.registry.Expose();
  for (const char* canary : {"canary", "600111222", "203.0.113.77", "example.com"})
    EXPECT_THAT(raw, Not(HasSubstr(canary)));
  ASSERT_THAT(web->LastRejections("shop"), SizeIs(1));
}

TEST_F(WebTest, IdentifyBringsTraitsGroupsAndIdentifiers) {
  Post(
      "/v1/identify",
      R"({"messageId":"m1","userId":"u-ana","anonymousId":"anon-1","traits":{"email":" Ana@Example.COM",
      "phone":"600 111 222","first_name":"Ana","age":41,"vip":true,"nothing":null,"loyalty_card":"LC-7"}})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(edge.Identifiers(stored[0].event),
            "user_id:u-ana, email:ana@example.com, phone:+34600111222, anonymous_id:anon-1");
  EXPECT_EQ(edge.Traits(stored[0].body), "first_name=Ana; age=41; vip=true; loyalty_card=LC-7");
  ASSERT_EQ(stored[0].event.groups_size(), 1);
  EXPECT_EQ(stored[0].event.groups(0).kind(), "loyalty_card");
  EXPECT_EQ(edge.Open(stored[0].event.groups(0).sealed_id(), "group"), "LC-7");
  EXPECT_EQ(Id<struct GroupTag>::FromBytes(stored[0].event.groups(0).group()),
            *edge.intake->HashGroup("loyalty_card", " LC-7"));
  EXPECT_EQ(IdentifierHash::FromBytes(stored[0].event.identifiers(1).hash()),
            *edge.intake->HashIdentifier({v1::IDENTIFIER_KIND_EMAIL, "ANA@example.com"}, ""));
}

TEST_F(WebTest, AGroupCallIsMembershipAndNeverAnIdentifier) {
  Post("/v1/group",
       R"({"messageId":"m1","userId":"u-ana","groupId":"acme",
      "traits":{"role":"buyer","email":"office@acme.example"}})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(edge.Identifiers(stored[0].event), "user_id:u-ana");
  ASSERT_EQ(stored[0].event.groups_size(), 1);
  EXPECT_EQ(stored[0].event.groups(0).kind(), "account");
  EXPECT_EQ(stored[0].event.groups(0).role(), "buyer");
  EXPECT_EQ(edge.Traits(stored[0].body), "");
}

TEST_F(WebTest, ASelfAliasIsNoMergeAndAnAliasBringsTwoIdentifiers) {
  Post("/v1/a", R"({"messageId":"m1","userId":"u-ana","previousId":"u-ana"})");
  Post(
      "/v1/a",
      R"({"messageId":"m2","userId":"u-ana","previousId":"0b8d3f0e-8c8f-4a0e-9d7a-2f1f6f0c1a11"})");
  Post("/v1/alias", R"({"messageId":"m3","userId":"u-ana","previousId":"u-old"})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(3));
  EXPECT_EQ(edge.Identifiers(stored[0].event), "user_id:u-ana");
  EXPECT_EQ(edge.Identifiers(stored[1].event),
            "user_id:u-ana, anonymous_id:0b8d3f0e-8c8f-4a0e-9d7a-2f1f6f0c1a11");
  EXPECT_EQ(stored[2].event.identifiers_size(), 2);
}

TEST_F(WebTest, CountsOrdersExactly) {
  Post("/v1/t",
       R"({"messageId":"m1","userId":"u","event":"Order Completed",
      "properties":{"order_id":"1042","total":179.79999999999998,
      "currency":"eur","products":[{"product_id":"p1","quantity":2,"price":89.90}]}})");
  Post(
      "/v1/t",
      R"({"messageId":"m2","userId":"u","event":"Order Refunded","properties":{"order_id":"1042","total":-89.9}})");
  Post(
      "/v1/t",
      R"({"messageId":"m3","userId":"u","event":"Order Completed","properties":{"order_id":"1043","total":"a lot"}})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(3));
  const auto& order = stored[0].body.purchase();
  EXPECT_EQ(order.kind(), store::v1::Purchase::KIND_ORDER);
  EXPECT_EQ(order.minor(), 17'980);
  EXPECT_EQ(order.currency(), "EUR");
  ASSERT_EQ(order.items_size(), 1);
  EXPECT_EQ(order.items(0).minor(), 8'990);
  EXPECT_EQ(order.items(0).quantity(), 2);
  const auto& refund = stored[1].body.purchase();
  EXPECT_EQ(refund.kind(), store::v1::Purchase::KIND_REFUND);
  EXPECT_EQ(refund.minor(), 8'990);
  EXPECT_EQ(refund.order(), order.order());
  EXPECT_FALSE(stored[2].body.has_purchase());
  EXPECT_EQ(stored[2].body.open(0).name(), "purchase_problem");
}

TEST_F(WebTest, ReadsConsentAndWhatItsAbsenceMeans) {
  const auto track = [&](const char* id, const char* context) {
    Post("/v1/t", R"({"messageId":")" + std::string(id) +
                      R"(","userId":"u","event":"X","context":)" + context + "}");
    return edge.Stored().back().body;
  };
  EXPECT_EQ(track("m1", "{}").consents_size(), 0);
  const auto some = track(
      "m2",
      R"({"consent":{"categoryPreferences":{"Advertising":true,"Marketing":false,"Own Thing":true}}})");
  ASSERT_EQ(some.consents_size(), 2);
  EXPECT_EQ(some.consents(0).purpose(), "marketing");
  EXPECT_EQ(some.consents(0).status(), 2u) << "one refusal of a purpose counts";
  EXPECT_EQ(some.consents(1).purpose(), "own_thing");
  EXPECT_EQ(some.consents(1).status(), 1u);
  EXPECT_THAT(some.consents(0).evidence_hash(), SizeIs(16));
  const auto none = track("m3", R"({"consent":{"categoryPreferences":{}}})");
  ASSERT_EQ(none.consents_size(), 3) << "an empty object refuses everything";
  EXPECT_EQ(none.consents(2).status(), 2u);
  Post("/v1/t", R"({"messageId":"m4","userId":"u","event":"X"})",
       {{"Authorization", kAuth}, {"Sec-GPC", "1"}});
  EXPECT_EQ(edge.Stored().back().body.consents(0).purpose(), "data_sale");
}

// Keys.

struct KeyRow {
  const char* name;
  http::Headers headers;
  std::string path;
  std::string body_key;
  int status;
};
void PrintTo(const KeyRow& row, std::ostream* out) { *out << row.name; }
class WebKeys : public WebTest, public ::testing::WithParamInterface<KeyRow> {};

TEST_P(WebKeys, LetIn) {
  const KeyRow& row = GetParam();
  const std::string key = row.body_key.empty() ? "" : R"("writeKey":")" + row.body_key + R"(",)";
  const auto answer =
      Post(row.path, "{" + key + R"("batch":[{"type":"page","userId":"u"}]})", row.headers);
  EXPECT_EQ(answer.status, row.status);
  if (row.status != 401) return;
  EXPECT_THAT(answer.body,
              HasSubstr(R"("code":"bad_key","message":"the write key is missing or not valid")"));
  EXPECT_THAT(edge.Stored(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, WebKeys,
    ::testing::Values(
        KeyRow{"BasicWithColon", {{"Authorization", "Basic d2stc2hvcDo="}}, "/v1/batch", "", 200},
        KeyRow{
            "BasicWithoutColon", {{"Authorization", "Basic d2stc2hvcA=="}}, "/v1/batch", "", 200},
        KeyRow{"BasicAndBody", {{"Authorization", "Basic d2stc2hvcDo="}}, "/v1/b", "wk-shop", 200},
        KeyRow{"Body", {}, "/v1/batch", "wk-shop", 200},
        KeyRow{"BearerAndBody", {{"Authorization", "Bearer wk-shop"}}, "/v1/batch", "wk-shop", 200},
        KeyRow{"BeaconQuery", {}, "/beacon/v1/batch?writeKey=wk-shop", "", 200},
        KeyRow{"None", {}, "/v1/batch", "", 401},
        KeyRow{"Unknown", {}, "/v1/batch", "wk-nobody", 401},
        KeyRow{"UnknownBasic", {{"Authorization", "Basic d2stbm9ib2R5Og=="}}, "/v1/batch", "", 401},
        KeyRow{"BrokenBase64", {{"Authorization", "Basic !!"}}, "/v1/batch", "wk-shop", 401},
        KeyRow{"OtherScheme", {{"Authorization", "Digest x"}}, "/v1/batch", "", 401},
        KeyRow{"OfAnotherSource",
               {{"Authorization", "Basic d2stc2hvcDo="}},
               "/v1/batch",
               "wk-app",
               401}),
    [](const auto& info) { return std::string(info.param.name); });

// Origins.

TEST_F(WebTest, OnlyListedOriginsMaySend) {
  const std::string body = R"({"userId":"u","event":"X"})";
  for (const char* origin : {"https://evil.example", "null", "https://shop.example.evil",
                             "https://app.example", "http://shop.example"}) {
    const auto answer = Post("/v1/t", body, {{"Authorization", kAuth}, {"Origin", origin}});
    EXPECT_EQ(answer.status, 403) << origin;
    EXPECT_THAT(answer.body, HasSubstr("origin_denied"));
    EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "");
  }
  EXPECT_THAT(edge.Stored(), IsEmpty());
  const auto answer =
      Post("/v1/t", body, {{"Authorization", kAuth}, {"Origin", "https://shop.example"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(answer.Header("Access-Control-Allow-Credentials"), "true");
  EXPECT_EQ(answer.Header("Access-Control-Expose-Headers"), "Retry-After");
  EXPECT_EQ(answer.Header("Vary"), "Origin");
  EXPECT_EQ(
      Post("/v1/t", body, {{"Authorization", kAuth}, {"Origin", "http://hilo.example"}}).status,
      200)
      << "our own pages";
}

TEST_F(WebTest, PreflightsEchoWhatIsAskedFor) {
  for (const char* path : {"/v1/t", "/v1/b", "/v1/batch", "/v1/m", "/v1/identify",
                           "/v1/projects/wk-shop/settings", "/sourceConfig/"}) {
    const auto answer =
        edge.Call("OPTIONS", path,
                  {{"Origin", "https://shop.example"},
                   {"Access-Control-Request-Headers", "authorization,x-retry-count"}});
    EXPECT_EQ(answer.status, 204) << path;
    EXPECT_EQ(answer.Header("Access-Control-Allow-Headers"), "authorization,x-retry-count");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Methods"), "POST, GET, OPTIONS");
    EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://shop.example");
    EXPECT_NE(answer.Header("Access-Control-Max-Age"), "");
  }
  const auto denied = edge.Call("OPTIONS", "/v1/t", {{"Origin", "https://evil.example"}});
  EXPECT_EQ(denied.status, 403);
  EXPECT_EQ(denied.Header("Access-Control-Allow-Origin"), "");
}

TEST_F(WebTest, RefusalsCanBeReadByAllowedPages) {
  const auto answer =
      Post("/v1/t", "{", {{"Authorization", kAuth}, {"Origin", "https://shop.example"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_EQ(answer.Header("Access-Control-Allow-Origin"), "https://shop.example");
}

// Bad input, rows 15 to 23 and 56.

struct BadRow {
  const char* name;
  std::string body;
  int status;
  const char* code;
};
void PrintTo(const BadRow& row, std::ostream* out) { *out << row.name; }
class WebRefuses : public WebTest, public ::testing::WithParamInterface<BadRow> {};

TEST_P(WebRefuses, WithStatusAndCodeAndLosesNothing) {
  const auto answer = Post("/v1/track", GetParam().body);
  EXPECT_EQ(answer.status, GetParam().status);
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"" + std::string(GetParam().code) + "\""));
  EXPECT_THAT(answer.body, Not(HasSubstr("canary")));
  EXPECT_THAT(edge.Stored(), IsEmpty());
  EXPECT_THAT(edge.registry.Expose(), HasSubstr("hilo_web_rejected_total{code=\"" +
                                                std::string(GetParam().code) + "\"} 1"));
  EXPECT_EQ(Post("/v1/track", R"({"userId":"u","event":"X"})").status, 200)
      << "what comes next is taken";
}

std::string Track(const std::string& more) {
  return R"({"userId":"u","event":"canary",)" + more + "}";
}

INSTANTIATE_TEST_SUITE_P(
    Rows, WebRefuses,
    ::testing::Values(
        BadRow{"Depth",
               Track(R"("properties":)" + std::string(10'000, '[') + std::string(10'000, ']')), 400,
               "json_depth"},
        BadRow{"Duplicate", Track(R"("properties":{"a":1,"a":2})"), 400, "json_duplicate"},
        BadRow{"Trailing", Track(R"("properties":{})") + "{}", 400, "json_trailing"},
        BadRow{"Number", Track(R"("properties":{"a":1e999})"), 400, "json_number"},
        BadRow{"MinusZero", Track(R"("properties":{"a":-0})"), 400, "json_number"},
        BadRow{"NotANumber", Track(R"("properties":{"a":NaN})"), 400, "json_number"},
        BadRow{"LoneSurrogate", Track(R"("properties":{"a":"\ud800"})"), 400, "json_utf8"},
        BadRow{"BrokenUtf8", Track("\"properties\":{\"a\":\"\xff\"}"), 400, "json_utf8"},
        BadRow{"ByteOrderMark", "\xEF\xBB\xBF" + Track(R"("properties":{})"), 400, "json_utf8"},
        BadRow{"Nul", Track(R"("properties":{"a":"\u0000"})"), 400, "json_utf8"},
        BadRow{"HugeProperty",
               Track(R"("properties":{"a":")" + std::string(200 << 10, 'x') + "\"}"), 400,
               "property_too_large"},
        BadRow{"HugeEvent",
               Track(R"("a":")" + std::string(8'000, 'x') + R"(","b":")" + std::string(8'000, 'x') +
                     R"(","c":")" + std::string(8'000, 'x') + R"(","d":")" +
                     std::string(8'191, 'x') + R"(","e":")" + std::string(1'000, 'x') + "\""),
               400, "event_too_large"},
        BadRow{"YearZero", Track(R"("timestamp":"0000-01-01T00:00:00Z")"), 400, "bad_time"},
        BadRow{"Year9999", Track(R"("timestamp":"9999-01-01T00:00:00Z")"), 400, "bad_time"},
        BadRow{"Yesterday", Track(R"("timestamp":"yesterday")"), 400, "bad_time"},
        BadRow{"TimeAsNumber", Track(R"("timestamp":1767225600)"), 400, "bad_time"},
        BadRow{"IdEmpty", R"({"userId":"","event":"X"})", 422, "identifier_blocked"},
        BadRow{"IdNull", R"({"userId":"null","event":"X"})", 422, "identifier_blocked"},
        BadRow{"IdUndefined", R"({"userId":"undefined","event":"X"})", 422, "identifier_blocked"},
        BadRow{"IdZeros", R"({"anonymousId":"0000-0000","event":"X"})", 422, "identifier_blocked"},
        BadRow{"IdAnonymous", R"({"userId":"anonymous","event":"X"})", 422, "identifier_blocked"},
        BadRow{"IdLong", R"({"userId":")" + std::string(10'240, 'x') + R"(","event":"X"})", 422,
               "identifier_too_long"},
        BadRow{"NoIdentifier", R"({"event":"X"})", 422, "identifier_missing"},
        BadRow{"TwoAddresses",
               Track(R"("context":{"traits":{"email":"a@example.com, b@example.com"}})"), 422,
               "identifier_format"},
        BadRow{"NoName", R"({"userId":"u"})", 400, "event_name"},
        BadRow{"LongName", R"({"userId":"u","event":")" + std::string(201, 'x') + "\"}", 400,
               "event_name"},
        BadRow{"MessageIdLong", Track(R"("messageId":")" + std::string(101, 'm') + "\""), 400,
               "event_id"},
        BadRow{"MessageIdNumber", Track(R"("messageId":7)"), 400, "event_id"},
        BadRow{"NotAnObject", "[]", 400, "json_syntax"}, BadRow{"Empty", "", 400, "json_syntax"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(WebTest, NamesOfPrototypesArePlainData) {
  EXPECT_EQ(Post("/v1/t", Track(R"("properties":{"__proto__":{"a":1},"constructor":"x"})")).status,
            200);
  EXPECT_THAT(edge.Properties(edge.Stored()[0].body), HasSubstr(R"("__proto__":{"a":1})"));
}

TEST_F(WebTest, AheadIsClampedAndFlaggedOldIsLeftToTheFold) {
  EXPECT_EQ(Post("/v1/t", Track(R"("timestamp":"2026-03-11T10:00:00Z")")).status, 200);
  EXPECT_EQ(Post("/v1/t", Track(R"("timestamp":"2016-03-01T10:00:00Z")")).status, 200);
  const auto stored = edge.Stored();
  EXPECT_TRUE(stored[0].body.time_clamped());
  EXPECT_EQ(stored[0].event.event_micros(), stored[0].event.receive_micros());
  EXPECT_FALSE(stored[1].body.time_clamped());
  EXPECT_LT(stored[1].event.event_micros(),
            stored[1].event.receive_micros() - int64_t{3'000} * 86'400'000'000);
}

TEST_F(WebTest, ARepeatIsAcceptedOnceAndAConflictIs409) {
  const std::string first =
      R"({"messageId":"m1","userId":"u","event":"X","sentAt":"2026-03-01T10:00:00Z"})";
  const std::string again =
      R"({"messageId":"m1","userId":"u","event":"X","sentAt":"2026-03-01T10:00:09Z"})";
  EXPECT_EQ(Post("/v1/t", first).status, 200);
  EXPECT_EQ(Post("/v1/t", again).status, 200) << "sentAt changes on a retry";
  const auto conflict = Post("/v1/t", R"({"messageId":"m1","userId":"u","event":"Y"})");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_THAT(conflict.body, HasSubstr("event_id_conflict"));
  EXPECT_THAT(edge.Stored(), SizeIs(1));
  EXPECT_EQ(Post("/v1/t", first, {{"Authorization", "Basic d2stYXBwOg=="}}).status, 200)
      << "ids are a source's own";
  EXPECT_THAT(edge.Stored(), SizeIs(2));
}

TEST_F(WebTest, TheSameIdTwiceInOneBatch) {
  const auto answer = Post("/v1/batch", R"({"batch":[{"type":"page","userId":"u","messageId":"m"},
      {"type":"page","userId":"u","messageId":"m"},{"type":"page","userId":"other","messageId":"m"}]})");
  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(answer.body,
              HasSubstr(R"("accepted":2,"rejected":[{"index":2,"code":"event_id_conflict")"));
  EXPECT_THAT(edge.Stored(), SizeIs(1));
}

TEST_F(WebTest, OneBadItemInAHundredLeavesNinetyNine) {
  for (const char* bad : {R"({"type":"track","userId":"null","event":"X"})",
                          R"({"type":"track","userId":"u","event":"X","properties":{"a":1e999}})",
                          R"({"type":"track","userId":"u","event":"X","properties":{"a":1,"a":2}})",
                          R"({"type":"wrong","userId":"u"})", "7"}) {
    const size_t before = edge.Stored().size();
    std::string batch;
    for (int i = 0; i < 100; ++i)
      batch += std::string(i ? "," : "") + (i == 42 ? bad : R"({"type":"page","userId":"u"})");
    const auto answer = Post("/v1/batch", R"({"batch":[)" + batch + R"(],"writeKey":"wk-shop"})");
    EXPECT_EQ(answer.status, 207) << bad;
    EXPECT_THAT(answer.body, HasSubstr(R"("accepted":99,"rejected":[{"index":42,"code":")"));
    EXPECT_THAT(edge.Stored(), SizeIs(before + 99));
  }
}

TEST_F(WebTest, AnEventTooLargeAmongGoodOnes) {
  std::string large = R"({"type":"track","userId":"u","event":"X","properties":{)";
  for (int i = 0; i < 5; ++i)
    large += (i ? ",\"p" : "\"p") + std::to_string(i) + "\":\"" + std::string(7'000, 'x') + "\"";
  const auto answer =
      Post("/v1/batch", R"({"batch":[{"type":"page","userId":"u"},)" + large + "}}]}");
  EXPECT_EQ(answer.status, 207);
  EXPECT_THAT(answer.body, HasSubstr(R"("index":1,"code":"event_too_large")"));
}

TEST_F(WebTest, BatchesHaveASize) {
  const auto batch = [](int count) {
    std::string items;
    for (int i = 0; i < count; ++i)
      items += std::string(i ? "," : "") + R"({"type":"page","userId":"u"})";
    return R"({"batch":[)" + items + "]}";
  };
  for (const int count : {0, 5'001}) {
    const auto answer = Post("/v1/batch", batch(count));
    EXPECT_EQ(answer.status, 400) << count;
    EXPECT_THAT(answer.body, HasSubstr("batch_size"));
  }
  EXPECT_THAT(edge.Stored(), IsEmpty());
  EXPECT_EQ(Post("/v1/batch", batch(5'000)).status, 200);
  EXPECT_THAT(edge.Stored(), SizeIs(5'000));
}

TEST_F(WebTest, AllBadIsAnError) {
  const auto answer =
      Post("/v1/batch", R"({"batch":[{"type":"page","userId":"null"},{"type":"page"}]})");
  EXPECT_EQ(answer.status, 422);
  EXPECT_THAT(answer.body, HasSubstr(R"("code":"identifier_blocked","accepted":0)"));
}

TEST_F(WebTest, TheBatchsContextStandsUnderEachItemsOwn) {
  Post(
      "/v1/batch",
      R"({"context":{"locale":"es","timezone":"Europe/Madrid"},"batch":[{"type":"page","userId":"u"},
      {"type":"page","userId":"u","context":{"locale":"en-GB"}}]})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(2));
  EXPECT_EQ(stored[0].body.language(), "es");
  EXPECT_EQ(stored[1].body.language(), "en-GB");
  EXPECT_EQ(stored[1].body.time_zone(), "Europe/Madrid");
}

TEST_F(WebTest, RudderWritesSomeThingsItsOwnWay) {
  Post(
      "/v1/identify",
      R"({"messageId":"m1","userId":"","anonymousId":"a-1","originalTimestamp":"2026-03-01T09:59:58Z",
      "sentAt":"2026-03-01T10:00:00Z","context":{"traits":{"email":"ana@example.com"},"timezone":"GMT+0000"}})");
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(1));
  EXPECT_EQ(edge.Identifiers(stored[0].event), "email:ana@example.com, anonymous_id:a-1");
  EXPECT_EQ(stored[0].body.time_zone(), "");
  EXPECT_EQ(stored[0].event.receive_micros() - stored[0].event.event_micros(), 2'000'000);
}

TEST_F(WebTest, NumericUserIdsCount) {
  EXPECT_EQ(Post("/v1/p", R"({"userId":1042})").status, 200);
  EXPECT_EQ(edge.Identifiers(edge.Stored()[0].event), "user_id:1042");
}

TEST_F(WebTest, TellsASourceItsLastRefusals) {
  Post("/v1/t", R"({"userId":"null","event":"X"})");
  const auto answer = edge.Call("GET", "/v1/rejected", {{"Authorization", kAuth}});
  EXPECT_EQ(
      answer.body,
      R"({"rejected":[{"time":"2026-03-01T10:00:00Z","type":"track","code":"identifier_blocked"}]})");
  EXPECT_EQ(edge.Call("GET", "/v1/rejected", {{"Authorization", "Basic d2stYXBwOg=="}}).body,
            R"({"rejected":[]})");
  EXPECT_EQ(edge.Call("GET", "/v1/rejected").status, 401);
  for (int i = 0; i < 150; ++i) Post("/v1/t", R"({"userId":"null","event":"X"})");
  EXPECT_THAT(web->LastRejections("shop"), SizeIs(Web::kMaxRejections));
}

TEST_F(WebTest, AnswersWhatSdksAskBeforeTheyStart) {
  const auto settings =
      edge.Call("GET", "/v1/projects/wk-shop/settings", {{"Origin", "https://shop.example"}});
  EXPECT_EQ(settings.status, 200);
  EXPECT_THAT(
      settings.body,
      HasSubstr(
          R"("Segment.io":{"apiKey":"wk-shop","apiHost":"hilo.example/v1","protocol":"http"})"));
  EXPECT_EQ(settings.Header("Access-Control-Allow-Origin"), "https://shop.example");
  EXPECT_EQ(edge.Call("GET", "/v1/projects/nobody/settings").status, 401);
  EXPECT_THAT(edge.Call("GET", "/sourceConfig/?writeKey=wk-shop").body,
              HasSubstr(R"("enabled":true)"));
  EXPECT_EQ(Post("/v1/m", "anything", {}).status, 200);
}

// CloudEvents.

TEST_F(WebTest, TakesCloudEventsInAllModes) {
  const http::Headers bearer = {{"Authorization", "Bearer wk-shop"}};
  http::Headers structured = bearer;
  structured.Add("Content-Type", "application/cloudevents+json; charset=utf-8");
  EXPECT_EQ(
      Post(
          "/v1/events",
          R"({"specversion":"1.0","id":"1","source":"/erp","type":"order.placed","time":"2026-03-01T09:00:00Z",
      "data":{"user_id":"u-ana","order_id":"1042","total":"89.90","currency":"EUR"}})",
          structured)
          .status,
      200);
  http::Headers binary = bearer;
  for (const auto& [name, value] : {std::pair("ce-specversion", "1.0"),
                                    {"ce-id", "2"},
                                    {"CE-Source", "/erp%20two"},
                                    {"ce-type", "\"payment.received\""},
                                    {"ce-customerid", "u-ana"},
                                    {"Content-Type", "application/json"}}) {
    binary.Add(name, value);
  }
  EXPECT_EQ(Post("/v1/events", R"({"payment_id":"p1","amount":89.90})", binary).status, 200);
  http::Headers batch = bearer;
  batch.Add("Content-Type", "application/cloudevents-batch+json");
  EXPECT_EQ(Post("/v1/events", "[]", batch).status, 200);
  EXPECT_EQ(
      Post(
          "/v1/events",
          R"([{"specversion":"1.0","id":"1","source":"/crm","type":"x.y","data":{"email":"ana@example.com"}},
      {"specversion":"1.0","id":"3","source":"/crm","type":"x.y","data":{"a":1e999}}])",
          batch)
          .status,
      207);
  const auto stored = edge.Stored();
  ASSERT_THAT(stored, SizeIs(3));
  EXPECT_EQ(stored[0].body.type(), "order.placed");
  EXPECT_EQ(stored[0].body.purchase().minor(), 8'990);
  EXPECT_EQ(stored[0].body.channel(), static_cast<uint32_t>(v1::CHANNEL_SYSTEM));
  EXPECT_EQ(stored[1].body.purchase().kind(), store::v1::Purchase::KIND_PAYMENT);
  EXPECT_EQ(edge.Identifiers(stored[2].event), "email:ana@example.com");
  EXPECT_NE(stored[0].event.event_id(), stored[2].event.event_id())
      << "the same id from two sources";
}

struct CloudRow {
  const char* name;
  const char* media_type;
  http::Headers headers;
  std::string body;
  int status;
  const char* code;
};
void PrintTo(const CloudRow& row, std::ostream* out) { *out << row.name; }
class WebCloudEvents : public WebTest, public ::testing::WithParamInterface<CloudRow> {};

TEST_P(WebCloudEvents, AreRefused) {
  http::Headers headers = {{"Authorization", "Bearer wk-shop"},
                           {"Content-Type", GetParam().media_type}};
  for (const auto& field : GetParam().headers) headers.Add(field.name, field.value);
  const auto answer = Post("/v1/events", GetParam().body, headers);
  EXPECT_EQ(answer.status, GetParam().status) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("\"code\":\"" + std::string(GetParam().code) + "\""));
  EXPECT_THAT(edge.Stored(), IsEmpty());
}

const http::Headers kBinary = {
    {"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/s"}, {"ce-type", "x.y"}};
http::Headers BinaryWith(std::string name, std::string value) {
  http::Headers headers = kBinary;
  headers.Set(std::move(name), std::move(value));
  return headers;
}

INSTANTIATE_TEST_SUITE_P(
    Rows, WebCloudEvents,
    ::testing::Values(
        CloudRow{"NoVersion",
                 "application/cloudevents+json",
                 {},
                 R"({"id":"1","source":"s","type":"x"})",
                 400,
                 "ce_specversion"},
        CloudRow{"OldVersion",
                 "application/cloudevents+json",
                 {},
                 R"({"specversion":"0.3","id":"1","source":"s","type":"x"})",
                 400,
                 "ce_specversion"},
        CloudRow{"NoId",
                 "application/cloudevents+json",
                 {},
                 R"({"specversion":"1.0","source":"s","type":"x"})",
                 400,
                 "ce_attribute"},
        CloudRow{"UpperCaseExtension",
                 "application/cloudevents+json",
                 {},
                 R"({"specversion":"1.0","id":"1","source":"s","type":"x","Foo":"1"})",
                 400,
                 "ce_attribute"},
        CloudRow{
            "BatchIsNoArray", "application/cloudevents-batch+json", {}, "{}", 400, "ce_attribute"},
        CloudRow{"DataContentTypeHeader", "application/json",
                 BinaryWith("ce-datacontenttype", "application/json"), "{}", 400, "ce_attribute"},
        CloudRow{"InvalidUtf8Header", "application/json", BinaryWith("ce-source", "%C0%A0"), "{}",
                 400, "ce_attribute"},
        CloudRow{"BinaryText", "text/plain", kBinary, "hello", 415, "media_type"},
        CloudRow{"Nobody", "application/json", kBinary, "{}", 422, "identifier_missing"},
        CloudRow{"ReservedType", "application/json", BinaryWith("ce-type", "web.track"),
                 R"({"user_id":"u"})", 400, "event_type"},
        CloudRow{"BadTime", "application/json", BinaryWith("ce-time", "noon"), R"({"user_id":"u"})",
                 400, "bad_time"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(WebTest, GrantsTheWebhookHandshake) {
  const auto answer =
      edge.Call("OPTIONS", "/v1/events", {{"WebHook-Request-Origin", "events.example.com"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("WebHook-Allowed-Origin"), "events.example.com");
  EXPECT_NE(answer.Header("WebHook-Allowed-Rate"), "");
}

// Overload: 503 while it may pass by itself, then 429, which SDKs wait for.

TEST_F(WebTest, WhenPausedAnswers503AndThen429WithRetryAfter) {
  edge.intake->Pause("disk_full");
  const std::string body = R"({"messageId":"m","userId":"u","event":"X"})";
  const auto first = Post("/v1/t", body);
  EXPECT_EQ(first.status, 503);
  EXPECT_EQ(first.Header("Retry-After"), "1");
  EXPECT_THAT(first.body, HasSubstr("intake_paused"));
  edge.clock.Advance(std::chrono::seconds(6));
  const auto later = Post("/v1/batch", R"({"batch":[{"type":"page","userId":"u"}]})");
  EXPECT_EQ(later.status, 429);
  EXPECT_EQ(later.Header("Retry-After"), "5");
  EXPECT_NE(later.Header("X-RateLimit-Reset"), "");
  EXPECT_THAT(edge.Stored(), IsEmpty());
  edge.intake->Resume("disk_full");
  EXPECT_EQ(Post("/v1/t", body).status, 200);
}

class WebOnSlowLog : public WebTest {
 protected:
  WebOnSlowLog()
      : WebTest({.worker = false, .max_pending_events = 2},
                {.mode = log::MemoryLog::Mode::kManual}) {}
};

TEST_F(WebOnSlowLog, AnswersOnlyWhenDurableAndBoundsWhatWaits) {
  const auto begin = [&] {
    return edge.Begin("POST", "/v1/t", {{"Authorization", kAuth}}, R"({"userId":"u","event":"X"})");
  };
  const auto first = begin();
  const auto second = begin();
  EXPECT_EQ(first->status, 0) << "nothing is answered before it is durable";
  const auto third = begin();
  EXPECT_EQ(third->status, 429);
  EXPECT_NE(third->Header("Retry-After"), "");
  edge.log.Pump();
  EXPECT_EQ(first->status, 200);
  EXPECT_EQ(second->status, 200);
  const auto fourth = begin();
  edge.log.Pump();
  EXPECT_EQ(fourth->status, 200);
  EXPECT_THAT(edge.Stored(), SizeIs(3));
}

// Senders that are too fast: 429 for all of a request, before anything of it is taken in.

class WebWithRates : public ::testing::Test {
 protected:
  WebWithRates() {
    WebOptions options;
    options.sources.push_back({.source = {.name = "shop"},
                               .key = "wk-shop",
                               .origins = {"https://shop.example"},
                               .rate = {.per_second = 2}});
    options.sources.push_back({.source = {.name = "app"}, .key = "wk-app"});
    options.rate_per_address = {.per_second = 10};
    web = Web::Create(std::move(options), *edge.intake, edge.clock, edge.registry).value();
    web->AddRoutes(edge.router);
  }
  Edge::Answer Post(const std::string& key, int events) {
    std::string body = R"({"batch":[)";
    for (int i = 0; i < events; ++i)
      body += std::string(i == 0 ? "" : ",") + R"({"type":"page","userId":"u"})";
    return edge.Call("POST", "/v1/batch",
                     {{"Authorization", "Bearer " + key}, {"Origin", "https://shop.example"}},
                     body + "]}");
  }

  Edge edge{{.worker = false}};
  std::shared_ptr<Web> web;
};

TEST_F(WebWithRates, HoldAWriteKeyToItsOwn) {
  EXPECT_EQ(Post("wk-shop", 4).status, 200);
  const auto refused = Post("wk-shop", 1);
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("rate_limited"));
  EXPECT_EQ(refused.Header("Retry-After"), "2");
  EXPECT_NE(refused.Header("X-RateLimit-Reset"), "");
  EXPECT_EQ(refused.Header("Access-Control-Allow-Origin"), "https://shop.example")
      << "else the page's SDK could not read it";
  EXPECT_THAT(edge.Stored(), SizeIs(4)) << "nothing of the refused request";
  edge.clock.Advance(std::chrono::seconds(2));
  EXPECT_EQ(Post("wk-shop", 1).status, 200);
  EXPECT_EQ(edge.registry.Get(metric::kKitRateLimited, {"write_key"}).Value(), 1u);
  EXPECT_EQ(edge.registry.Get(metric::kWebRejected, {"rate_limited"}).Value(), 1u);
}

TEST_F(WebWithRates, HoldAnAddressWhateverItsKey) {
  EXPECT_EQ(edge.Call("POST", "/v1/t", {{"Authorization", "Bearer wk-app"}},
                      R"({"userId":"u","event":"X"})")
                .status,
            200);
  EXPECT_EQ(edge.Call("POST", "/v1/batch", {{"Authorization", "Bearer wk-app"}},
                      R"({"batch":[{"type":"page","userId":"u"},{"type":"page","userId":"u"}]})")
                .status,
            200);
  for (int i = 0; i < 7; ++i)
    EXPECT_EQ(edge.Call("POST", "/v1/t", {{"Authorization", "Bearer guess"}}, "{}").status, 401);
  EXPECT_EQ(edge.Call("POST", "/v1/t", {{"Authorization", "Bearer guess"}}, "{}").status, 429)
      << "guessing keys counts";
  const auto cloud_event =
      edge.Call("POST", "/v1/events", {{"Authorization", "Bearer wk-app"}}, "");
  EXPECT_EQ(cloud_event.status, 429);
  EXPECT_EQ(cloud_event.Header("Retry-After"), "1");
  EXPECT_EQ(edge.registry.Get(metric::kKitRateLimited, {"address"}).Value(), 2u);
}

TEST(WebOnFailingLog, UnknownOutcomesAreAskedForAgainAndNotTakenTwice) {
  Edge edge({.worker = false},
            {.mode = log::MemoryLog::Mode::kManual, .seed = 1, .faults = {.lose_answer = 1'000}});
  WebOptions options;
  options.sources.push_back({.source = {.name = "shop"}, .key = "wk-shop"});
  const auto web = Web::Create(std::move(options), *edge.intake, edge.clock, edge.registry).value();
  web->AddRoutes(edge.router);
  const auto answer = edge.Begin("POST", "/v1/t", {{"Authorization", kAuth}},
                                 R"({"messageId":"m","userId":"u","event":"X"})");
  edge.log.Pump();
  EXPECT_EQ(answer->status, 503);
}

TEST(WebConfiguration, RefusesDoubledKeysAndNames) {
  Edge edge;
  WebOptions options;
  options.sources = {{.source = {.name = "a"}, .key = "k"}, {.source = {.name = "b"}, .key = "k"}};
  EXPECT_EQ(Reason(Web::Create(options, *edge.intake, edge.clock, edge.registry).status()),
            "config_invalid");
  options.sources = {{.source = {.name = "a"}, .key = ""}};
  EXPECT_EQ(Reason(Web::Create(options, *edge.intake, edge.clock, edge.registry).status()),
            "config_invalid");
  options.sources = {{.source = {.name = "a"}, .key = "k"}};
  options.analytics_js_directory = "/nonexistent";
  EXPECT_EQ(Reason(Web::Create(options, *edge.intake, edge.clock, edge.registry).status()),
            "config_invalid");
}

}  // namespace
}  // namespace hilo::web
