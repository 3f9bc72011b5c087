#include "ops/base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ops/base/metric_names.h"

namespace hilo {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, ShowsWhatWasCounted) {
  Registry registry;
  registry.Get(metric::kFactsAskedAgain).Increment(3);
  registry.Get(metric::kFoldDeadLetters, {"event_too_old"}).Increment();
  registry.Get(metric::kFoldPosition, {"customers", "2"}).Set(41);
  const std::string page = registry.Expose();
  EXPECT_THAT(
      page,
      HasSubstr("# TYPE hilo_facts_asked_again_total counter\nhilo_facts_asked_again_total 3\n"));
  EXPECT_THAT(page, HasSubstr("hilo_fold_dead_letters_total{reason=\"event_too_old\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("hilo_fold_position{topic=\"customers\",partition=\"2\"} 41\n"));
}

TEST(Metrics, GivesTheSameSeriesForTheSameLabels) {
  Registry registry;
  Counter& first = registry.Get(metric::kHttpRefused, {"too_large"});
  EXPECT_EQ(&first, &registry.Get(metric::kHttpRefused, {"too_large"}));
  EXPECT_NE(&first, &registry.Get(metric::kHttpRefused, {"too_many"}));
}

TEST(Metrics, ShowsClosedSeriesBeforeTheFirstEvent) {
  Registry registry;
  const std::string page = registry.Expose();
  EXPECT_THAT(page, HasSubstr("hilo_command_outcomes_total{outcome=\"applied\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("hilo_web_events_total{type=\"track\",outcome=\"accepted\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("hilo_serving_ingest_to_context_seconds_count 0\n"));
}

TEST(Metrics, CountsAnUnknownValueOfAClosedLabelAsOther) {
  Registry registry;
  Counter& other = registry.Get(metric::kCommandOutcomes, {"exploded"});
  EXPECT_EQ(&other, &registry.Get(metric::kCommandOutcomes, {"imploded"}));
  other.Increment();
  EXPECT_THAT(registry.Expose(), HasSubstr("hilo_command_outcomes_total{outcome=\"other\"} 1\n"));
  EXPECT_THAT(registry.Expose(), Not(HasSubstr("exploded")));
}

TEST(Metrics, BoundsTheValuesOfAnOpenLabel) {
  Registry registry;
  for (size_t i = 0; i < metric::kCodeLimit; ++i)
    registry.Get(metric::kHttpRefused, {"c" + std::to_string(i)});
  Counter& beyond = registry.Get(metric::kHttpRefused, {"one_more"});
  EXPECT_EQ(&beyond, &registry.Get(metric::kHttpRefused, {"and_another"}));
  EXPECT_NE(&beyond, &registry.Get(metric::kHttpRefused, {"c63"}));
  EXPECT_THAT(registry.Expose(), HasSubstr("hilo_http_refused_total{code=\"other\"} 0\n"));
}

TEST(Metrics, PutsAnObservationIntoItsBucket) {
  Registry registry;
  Histogram& histogram = registry.Get(metric::kIngestToContext);
  histogram.Observe(std::chrono::milliseconds(5));  // a bound belongs to its bucket
  histogram.Observe(0.0051);
  histogram.Observe(60.0);
  EXPECT_EQ(histogram.Count(), 3u);
  EXPECT_DOUBLE_EQ(histogram.Sum(), 60.0101);
  const std::string page = registry.Expose();
  EXPECT_THAT(page, HasSubstr("_bucket{le=\"0.002\"} 0\n"));
  EXPECT_THAT(page, HasSubstr("hilo_serving_ingest_to_context_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(page, HasSubstr("hilo_serving_ingest_to_context_seconds_bucket{le=\"10\"} 2\n"));
  EXPECT_THAT(page, HasSubstr("hilo_serving_ingest_to_context_seconds_bucket{le=\"+Inf\"} 3\n"));
  EXPECT_THAT(page, HasSubstr("hilo_serving_ingest_to_context_seconds_count 3\n"));
}

TEST(Metrics, ShowsOnlyTheLastSeriesOfAnInfo) {
  Registry registry;
  registry.SetInfo(metric::kCatalogueRevision, {"6"});
  registry.SetInfo(metric::kCatalogueRevision, {"7"});
  EXPECT_THAT(registry.Expose(), HasSubstr("hilo_catalogue_revision_info{revision=\"7\"} 1\n"));
  EXPECT_THAT(registry.Expose(), Not(HasSubstr("revision=\"6\"")));
}

TEST(Metrics, LosesNoCountBetweenThreads) {
  Registry registry;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 10000; ++j) registry.Get(metric::kViews).Increment();
    });
  }
  threads.clear();
  EXPECT_EQ(registry.Get(metric::kViews).Value(), 40000u);
}

TEST(Metrics, ShowsTheProcess) {
  Registry registry;
  const std::string page = registry.Expose();
  std::smatch match;
  ASSERT_TRUE(
      std::regex_search(page, match, std::regex("\nprocess_resident_memory_bytes ([0-9.e+]+)")));
  EXPECT_GT(std::stod(match[1]), 1e6);
  ASSERT_TRUE(
      std::regex_search(page, match, std::regex("\nprocess_start_time_seconds ([0-9.e+]+)")));
  EXPECT_NEAR(std::stod(match[1]), static_cast<double>(std::time(nullptr)), 3600);
  ASSERT_TRUE(std::regex_search(page, match, std::regex("\nprocess_open_fds ([0-9]+)")));
  EXPECT_GE(std::stoi(match[1]), 3);
}

TEST(MetricsDeathTest, RefusesWhatIsNotListedOrWronglyLabelled) {
  Registry registry;
  const CounterMetric unlisted{.name = "hilo_base_unlisted_total", .help = "None."};
  EXPECT_DEATH(registry.Get(unlisted), "metric_names.h");
  EXPECT_DEATH(registry.Get(metric::kHttpRefused), "names a value for each label");
}

TEST(MetricNames, FollowTheRules) {
  const std::set<std::string> kUnits = {
      "seconds", "bytes", "records", "info",        "position", "fds",    "success", "partitions",
      "stopped", "lines", "entries", "subscribers", "waiters",  "cached", "events"};
  for (const AnyMetric& metric : metric::kAll) {
    const std::string name(metric.name);
    SCOPED_TRACE(name);
    EXPECT_TRUE(std::regex_match(name, std::regex("(hilo|process|grpc_server)(_[a-z]+)+")));
    EXPECT_TRUE(metric.help.size() > 15 && metric.help.back() == '.') << "help is a sentence";
    EXPECT_EQ(metric.type == MetricType::kCounter, name.ends_with("_total"));
    if (metric.type != MetricType::kCounter) {
      EXPECT_EQ(kUnits.count(name.substr(name.rfind('_') + 1)), 1u) << "the unit comes last";
    }
    EXPECT_EQ(metric.type == MetricType::kHistogram, !metric.buckets.empty());
    EXPECT_TRUE(std::is_sorted(metric.buckets.begin(), metric.buckets.end()));
    for (const MetricLabel& label : metric.labels) {
      EXPECT_NE(label.values.empty(), label.limit == 0) << label.name << " has values or a limit";
      for (std::string_view banned : {"customer", "subject", "email", "phone", "user", "id"}) {
        EXPECT_NE(label.name, banned) << "series per person";
      }
    }
  }
}

TEST(MetricNames, AreAllInTheList) {
  std::ifstream file(std::string(HILO_SOURCE_DIRECTORY) + "/ops/base/metric_names.h");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  ASSERT_NE(text, "");
  const std::string list = text.substr(text.find("AnyMetric kAll[]"));
  const std::regex definition("inline constexpr (?:Counter|Gauge|Histogram)Metric (k\\w+)");
  size_t count = 0;
  for (std::sregex_iterator i(text.begin(), text.end(), definition), end; i != end; ++i, ++count) {
    EXPECT_TRUE(std::regex_search(list, std::regex("\\b" + (*i)[1].str() + "\\b"))) << (*i)[1];
  }
  EXPECT_EQ(count, std::size(metric::kAll));
}

TEST(MetricNames, PassPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "promtool (Debian package prometheus) is not installed";
  }
  Registry registry;
  registry.Get(metric::kHttpRequests, {"/v1/track", "200"}).Increment();
  registry.Get(metric::kGrpcHandlingSeconds, {"unary", "hilo.v1.CustomerService", "GetContext"})
      .Observe(0.002);
  registry.Get(metric::kFoldLagSeconds, {"events", "0"}).Set(0.5);
  registry.SetInfo(metric::kBuildInfo, {"0.1.0"});
  FILE* promtool = popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  const std::string page = registry.Expose();
  EXPECT_EQ(fwrite(page.data(), 1, page.size(), promtool), page.size());
  EXPECT_EQ(pclose(promtool), 0) << "its findings are printed above";
}

}  // namespace
}  // namespace hilo
