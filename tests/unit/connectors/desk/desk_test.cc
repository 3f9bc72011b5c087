#include "connectors/desk/desk.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "connectors/http/exchange.h"
#include "connectors/http/router.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::desk {
namespace {

using ::testing::HasSubstr;

class Kept : public http::AnswerSink {
 public:
  explicit Kept(std::optional<http::Response>* into) : into_(into) {}
  void Send(http::Response response) override { *into_ = std::move(response); }
  void SendStream(http::Response head, std::shared_ptr<http::StreamQueue>) override {
    *into_ = std::move(head);
  }
  void Abandon() override {}

 private:
  std::optional<http::Response>* into_;
};

class DeskTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(std::filesystem::path(directory_.path()) / name, std::ios::binary) << text;
  }
  Status Add() { return AddDesk({.page_directory = directory_.path()}, router_); }

  // No value: no route.
  std::optional<http::Response> Get(const std::string& path, http::Headers headers = {}) {
    const http::Router::Match match = router_.Find("GET", path);
    if (match.route == nullptr) return std::nullopt;
    http::Request request;
    request.method = "GET";
    request.path = path;
    request.headers = std::move(headers);
    std::optional<http::Response> response;
    match.route->handler(
        std::make_shared<http::Exchange>(std::move(request), std::make_unique<Kept>(&response)));
    return response;
  }

  static std::string Header(const std::optional<http::Response>& response, std::string_view name) {
    return std::string(response.value().headers.Find(name).value_or("(absent)"));
  }

  testing::TemporaryDirectory directory_;
  http::Router router_;
};

TEST_F(DeskTest, ServesTheDocumentAtTheRootAndByName) {
  Write("index.html", "<!doctype html>");
  ASSERT_TRUE(Add().ok());
  for (const std::string path : {"/", "/index.html"}) {
    const auto response = Get(path);
    ASSERT_TRUE(response.has_value()) << path;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->body, "<!doctype html>");
    EXPECT_EQ(Header(response, "Content-Type"), "text/html; charset=utf-8");
  }
}

TEST_F(DeskTest, SendsTheStrictPolicyWithEveryFile) {
  Write("index.html", "x");
  Write("app.js", "y");
  ASSERT_TRUE(Add().ok());
  for (const std::string path : {"/", "/app.js"}) {
    const auto response = Get(path);
    EXPECT_EQ(Header(response, "Content-Security-Policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
              "img-src 'self'; object-src 'none'; "
              "base-uri 'none'; frame-ancestors 'none'; form-action 'self'; "
              "require-trusted-types-for 'script'");
    EXPECT_EQ(Header(response, "X-Content-Type-Options"), "nosniff");
    EXPECT_EQ(Header(response, "Referrer-Policy"), "no-referrer");
  }
}

TEST_F(DeskTest, NeverLetsTheDocumentBeStored) {
  Write("index.html", "x");
  ASSERT_TRUE(Add().ok());
  EXPECT_EQ(Header(Get("/"), "Cache-Control"), "no-store");
  EXPECT_EQ(Header(Get("/"), "ETag"), "(absent)");
}

TEST_F(DeskTest, AnswersAKnownFileWithoutItsBody) {
  Write("index.html", "x");
  Write("app.js", "let a = 1;");
  ASSERT_TRUE(Add().ok());
  const std::string etag = Header(Get("/app.js"), "ETag");
  const auto again = Get("/app.js", {{"If-None-Match", etag}});
  EXPECT_EQ(again->status, 304);
  EXPECT_EQ(again->body, "");
  const auto other = Get("/app.js", {{"If-None-Match", "\"other\""}});
  EXPECT_EQ(other->status, 200);
  EXPECT_EQ(other->body, "let a = 1;");
}

TEST_F(DeskTest, TellsTwoBuildsApart) {
  Write("index.html", "x");
  Write("a.js", "let a = 1;");
  Write("b.js", "let a = 2;");
  ASSERT_TRUE(Add().ok());
  EXPECT_NE(Header(Get("/a.js"), "ETag"), Header(Get("/b.js"), "ETag"));
}

TEST_F(DeskTest, NamesTheMediaTypes) {
  for (const std::string name : {"index.html", "app.js", "app.css", "icon.svg"}) Write(name, "x");
  ASSERT_TRUE(Add().ok());
  EXPECT_EQ(Header(Get("/app.js"), "Content-Type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(Header(Get("/app.css"), "Content-Type"), "text/css; charset=utf-8");
  EXPECT_EQ(Header(Get("/icon.svg"), "Content-Type"), "image/svg+xml");
}

TEST_F(DeskTest, LeavesOutWhatIsNotOfThePage) {
  Write("index.html", "x");
  Write(".hidden.js", "x");
  Write("notes.txt", "x");
  Write("with space.js", "x");
  std::filesystem::create_directory(std::filesystem::path(directory_.path()) / "folder.js");
  ASSERT_TRUE(Add().ok());
  for (const std::string path :
       {"/.hidden.js", "/notes.txt", "/with space.js", "/folder.js", "/../index.html"}) {
    EXPECT_FALSE(Get(path).has_value()) << path;
  }
}

TEST_F(DeskTest, RefusesADirectoryWithoutADocument) {
  Write("app.js", "x");
  const Status status = Add();
  EXPECT_EQ(Reason(status), "desk_page_missing");
  EXPECT_THAT(std::string(status.message()), HasSubstr("desk_page"));
}

TEST_F(DeskTest, RefusesADirectoryThatIsNotThere) {
  EXPECT_EQ(Reason(AddDesk({.page_directory = std::filesystem::path(directory_.path()) / "absent"},
                           router_)),
            "desk_page_missing");
}

TEST_F(DeskTest, RefusesMoreThanItsLimits) {
  Write("index.html", "x");
  for (int i = 0; i < 32; ++i) Write("a" + std::to_string(i) + ".js", "x");
  EXPECT_EQ(Reason(Add()), "desk_page_too_large");
}

TEST_F(DeskTest, RefusesAFileOverItsLimit) {
  Write("index.html", std::string((4 << 20) + 1, 'x'));
  EXPECT_EQ(Reason(Add()), "desk_page_too_large");
}

}  // namespace
}  // namespace hilo::desk
