#include "state/message/messages.h"

#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <string>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "state/consent/consents.h"
#include "state/consent/permission.h"

namespace hilo::message {
namespace {

using store::v1::MemberRow;
using store::v1::MessageOrder;
using store::v1::MessageRow;
using store::v1::ReportMessage;

constexpr int64_t kMinute = 60'000'000;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;
constexpr LogTime kNow{1'000 * kDay};
const std::string kId(16, 'm');

void Consent(MemberRow& row, v1::ConsentStatus status, int64_t at) {
  store::v1::ConsentRow consent;
  consent.mutable_signal()->set_channel(v1::CHANNEL_EMAIL);
  consent.mutable_signal()->set_purpose("marketing");
  consent.mutable_signal()->set_status(status);
  consent.mutable_origin()->set_event_micros(at);
  consent::Record(row, consent);
}

void OpenComplaint(MemberRow& row) {
  auto* open = row.add_cases();
  open->set_kind("complaint");
  open->set_state(v1::CASE_STATE_OPEN);
}

// A customer who has an address and agreed.
MemberRow Ana() {
  MemberRow row;
  auto* known = row.add_identifiers();
  known->mutable_identifier()->set_kind(v1::IDENTIFIER_KIND_EMAIL);
  known->mutable_identifier()->set_hash(std::string(16, 'a'));
  Consent(row, v1::CONSENT_STATUS_GRANTED, 1);
  return row;
}

MessageOrder Order(MessageOrder::Class order_class) {
  MessageOrder order;
  order.set_action("reminder");
  order.set_group("baskets");
  order.set_channel(v1::CHANNEL_EMAIL);
  order.set_class_(order_class);
  order.set_max_attempts(2);
  order.set_retry_micros(5 * kMinute);
  order.set_expire_micros(kNow.micros + kDay);
  order.add_held_by_cases("complaint");
  return order;
}

const MessageRow* Reserve(MemberRow& row, const MessageOrder& order, LogTime now = kNow,
                          const std::string& id = kId) {
  return Reserve(
      row, Reservation{.id = id, .run = {}, .journey = "basket", .decision = {}, .order = order},
      now);
}

store::v1::PermitResult Ask(MemberRow& row, LogTime now, bool closed = false,
                            const store::v1::RequestPermit& details = {}) {
  store::v1::RequestPermit request = details;
  request.set_message(kId);
  if (request.attempt() == 0) request.set_attempt(Find(row, kId)->offered());
  request.set_incarnation(7);
  return Permit(row, request, {.now = now, .closed = closed, .times = {}});
}

bool Tell(MemberRow& row, ReportMessage::Result result, LogTime now, uint32_t attempt = 0,
          uint64_t incarnation = 7, const std::string& enhanced = "") {
  ReportMessage report;
  report.set_message(kId);
  report.set_attempt(attempt != 0 ? attempt : Find(row, kId)->permitted());
  report.set_incarnation(incarnation);
  report.set_result(result);
  report.set_enhanced_code(enhanced);
  return Report(row, report, now);
}

// ------------------------------------------------------------- each state and each input

// How a message is brought to where an input meets it.
enum class At {
  kDecided,
  kPermitted,
  kHeldRetry,
  kHeldQuiet,
  kHeldCase,
  kSent,
  kFailed,
  kUnknown,
  kExpired,
  kCancelled
};

struct Case {
  const char* name;
  MessageOrder::Class order_class;
  At at;
  std::function<void(MemberRow&)> input;
  v1::MessageState want;
  const char* reason;
  uint32_t offered;  // afterwards
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

const LogTime kLater = kNow + Micros(kMinute);
const LogTime kGone = kNow + Micros(kMinute) + kPermitValid + kReportGrace;

MemberRow Bring(At at, MessageOrder::Class order_class) {
  MemberRow row = Ana();
  if (at == At::kHeldCase) OpenComplaint(row);
  Reserve(row, Order(order_class));
  store::v1::RequestPermit quiet;
  quiet.set_hold_until_micros(kNow.micros + kHour);
  switch (at) {
    case At::kDecided:
    case At::kHeldCase:
      break;
    case At::kPermitted:
      Ask(row, kNow);
      break;
    case At::kHeldRetry:
      Ask(row, kNow);
      Tell(row, ReportMessage::RESULT_TRANSIENT, kNow);
      break;
    case At::kHeldQuiet:
      Ask(row, kNow, false, quiet);
      break;
    case At::kSent:
      Ask(row, kNow);
      Tell(row, ReportMessage::RESULT_SENT, kNow);
      break;
    case At::kFailed:
      Ask(row, kNow);
      Tell(row, ReportMessage::RESULT_PERMANENT, kNow, 0, 7, "5.7.1");
      break;
    case At::kUnknown:
      Ask(row, kNow);
      Wake(row, kId, kGone, {});
      break;
    case At::kExpired:
      Wake(row, kId, kNow + Micros(kDay), {});
      break;
    case At::kCancelled:
      Consent(row, v1::CONSENT_STATUS_DENIED, 2);
      Review(row, kNow);
      break;
  }
  return row;
}

void OptOut(MemberRow& row) {
  Consent(row, v1::CONSENT_STATUS_DENIED, 3);
  Review(row, kLater);
}
void Permits(MemberRow& row) { Ask(row, kLater); }
void Sent(MemberRow& row) { Tell(row, ReportMessage::RESULT_SENT, kLater); }
void Transient(MemberRow& row) { Tell(row, ReportMessage::RESULT_TRANSIENT, kLater); }
void Permanent(MemberRow& row) { Tell(row, ReportMessage::RESULT_PERMANENT, kLater); }
void NotSent(MemberRow& row) { Tell(row, ReportMessage::RESULT_NOT_SENT, kLater); }
void Unknown(MemberRow& row) { Tell(row, ReportMessage::RESULT_UNKNOWN, kLater); }
void Never(MemberRow& row) { Wake(row, kId, kGone, {}); }
void Minutes(MemberRow& row) { Wake(row, kId, kNow + Micros(6 * kMinute), {}); }
void Expires(MemberRow& row) { Wake(row, kId, kNow + Micros(kDay), {}); }
void Complains(MemberRow& row) {
  OpenComplaint(row);
  Review(row, kLater);
  Ask(row, kLater);
}
void Settles(MemberRow& row) {
  for (auto& open : *row.mutable_cases()) open.set_state(v1::CASE_STATE_CLOSED);
  Review(row, kLater);
}
void AgentReleases(MemberRow& row) {
  auto* contact = row.add_interactions();
  contact->set_state(v1::INTERACTION_STATE_ACTIVE);
  contact->set_released(true);
  Review(row, kLater);
}
void AddressGoes(MemberRow& row) {
  row.mutable_identifiers(0)->set_suppressed("bounced");
  Review(row, kLater);
}
void Unsendable(MemberRow& row) {
  store::v1::RequestPermit details;
  details.set_unsendable("template_failed");
  Ask(row, kLater, false, details);
}
void SuppressedElsewhere(MemberRow& row) {
  store::v1::RequestPermit details;
  details.set_suppressed(true);
  Ask(row, kLater, false, details);
}
void Quiet(MemberRow& row) {
  store::v1::RequestPermit details;
  details.set_hold_until_micros(kLater.micros + kHour);
  Ask(row, kLater, false, details);
}
void Closed(MemberRow& row) { Ask(row, kLater, true); }
void StaleAttempt(MemberRow& row) {
  store::v1::RequestPermit details;
  details.set_attempt(Find(row, kId)->offered() + 1);
  Ask(row, kLater, false, details);
}
void SomebodyElseReports(MemberRow& row) {
  Tell(row, ReportMessage::RESULT_PERMANENT, kLater, 0, 8);
}

constexpr auto kD = MessageOrder::CLASS_DEFAULT;
constexpr auto kT = MessageOrder::CLASS_TRANSACTIONAL;
constexpr auto kM = MessageOrder::CLASS_MANDATORY;

const Case kCases[] = {
    {"DecidedPermitted", kD, At::kDecided, Permits, v1::MESSAGE_STATE_PERMITTED, "", 1},
    {"DecidedOptedOut", kD, At::kDecided, OptOut, v1::MESSAGE_STATE_CANCELLED, "opted_out", 1},
    {"DecidedTransactionalOptedOut", kT, At::kDecided, OptOut, v1::MESSAGE_STATE_DECIDED, "", 1},
    {"DecidedComplaint", kD, At::kDecided, Complains, v1::MESSAGE_STATE_HELD, "open_complaint", 1},
    {"DecidedExpires", kD, At::kDecided, Expires, v1::MESSAGE_STATE_EXPIRED, "expired", 1},
    {"DecidedAddressGone", kD, At::kDecided, AddressGoes, v1::MESSAGE_STATE_CANCELLED, "no_address",
     1},
    {"DecidedUnsendable", kD, At::kDecided, Unsendable, v1::MESSAGE_STATE_FAILED, "template_failed",
     1},
    {"DecidedSuppressed", kD, At::kDecided, SuppressedElsewhere, v1::MESSAGE_STATE_CANCELLED,
     "suppressed", 1},
    {"DecidedQuietHours", kD, At::kDecided, Quiet, v1::MESSAGE_STATE_HELD, "quiet_hours", 1},
    {"DecidedClosed", kD, At::kDecided, Closed, v1::MESSAGE_STATE_DECIDED, "", 1},
    {"DecidedStaleAttempt", kD, At::kDecided, StaleAttempt, v1::MESSAGE_STATE_DECIDED, "", 1},
    {"DecidedReported", kD, At::kDecided, Sent, v1::MESSAGE_STATE_DECIDED, "", 1},
    {"PermittedAskedAgain", kD, At::kPermitted, Permits, v1::MESSAGE_STATE_PERMITTED, "", 1},
    {"PermittedSent", kD, At::kPermitted, Sent, v1::MESSAGE_STATE_SENT, "", 1},
    {"PermittedTransient", kD, At::kPermitted, Transient, v1::MESSAGE_STATE_HELD, "transient", 1},
    {"PermittedNotSent", kD, At::kPermitted, NotSent, v1::MESSAGE_STATE_HELD, "not_sent", 1},
    {"PermittedPermanent", kD, At::kPermitted, Permanent, v1::MESSAGE_STATE_FAILED, "refused", 1},
    {"PermittedUnknown", kD, At::kPermitted, Unknown, v1::MESSAGE_STATE_UNKNOWN, "unknown", 1},
    {"PermittedNeverReported", kD, At::kPermitted, Never, v1::MESSAGE_STATE_UNKNOWN, "unknown", 1},
    {"PermittedMandatoryNeverReported", kM, At::kPermitted, Never, v1::MESSAGE_STATE_UNKNOWN,
     "unknown", 1},
    {"PermittedTransactionalNeverReported", kT, At::kPermitted, Never, v1::MESSAGE_STATE_HELD,
     "unknown", 1},
    {"PermittedOptedOut", kD, At::kPermitted, OptOut, v1::MESSAGE_STATE_PERMITTED, "", 1},
    {"PermittedSomebodyElse", kD, At::kPermitted, SomebodyElseReports, v1::MESSAGE_STATE_PERMITTED,
     "", 1},
    {"PermittedTooEarly", kD, At::kPermitted, Minutes, v1::MESSAGE_STATE_PERMITTED, "", 1},
    {"HeldRetryIsOver", kD, At::kHeldRetry, Minutes, v1::MESSAGE_STATE_DECIDED, "", 2},
    {"HeldRetryAsked", kD, At::kHeldRetry, Permits, v1::MESSAGE_STATE_HELD, "transient", 1},
    {"HeldRetryOptedOut", kD, At::kHeldRetry, OptOut, v1::MESSAGE_STATE_CANCELLED, "opted_out", 1},
    {"HeldRetrySentAfterAll", kD, At::kHeldRetry, Sent, v1::MESSAGE_STATE_SENT, "", 1},
    {"HeldQuietExpires", kD, At::kHeldQuiet, Expires, v1::MESSAGE_STATE_EXPIRED, "quiet_hours", 1},
    {"HeldCaseSettled", kD, At::kHeldCase, Settles, v1::MESSAGE_STATE_DECIDED, "", 1},
    {"HeldCaseReleased", kD, At::kHeldCase, AgentReleases, v1::MESSAGE_STATE_DECIDED, "", 1},
    {"HeldCaseExpires", kD, At::kHeldCase, Expires, v1::MESSAGE_STATE_EXPIRED, "open_complaint", 0},
    {"SentAskedAgain", kD, At::kSent, Permits, v1::MESSAGE_STATE_SENT, "", 1},
    {"SentOptedOut", kD, At::kSent, OptOut, v1::MESSAGE_STATE_SENT, "", 1},
    {"SentReportedOtherwise", kD, At::kSent, Transient, v1::MESSAGE_STATE_SENT, "", 1},
    {"FailedAskedAgain", kD, At::kFailed, Permits, v1::MESSAGE_STATE_FAILED, "5.7.1", 1},
    {"UnknownAskedAgain", kD, At::kUnknown, Permits, v1::MESSAGE_STATE_UNKNOWN, "unknown", 1},
    {"UnknownSentLate", kD, At::kUnknown, Sent, v1::MESSAGE_STATE_SENT, "", 1},
    {"UnknownNotSentLate", kD, At::kUnknown, NotSent, v1::MESSAGE_STATE_FAILED, "not_sent", 1},
    {"UnknownStillUnknown", kD, At::kUnknown, Unknown, v1::MESSAGE_STATE_UNKNOWN, "unknown", 1},
    {"UnknownExpires", kD, At::kUnknown, Expires, v1::MESSAGE_STATE_UNKNOWN, "unknown", 1},
    {"UnknownTransactionalSentLate", kT, At::kUnknown, Sent, v1::MESSAGE_STATE_SENT, "", 1},
    {"UnknownTransactionalExpires", kT, At::kUnknown, Expires, v1::MESSAGE_STATE_UNKNOWN, "unknown",
     1},
    {"ExpiredAskedAgain", kD, At::kExpired, Permits, v1::MESSAGE_STATE_EXPIRED, "expired", 1},
    {"CancelledAskedAgain", kD, At::kCancelled, Permits, v1::MESSAGE_STATE_CANCELLED, "opted_out",
     1},
};

class MessageStates : public testing::TestWithParam<Case> {};

TEST_P(MessageStates, GoWhereTheProtocolSays) {
  const Case& one = GetParam();
  MemberRow row = Bring(one.at, one.order_class);
  one.input(row);
  const MessageRow* message = Find(row, kId);
  ASSERT_NE(message, nullptr);
  EXPECT_EQ(message->state(), static_cast<uint32_t>(one.want))
      << v1::MessageState_Name(static_cast<v1::MessageState>(message->state()));
  EXPECT_EQ(message->reason(), one.reason);
  EXPECT_EQ(message->offered(), one.offered);
  const bool waits = WakeTime(*message, {}).has_value();
  EXPECT_EQ(waits, !IsSettled(*message)) << "what is not settled ends by its timer at the latest";
}

INSTANTIATE_TEST_SUITE_P(Messages, MessageStates, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

// --------------------------------------------------------------------------- more

TEST(Messages, AreRefusedAtOnceWithoutConsentAddressOrRoom) {
  MemberRow nobody;
  EXPECT_EQ(Reserve(nobody, Order(kD))->reason(), "no_consent");
  MemberRow unreachable = Ana();
  unreachable.mutable_identifiers(0)->mutable_identifier()->set_weak(true);
  EXPECT_EQ(Reserve(unreachable, Order(kD))->reason(), "no_address");
  MemberRow opted_out = Ana();
  Consent(opted_out, v1::CONSENT_STATUS_DENIED, 2);
  EXPECT_EQ(Reserve(opted_out, Order(kD))->reason(), "opted_out");
  EXPECT_EQ(Reserve(opted_out, Order(kT), kNow, "t")->state(),
            static_cast<uint32_t>(v1::MESSAGE_STATE_DECIDED));
  MemberRow full = Ana();
  for (int i = 0; i < kMaxMessages; ++i) {
    ASSERT_NE(Reserve(full, Order(kD), kNow, std::to_string(i)), nullptr);
  }
  EXPECT_EQ(Reserve(full, Order(kD), kNow, "one more"), nullptr);
  EXPECT_EQ(full.left_out().messages(), 1u);
}

TEST(Messages, ThePauseDoublesAndTheAttemptsEnd) {
  MemberRow row = Ana();
  MessageOrder order = Order(kD);
  order.set_max_attempts(3);
  Reserve(row, order);
  LogTime now = kNow;
  for (int64_t pause : {5 * kMinute, 10 * kMinute}) {
    ASSERT_TRUE(Ask(row, now).granted());
    ASSERT_TRUE(Tell(row, ReportMessage::RESULT_TRANSIENT, now));
    EXPECT_EQ(Find(row, kId)->until_micros(), now.micros + pause);
    EXPECT_FALSE(Wake(row, kId, now + Micros(pause - 1), {}));
    now = now + Micros(pause);
    ASSERT_TRUE(Wake(row, kId, now, {}));
  }
  ASSERT_TRUE(Ask(row, now).granted());
  ASSERT_TRUE(Tell(row, ReportMessage::RESULT_TRANSIENT, now));
  EXPECT_EQ(Find(row, kId)->state(), static_cast<uint32_t>(v1::MESSAGE_STATE_FAILED));
  EXPECT_EQ(Find(row, kId)->attempts(), 3u);
}

TEST(Messages, OneThatMayHaveBeenSentNeverGivesItsPlaceBack) {
  MemberRow row = Ana();
  Reserve(row, Order(kT));
  ASSERT_TRUE(Ask(row, kNow).granted());
  ASSERT_TRUE(Wake(row, kId, kGone, {}));
  ASSERT_TRUE(Wake(row, kId, kGone + Micros(kHour), {}));
  EXPECT_EQ(Find(row, kId)->offered(), 2u);
  const LogTime later = kGone + Micros(kHour);
  ASSERT_TRUE(Ask(row, later).granted());
  ASSERT_TRUE(Tell(row, ReportMessage::RESULT_PERMANENT, later));
  EXPECT_EQ(Find(row, kId)->state(), static_cast<uint32_t>(v1::MESSAGE_STATE_UNKNOWN))
      << "the second attempt failed, the first may have arrived";
  EXPECT_EQ(Find(row, kId)->unknowns(), 1u);
  EXPECT_TRUE(Tell(row, ReportMessage::RESULT_SENT, later, 1)) << "the first is heard of at last";
  EXPECT_EQ(Find(row, kId)->state(), static_cast<uint32_t>(v1::MESSAGE_STATE_SENT));
}

TEST(Messages, ABadAddressIsSuppressed) {
  MemberRow row = Ana();
  Reserve(row, Order(kD));
  Ask(row, kNow);
  ASSERT_TRUE(Tell(row, ReportMessage::RESULT_PERMANENT, kNow, 0, 7, "5.1.1"));
  EXPECT_EQ(Find(row, kId)->reason(), "5.1.1");
  EXPECT_EQ(row.identifiers(0).suppressed(), "bounced");
  EXPECT_EQ(AddressFor(row, v1::CHANNEL_EMAIL), nullptr);
}

TEST(Messages, ARefusedPermitSaysWhetherToAskAgain) {
  MemberRow row = Ana();
  Reserve(row, Order(kD));
  const auto closed = Ask(row, kNow, /*closed=*/true);
  EXPECT_EQ(closed.reason(), "closed");
  EXPECT_FALSE(closed.settled());
  EXPECT_TRUE(Ask(row, kNow).granted());
  const auto again = Ask(row, kNow);
  EXPECT_EQ(again.reason(), "in_flight");
  EXPECT_TRUE(again.settled());
}

// Limits: at most two within seven days.
TEST(Limits, HoldInEveryWindowForTheTimesAtWhichTheyWereSent) {
  MemberRow row = Ana();
  MessageOrder order = Order(kD);
  order.set_expire_micros(0);
  order.add_held_by_cases();
  auto* limit = order.add_limits();
  limit->set_policy("calm");
  limit->set_channel(v1::CHANNEL_EMAIL);
  limit->set_at_most(2);
  limit->set_period_micros(7 * kDay);
  EXPECT_EQ(Reserve(row, order, kNow, "1")->state(),
            static_cast<uint32_t>(v1::MESSAGE_STATE_DECIDED));
  EXPECT_EQ(Reserve(row, order, kNow, kId)->state(),
            static_cast<uint32_t>(v1::MESSAGE_STATE_DECIDED));
  EXPECT_EQ(Reserve(row, order, kNow, "3")->reason(), "limit_reached");
  EXPECT_EQ(Reserve(row, Order(kT), kNow, "4")->state(),
            static_cast<uint32_t>(v1::MESSAGE_STATE_DECIDED));
  // One is sent three days later than it was decided: it counts from then.
  const LogTime sent = kNow + Micros(3 * kDay);
  ASSERT_TRUE(Ask(row, sent).granted());
  ASSERT_TRUE(Tell(row, ReportMessage::RESULT_SENT, sent));
  row.mutable_messages(0)->set_state(v1::MESSAGE_STATE_SENT);
  row.mutable_messages(0)->set_permit_end_micros(kNow.micros + kMinute);
  const auto reached = [&](int64_t at) {
    return consent::CheckLimits(row, order, {kNow.micros + at}).reached;
  };
  EXPECT_TRUE(reached(7 * kDay));
  EXPECT_FALSE(reached(7 * kDay + kMinute)) << "the first left the window, the second is in it";
  order.mutable_limits(0)->set_at_most(1);
  EXPECT_TRUE(reached(10 * kDay));
  EXPECT_FALSE(reached(10 * kDay + kPermitValid.count()));
}

TEST(Limits, CountWhatMatchesAndGiveBackWhatWasSurelyNotSent) {
  MemberRow row = Ana();
  MessageOrder order = Order(kD);
  auto* limit = order.add_limits();
  limit->set_at_most(1);
  limit->set_period_micros(kDay);
  limit->set_action("another");
  EXPECT_FALSE(consent::CheckLimits(row, order, kNow).reached) << "not about this action";
  limit->set_action("reminder");
  const struct {
    v1::MessageState state;
    bool counts;
  } kStates[] = {{v1::MESSAGE_STATE_DECIDED, true},  {v1::MESSAGE_STATE_PERMITTED, true},
                 {v1::MESSAGE_STATE_SENT, true},     {v1::MESSAGE_STATE_HELD, true},
                 {v1::MESSAGE_STATE_UNKNOWN, true},  {v1::MESSAGE_STATE_FAILED, false},
                 {v1::MESSAGE_STATE_EXPIRED, false}, {v1::MESSAGE_STATE_CANCELLED, false},
                 {v1::MESSAGE_STATE_REFUSED, false}};
  for (const auto& [state, counts] : kStates) {
    row.clear_messages();
    auto* message = row.add_messages();
    *message->mutable_order() = order;
    message->set_state(state);
    message->set_permit_end_micros(kNow.micros);
    EXPECT_EQ(consent::CheckLimits(row, order, kNow).reached, counts)
        << v1::MessageState_Name(state);
  }
}

}  // namespace
}  // namespace hilo::message
