#include "state/catalogue/condition_scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

namespace hilo::catalogue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;
constexpr LogTime kNow{1'800'000'000 * kSecond};

v1::DecisionProfile Ana() {
  v1::DecisionProfile ana;
  ana.set_language("es");
  ana.set_orders(3);
  ana.set_open_complaints(1);
  ana.add_fact_kinds("shoe_size");
  ana.mutable_last_seen_time()->set_seconds(kNow.micros / kSecond - 60);
  ana.add_segments("from_outside");
  auto* outcome = ana.add_outcomes();
  outcome->set_action("voucher");
  outcome->set_outcome(v1::OUTCOME_KIND_NO_RESPONSE);
  outcome->mutable_time()->set_seconds(kNow.micros / kSecond - 86'400);
  auto* message = ana.add_messages();
  message->set_channel("email");
  message->set_counts(true);
  return ana;
}

v1::DecisionContext Desk() {
  v1::DecisionContext desk;
  desk.set_channel("desk");
  desk.set_assurance(v1::ASSURANCE_VERIFIED);
  desk.set_released(true);
  return desk;
}

std::shared_ptr<const Catalogue> With(const std::vector<std::string>& conditions) {
  std::string content =
      "apiVersion: hilo/v1\nkind: Parameter\nmetadata: {name: enough}\nspec: {kind: integer, "
      "value: "
      "3}\n---\napiVersion: hilo/v1\nkind: Parameter\nmetadata: {name: pause}\nspec: {kind: "
      "duration, "
      "value: 2m}\n---\napiVersion: hilo/v1\nkind: Segment\nmetadata: {name: loyal}\nspec: {title: "
      "{en: L}, condition: customer.orders >= parameters.enough}\n---\napiVersion: hilo/v1\nkind: "
      "Segment\nmetadata: {name: broken}\nspec: {title: {en: B}, condition: 1 / (customer.orders - "
      "3) "
      "> 0}\n---\napiVersion: hilo/v1\nkind: Action\nmetadata: {name: a}\nspec:\n  group: g\n  "
      "class: "
      "transactional\n  title: {en: T}\n  channels: [web]\n  eligibility:\n";
  for (const std::string& condition : conditions) content += "    - '" + condition + "'\n";
  const std::vector<File> files = {{"a.yaml", content}};
  const auto parsed = Catalogue::Parse(files, 1);
  EXPECT_TRUE(parsed.catalogue) << parsed.problems[0].message;
  return parsed.catalogue;
}

const Predicate& Of(const Catalogue& catalogue, size_t i = 0) {
  return catalogue.FindAction("a")->conditions.eligibility[i];
}

struct Truth {
  const char* name;
  const char* condition;
};
void PrintTo(const Truth& truth, std::ostream* out) { *out << truth.condition; }
class ConditionsSee : public testing::TestWithParam<Truth> {};

// Each holds for Ana at the desk.
TEST_P(ConditionsSee, WhatIsSaid) {
  const auto catalogue = With({GetParam().condition});
  const ConditionScope scope(*catalogue, Ana(), Desk(), kNow);
  const auto holds = scope.Holds(Of(*catalogue));
  ASSERT_TRUE(holds.ok()) << holds.status().ToString();
  EXPECT_TRUE(*holds);
}

INSTANTIATE_TEST_SUITE_P(
    All, ConditionsSee,
    testing::Values(
        Truth{"Text", "customer.language == \"es\" && customer.time_zone == \"\""},
        Truth{"Number", "customer.orders == parameters.enough && customer.events == 0"},
        Truth{"Times", "now - customer.last_seen_time < parameters.pause"},
        Truth{"UnsetTime", "!has(customer.last_order_time) && has(customer.last_seen_time)"},
        Truth{"ListOfTexts",
              "\"shoe_size\" in customer.fact_kinds && customer.granted.size() == 0"},
        Truth{"ListOfMessages",
              "customer.outcomes.exists(o, o.action == \"voucher\" && o.outcome == \"no_response\" "
              "&& now - o.time < duration(\"25h\"))"},
        Truth{"FlagInAMessage", "customer.messages.all(m, m.counts && m.channel == \"email\")"},
        Truth{"UnsetTimeInAMessage", "customer.outcomes.exists(o, !has(o.snooze_until_time))"},
        Truth{"Enum", "context.assurance == \"verified\""},
        Truth{"Flag", "context.released && context.channel == \"desk\""},
        Truth{"SegmentsGiven", "customer.segments == [\"from_outside\"]"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ConditionScope, AnUnspecifiedEnumIsEmpty) {
  const auto catalogue = With({"context.assurance == \"\""});
  EXPECT_TRUE(ConditionScope(*catalogue, {}, {}, kNow).Holds(Of(*catalogue)).value());
}

TEST(ConditionScope, RemembersWhatAConditionCameTo) {
  const auto catalogue = With({"customer.orders > 5", "1 / customer.orders > 5", "true"});
  const ConditionScope scope(*catalogue, {}, {}, kNow);
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(scope.Holds(Of(*catalogue, 0)).value());
    EXPECT_EQ(Reason(scope.Holds(Of(*catalogue, 1)).status()), "division_by_zero");
    EXPECT_TRUE(scope.Holds(Of(*catalogue, 2)).value());
  }
}

TEST(ConditionScope, OutlivesTheMessages) {
  const auto catalogue = With({"customer.outcomes[0].action == \"voucher\""});
  auto ana = std::make_unique<v1::DecisionProfile>(Ana());
  const ConditionScope scope(*catalogue, *ana, Desk(), kNow);
  ana.reset();
  EXPECT_TRUE(scope.Holds(Of(*catalogue)).value());
}

TEST(ConditionScope, ExplainsInTwoLanguages) {
  const auto catalogue = With({"customer.open_complaints == 0"});
  const ConditionScope scope(*catalogue, Ana(), Desk(), kNow);
  const auto english = scope.Explain(Of(*catalogue), "en");
  EXPECT_EQ(english.value, "false");
  EXPECT_THAT(english.why, HasSubstr("1"));
  const auto spanish = scope.Explain(Of(*catalogue), "es-ES");
  EXPECT_NE(spanish.why, english.why);
}

TEST(ConditionScope, IsBounded) {
  // Three lists of 200 within one another are more than the budget of one condition.
  const auto catalogue = With(
      {"customer.outcomes.all(a, customer.outcomes.all(b, customer.outcomes.all(c, a.action == "
       "b.action && c.action == \"x\")))"});
  v1::DecisionProfile customer;
  for (int i = 0; i < 200; ++i) customer.add_outcomes()->set_action("x");
  const ConditionScope scope(*catalogue, customer, {}, kNow);
  EXPECT_EQ(Reason(scope.Holds(Of(*catalogue)).status()), "expression_budget");
}

TEST(SegmentsOf, ThoseThatHoldByName) {
  const auto catalogue = With({"true"});
  EXPECT_THAT(SegmentsOf(*catalogue, Ana(), Desk(), kNow), ElementsAre("loyal"));
  EXPECT_THAT(SegmentsOf(*catalogue, {}, {}, kNow), ElementsAre());
}

}  // namespace
}  // namespace hilo::catalogue
