#include "state/cases/cases.h"

#include <gtest/gtest.h>

#include <string>

#include "hilo/v1/customer.pb.h"

namespace hilo::cases {
namespace {

using store::v1::CaseRow;
using store::v1::MemberRow;
using store::v1::PromiseRow;

CaseRow Case(const std::string& id, int64_t at = 1) {
  CaseRow c;
  c.set_case_(id);
  c.mutable_origin()->set_event_micros(at);
  return c;
}

PromiseRow Promise(const std::string& id, int64_t due, int64_t at = 1) {
  PromiseRow promise;
  promise.set_promise(id);
  promise.set_due_micros(due);
  promise.mutable_origin()->set_event_micros(at);
  return promise;
}

TEST(Cases, OpensAndClosesWithANewVersionEachTime) {
  MemberRow row;
  const auto opened = OpenCase(row, Case("c1"));
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ((*opened)->state(), static_cast<uint32_t>(v1::CASE_STATE_OPEN));
  EXPECT_EQ((*opened)->version(), 1u);
  const auto closed = CloseCase(
      row, "c1", {.version = 1, .at_micros = 9, .sealed_resolution = "r", .satisfaction = 4});
  ASSERT_TRUE(closed.ok());
  EXPECT_EQ((*closed)->state(), static_cast<uint32_t>(v1::CASE_STATE_CLOSED));
  EXPECT_EQ((*closed)->close_micros(), 9);
  EXPECT_EQ((*closed)->satisfaction(), 4u);
  EXPECT_EQ((*closed)->version(), 2u);
}

TEST(Cases, StaleVersionIsRefusedWithBothValuesAndChangesNothing) {
  MemberRow row;
  ASSERT_TRUE(OpenCase(row, Case("c1")).ok());
  ASSERT_TRUE(OpenCase(row, Case("c2")).ok());
  const std::string before = row.SerializeAsString();
  const auto closed = CloseCase(row, "c2", {.version = 1, .at_micros = 9});
  EXPECT_EQ(closed.status().code(), StatusCode::kAborted);
  EXPECT_EQ(Reason(closed.status()), "stale_version");
  const std::string message(closed.status().message());
  EXPECT_NE(message.find("\"1\""), std::string::npos) << message;
  EXPECT_NE(message.find("\"2\""), std::string::npos) << message;
  EXPECT_EQ(row.SerializeAsString(), before);
}

TEST(Cases, WhatCannotBeDoneSaysWhy) {
  MemberRow row;
  EXPECT_EQ(Reason(CloseCase(row, "c1", {}).status()), "case_not_found");
  ASSERT_TRUE(OpenCase(row, Case("c1")).ok());
  ASSERT_TRUE(CloseCase(row, "c1", {.at_micros = 5}).ok());
  EXPECT_EQ(Reason(CloseCase(row, "c1", {.at_micros = 6}).status()), "case_closed");
  EXPECT_EQ(row.cases(0).close_micros(), 5);
  PromiseRow of_unknown = Promise("p1", 10);
  of_unknown.set_case_("c9");
  EXPECT_EQ(Reason(MakePromise(row, of_unknown).status()), "case_not_found");
  EXPECT_EQ(Reason(EndPromise(row, "p1", {.state = v1::PROMISE_STATE_KEPT}).status()),
            "promise_not_found");
  ASSERT_TRUE(MakePromise(row, Promise("p1", 10)).ok());
  EXPECT_EQ(Reason(EndPromise(row, "p1", {.state = v1::PROMISE_STATE_OVERDUE}).status()),
            "invalid_promise_state");
  EXPECT_EQ(
      Reason(EndPromise(row, "p1", {.version = 99, .state = v1::PROMISE_STATE_KEPT}).status()),
      "stale_version");
  ASSERT_TRUE(EndPromise(row, "p1", {.at_micros = 7, .state = v1::PROMISE_STATE_KEPT}).ok());
  EXPECT_EQ(
      Reason(
          EndPromise(row, "p1", {.at_micros = 8, .state = v1::PROMISE_STATE_CANCELLED}).status()),
      "promise_ended");
}

TEST(Cases, TheOldestClosedCaseMakesRoomOpenOnesStay) {
  MemberRow row;
  for (int i = 0; i < kMaxCases; ++i) {
    ASSERT_TRUE(OpenCase(row, Case("c" + std::to_string(i), i)).ok());
  }
  EXPECT_EQ(Reason(OpenCase(row, Case("more", 999)).status()), "too_many_open_cases");
  EXPECT_FALSE(row.has_left_out());
  ASSERT_TRUE(CloseCase(row, "c5", {.at_micros = 1}).ok());
  ASSERT_TRUE(CloseCase(row, "c3", {.at_micros = 2}).ok());
  ASSERT_TRUE(OpenCase(row, Case("more", 999)).ok());
  EXPECT_EQ(row.cases_size(), kMaxCases);
  EXPECT_EQ(FindCase(row, "c3"), nullptr);
  EXPECT_NE(FindCase(row, "c5"), nullptr);
  EXPECT_EQ(row.left_out().cases(), 1u);
}

TEST(Promises, AreOverdueFromTheirTimeOnWhileOpen) {
  MemberRow row;
  ASSERT_TRUE(MakePromise(row, Promise("p1", 100)).ok());
  EXPECT_EQ(ShownState(row.promises(0), 99), static_cast<uint32_t>(v1::PROMISE_STATE_OPEN));
  EXPECT_EQ(ShownState(row.promises(0), 100), static_cast<uint32_t>(v1::PROMISE_STATE_OVERDUE));
  ASSERT_TRUE(
      EndPromise(row, "p1", {.version = 1, .at_micros = 150, .state = v1::PROMISE_STATE_KEPT})
          .ok());
  EXPECT_EQ(ShownState(row.promises(0), 200), static_cast<uint32_t>(v1::PROMISE_STATE_KEPT));
  EXPECT_EQ(row.promises(0).end_micros(), 150);
}

TEST(Promises, TheOldestEndedOneMakesRoom) {
  MemberRow row;
  for (int i = 0; i < kMaxPromises; ++i) {
    ASSERT_TRUE(MakePromise(row, Promise("p" + std::to_string(i), 10, i)).ok());
  }
  EXPECT_EQ(Reason(MakePromise(row, Promise("more", 10, 999)).status()), "too_many_open_promises");
  ASSERT_TRUE(EndPromise(row, "p8", {.at_micros = 1, .state = v1::PROMISE_STATE_KEPT}).ok());
  ASSERT_TRUE(MakePromise(row, Promise("more", 10, 999)).ok());
  EXPECT_EQ(FindPromise(row, "p8"), nullptr);
  EXPECT_EQ(row.left_out().promises(), 1u);
}

}  // namespace
}  // namespace hilo::cases
