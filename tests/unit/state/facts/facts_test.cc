#include "state/facts/facts.h"

#include <gtest/gtest.h>

#include <string>

namespace hilo::facts {
namespace {

using store::v1::FactRow;
using store::v1::MemberRow;
using store::v1::QuestionRow;

FactRow Fact(const std::string& id, const std::string& kind, int64_t at, int64_t expires = 0) {
  FactRow fact;
  fact.set_fact(id);
  fact.set_kind(kind);
  fact.set_expire_micros(expires);
  fact.mutable_origin()->set_event_micros(at);
  return fact;
}

QuestionRow Question(const std::string& id, const std::string& kind, int64_t at) {
  QuestionRow question;
  question.set_question(id);
  question.set_kind(kind);
  question.mutable_origin()->set_event_micros(at);
  return question;
}

TEST(Facts, LatestIsTheNewestByEventTimeWhateverTheOrderOfArrival) {
  MemberRow row;
  Add(row, Fact("b", "size", 20), {});
  Add(row, Fact("a", "size", 10), {});
  Add(row, Fact("c", "colour", 30), {});
  ASSERT_NE(Latest(row, "size", {}), nullptr);
  EXPECT_EQ(Latest(row, "size", {})->fact(), "b");
  EXPECT_EQ(row.facts(0).fact(), "a");
}

TEST(Facts, TieOfTimeGoesToTheHigherRankThenTheGreaterEventId) {
  MemberRow row;
  FactRow trusted = Fact("a", "size", 10);
  trusted.mutable_origin()->set_source_rank(2);
  FactRow other = Fact("b", "size", 10);
  other.mutable_origin()->set_source_rank(1);
  other.mutable_origin()->set_event_id("z");
  Add(row, trusted, {});
  Add(row, other, {});
  EXPECT_EQ(Latest(row, "size", {})->fact(), "a");
}

TEST(Facts, ExpiresAtItsBoundOfLogTime) {
  MemberRow row;
  Add(row, Fact("a", "size", 10, 100), {});
  EXPECT_NE(Latest(row, "size", LogTime{99}), nullptr);
  EXPECT_EQ(Latest(row, "size", LogTime{100}), nullptr);
}

TEST(Facts, AnOlderFactIsKnownAgainOnceTheNewerOneExpired) {
  MemberRow row;
  Add(row, Fact("a", "size", 10), {});
  Add(row, Fact("b", "size", 20, 100), {});
  EXPECT_EQ(Latest(row, "size", LogTime{200})->fact(), "a");
}

TEST(Facts, AnswersOpenQuestionsOfItsKindOnly) {
  MemberRow row;
  Ask(row, Question("q1", "size", 10), {});
  Ask(row, Question("q2", "colour", 11), {});
  Add(row, Fact("a", "size", 15), {});
  EXPECT_EQ(row.questions(0).answer_micros(), 15);
  EXPECT_EQ(row.questions(1).answer_micros(), 0);
  Add(row, Fact("b", "size", 30), {});
  EXPECT_EQ(row.questions(0).answer_micros(), 15) << "the first answer stays";
}

TEST(Facts, ALateFactAnswersWhenItWasAsked) {
  MemberRow row;
  Ask(row, Question("q1", "size", 10), {});
  Add(row, Fact("a", "size", 5), {});
  EXPECT_EQ(row.questions(0).answer_micros(), 10);
}

TEST(Facts, AskingAgainIsCountedAndNamesTheFact) {
  MemberRow row;
  Add(row, Fact("a", "size", 10), {});
  const Asked asked = Ask(row, Question("q1", "size", 20), LogTime{20});
  ASSERT_NE(asked.known_fact, nullptr);
  EXPECT_EQ(asked.known_fact->fact(), "a");
  EXPECT_TRUE(asked.question->already_on_record());
  EXPECT_EQ(row.asked_again(), 1u);
}

TEST(Facts, AskingForAnExpiredFactIsNotAskingAgain) {
  MemberRow row;
  Add(row, Fact("a", "size", 10, 15), {});
  const Asked asked = Ask(row, Question("q1", "size", 20), LogTime{20});
  EXPECT_EQ(asked.known_fact, nullptr);
  EXPECT_FALSE(asked.question->already_on_record());
  EXPECT_EQ(row.asked_again(), 0u);
}

TEST(Facts, RetractTakesOneOutOnce) {
  MemberRow row;
  Add(row, Fact("a", "size", 10), {});
  Add(row, Fact("b", "size", 20), {});
  EXPECT_TRUE(Retract(row, "b").has_value());
  EXPECT_EQ(Latest(row, "size", {})->fact(), "a");
  EXPECT_FALSE(Retract(row, "b").has_value());
}

TEST(Facts, AtTheLimitExpiredThenSupersededThenOldestFallOutAndAreCounted) {
  MemberRow row;
  for (int i = 0; i < kMaxFacts; ++i) {
    Add(row, Fact("f" + std::to_string(i), "kind" + std::to_string(i), 1'000 + i), {});
  }
  row.mutable_facts(7)->set_expire_micros(50);
  Add(row, Fact("new1", "kind3", 5'000), LogTime{60});
  EXPECT_EQ(row.facts_size(), kMaxFacts);
  EXPECT_FALSE(Retract(row, "f7").has_value()) << "the expired one went first";
  Add(row, Fact("new2", "other", 5'001), LogTime{60});
  EXPECT_EQ(row.facts_size(), kMaxFacts);
  EXPECT_EQ(row.facts(0).fact(), "f0") << "f3 was superseded, so the oldest stayed";
  EXPECT_FALSE(Retract(row, "f3").has_value());
  Add(row, Fact("new3", "more", 5'002), LogTime{60});
  EXPECT_EQ(row.facts_size(), kMaxFacts);
  EXPECT_EQ(row.facts(0).fact(), "f1");
  EXPECT_EQ(row.left_out().facts(), 3u);
}

TEST(Facts, OneKindDoesNotFillTheRow) {
  MemberRow row;
  Add(row, Fact("other", "colour", 1), {});
  for (int i = 0; i < 100; ++i) Add(row, Fact("f" + std::to_string(i), "size", 10 + i), {});
  EXPECT_EQ(row.facts_size(), kMaxFactsOfKind + 1);
  EXPECT_EQ(row.left_out().facts(), 100u - kMaxFactsOfKind);
  EXPECT_EQ(Latest(row, "size", {})->fact(), "f99");
  EXPECT_EQ(row.facts(0).fact(), "other");
}

TEST(Facts, QuestionsKeepToTheirLimit) {
  MemberRow row;
  for (int i = 0; i < kMaxQuestions + 3; ++i) {
    Ask(row, Question("q" + std::to_string(i), "kind", i), {});
  }
  EXPECT_EQ(row.questions_size(), kMaxQuestions);
  EXPECT_EQ(row.questions(0).question(), "q3");
  EXPECT_EQ(row.left_out().questions(), 3u);
}

}  // namespace
}  // namespace hilo::facts
