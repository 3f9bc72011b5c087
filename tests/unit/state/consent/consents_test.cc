#include "state/consent/consents.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hilo/v1/customer.pb.h"

namespace hilo::consent {
namespace {

using store::v1::ConsentRow;
using store::v1::MemberRow;

constexpr auto kGranted = v1::CONSENT_STATUS_GRANTED;
constexpr auto kDenied = v1::CONSENT_STATUS_DENIED;

ConsentRow Signal(v1::ConsentStatus status, int64_t at, uint32_t rank = 0,
                  const std::string& id = "id", const std::string& purpose = "marketing") {
  ConsentRow row;
  row.mutable_signal()->set_channel(v1::CHANNEL_EMAIL);
  row.mutable_signal()->set_purpose(purpose);
  row.mutable_signal()->set_status(status);
  row.mutable_signal()->set_mechanism("form");
  row.mutable_origin()->set_event_micros(at);
  row.mutable_origin()->set_source_rank(rank);
  row.mutable_origin()->set_event_id(id);
  return row;
}

struct Case {
  const char* name;
  std::vector<ConsentRow> signals;
  v1::ConsentStatus in_force;
};

TEST(Consents, WhatIsInForceDoesNotDependOnTheOrderOfArrival) {
  const std::vector<Case> cases = {
      {"the latest of one rank", {Signal(kGranted, 1), Signal(kDenied, 2)}, kDenied},
      {"a new grant of one rank", {Signal(kDenied, 1), Signal(kGranted, 2)}, kGranted},
      {"a withdrawal beats a later grant of less trust",
       {Signal(kDenied, 1, 5), Signal(kGranted, 2, 1)},
       kDenied},
      {"a withdrawal beats an equally stamped grant of less trust",
       {Signal(kDenied, 2, 5), Signal(kGranted, 2, 1, "zz")},
       kDenied},
      {"a grant of more trust lifts a withdrawal",
       {Signal(kDenied, 1, 1), Signal(kGranted, 2, 5)},
       kGranted},
      {"a withdrawal of less trust counts when it is later",
       {Signal(kGranted, 1, 5), Signal(kDenied, 2, 1)},
       kDenied},
      {"a later small withdrawal does not hide the trusted one",
       {Signal(kDenied, 1, 5), Signal(kGranted, 2, 3), Signal(kDenied, 3, 1),
        Signal(kGranted, 4, 3, "b")},
       kDenied},
      {"once lifted by its own rank it bars nobody",
       {Signal(kDenied, 1, 5), Signal(kGranted, 2, 5), Signal(kDenied, 3, 1),
        Signal(kGranted, 4, 1, "b")},
       kGranted},
      {"one event that says both is taken at its stricter word",
       {Signal(kGranted, 1, 0, "same"), Signal(kDenied, 1, 0, "same")},
       kDenied},
  };
  for (const Case& test : cases) {
    std::vector<size_t> order(test.signals.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    do {
      MemberRow row;
      for (size_t i : order) Record(row, test.signals[i]);
      ASSERT_EQ(row.consents_size(), 1) << test.name;
      EXPECT_EQ(row.consents(0).signal().status(), static_cast<uint32_t>(test.in_force))
          << test.name;
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(Consents, PurposesAndChannelsAreApart) {
  MemberRow row;
  Record(row, Signal(kGranted, 1, 0, "a", "marketing"));
  Record(row, Signal(kDenied, 2, 0, "b", "analytics"));
  ConsentRow sms = Signal(kDenied, 3);
  sms.mutable_signal()->set_channel(v1::CHANNEL_SMS);
  Record(row, sms);
  ASSERT_EQ(row.consents_size(), 3);
  EXPECT_EQ(row.consents(0).signal().purpose(), "analytics");
  EXPECT_EQ(row.consents(1).signal().status(), static_cast<uint32_t>(kGranted));
}

TEST(Consents, KeepsItsProofAndAnswersWhatIsInForce) {
  MemberRow row;
  ConsentRow denied = Signal(kDenied, 1, 5);
  denied.mutable_signal()->set_evidence_hash("proof");
  Record(row, denied);
  const ConsentRow answer = Record(row, Signal(kGranted, 2, 1));
  EXPECT_EQ(answer.signal().evidence_hash(), "proof");
  EXPECT_EQ(answer.signal().status(), static_cast<uint32_t>(kDenied));
}

TEST(Consents, AtTheLimitGrantsGoBeforeWithdrawals) {
  MemberRow row;
  Record(row, Signal(kDenied, 0, 0, "x", "oldest"));
  for (int i = 1; i <= kMaxSignals; ++i) {
    Record(row, Signal(kGranted, i, 0, "x", "purpose" + std::to_string(i)));
  }
  EXPECT_EQ(row.consent_signals_size(), kMaxSignals);
  EXPECT_EQ(row.left_out().consents(), 1u);
  EXPECT_TRUE(std::any_of(row.consents().begin(), row.consents().end(),
                          [](const ConsentRow& c) { return c.signal().purpose() == "oldest"; }));
  EXPECT_FALSE(std::any_of(row.consents().begin(), row.consents().end(),
                           [](const ConsentRow& c) { return c.signal().purpose() == "purpose1"; }));
}

}  // namespace
}  // namespace hilo::consent
