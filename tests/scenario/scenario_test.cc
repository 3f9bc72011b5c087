#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "tests/scenario/stage.h"
#include "tests/scenario/story.h"

// Every story beside this file, on folds that work in every way they may.
namespace hilo::scenario {
namespace {

struct Way {
  const char* name;
  driver::Refolding folding;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }
const Way kWays[] = {{"Batch1", {.batch = 1}},
                     {"Batch7", {.batch = 7}},
                     {"Batch1000", {.batch = 1'000}},
                     {"RestartedAfterEachRecord", {.batch = 1, .restart_after_each_batch = true}}};

std::filesystem::path Folder() {
  return std::filesystem::path(HILO_SOURCE_DIRECTORY) / "tests/scenario";
}

std::vector<std::string> Stories() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(Folder())) {
    if (file.path().extension() == ".story") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string Lines(const std::vector<std::string>& problems) {
  std::string lines;
  for (const std::string& problem : problems) lines += "\n" + problem;
  return lines;
}

// The same records again, to folds that own their partitions and work in another way.
Status Retell(const Stage& stage, driver::Refolding folding) {
  driver::FoldDriver driver(stage.FoldsOfThis(folding));
  for (const Tape::Entry& entry : stage.tape().entries) {
    if (entry.to.topic.empty()) {
      HILO_RETURN_IF_ERROR(driver.Advance(entry.advance));
    } else {
      driver.AppendRaw(entry.to, entry.record);
      HILO_RETURN_IF_ERROR(driver.Settle());
    }
  }
  std::vector<log::TopicPartition> all = {{"events", 0}};
  for (uint32_t i = 0; i < 4; ++i) all.push_back({"customers", i});
  for (const log::TopicPartition& of : all) {
    const fold::PartitionView here = stage.driver().View(of);
    const fold::PartitionView there = driver.View(of);
    if (here.state_digest != there.state_digest || here.position != there.position) {
      return Error(StatusCode::kInternal, "digest_differs",
                   of.topic + "/" + std::to_string(of.partition) + " at " +
                       std::to_string(here.position) + " and " + std::to_string(there.position));
    }
  }
  return OkStatus();
}

class Scenario : public ::testing::TestWithParam<std::tuple<std::string, Way>> {
 protected:
  Story Told() const {
    auto story = Story::Load((Folder() / (std::get<0>(GetParam()) + ".story")).string());
    EXPECT_TRUE(story.ok()) << Describe(story.status());
    return story.ok() ? *std::move(story) : Story();
  }
  driver::Refolding Folding() const { return std::get<1>(GetParam()).folding; }
};

TEST_P(Scenario, ComesTrueWithEqualDigests) {
  const Story story = Told();
  auto stage = Stage::Create(story, Folding());
  ASSERT_TRUE(stage.ok()) << Describe(stage.status());
  const std::vector<std::string> problems = (*stage)->Play();
  EXPECT_TRUE(problems.empty()) << Lines(problems);
  // Another node that reads the same logs, in every way.
  for (const Way& way : kWays) {
    EXPECT_EQ((*stage)->driver().Refold(way.folding), OkStatus()) << way.name;
  }
  // Other owners that get the same records from outside, as in production after an upgrade.
  EXPECT_EQ(Retell(**stage, {.batch = 1'000}), OkStatus());
}

INSTANTIATE_TEST_SUITE_P(Stories, Scenario,
                         ::testing::Combine(::testing::ValuesIn(Stories()),
                                            ::testing::ValuesIn(kWays)),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param);
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name + "_" + std::get<1>(info.param).name;
                         });

}  // namespace
}  // namespace hilo::scenario
