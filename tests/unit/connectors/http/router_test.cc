#include "connectors/http/router.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hilo::http {
namespace {

void Nothing(std::shared_ptr<Exchange>) {}

Router SomeRoutes() {
  Router router;
  router.Add("GET", "/*", Nothing);
  router.Add("GET", "/assets/*", Nothing);
  router.Add("POST", "/v1/batch", Nothing);
  router.Add("GET", "/v1/projects/{key}/settings", Nothing);
  router.Add("GET", "/v1/{kind}/{id}/settings", Nothing);
  router.Add("POST", "/v1/projects/{key}/settings", Nothing);
  return router;
}

TEST(Router, PrefersExactThenParametersThenTheLongestPrefix) {
  const Router router = SomeRoutes();
  EXPECT_EQ(router.Find("POST", "/v1/batch").pattern, "/v1/batch");
  EXPECT_EQ(router.Find("GET", "/v1/projects/k/settings").pattern, "/v1/projects/{key}/settings");
  EXPECT_EQ(router.Find("GET", "/v1/sources/k/settings").pattern, "/v1/{kind}/{id}/settings");
  EXPECT_EQ(router.Find("GET", "/assets/a/b.js").pattern, "/assets/*");
  EXPECT_EQ(router.Find("GET", "/").pattern, "/*");
}

TEST(Router, HandsOnWhatStoodAtParametersAndBehindPrefixes) {
  const Router router = SomeRoutes();
  const Router::Match two = router.Find("GET", "/v1/sources/k/settings");
  ASSERT_EQ(two.parameters.size(), 2u);
  EXPECT_EQ(two.parameters[0].name, "kind");
  EXPECT_EQ(two.parameters[0].value, "sources");
  EXPECT_EQ(two.parameters[1].value, "k");
  const Router::Match rest = router.Find("GET", "/assets/a/b.js");
  ASSERT_EQ(rest.parameters.size(), 1u);
  EXPECT_EQ(rest.parameters[0].name, "*");
  EXPECT_EQ(rest.parameters[0].value, "a/b.js");
}

TEST(Router, ParameterIsOneSegmentAndNotEmpty) {
  Router router;
  router.Add("GET", "/a/{b}", Nothing);
  EXPECT_NE(router.Find("GET", "/a/x").route, nullptr);
  EXPECT_TRUE(router.Find("GET", "/a/").pattern.empty());
  EXPECT_TRUE(router.Find("GET", "/a/x/y").pattern.empty());
  EXPECT_TRUE(router.Find("GET", "/a").pattern.empty());
}

TEST(Router, ThePathDecidesBeforeTheMethod) {
  const Router router = SomeRoutes();
  const Router::Match match = router.Find("GET", "/v1/batch");
  EXPECT_EQ(match.pattern, "/v1/batch");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "POST");
}

TEST(Router, HeadGoesToGet) {
  const Router router = SomeRoutes();
  EXPECT_EQ(router.Find("HEAD", "/x").route, router.Find("GET", "/x").route);
  EXPECT_EQ(router.Find("PUT", "/v1/projects/k/settings").allow, "GET, HEAD, POST");
  EXPECT_EQ(router.AllMethods(), "GET, HEAD, POST");
}

TEST(RouterDeathTest, DoubledRoutesAbort) {
  Router router;
  router.Add("GET", "/a", Nothing);
  EXPECT_DEATH(router.Add("GET", "/a", Nothing), "added once");
  EXPECT_DEATH(router.Add("GET", "a", Nothing), "begins with a slash");
  EXPECT_DEATH(router.Add("GET", "/a/{b}c", Nothing), "whole segment");
}

}  // namespace
}  // namespace hilo::http
