#include "tests/scenario/story.h"

#include <gtest/gtest.h>

#include "tests/scenario/stage.h"

// What a story may look like, and that one that is not true is told with its line.
namespace hilo::scenario {
namespace {

std::string MistakeIn(const std::string& text) {
  const auto story = Story::Parse("s", text);
  return story.ok() ? "none" : std::string(story.status().message());
}

TEST(Story, ReadsWordsFieldsTextsAndTimes) {
  const auto story = Story::Parse("s", R"(# A comment
given agent marta   # another
at +1d 10:00:20 web track name="a b" size=42
expect no told shoe_size "42" within 2m
)");
  ASSERT_TRUE(story.ok()) << Describe(story.status());
  ASSERT_EQ(story->statements.size(), 3u);
  const Statement& at = story->statements[1];
  EXPECT_EQ(at.line, 3);
  EXPECT_EQ(at.at, std::chrono::seconds(86'400 + 36'020));
  ASSERT_EQ(at.tokens.size(), 4u);
  EXPECT_EQ(at.tokens[2].key, "name");
  EXPECT_EQ(at.tokens[2].text, "a b");
  EXPECT_TRUE(at.tokens[2].quoted);
  const Statement& expect = story->statements[2];
  EXPECT_TRUE(expect.negated);
  EXPECT_EQ(expect.within, std::chrono::seconds(120));
  EXPECT_EQ(expect.tokens.size(), 3u);
}

TEST(Story, SaysWhereAMistakeIs) {
  EXPECT_NE(MistakeIn("\nwhen pigs fly").find("s.story:2: "), std::string::npos);
  EXPECT_NE(MistakeIn("at 25:00 nothing").find("expected a time"), std::string::npos);
  EXPECT_NE(MistakeIn("at 10:00 nothing\nat 09:00 nothing").find("s.story:2: "), std::string::npos);
  EXPECT_NE(MistakeIn("given agent \"marta").find("never closed"), std::string::npos);
  EXPECT_NE(MistakeIn("at 10:00 web a=1 a=2").find("twice"), std::string::npos);
  EXPECT_NE(MistakeIn("expect told x within soon").find("time limit"), std::string::npos);
  EXPECT_EQ(MistakeIn("# nothing at all"), "none");
}

constexpr char kGiven[] = R"(given source shop write_key=wk region=ES
given switch pbx write_key=sw region=ES
given agent marta
at 10:00 web track user=u-1 email=a@example.com event="Return Requested" reason=torn size=42
)";

std::vector<std::string> ProblemsOf(const std::string& more) {
  const auto story = Story::Parse("s", kGiven + more);
  EXPECT_TRUE(story.ok());
  auto stage = Stage::Create(*story, {});
  EXPECT_TRUE(stage.ok()) << Describe(stage.status());
  return (*stage)->Play();
}

// The one problem of a story, which must be at its fifth line.
std::string ProblemAtLine5(const std::string& line) {
  const auto problems = ProblemsOf(line);
  if (problems.size() != 1) return std::to_string(problems.size()) + " problems";
  EXPECT_TRUE(problems[0].starts_with("s.story:5: ")) << problems[0];
  return problems[0];
}

TEST(Stage, SaysNothingOfAStoryThatIsTrue) {
  EXPECT_TRUE(ProblemsOf(R"(expect customer of user=u-1
expect told return_reason "torn" from web
expect no told return_reason "bent"
expect no customer of user=u-2
expect no second customer of email=a@example.com)")
                  .empty());
}

TEST(Stage, TellsWhatIsFoundInsteadOfWhatIsExpected) {
  EXPECT_NE(ProblemAtLine5("expect told return_reason \"bent\" of user=u-1")
                .find("told return_reason \"torn\" from web"),
            std::string::npos);
  EXPECT_NE(ProblemAtLine5("expect no told return_reason \"torn\" of user=u-1").find("found:"),
            std::string::npos);
  EXPECT_NE(ProblemAtLine5("expect customer of user=u-2").find("no such customer"),
            std::string::npos);
  EXPECT_NE(ProblemAtLine5("expect case return closed of user=u-1").find("case return open"),
            std::string::npos);
  EXPECT_NE(ProblemAtLine5("expect desk marta pops customer of user=u-1 within 3s").find("no call"),
            std::string::npos);
  EXPECT_NE(ProblemAtLine5("expect second customer of email=a@example.com").find("1 customers"),
            std::string::npos);
}

TEST(Stage, TellsWhatWasRefusedWithoutBeingExpected) {
  const std::string refused = "at 10:01 web page user=null name=Home";
  EXPECT_NE(ProblemAtLine5(refused).find("identifier_blocked"), std::string::npos);
  EXPECT_TRUE(ProblemsOf(refused + "\nexpect refused identifier_blocked").empty());
  EXPECT_NE(ProblemsOf(refused + "\nexpect refused bad_time").size(), 0u);
}

TEST(Stage, TellsWhatItCannotUnderstand) {
  for (const char* line :
       {"at 10:01 pigeon arrives", "at 10:01 desk luis note text=x", "expect the unexpected",
        "expect told", "expect told x from web and more", "expect customer of name=x"}) {
    EXPECT_NE(ProblemAtLine5(line).find("story_invalid"), std::string::npos) << line;
  }
}

}  // namespace
}  // namespace hilo::scenario
