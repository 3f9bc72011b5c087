#include "connectors/serving/health_watch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hilo/v1/customer_service.pb.h"

namespace hilo::serving {
namespace {

class HealthWatchTest : public ::testing::Test {
 protected:
  HealthWatchTest() {
    endpoints_.Unary<v1::GetContextRequest, v1::GetContextResponse>(
        "/hilo.v1.CustomerService/GetContext",
        [](std::shared_ptr<Call>, const v1::GetContextRequest&, auto) {});
  }
  std::function<void(const std::string&)> Into(std::vector<int>& heard) {
    return [&heard](const std::string& response) { heard.push_back(response.at(1)); };
  }

  Endpoints endpoints_;
  HealthWatch health_{endpoints_};
};

TEST_F(HealthWatchTest, ReadsWhichServiceIsAskedAbout) {
  EXPECT_EQ(HealthWatch::ServiceOf(""), "");
  EXPECT_EQ(HealthWatch::ServiceOf("\x0a\x02"
                                   "ab"),
            "ab");
  EXPECT_EQ(HealthWatch::ServiceOf("\x10\x07\x0a\x02"
                                   "ab"),
            "ab");
  EXPECT_EQ(HealthWatch::ServiceOf("\x0a\x09"
                                   "ab"),
            std::nullopt);
  EXPECT_EQ(HealthWatch::ServiceOf("\x0f"), std::nullopt);
}

TEST_F(HealthWatchTest, AnswersForAllServicesAlikeAndForNoOther) {
  EXPECT_EQ(health_.Check(""), "\x08\x02");
  health_.SetServing(true);
  EXPECT_EQ(health_.Check(""), "\x08\x01");
  EXPECT_EQ(health_.Check("hilo.v1.CustomerService"), "\x08\x01");
  EXPECT_EQ(health_.Check("hilo.v1.NoService"), std::nullopt);
}

TEST_F(HealthWatchTest, TellsTheStateAtOnceAndItsChangesUntilUnwatched) {
  std::vector<int> heard;
  std::vector<int> unknown;
  const auto watcher = health_.Watch("", Into(heard));
  ASSERT_TRUE(watcher.has_value());
  ASSERT_TRUE(health_.Watch("hilo.v1.NoService", Into(unknown)).has_value());
  health_.SetServing(true);
  health_.SetServing(true);  // no change
  health_.SetServing(false);
  health_.Unwatch(*watcher);
  health_.SetServing(true);
  EXPECT_EQ(heard, (std::vector{2, 1, 2}));
  EXPECT_EQ(unknown, (std::vector{3}));
}

TEST_F(HealthWatchTest, HasAtMostSoManyWatchers) {
  std::vector<int> heard;
  std::optional<uint64_t> last;
  for (size_t i = 0; i < HealthWatch::kMaxWatchers; ++i) last = health_.Watch("", Into(heard));
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(health_.Watch("", Into(heard)), std::nullopt);
  health_.Unwatch(*last);
  EXPECT_NE(health_.Watch("", Into(heard)), std::nullopt);
}

}  // namespace
}  // namespace hilo::serving
