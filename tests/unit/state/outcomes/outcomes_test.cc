#include "state/outcomes/outcomes.h"

#include <gtest/gtest.h>

#include <string>

#include "hilo/v1/decision.pb.h"

namespace hilo::outcomes {
namespace {

using store::v1::MemberRow;
using store::v1::OutcomeRow;

OutcomeRow Of(v1::OutcomeKind kind, const std::string& action = "offer", int64_t at = 1,
              const std::string& decision = "d") {
  OutcomeRow outcome;
  outcome.set_decision(decision);
  outcome.set_action(action);
  outcome.set_channel("desk");
  outcome.set_outcome(kind);
  outcome.set_micros(at);
  return outcome;
}

TEST(Outcomes, AnActionOfADecisionIsTakenUpOrNotOnce) {
  MemberRow row;
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_IMPRESSION)), Counts::kImpression);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_SNOOZED)), Counts::kNothing);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_DECLINED)), Counts::kNegative);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_NO_RESPONSE)), Counts::kNothing);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_ACCEPTED)), Counts::kPositive) << "a change of mind";
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_COMPLETED)), Counts::kNothing);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_DECLINED)), Counts::kNothing);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_ACCEPTED, "other")), Counts::kPositive);
  EXPECT_EQ(Record(row, Of(v1::OUTCOME_KIND_ACCEPTED, "offer", 1, "e")), Counts::kPositive);
  EXPECT_EQ(row.outcomes_size(), 9) << "all are kept";
}

TEST(Outcomes, WhatNothingAnsweredIsNoResponse) {
  MemberRow row;
  for (const char* action : {"a", "b", "c"}) Record(row, Of(v1::OUTCOME_KIND_IMPRESSION, action));
  Record(row, Of(v1::OUTCOME_KIND_SNOOZED, "b"));
  EXPECT_TRUE(IsOpen(row, "d", "a"));
  EXPECT_FALSE(IsOpen(row, "d", "b"));
  auto open = Unanswered(row, "d", {7});
  ASSERT_EQ(open.size(), 2u);
  EXPECT_EQ(open[0].action(), "a");
  EXPECT_EQ(open[0].outcome(), static_cast<uint32_t>(v1::OUTCOME_KIND_NO_RESPONSE));
  EXPECT_EQ(open[0].micros(), 7);
  for (const OutcomeRow& nothing : open) Record(row, nothing);
  EXPECT_TRUE(Unanswered(row, "d", {8}).empty());
}

TEST(Outcomes, AndDecisionsAreBounded) {
  MemberRow row;
  for (int i = 0; i <= kMaxOutcomes; ++i)
    Record(row, Of(v1::OUTCOME_KIND_IMPRESSION, "a", i, std::to_string(i)));
  EXPECT_EQ(row.outcomes_size(), kMaxOutcomes);
  EXPECT_EQ(row.left_out().outcomes(), 1u);
  Record(row, Of(v1::OUTCOME_KIND_IMPRESSION, "a", kKeptFor.count() + kMaxOutcomes));
  EXPECT_EQ(row.outcomes_size(), 2) << "what is too old to be looked at goes";
  EXPECT_EQ(row.left_out().outcomes(), 1u) << "and is no loss";
  for (int i = 0; i < kMaxDecisions; ++i)
    EXPECT_TRUE(NoteDecision(row, std::to_string(i), {i}).empty());
  EXPECT_EQ(NoteDecision(row, "new", {1'000}), std::vector<std::string>{"0"});
  EXPECT_EQ(row.decisions_size(), kMaxDecisions);
}

}  // namespace
}  // namespace hilo::outcomes
