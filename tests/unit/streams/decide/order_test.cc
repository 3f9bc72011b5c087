#include "streams/decide/order.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "state/decision/record.h"
#include "streams/decide/decider.h"

namespace hilo::decide {
namespace {

using catalogue::Catalogue;
using catalogue::File;
using store::v1::MessageOrder;

constexpr LogTime kNow{1'770'000'000'000'000};
constexpr int64_t kHour = int64_t{3'600} * 1'000'000;

const char kBasics[] = R"(apiVersion: hilo/v1
kind: CaseKind
metadata: {name: complaint}
spec: {title: {en: Complaint}, complaint: true}
---
apiVersion: hilo/v1
kind: Template
metadata: {name: reminder}
spec:
  channel: email
  first_name_fallback: {en: there}
  texts: {en: {subject: Your basket, text: "Hello {{first_name}} {{unsubscribe_url}}"}}
---
apiVersion: hilo/v1
kind: Action
metadata: {name: remind}
spec:
  group: basket
  class: default
  title: {en: Remind}
  value: 10.00 EUR
  expires_after: 2d
  channels: [email]
  templates: {email: reminder}
---
apiVersion: hilo/v1
kind: Journey
metadata: {name: basket}
spec:
  when: {type: web.track, event: Product Added}
  wait: 30m
  expires_after: 1d
  reenter_after: 3d
  channel: email
  actions: [remind]
  max_attempts: 4
  retry: 5m
)";

std::shared_ptr<const Catalogue> CatalogueOf(const std::string& policies) {
  const std::vector<File> files = {{"basics.yaml", kBasics}, {"policies.yaml", policies}};
  Catalogue::Parsed parsed = Catalogue::Parse(files, 3);
  for (const auto& problem : parsed.problems)
    ADD_FAILURE() << problem.path << ":" << problem.line << ": " << problem.message;
  return parsed.catalogue;
}

std::string Policy(const std::string& name, const std::string& spec) {
  return "---\napiVersion: hilo/v1\nkind: Policy\nmetadata: {name: " + name + "}\nspec:\n" + spec;
}

MessageOrder Order(const Catalogue& catalogue, int64_t expire_micros = 0) {
  return OrderFor({.catalogue = catalogue,
                   .journey = *catalogue.FindJourney("basket"),
                   .action = *catalogue.FindAction("remind"),
                   .language = "",
                   .now = kNow,
                   .expire_micros = expire_micros});
}

TEST(OrderFor, CarriesAllRulesThatFoldsCheck) {
  const auto catalogue = CatalogueOf(
      Policy("weekly",
             "  limits:\n    - {per: channel, at_most: 1, period: 7d}\n    - {per: action, "
             "at_most: 2, period: 30d}\n") +
      Policy("calm", "  held_by_cases: [complaint]\n"));
  const MessageOrder order = Order(*catalogue);
  EXPECT_EQ(order.action(), "remind");
  EXPECT_EQ(order.group(), "basket");
  EXPECT_EQ(order.channel(), static_cast<uint32_t>(v1::CHANNEL_EMAIL));
  EXPECT_EQ(order.class_(), MessageOrder::CLASS_DEFAULT);
  EXPECT_EQ(order.purpose(), "marketing");
  EXPECT_EQ(order.template_(), "reminder");
  EXPECT_EQ(order.catalogue_revision(), 3u);
  EXPECT_EQ(order.language(), "en");
  EXPECT_EQ(order.max_attempts(), 4u);
  EXPECT_EQ(order.retry_micros(), 5 * 60 * 1'000'000);
  ASSERT_EQ(order.limits_size(), 2);
  EXPECT_EQ(order.limits(0).channel(), static_cast<uint32_t>(v1::CHANNEL_EMAIL));
  EXPECT_EQ(order.limits(0).action(), "");
  EXPECT_EQ(order.limits(0).policy(), "weekly");
  EXPECT_EQ(order.limits(1).channel(), 0u);
  EXPECT_EQ(order.limits(1).action(), "remind");
  ASSERT_EQ(order.held_by_cases_size(), 1);
  EXPECT_EQ(order.held_by_cases(0), "complaint");
}

TEST(OrderFor, EndsWithTheActionOrTheRunWhicheverIsFirst) {
  const auto catalogue = CatalogueOf("");
  EXPECT_EQ(Order(*catalogue).expire_micros(), kNow.micros + 48 * kHour);
  EXPECT_EQ(Order(*catalogue, kNow.micros + kHour).expire_micros(), kNow.micros + kHour);
  EXPECT_EQ(Order(*catalogue, kNow.micros + 90 * kHour).expire_micros(), kNow.micros + 48 * kHour);
}

TEST(OrderFor, CoversAllQuietHoursByOneStretch) {
  const auto quiet = [](const std::string& hours) {
    return "  quiet_hours: {" + hours + ", default_zone: Europe/Madrid}\n";
  };
  const std::string night_hours = quiet("from: \"21:00\", to: \"09:00\"");
  const MessageOrder none = Order(*CatalogueOf(""));
  EXPECT_EQ(none.quiet_from_minute(), none.quiet_to_minute());
  const MessageOrder night = Order(*CatalogueOf(Policy("night", night_hours)));
  EXPECT_EQ(night.quiet_from_minute(), 21u * 60);
  EXPECT_EQ(night.quiet_to_minute(), 9u * 60);
  EXPECT_EQ(night.default_zone(), "Europe/Madrid");
  const MessageOrder longer =
      Order(*CatalogueOf(Policy("a-night", night_hours) +
                         Policy("b-morning", quiet("from: \"08:00\", to: \"10:30\""))));
  EXPECT_EQ(longer.quiet_from_minute(), 21u * 60);
  EXPECT_EQ(longer.quiet_to_minute(), 10u * 60 + 30);
  // Night and a siesta: what is free is the longest stretch between them, and the first of two
  // equal.
  const MessageOrder siesta =
      Order(*CatalogueOf(Policy("a-night", night_hours) +
                         Policy("b-siesta", quiet("from: \"15:00\", to: \"16:00\""))));
  EXPECT_EQ(siesta.quiet_from_minute(), 15u * 60);
  EXPECT_EQ(siesta.quiet_to_minute(), 9u * 60);
}

// A run that is due, of a customer who can be reached.
struct Due {
  std::shared_ptr<const Catalogue> catalogue =
      CatalogueOf(Policy("calm", "  held_by_cases: [complaint]\n"));
  store::v1::MemberRow customer;
  store::v1::JourneyRow run;

  Due() {
    run.set_journey("basket");
    run.set_expire_micros(kNow.micros + 24 * kHour);
    customer.add_identifiers()->mutable_identifier()->set_kind(v1::IDENTIFIER_KIND_EMAIL);
    Consent(v1::CONSENT_STATUS_GRANTED);
  }
  void Consent(v1::ConsentStatus status) {
    customer.clear_consents();
    auto* signal = customer.add_consents()->mutable_signal();
    signal->set_channel(v1::CHANNEL_EMAIL);
    signal->set_purpose("marketing");
    signal->set_status(status);
  }
  void Complain() {
    auto* opened = customer.add_cases();
    opened->set_kind("complaint");
    opened->set_state(v1::CASE_STATE_OPEN);
  }
  store::v1::Decided Decide() const {
    return DecideRun({.customer = customer,
                      .run = run,
                      .catalogue = *catalogue,
                      .now = kNow,
                      .seed = 7,
                      .posterior = [](const catalogue::Action& action) {
                        return decision::PosteriorFrom(action, 0, 0);
                      }});
  }
};

TEST(DecideRun, OrdersTheBestActionOfTheJourney) {
  const store::v1::Decided decided = Due().Decide();
  ASSERT_TRUE(decided.has_order());
  EXPECT_EQ(decided.order().action(), "remind");
  EXPECT_EQ(decided.decision().seed(), 7u);
  EXPECT_EQ(decided.decision().ranked(0).action(), "remind");
}

TEST(DecideRun, SaysWhyNothingIsSentForGood) {
  Due due;
  due.Consent(v1::CONSENT_STATUS_DENIED);
  const store::v1::Decided decided = due.Decide();
  EXPECT_FALSE(decided.has_order());
  EXPECT_EQ(decided.reason(), "opted_out");
  EXPECT_EQ(decided.again_micros(), 0);
}

TEST(DecideRun, LooksAgainAtWhatOnlyWaits) {
  Due due;
  due.Complain();
  const store::v1::Decided decided = due.Decide();
  EXPECT_FALSE(decided.has_order());
  EXPECT_EQ(decided.reason(), "open_complaint");
  EXPECT_GT(decided.again_micros(), kNow.micros);
}

TEST(DecideRun, EndsARunWhoseJourneyTheCatalogueNoLongerHas) {
  Due due;
  due.run.set_journey("gone");
  EXPECT_EQ(due.Decide().reason(), "journey_gone");
}

}  // namespace
}  // namespace hilo::decide
