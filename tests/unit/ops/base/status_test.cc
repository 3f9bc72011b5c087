#include "ops/base/status.h"

#include <gtest/gtest.h>

namespace hilo {
namespace {

TEST(Status, CarriesAReasonForMachines) {
  const Status status =
      Error(StatusCode::kInvalidArgument, "identifier_blocked", "this value is shared by many");
  EXPECT_EQ(Reason(status), "identifier_blocked");
  EXPECT_EQ(Describe(status), "invalid_argument: identifier_blocked: this value is shared by many");
}

TEST(Status, HasItsCodeAsReasonWhenNoneWasGiven) {
  EXPECT_EQ(Reason(absl::NotFoundError("no such file")), "not_found");
  EXPECT_EQ(Describe(absl::NotFoundError("no such file")), "not_found: no such file");
  EXPECT_EQ(Reason(OkStatus()), "");
  EXPECT_EQ(Describe(OkStatus()), "ok");
}

TEST(Status, IsWorthARetryOnlyWhenTimeMayMendIt) {
  for (StatusCode code : {StatusCode::kUnavailable, StatusCode::kResourceExhausted,
                          StatusCode::kAborted, StatusCode::kDeadlineExceeded}) {
    EXPECT_TRUE(IsRetryable(Error(code, "r", "")));
  }
  for (StatusCode code :
       {StatusCode::kInvalidArgument, StatusCode::kDataLoss, StatusCode::kInternal,
        StatusCode::kNotFound, StatusCode::kFailedPrecondition}) {
    EXPECT_FALSE(IsRetryable(Error(code, "r", "")));
  }
  EXPECT_FALSE(IsRetryable(OkStatus()));
}

}  // namespace
}  // namespace hilo
