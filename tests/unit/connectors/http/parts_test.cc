// The parts of the reader on bytes alone, for what they accept; what they refuse is in
// refusals_test.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "connectors/http/chunk_decoder.h"
#include "connectors/http/gunzip.h"
#include "connectors/http/request_reader.h"
#include "connectors/http/response_head.h"
#include "connectors/http/target.h"
#include "tests/unit/connectors/http/raw_peer.h"

namespace hilo::http {
namespace {

Request ReadOne(std::string_view bytes) {
  static const Router router = [] {
    Router built = EchoRouter();
    built.Add("GET", "/caf\xc3\xa9/{name}", [](std::shared_ptr<Exchange>) {});
    RouteOptions passing;
    passing.pass_unknown_encodings = true;
    built.Add("POST", "/passing", passing, [](std::shared_ptr<Exchange>) {});
    return built;
  }();
  static const ServerLimits limits;
  RequestReader reader(router, limits);
  EXPECT_EQ(reader.Read(bytes), RequestReader::Step::kRequest)
      << (reader.Refused() ? reader.refusal().code : "needs more");
  EXPECT_EQ(bytes, "") << "left behind";
  return reader.TakeRequest();
}

TEST(RequestReader, DecodesPathAndQuery) {
  const Request request = ReadOne(
      "GET /caf%C3%A9/a%20b+c?key=a+b%26&flag&=empty&twice=1&twice=2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(request.path, "/caf\xc3\xa9/a b+c");
  EXPECT_EQ(request.route, "/caf\xc3\xa9/{name}");
  EXPECT_EQ(request.Parameter("name"), "a b+c");
  EXPECT_EQ(request.Query("key"), "a b&");
  EXPECT_EQ(request.Query("flag"), "");
  EXPECT_EQ(request.Query("twice"), "1");
  EXPECT_EQ(request.Query("none"), std::nullopt);
  EXPECT_EQ(request.query.size(), 5u);
}

TEST(RequestReader, KeepsHeadersAndFindsThemInAnyCase) {
  const Request request = ReadOne(
      "GET /hello HTTP/1.1\r\nhost: h\r\nX-A:1\r\nx-a: \t two words \t\r\nX-Empty:\r\n"
      "Content-Type: Application/JSON; charset=utf-8\r\n\r\n");
  EXPECT_EQ(request.headers.Find("x-A"), "1");
  EXPECT_EQ(request.headers.FindAll("X-a"), (std::vector<std::string_view>{"1", "two words"}));
  EXPECT_EQ(request.headers.Find("x-empty"), "");
  EXPECT_EQ(request.ContentType(), "application/json");
}

TEST(RequestReader, AcceptsAbsoluteFormOfTheSameHost) {
  EXPECT_EQ(
      ReadOne("GET http://Hub.example:80/hello?a=b HTTP/1.1\r\nHost: hub.EXAMPLE:80\r\n\r\n").path,
      "/hello");
}

TEST(RequestReader, AcceptsHostsOfEveryForm) {
  for (const std::string host :
       {"h", "a-b.example:8080", "127.0.0.1", "[::1]", "[2001:db8::1]:80"}) {
    ReadOne("GET /hello HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
  }
}

TEST(RequestReader, AcceptsHttp10WithoutHostAndOneEmptyLineBefore) {
  ReadOne("GET /hello HTTP/1.0\r\n\r\n");
  ReadOne("\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(RequestReader, ReadsExactlyAtItsLimits) {
  std::string hundred = "GET /hello HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 99; ++i) hundred += "a: b\r\n";
  EXPECT_EQ(ReadOne(hundred + "\r\n").headers.size(), 100u);
  EXPECT_EQ(ReadOne("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789").body,
            "0123456789");
}

TEST(RequestReader, InflatesOneOrMoreMembersAndKeepsTheSizeOnTheWire) {
  const std::string zipped = Gzip("hello, ") + Gzip("world");
  const Request request =
      ReadOne(Post("/inflated", zipped, "Content-Encoding: GZIP\r\nContent-Type: text/plain\r\n"));
  EXPECT_EQ(request.body, "hello, world");
  EXPECT_EQ(request.body_wire_bytes, zipped.size());
}

TEST(RequestReader, InflatesUpToTheLimit) {
  const std::string full(1 << 20, 'x');
  EXPECT_EQ(ReadOne(Post("/inflated", Gzip(full), "Content-Encoding: gzip\r\n")).body, full);
}

TEST(RequestReader, DoesNotInflateNothing) {
  EXPECT_EQ(ReadOne(Post("/inflated", "", "Content-Encoding: gzip\r\n")).body, "");
}

TEST(RequestReader, PassesOnOtherEncodingsWhereTheRouteAsks) {
  const Request request = ReadOne(Post("/passing", "raw", "Content-Encoding: br\r\n"));
  EXPECT_EQ(request.body_encoding, "br");
  EXPECT_EQ(request.body, "raw");
}

TEST(RequestReader, ReadsChunksWithExtensionsAndTrailersWhereverTheyAreCut) {
  const std::string bytes =
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5;name=\"value\"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
  EXPECT_EQ(ReadOne(bytes).body, "hello0123456789");
  const Router router = EchoRouter();
  const ServerLimits limits;
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    RequestReader reader(router, limits);
    std::string_view first = std::string_view(bytes).substr(0, cut);
    ASSERT_EQ(reader.Read(first), RequestReader::Step::kNeedMore) << cut;
    const std::string rest = std::string(first) + bytes.substr(cut);
    std::string_view second = rest;
    ASSERT_EQ(reader.Read(second), RequestReader::Step::kRequest) << cut;
    EXPECT_EQ(reader.TakeRequest().body, "hello0123456789");
  }
}

TEST(RequestReader, LeavesThePipelinedRequestBehindABody) {
  const Router router = EchoRouter();
  const ServerLimits limits;
  RequestReader reader(router, limits);
  const std::string bytes = Post("/echo", "one") + Get("/hello");
  std::string_view input = bytes;
  ASSERT_EQ(reader.Read(input), RequestReader::Step::kRequest);
  EXPECT_EQ(reader.TakeRequest().body, "one");
  reader.Reset();
  ASSERT_EQ(reader.Read(input), RequestReader::Step::kRequest);
  EXPECT_EQ(reader.TakeRequest().path, "/hello");
}

TEST(Utf8, AcceptsShortestFormsOnly) {
  for (const std::string_view good : {"", "a", "\xc2\x80", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                      "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << testing::PrintToString(good);
  }
  for (const std::string_view bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xc2"}) {
    EXPECT_FALSE(IsUtf8(bad)) << testing::PrintToString(bad);
  }
}

TEST(ResponseHead, LeavesFramingToTheFrame) {
  const Response response{
      200, {{"Content-Length", "99"}, {"transfer-encoding", "gzip"}, {"X-A", "b"}}, "abc"};
  const std::string head = WriteResponseHead(response, {BodyFraming::kLength, true, "now", "id"});
  EXPECT_EQ(head,
            "HTTP/1.1 200 OK\r\nX-A: b\r\nDate: now\r\nX-Request-Id: id\r\n"
            "Content-Length: 3\r\n\r\n");
}

TEST(ResponseHead, RefusesWhatWouldSplitTheMessage) {
  EXPECT_TRUE(IsWritable({200, {{"X-A", "b, c; d=\"e\" \xc3\xa9"}}, ""}));
  EXPECT_FALSE(IsWritable({200, {{"X-A", "b\r\nX-B: c"}}, ""}));
  EXPECT_FALSE(IsWritable({200, {{"X-A", "b\n"}}, ""}));
  EXPECT_FALSE(IsWritable({200, {{"X-A", std::string(1, '\0')}}, ""}));
  EXPECT_FALSE(IsWritable({200, {{"X A", "b"}}, ""}));
  EXPECT_FALSE(IsWritable({200, {{"X-A: b", "c"}}, ""}));
  EXPECT_FALSE(IsWritable({200, {{"", "c"}}, ""}));
  EXPECT_FALSE(IsWritable({100, {}, ""}));
}

TEST(JsonError, HasCodeMessageAndRequestId) {
  const Response response =
      JsonError({429, "slow_down", "Say \"later\".", {{"Retry-After", "2"}}}, "id-1");
  EXPECT_EQ(response.body,
            "{\"code\":\"slow_down\",\"message\":\"Say \\\"later\\\".\",\"requestId\":\"id-1\"}\n");
  EXPECT_EQ(response.headers.Find("retry-after"), "2");
  EXPECT_EQ(response.headers.Find("content-type"), "application/json");
}

}  // namespace
}  // namespace hilo::http
