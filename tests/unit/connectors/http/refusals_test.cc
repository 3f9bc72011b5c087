// What a hostile or broken peer may send, and what it gets: the exact status, the code, and whether
// the connection goes on. Each row is sent in one piece and byte by byte.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "connectors/http/request_reader.h"
#include "tests/unit/connectors/http/raw_peer.h"

namespace hilo::http {
namespace {

constexpr std::string_view kCanary = "c4n4ry";  // in the inputs; no answer may repeat it

struct Row {
  const char* name;
  std::string bytes;
  int status;
  const char* code;
  bool closes = true;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }

std::string Head(std::string_view first_line, std::string_view headers = "Host: hub.example\r\n") {
  return std::string(first_line) + "\r\n" + std::string(headers) + "\r\n";
}

std::string PostHead(std::string_view headers) {
  return Head("POST /echo HTTP/1.1", "Host: hub.example\r\n" + std::string(headers));
}

std::string Chunked(std::string_view body) {
  return PostHead("Transfer-Encoding: chunked\r\n") + std::string(body);
}

std::string Nul(std::string text) {
  text.replace(text.find('~'), 1, 1, '\0');
  return text;
}

std::vector<Row> Framing() {
  return {
      {"LengthBesideTransferEncoding",
       PostHead("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n", 400,
       "bad_framing"},
      {"TwoLengthsThatDiffer", PostHead("Content-Length: 5\r\nContent-Length: 6\r\n") + "c4n4ry",
       400, "bad_framing"},
      {"TwoLengthsThatAgree", PostHead("Content-Length: 6\r\nContent-Length: 6\r\n") + "c4n4ry",
       400, "bad_framing"},
      {"LengthWithSign", PostHead("Content-Length: +13\r\n"), 400, "bad_framing"},
      {"LengthBelowZero", PostHead("Content-Length: -1\r\n"), 400, "bad_framing"},
      {"LengthInHex", PostHead("Content-Length: 0x0d\r\n"), 400, "bad_framing"},
      {"LengthWithLeadingZeros", PostHead("Content-Length: 007\r\n"), 400, "bad_framing"},
      {"LengthList", PostHead("Content-Length: 13, 14\r\n"), 400, "bad_framing"},
      {"LengthListThatAgrees", PostHead("Content-Length: 13, 13\r\n"), 400, "bad_framing"},
      {"LengthEmpty", PostHead("Content-Length:\r\n"), 400, "bad_framing"},
      {"LengthBeyond64Bits", PostHead("Content-Length: 18446744073709551621\r\n"), 400,
       "bad_framing"},
      {"ChunkedNotLast", PostHead("Transfer-Encoding: chunked, gzip\r\n"), 400,
       "bad_transfer_encoding"},
      {"ChunkedAfterGzip", PostHead("Transfer-Encoding: gzip, chunked\r\n"), 400,
       "bad_transfer_encoding"},
      {"AlmostChunked", PostHead("Transfer-Encoding: xchunked\r\n"), 400, "bad_transfer_encoding"},
      {"ChunkedInQuotes", PostHead("Transfer-Encoding: \"chunked\"\r\n"), 400,
       "bad_transfer_encoding"},
      {"ChunkedBehindVerticalTab",
       PostHead("Transfer-Encoding: \x0b"
                "chunked\r\n"),
       400, "bad_header"},
      {"ChunkedTwice", PostHead("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       400, "bad_transfer_encoding"},
      {"Identity", PostHead("Transfer-Encoding: identity\r\n"), 400, "bad_transfer_encoding"},
      {"ChunkedInHttp10",
       Head("POST /echo HTTP/1.0", "Host: hub.example\r\nTransfer-Encoding: chunked\r\n"), 400,
       "bad_transfer_encoding"},
  };
}

std::vector<Row> Chunks() {
  return {
      {"SizeBeyond64Bits", Chunked("FFFFFFFFFFFFFFFF1\r\nc4n4ry"), 400, "bad_chunk"},
      {"SizeOf64Bits", Chunked("FFFFFFFFFFFFFFFF\r\nc4n4ry"), 413, "body_too_large"},
      {"SizeBelowZero", Chunked("-5\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeWithSign", Chunked("+5\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeWithPrefix", Chunked("0x5\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeWithBlank", Chunked("5 \r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeBehindBlank", Chunked(" 5\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeMissing", Chunked("\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeEndsInBareLf", Chunked("5\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"SizeEndsInBareCr", Chunked("5\rhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"DataWithoutLineEnd", Chunked("5\r\nhelloc4n4ry\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"DataEndsInBareLf", Chunked("5\r\nhello\n0\r\n\r\n"), 400, "bad_chunk"},
      {"LastChunkEndsInBareLf", Chunked("5\r\nhello\r\n0\n\r\n"), 400, "bad_chunk"},
      {"TrailerEndsInBareLf", Chunked("5\r\nhello\r\n0\r\n\n"), 400, "bad_chunk"},
      {"TrailerMalformed", Chunked("5\r\nhello\r\n0\r\nc4n4ry : x\r\n\r\n"), 400, "bad_chunk"},
      {"TrailerTooLarge", Chunked("0\r\nA: " + std::string(5000, 'x') + "\r\n\r\n"), 400,
       "bad_chunk"},
      {"HugeExtension", Chunked("5;" + std::string(64 << 10, 'x') + "\r\nhello\r\n0\r\n\r\n"), 400,
       "bad_chunk"},
      {"ExtensionWithLf", Chunked("5;a\nb\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"ExtensionWithCr", Chunked("5;a\rb\r\nhello\r\n0\r\n\r\n"), 400, "bad_chunk"},
      {"ManyExtensions", Chunked([] {
         std::string chunks;
         for (int i = 0; i < 40; ++i) chunks += "1;" + std::string(200, 'x') + "\r\na\r\n";
         return chunks + "0\r\n\r\n";
       }()),
       400, "bad_chunk"},
  };
}

std::vector<Row> HeaderFields() {
  const std::string start = "GET /hello HTTP/1.1\r\nHost: hub.example\r\n";
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "a:\r\n";
  return {
      {"FoldedLine", start + "X-Note: a\r\n c4n4ry\r\n\r\n", 400, "bad_header"},
      {"FoldedFirstLine", "GET /hello HTTP/1.1\r\n Host: hub.example\r\n\r\n", 400, "bad_header"},
      {"SpaceBeforeColon", start + "X-Note : c4n4ry\r\n\r\n", 400, "bad_header"},
      {"TabBeforeColon", start + "X-Note\t: c4n4ry\r\n\r\n", 400, "bad_header"},
      {"SpaceInName", start + "X Note: c4n4ry\r\n\r\n", 400, "bad_header"},
      {"NoColon", start + "c4n4ry\r\n\r\n", 400, "bad_header"},
      {"NoName", start + ": c4n4ry\r\n\r\n", 400, "bad_header"},
      {"NulInValue", Nul(start + "X-Note: a~c4n4ry\r\n\r\n"), 400, "bad_header"},
      {"NulInName", Nul(start + "X-N~te: c4n4ry\r\n\r\n"), 400, "bad_header"},
      {"CrInValue", start + "X-Note: a\rc4n4ry\r\n\r\n", 400, "bad_header"},
      {"CrBeforeLineEnd", start + "X-Note: c4n4ry\r\r\n\r\n", 400, "bad_header"},
      {"BareLf", start + "X-Note: c4n4ry\nX-More: b\r\n\r\n", 400, "bad_header"},
      {"BareLfBeforeEmptyLine", start + "X-Note: c4n4ry\n\r\n", 400, "bad_header"},
      {"OnlyBareLf", "GET /hello HTTP/1.1\nHost: hub.example\n\n", 400, "bad_request_line"},
      {"ControlInValue",
       start + "X-Note: a\x01"
               "c4n4ry\r\n\r\n",
       400, "bad_header"},
      {"DeleteInValue",
       start + "X-Note: a\x7f"
               "c4n4ry\r\n\r\n",
       400, "bad_header"},
      {"LineOf100KB", start + "X-Note: " + std::string(100 << 10, 'x') + "\r\n\r\n", 431,
       "headers_too_large"},
      {"TwoThousand", start + many + "\r\n", 431, "headers_too_large"},
      {"TogetherTooLarge",
       start + "A: " + std::string(7000, 'x') + "\r\nB: " + std::string(7000, 'x') +
           "\r\nC: " + std::string(7000, 'x') + "\r\n\r\n",
       431, "headers_too_large"},
      {"UnknownExpectation", start + "Expect: c4n4ry\r\n\r\n", 417, "bad_expectation", false},
  };
}

std::vector<Row> Hosts() {
  return {
      {"None", "GET /hello HTTP/1.1\r\n\r\n", 400, "bad_host"},
      {"Two", Head("GET /hello HTTP/1.1", "Host: hub.example\r\nHost: c4n4ry.example\r\n"), 400,
       "bad_host"},
      {"TwoThatAgree", Head("GET /hello HTTP/1.1", "Host: hub.example\r\nHost: hub.example\r\n"),
       400, "bad_host"},
      {"Empty", Head("GET /hello HTTP/1.1", "Host:\r\n"), 400, "bad_host"},
      {"List", Head("GET /hello HTTP/1.1", "Host: hub.example, c4n4ry\r\n"), 400, "bad_host"},
      {"WithPath", Head("GET /hello HTTP/1.1", "Host: hub.example/c4n4ry\r\n"), 400, "bad_host"},
      {"WithName", Head("GET /hello HTTP/1.1", "Host: c4n4ry@hub.example\r\n"), 400, "bad_host"},
      {"WithBadPort", Head("GET /hello HTTP/1.1", "Host: hub.example:http\r\n"), 400, "bad_host"},
      {"AbsoluteFormDiffers", Head("GET http://c4n4ry.example/hello HTTP/1.1"), 400, "bad_host"},
      {"AbsoluteFormWithPort", Head("GET http://hub.example:81/hello HTTP/1.1"), 400, "bad_host"},
      {"AbsoluteFormWithName", Head("GET http://hub.example@c4n4ry/hello HTTP/1.1"), 400,
       "bad_host"},
  };
}

std::vector<Row> Bodies() {
  const std::string small = "POST /small HTTP/1.1\r\nHost: hub.example\r\n";
  const std::string inflated = "POST /inflated HTTP/1.1\r\nHost: hub.example\r\n";
  const std::string bomb = Gzip(std::string(8 << 20, '\0'));  // 8 KB to 8 MB
  const std::string sound = Gzip("c4n4ry");
  const auto encoded = [&](std::string_view encoding, std::string_view body) {
    return inflated + "Content-Encoding: " + std::string(encoding) +
           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
  };
  return {
      {"AByteTooLong", small + "Content-Length: 11\r\n\r\n0123456789a", 413, "body_too_large"},
      {"TenGigabytesAnnounced", small + "Content-Length: 10000000000\r\n\r\n", 413,
       "body_too_large"},
      {"TooLongInChunks",
       small + "Transfer-Encoding: chunked\r\n\r\n6\r\n012345\r\n5\r\n67890\r\n0\r\n\r\n", 413,
       "body_too_large"},
      {"TooLongBeforeContinue",
       small + "Content-Length: 10000000000\r\nExpect: 100-continue\r\n\r\n", 413,
       "body_too_large"},
      {"GzipBomb", encoded("gzip", bomb), 413, "inflated_too_large"},
      {"GzipNested", encoded("gzip, gzip", Gzip(sound)), 400, "bad_encoding"},
      {"GzipTwice", encoded("gzip\r\nContent-Encoding: gzip", Gzip(sound)), 400, "bad_encoding"},
      {"GzipTruncated", encoded("gzip", sound.substr(0, sound.size() - 1)), 400, "bad_encoding"},
      {"GzipCutInItsHead", encoded("gzip", sound.substr(0, 5)), 400, "bad_encoding"},
      {"GzipDamaged",
       encoded("gzip",
               [&] {
                 std::string damaged = sound;
                 damaged[damaged.size() - 6] ^= 1;  // in the checksum
                 return damaged;
               }()),
       400, "bad_encoding"},
      {"GzipAndMore", encoded("gzip", sound + "c4n4ry"), 400, "bad_encoding"},
      {"NoGzip", encoded("gzip", "c4n4ry"), 400, "bad_encoding"},
      {"UnknownEncoding", encoded("br", "c4n4ry"), 415, "unknown_encoding"},
  };
}

std::vector<Row> Methods() {
  return {
      {"Trace", Head("TRACE /hello HTTP/1.1"), 405, "method_not_allowed", false},
      {"Connect", Head("CONNECT c4n4ry.example:443 HTTP/1.1"), 405, "method_not_allowed", false},
      {"Unknown", Head("C4N4RY /hello HTTP/1.1"), 405, "method_not_allowed", false},
      {"UnknownAtUnknownPath", Head("BREW /c4n4ry HTTP/1.1"), 405, "method_not_allowed", false},
      {"LowerCase", Head("get /hello HTTP/1.1"), 405, "method_not_allowed", false},
      {"GetWherePostBelongs", Head("GET /echo HTTP/1.1"), 405, "method_not_allowed", false},
      {"PostWhereGetBelongs",
       Head("POST /hello HTTP/1.1", "Host: hub.example\r\nContent-Length: 6\r\n") + "c4n4ry", 405,
       "method_not_allowed"},
      {"WholeServer", Head("OPTIONS * HTTP/1.1"), 405, "method_not_allowed", false},
  };
}

std::vector<Row> Paths() {
  const auto get = [](std::string_view target) {
    return Head("GET " + std::string(target) + " HTTP/1.1");
  };
  return {
      {"EncodedDots", get("/%2e%2e/c4n4ry"), 400, "bad_path"},
      {"HalfEncodedDots", get("/a/.%2E/c4n4ry"), 400, "bad_path"},
      {"Dots", get("/a/../c4n4ry"), 400, "bad_path"},
      {"DotsAtTheEnd", get("/c4n4ry/.."), 400, "bad_path"},
      {"OneDot", get("/./c4n4ry"), 400, "bad_path"},
      {"EncodedNul", get("/hello%00c4n4ry"), 400, "bad_path"},
      {"EncodedLineEnd", get("/hello%0d%0ac4n4ry"), 400, "bad_path"},
      {"EncodedSlash", get("/a%2fc4n4ry"), 400, "bad_path"},
      {"EncodedBackslash", get("/a%5cc4n4ry"), 400, "bad_path"},
      {"Backslash", get("/a\\c4n4ry"), 400, "bad_path"},
      {"OverlongSlash", get("/a%c0%afc4n4ry"), 400, "bad_path"},
      {"OverlongDot", get("/%e0%80%ae%e0%80%ae/c4n4ry"), 400, "bad_path"},
      {"Surrogate", get("/%ed%a0%80c4n4ry"), 400, "bad_path"},
      {"BeyondUnicode", get("/%f4%90%80%80c4n4ry"), 400, "bad_path"},
      {"CutSequence", get("/c4n4ry%c3"), 400, "bad_path"},
      {"HalfAPercent", get("/c4n4ry%4"), 400, "bad_path"},
      {"NoHex", get("/c4n4ry%zz"), 400, "bad_path"},
      {"RawByte", get("/c4n4ry\xc3\xa9"), 400, "bad_path"},
      {"Fragment", get("/hello#c4n4ry"), 400, "bad_path"},
      {"NoSlash", get("hello"), 400, "bad_path"},
      {"OtherScheme", get("ftp://hub.example/c4n4ry"), 400, "bad_path"},
      {"TenKilobytes", get("/" + std::string(10 << 10, 'a')), 400, "bad_path"},
      {"TenKilobytesOfQuery", get("/hello?" + std::string(10 << 10, 'a')), 400, "bad_path"},
      {"Nothing", get("/c4n4ry"), 404, "not_found", false},
      {"QueryWithNul", get("/hello?a=%00c4n4ry"), 400, "bad_query"},
      {"QueryNoUtf8", get("/hello?a=%ffc4n4ry"), 400, "bad_query"},
      {"QueryNoHex", get("/hello?a=%zz"), 400, "bad_query"},
  };
}

std::vector<Row> RequestLines() {
  return {
      {"TwoWords", Head("GET /hello"), 400, "bad_request_line"},
      {"OneWord", Head("c4n4ry"), 400, "bad_request_line"},
      {"TwoSpaces", Head("GET  /hello HTTP/1.1"), 400, "bad_request_line"},
      {"SpaceInTarget", Head("GET /hello c4n4ry HTTP/1.1"), 400, "bad_path"},
      {"SpaceBehind", Head("GET /hello HTTP/1.1 "), 400, "bad_request_line"},
      {"SpaceBefore", Head(" GET /hello HTTP/1.1"), 400, "bad_request_line"},
      {"TabInTarget", Head("GET /hel\tlo HTTP/1.1"), 400, "bad_path"},
      {"LowerCaseVersion", Head("GET /hello http/1.1"), 400, "bad_request_line"},
      {"LongVersion", Head("GET /hello HTTP/1.10"), 400, "bad_request_line"},
      {"NoMethod", Head("G\x01T /hello HTTP/1.1"), 400, "bad_request_line"},
      {"Version2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "bad_version"},
      {"Version09", Head("GET /hello HTTP/0.9"), 505, "bad_version"},
      {"ClientHello", std::string("\x16\x03\x01\x02\x00\x01\x00\n", 8), 400, "bad_request_line"},
      {"TwoEmptyLines", "\r\n\r\nGET /hello HTTP/1.1\r\nHost: hub.example\r\n\r\n", 400,
       "bad_request_line"},
  };
}

class Refusals : public testing::TestWithParam<Row> {};

TEST_P(Refusals, HaveTheirStatusCodeAndEnd) {
  const Row& row = GetParam();
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  const auto server = StartServer(EchoRouter(), options);
  RawPeer peer(server->Port());
  peer.Send(row.bytes);
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, row.status);
  EXPECT_EQ(answer.Code(), row.code);
  EXPECT_TRUE(answer.complete);
  EXPECT_EQ(answer.headers.Find("Content-Type"), "application/json");
  EXPECT_NE(answer.body.find("\"requestId\":\"" +
                             std::string(answer.headers.Find("X-Request-Id").value_or("?")) + "\""),
            std::string::npos);
  EXPECT_EQ(answer.headers.Find("Allow").has_value(), row.status == 405);
  for (const Headers::Field& field : answer.headers) {
    EXPECT_EQ(field.value.find(kCanary), std::string::npos);
  }
  EXPECT_EQ(answer.body.find(kCanary), std::string::npos);
  EXPECT_EQ(answer.headers.Find("Connection").value_or("") == "close", row.closes);
  if (row.closes) {
    EXPECT_TRUE(peer.EndsNow());
  } else {
    peer.Send(Get("/hello"));
    EXPECT_EQ(peer.Receive().status, 200);
  }
  EXPECT_EQ(observer.refused(), std::vector<std::string>{row.code});
}

TEST_P(Refusals, DoNotDependOnHowTheBytesArrive) {
  const Row& row = GetParam();
  const Router router = EchoRouter();
  const ServerLimits limits;
  RequestReader reader(router, limits);
  std::string held;
  for (size_t i = 0; i < row.bytes.size() && !reader.Refused(); ++i) {
    held += row.bytes[i];
    std::string_view input = held;
    EXPECT_NE(reader.Read(input), RequestReader::Step::kRequest);
    held.erase(0, held.size() - input.size());
  }
  ASSERT_TRUE(reader.Refused());
  EXPECT_EQ(reader.refusal().status, row.status);
  EXPECT_EQ(reader.refusal().code, row.code);
}

std::string NameOf(const testing::TestParamInfo<Row>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(Framing, Refusals, testing::ValuesIn(Framing()), NameOf);
INSTANTIATE_TEST_SUITE_P(Chunk, Refusals, testing::ValuesIn(Chunks()), NameOf);
INSTANTIATE_TEST_SUITE_P(Header, Refusals, testing::ValuesIn(HeaderFields()), NameOf);
INSTANTIATE_TEST_SUITE_P(Host, Refusals, testing::ValuesIn(Hosts()), NameOf);
INSTANTIATE_TEST_SUITE_P(Body, Refusals, testing::ValuesIn(Bodies()), NameOf);
INSTANTIATE_TEST_SUITE_P(Method, Refusals, testing::ValuesIn(Methods()), NameOf);
INSTANTIATE_TEST_SUITE_P(Path, Refusals, testing::ValuesIn(Paths()), NameOf);
INSTANTIATE_TEST_SUITE_P(RequestLine, Refusals, testing::ValuesIn(RequestLines()), NameOf);

TEST(Refusals, MethodNamesWhatThePathServes) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send(Head("GET /echo HTTP/1.1"));
  EXPECT_EQ(peer.Receive().headers.Find("Allow"), "POST");
  peer.Send(Head("TRACE /hello HTTP/1.1"));
  EXPECT_EQ(peer.Receive().headers.Find("Allow"), "GET, HEAD");
  peer.Send(Head("CONNECT hub.example:443 HTTP/1.1"));
  EXPECT_EQ(peer.Receive().headers.Find("Allow"), "GET, HEAD, POST");
}

TEST(Refusals, TakeTheFormOfTheRoute) {
  Router router;
  RouteOptions options;
  options.max_body_bytes = 1;
  options.write_refusal = [](const Refusal& refusal, const std::string&) {
    return Response{429, {{"Content-Type", "application/json"}}, "other:" + refusal.code};
  };
  router.Add("POST", "/rpc", options, [](std::shared_ptr<Exchange>) {});
  const auto server = StartServer(std::move(router));
  RawPeer peer(server->Port());
  peer.Send(Post("/rpc", "ab"));
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.body, "other:body_too_large");
}

TEST(Refusals, AreReadableWhileThePeerIsStillSending) {
  const auto server = StartServer(EchoRouter());
  for (int i = 0; i < 20; ++i) {
    RawPeer peer(server->Port());
    peer.Send("POST /small HTTP/1.1\r\nHost: hub.example\r\nContent-Length: 10000000000\r\n\r\n");
    // Far more than the socket's buffers hold, so the server has to swallow it.
    const std::string block(1 << 20, 'x');
    for (int k = 0; k < 8; ++k) peer.Send(block);
    EXPECT_EQ(peer.Receive().status, 413);
  }
}

TEST(Refusals, SlowHeadIs408) {
  ServerOptions options;
  options.limits.head_timeout = std::chrono::milliseconds(100);
  const auto server = StartServer(EchoRouter(), options);
  RawPeer peer(server->Port());
  peer.Send("GET /hello HTTP/1.1\r\nHo");
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.Code(), "head_timeout");
  EXPECT_TRUE(peer.EndsNow());
}

TEST(Refusals, SlowBodyIs408) {
  Router router;
  RouteOptions slow;
  slow.body_timeout = std::chrono::milliseconds(300);
  router.Add("POST", "/slow", slow, [](std::shared_ptr<Exchange>) {});
  const auto server = StartServer(std::move(router));
  for (const std::string_view framing :
       {"Content-Length: 500\r\n", "Transfer-Encoding: chunked\r\n"}) {
    RawPeer peer(server->Port());
    peer.Send("POST /slow HTTP/1.1\r\nHost: hub.example\r\n" + std::string(framing) + "\r\n1");
    const auto start = std::chrono::steady_clock::now();
    const RawAnswer answer = peer.Receive();
    EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(250));
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(answer.Code(), "body_timeout");
    EXPECT_TRUE(peer.EndsNow());
  }
}

TEST(Refusals, BytesNowAndThenDoNotProlongTheBody) {
  Router router;
  RouteOptions slow;
  slow.body_timeout = std::chrono::milliseconds(300);
  router.Add("POST", "/slow", slow, [](std::shared_ptr<Exchange>) {});
  const auto server = StartServer(std::move(router));
  RawPeer peer(server->Port());
  peer.Send("POST /slow HTTP/1.1\r\nHost: hub.example\r\nContent-Length: 500\r\n\r\n");
  // Dripping until the server speaks: EndsNow is true only at an end, and waits 20 ms each time.
  const auto start = std::chrono::steady_clock::now();
  int drops = 0;
  while (drops < 500 && std::chrono::steady_clock::now() - start < std::chrono::milliseconds(250)) {
    peer.Send("x");
    ++drops;
    peer.EndsNow(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(peer.Receive().status, 408);
}

TEST(RequestReader, TakesInNoMoreThanAllowedOfAChunkedBody) {
  const Router router = EchoRouter();
  const ServerLimits limits;
  RequestReader reader(router, limits);
  const std::string bytes = Chunked("100000\r\n" + std::string(1 << 20, 'x') + "\r\n1\r\n");
  std::string_view input = bytes;
  EXPECT_EQ(reader.Read(input), RequestReader::Step::kRefused);
  EXPECT_EQ(reader.refusal().code, "body_too_large");
}

}  // namespace
}  // namespace hilo::http
