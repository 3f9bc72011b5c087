// The kinds that decisions need: what is read, and what is refused with its place and what to write
// instead.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <random>

#include "state/catalogue/catalogue.h"
#include "state/catalogue/condition_scope.h"
#include "state/catalogue/template_render.h"

namespace hilo::catalogue {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string Resource(std::string_view kind, std::string_view name, std::string_view spec) {
  return "apiVersion: hilo/v1\nkind: " + std::string(kind) +
         "\nmetadata: {name: " + std::string(name) + "}\nspec:\n" + std::string(spec) + "\n---\n";
}

Catalogue::Parsed ParseOne(std::string content) {
  const std::vector<File> files = {{"a.yaml", std::move(content)}};
  return Catalogue::Parse(files, 7);
}

// An action of class transactional on the desk, as short as one can be; `more` are further keys.
std::string DeskAction(std::string_view name, std::string_view more = "") {
  return Resource("Action", name,
                  "  group: g\n  class: transactional\n  channels: [desk]\n  title: {en: T}\n"
                  "  talk_track: {en: Say}\n  accept_label: {en: Y}\n  decline_label: {en: N}" +
                      std::string(more.empty() ? "" : "\n") + std::string(more));
}

std::string Mail(std::string_view name, std::string_view text) {
  return Resource("Template", name,
                  "  channel: email\n  texts:\n    en:\n      subject: S\n      text: \"" +
                      std::string(text) + "\"");
}

const char kFull[] = R"(
apiVersion: hilo/v1
kind: Parameter
metadata: {name: enough}
spec: {kind: integer, value: 3}
---
apiVersion: hilo/v1
kind: Parameter
metadata: {name: long_ago}
spec: {kind: duration, value: 30d}
---
apiVersion: hilo/v1
kind: Segment
metadata: {name: loyal}
spec: {title: {en: Loyal}, condition: customer.orders >= parameters.enough}
---
apiVersion: hilo/v1
kind: CaseKind
metadata: {name: complaint}
spec: {title: {en: Complaint}, complaint: true}
---
apiVersion: hilo/v1
kind: OpenFields
metadata: {name: basket}
spec: {when: {type: web.track}, paths: [product_id, basket]}
---
apiVersion: hilo/v1
kind: FactKind
metadata: {name: size}
spec: {question: {en: "Which size?"}}
---
apiVersion: hilo/v1
kind: Product
metadata: {name: shoes-7}
spec:
  id: SHOES/7
  title: {en: Shoes, es: Zapatillas}
  price: 89.9 EUR
  url: "https://shop.example/7"
  available: false
  keywords: [b, a]
---
apiVersion: hilo/v1
kind: Template
metadata: {name: reminder}
spec:
  channel: email
  first_name_fallback: {en: there}
  texts:
    en:
      subject: "{{#product}}{{product.title}}{{/product}}"
      text: "{{first_name}} {{#facts.size}}{{facts.size}}{{/facts.size}} {{unsubscribe_url}}"
      html: |
        <p>{{#traits.city}}{{traits.city}}{{/traits.city}}</p>
        {{#event.basket}}{{event.basket}}{{/event.basket}} {{unsubscribe_url}}
---
apiVersion: hilo/v1
kind: Action
metadata: {name: remind}
spec:
  group: basket
  title: {en: Remind, es: Recordar}
  talk_track: {en: "Say this\nand that"}
  accept_label: {en: "Yes"}
  decline_label: {en: "No"}
  decline_reasons:
    - {name: too_dear, label: {en: Too dear}}
  value: 12.50 EUR
  cost: 0.5 EUR
  effort: 90s
  expires_after: 2d
  channels: [email, desk]
  templates: {email: reminder}
  eligibility: [customer.orders > 0]
  applicability:
    - {condition: '"loyal" in customer.segments', why: {en: Loyal.}, why_not: {en: Not loyal.}}
  suitability: [customer.orders > 0]
  context_weights: [{condition: context.contact_channel == "call", percent: 150}]
  levers: {winter: 80, spring: 0}
  prior: {positives: 2, negatives: 98}
---
apiVersion: hilo/v1
kind: Action
metadata: {name: ask}
spec:
  group: service
  class: mandatory
  title: {en: Ask}
  talk_track: {en: Ask}
  accept_label: {en: "Y"}
  decline_label: {en: "N"}
  channels: desk
---
apiVersion: hilo/v1
kind: Policy
metadata: {name: weekly}
spec:
  covers: {groups: [basket], classes: [default], channels: [email]}
  suitability: [customer.open_complaints == 0]
  limits: [{per: channel, at_most: 1, period: 7d}, {per: any, at_most: 0, period: 30d}]
  suppressions:
    - {outcome: declined, count: 3, within: 30d, pause: 60d, of: group, channels: all}
    - {outcome: no_response, count: 1, within: 1d, pause: 1d}
  quiet_hours: {from: "21:00", to: "09:30", default_zone: Europe/Madrid}
  held_by_cases: complaint
  levers: {a: 110}
---
apiVersion: hilo/v1
kind: Policy
metadata: {name: everything}
spec: {}
---
apiVersion: hilo/v1
kind: Journey
metadata: {name: basket}
spec:
  when: {type: web.track, event: Product Added}
  key: basket
  wait: 4h
  restart: true
  exits:
    - {when: {type: web.track, event: Order Completed}, reason: bought, key: basket}
    - {when: {type: complaint.filed}, reason: complained}
  expires_after: 2d
  reenter_after: 3d
  channel: email
  actions: [remind]
  groups: [basket]
  max_attempts: 5
  retry: 2m
)";

TEST(DecisionKinds, AreRead) {
  const auto parsed = ParseOne(kFull);
  ASSERT_TRUE(parsed.catalogue) << parsed.problems[0].line << ": " << parsed.problems[0].message;
  const Catalogue& catalogue = *parsed.catalogue;

  const Action& remind = *catalogue.FindAction("remind");
  EXPECT_EQ(remind.group, "basket");
  EXPECT_EQ(remind.action_class, ActionClass::kDefault);
  EXPECT_EQ(remind.title.In("es"), "Recordar");
  EXPECT_EQ(remind.talk_track.In("es"), "Say this\nand that");
  ASSERT_THAT(remind.decline_reasons, SizeIs(1));
  EXPECT_EQ(remind.decline_reasons[0].label.In("en"), "Too dear");
  EXPECT_EQ(remind.value, (Money{1'250, *Currency::Parse("EUR")}));
  EXPECT_EQ(remind.cost.minor, 50);
  EXPECT_EQ(remind.effort, std::chrono::seconds(90));
  EXPECT_THAT(remind.channels, ElementsAre("desk", "email"));
  EXPECT_EQ(remind.templates.find("email")->second, "reminder");
  EXPECT_EQ(remind.purpose, "marketing");
  EXPECT_EQ(remind.conditions.applicability[0].why_not.In("en"), "Not loyal.");
  EXPECT_EQ(remind.conditions.eligibility[0].compiled, remind.conditions.suitability[0].compiled);
  EXPECT_EQ(remind.context_weights[0].percent, 150u);
  ASSERT_THAT(remind.levers, SizeIs(2));
  EXPECT_EQ(remind.levers[0].name, "spring");
  EXPECT_EQ(remind.levers[0].percent, 0u);
  EXPECT_EQ(remind.prior.negatives, 98u);
  EXPECT_EQ(catalogue.FindAction("ask")->purpose, "");
  EXPECT_EQ(catalogue.FindAction("ask")->action_class, ActionClass::kMandatory);
  EXPECT_EQ(catalogue.predicate_count(), 5u);

  const Policy& weekly = *catalogue.FindPolicy("weekly");
  EXPECT_EQ(weekly.limits[0].per, ContactLimit::Per::kChannel);
  EXPECT_EQ(weekly.limits[1].at_most, 0u);
  EXPECT_EQ(weekly.suppressions[0].outcome_kind, v1::OUTCOME_KIND_DECLINED);
  EXPECT_TRUE(weekly.suppressions[0].of_group);
  EXPECT_TRUE(weekly.suppressions[0].all_channels);
  EXPECT_EQ(weekly.suppressions[1].outcome_kind, v1::OUTCOME_KIND_NO_RESPONSE);
  EXPECT_FALSE(weekly.suppressions[1].of_group);
  ASSERT_TRUE(weekly.quiet_hours);
  EXPECT_EQ(weekly.quiet_hours->from_minute, 21u * 60);
  EXPECT_EQ(weekly.quiet_hours->to_minute, 9u * 60 + 30);
  EXPECT_THAT(weekly.held_by_cases, ElementsAre("complaint"));
  EXPECT_TRUE(catalogue.FindCaseKind("complaint")->complaint);

  const Journey& basket = *catalogue.FindJourney("basket");
  EXPECT_EQ(basket.wait, std::chrono::hours(4));
  EXPECT_TRUE(basket.restarts);
  EXPECT_EQ(basket.retry, std::chrono::minutes(2));
  EXPECT_TRUE(basket.MayChoose("remind", "x"));
  EXPECT_TRUE(basket.MayChoose("x", "basket"));
  EXPECT_FALSE(basket.MayChoose("x", "y"));
  const auto& rules = catalogue.RulesFor("web.track", "Order Completed");
  ASSERT_THAT(rules.journeys, SizeIs(1));
  EXPECT_EQ(rules.journeys[0].second->reason, "bought");
  EXPECT_EQ(catalogue.RulesFor("web.track", "Product Added").journeys[0].second, nullptr);

  const Template& reminder = *catalogue.FindTemplate("reminder");
  EXPECT_THAT(reminder.traits, ElementsAre("city", "first_name"));
  EXPECT_THAT(reminder.facts, ElementsAre("size"));
  EXPECT_THAT(reminder.event_paths, ElementsAre("basket", "product_id"));
  EXPECT_TRUE(reminder.shows_product);
  EXPECT_TRUE(reminder.shows_unsubscribe);

  EXPECT_EQ(catalogue.FindProduct("SHOES/7")->price.minor, 8'990);
  EXPECT_FALSE(catalogue.FindProduct("SHOES/7")->available);
  EXPECT_THAT(catalogue.product_index().Search("zap", "es"), SizeIs(1));
  EXPECT_EQ(catalogue.FindParameter("long_ago")->value, 30LL * 86'400 * 1'000'000);
}

TEST(DecisionKinds, PoliciesCoverActionsByEveryListThatIsNotEmpty) {
  const auto catalogue = ParseOne(kFull).catalogue;
  ASSERT_TRUE(catalogue);
  const auto names = [](const Offer& offer) {
    std::string names = offer.action->name + ":";
    for (const Policy* policy : *offer.policies) names += " " + policy->name;
    return names;
  };
  const auto desk = catalogue->ActionsFor("desk");
  ASSERT_THAT(desk, SizeIs(2));
  EXPECT_EQ(names(desk[0]), "ask: everything");
  EXPECT_EQ(names(desk[1]), "remind: everything");
  EXPECT_EQ(desk[0].policies, desk[1].policies);
  const auto email = catalogue->ActionsFor("email");
  ASSERT_THAT(email, SizeIs(1));
  EXPECT_EQ(names(email[0]), "remind: everything weekly");
  EXPECT_THAT(catalogue->ActionsFor("sms"), IsEmpty());
}

// Files in the other order, resources in the other order within them.
TEST(DecisionKinds, TheOrderOfFilesNeverMatters) {
  const std::string a = DeskAction("a"), b = DeskAction("b"), c = DeskAction("c");
  const std::vector<File> forwards = {{"1.yaml", a + b}, {"2.yaml", c}};
  const std::vector<File> backwards = {{"2.yaml", c}, {"1.yaml", b + a}};
  for (const auto& files : {forwards, backwards}) {
    const auto catalogue = Catalogue::Parse(files, 1).catalogue;
    std::string names;
    for (const Offer& offer : catalogue->ActionsFor("desk")) names += offer.action->name;
    EXPECT_EQ(names, "abc");
  }
}

TEST(CombinedPpm, AddsUpAndLetsZeroWin) {
  const auto combined = [](std::vector<uint32_t> percents) { return CombinedPpm(percents); };
  EXPECT_EQ(combined({}), 1'000'000);
  EXPECT_EQ(combined({155}), 1'550'000);
  EXPECT_EQ(combined({155, 110}), 1'650'000);
  EXPECT_EQ(combined({110, 155}), 1'650'000);
  EXPECT_EQ(combined({50, 80}), 300'000);
  EXPECT_EQ(combined({10, 10}), 0);
  EXPECT_EQ(combined({0, 1'000}), 0);
  EXPECT_EQ(combined({1'000, 0}), 0);
}

struct Mistake {
  const char* name;
  std::string content;
  int line;
  int column;
  const char* message;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }
class DecisionKindsRefuse : public testing::TestWithParam<Mistake> {};

TEST_P(DecisionKindsRefuse, AndSayWhereAndWhatInstead) {
  const auto parsed = ParseOne(GetParam().content);
  EXPECT_FALSE(parsed.catalogue);
  std::string all;
  for (const Problem& problem : parsed.problems) {
    const std::string place =
        std::to_string(problem.line) + ":" + std::to_string(problem.column) + " ";
    if (problem.line == GetParam().line && problem.column == GetParam().column &&
        problem.message.find(GetParam().message) != std::string::npos) {
      return;
    }
    all += place + problem.message + "\n";
  }
  ADD_FAILURE() << "no problem at " << GetParam().line << ":" << GetParam().column << " with \""
                << GetParam().message << "\" among\n"
                << all;
}

// A condition that is `depth` deep.
std::string Deep(int depth) {
  return "  eligibility:\n    - " + std::string(static_cast<size_t>(depth), '(') + "true" +
         std::string(static_cast<size_t>(depth), ')');
}

const char kOrderOpen[] = "  when: {type: web.track, event: A}\n  paths: [order_id]";
const char kSent[] =
    "  group: g\n  class: transactional\n  title: {en: T}\n  channels: [email]\n"
    "  templates: {email: m}";

INSTANTIATE_TEST_SUITE_P(
    Actions, DecisionKindsRefuse,
    testing::Values(
        Mistake{"UnknownKey", DeskAction("a", "  efort: 1m"), 12, 3, "did you mean \"effort\"?"},
        Mistake{
            "NoGroup",
            Resource("Action", "a", "  class: transactional\n  channels: [web]\n  title: {en: T}"),
            5, 3, "lacks \"group\""},
        Mistake{"NoChannel",
                Resource("Action", "a", "  group: g\n  class: transactional\n  title: {en: T}"), 5,
                3, "lacks \"channels\""},
        Mistake{
            "BadChannel",
            Resource(
                "Action", "a",
                "  group: g\n  class: transactional\n  title: {en: T}\n  channels: [web, mail]"),
            8, 19, "email"},
        Mistake{"BadClass", Resource("Action", "a", "  class: transactonal"), 5, 10,
                "transactional"},
        Mistake{"NoEnglish",
                Resource("Action", "a",
                         "  group: g\n  class: transactional\n  channels: [web]\n  title: {es: T}"),
                8, 10, "add \"en: …\""},
        Mistake{
            "NoTalkTrack",
            Resource("Action", "a",
                     "  group: g\n  class: transactional\n  channels: [desk]\n  title: {en: T}\n"
                     "  accept_label: {en: Y}\n  decline_label: {en: N}"),
            5, 3, "\"talk_track\""},
        Mistake{"TitleTooLong",
                Resource("Action", "a",
                         "  group: g\n  class: transactional\n  channels: [web]\n  title: {en: " +
                             std::string(81, 'x') + "}"),
                8, 15, "at most 80 characters, these are 81"},
        Mistake{
            "TitleOfTwoLines",
            Resource(
                "Action", "a",
                "  group: g\n  class: transactional\n  channels: [web]\n  title: {en: \"a\\nb\"}"),
            8, 15, "on one line"},
        Mistake{"NoValue",
                Resource("Action", "a", "  group: g\n  channels: [web]\n  title: {en: T}"), 5, 3,
                "lacks \"value\""},
        Mistake{"ValueWithoutCurrency", DeskAction("a", "  value: 12.50"), 12, 10, "\"12.50 EUR\""},
        Mistake{"ValueTooExact", DeskAction("a", "  value: 12.505 EUR"), 12, 10, "more digits"},
        Mistake{"ValueBelowZero", DeskAction("a", "  value: -1 EUR"), 12, 10, "\"12.50 EUR\""},
        Mistake{"ValueTooLarge", DeskAction("a", "  value: 99999999999999999999 EUR"), 12, 10,
                "no amount"},
        Mistake{"CostInOtherCurrency", DeskAction("a", "  value: 1 EUR\n  cost: 1 USD"), 13, 9,
                "currency of its value, EUR"},
        Mistake{"TwoCurrencies",
                DeskAction("a", "  value: 1 EUR") + DeskAction("b", "  value: 1 USD"), 16, 11,
                "write it in EUR"},
        Mistake{"ReasonTwice",
                DeskAction("a",
                           "  decline_reasons:\n    - {name: x, label: {en: X}}\n    - {name: x, "
                           "label: {en: X}}"),
                14, 7, "there once"},
        Mistake{"ReasonOther",
                DeskAction("a", "  decline_reasons:\n    - {name: other, label: {en: X}}"), 13, 7,
                "\"other\" is always there"},
        Mistake{"BadPercent", DeskAction("a", "  levers: {sale: 1001}"), 12, 18, "from 0 to 1000"},
        Mistake{"BadPrior", DeskAction("a", "  prior: {positives: 0}"), 12, 22, "from 1 to"},
        Mistake{"ConsentOfTransactional", DeskAction("a", "  purpose: marketing"), 12, 12,
                "needs no consent"},
        Mistake{
            "EmailWithoutTemplate",
            Resource("Action", "a",
                     "  group: g\n  class: transactional\n  title: {en: T}\n  channels: [email]"),
            8, 13, "templates: {email: …}"},
        Mistake{"TemplateWithoutChannel",
                Mail("m", "x") + DeskAction("a", "  templates: {email: m}"), 22, 22,
                "not among its channels"},
        Mistake{"UnknownTemplate", Resource("Action", "a", kSent), 9, 22,
                "names the Template \"m\", which is not there"},
        Mistake{"TemplateOfOtherChannel",
                Resource("Template", "m", "  channel: sms\n  texts: {en: {text: x}}") +
                    Resource("Action", "a", kSent),
                10, 11, "it is one for \"sms\""}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Conditions, DecisionKindsRefuse,
    testing::Values(
        Mistake{"UnknownField", DeskAction("a", "  eligibility: [customer.ordrs > 0]"), 12, 26,
                "orders"},
        Mistake{"InQuotes", DeskAction("a", "  eligibility:\n    - 'true && customer.ordrs > 0'"),
                13, 25, "orders"},
        Mistake{
            "InAFoldedBlock",
            DeskAction("a", "  eligibility:\n    - >-\n      true &&\n      customer.ordrs > 0"),
            15, 16, "orders"},
        Mistake{
            "InALiteralBlock",
            DeskAction("a", "  eligibility:\n    - |\n      true &&\n        customer.ordrs > 0"),
            15, 18, "orders"},
        Mistake{"OverSeveralLines",
                DeskAction("a", "  eligibility:\n    - true &&\n      customer.ordrs > 0"), 14, 16,
                "orders"},
        Mistake{
            "BehindEscapes",
            DeskAction(
                "a",
                "  eligibility:\n    - \"\\\"é\\\" == customer.language && customer.ordrs > 0\""),
            13, 47, "orders"},
        Mistake{"WrongType", DeskAction("a", "  eligibility: [customer.orders > \"x\"]"), 12, 33,
                ""},
        Mistake{"NotABool", DeskAction("a", "  eligibility: [customer.orders]"), 12, 17, "bool"},
        Mistake{"Syntax", DeskAction("a", "  eligibility: ['customer.orders >']"), 12, 35,
                "expected a value"},
        Mistake{"UnknownParameter",
                DeskAction("a", "  eligibility: [customer.orders > parameters.enough]"), 12, 46,
                ""},
        Mistake{"NotAList", DeskAction("a", "  eligibility: customer.orders > 0"), 12, 16,
                "must be a list"},
        Mistake{"Empty", DeskAction("a", "  eligibility: [\"\"]"), 12, 17, "must be a text"},
        Mistake{"MapWithoutCondition", DeskAction("a", "  eligibility: [{why: {en: x}}]"), 12, 17,
                "lacks \"condition\""},
        Mistake{"DepthOfAThousand", DeskAction("a", Deep(1'000)), 13, 107, "split the condition"},
        Mistake{"TooLong", DeskAction("a", "  eligibility: [\"" + std::string(5'000, ' ') + "\"]"),
                12, 17, "at most 4096 bytes"},
        Mistake{
            "SegmentOfSegments",
            Resource("Segment", "s", "  title: {en: T}\n  condition: '\"x\" in customer.segments'"),
            6, 31, "segments"},
        Mistake{"NameOfParameter", Resource("Parameter", "so-many", "  kind: integer\n  value: 1"),
                3, 11, "cannot be written in conditions"},
        Mistake{"ValueOfParameter", Resource("Parameter", "p", "  kind: percent\n  value: 101"), 6,
                10, "from 0 to 100"},
        Mistake{"DurationOfParameter", Resource("Parameter", "p", "  kind: duration\n  value: 3"),
                6, 10, "no duration"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Policies, DecisionKindsRefuse,
    testing::Values(
        Mistake{"UnknownAction",
                DeskAction("remind") + Resource("Policy", "p", "  covers: {actions: [remnd]}"), 17,
                22, "did you mean \"remind\"?"},
        Mistake{"UnknownGroup",
                DeskAction("a") + Resource("Policy", "p", "  covers: {groups: [x, g]}"), 17, 21,
                "to which no Action belongs"},
        Mistake{"UnknownCaseKind", Resource("Policy", "p", "  held_by_cases: [complaint]"), 5, 19,
                "names the CaseKind"},
        Mistake{"NameTwice",
                DeskAction("a") + Resource("Policy", "p", "  covers: {actions: [a, a]}"), 17, 21,
                "twice"},
        Mistake{"PeriodTooLong",
                Resource("Policy", "p", "  limits: [{per: any, at_most: 1, period: 31d}]"), 5, 43,
                "at most 30d"},
        Mistake{"NoPeriod", Resource("Policy", "p", "  limits: [{per: any, at_most: 1}]"), 5, 12,
                "\"period\""},
        Mistake{"NoAtMost", Resource("Policy", "p", "  limits: [{per: any, period: 1d}]"), 5, 12,
                "\"at_most\""},
        Mistake{"BadPer", Resource("Policy", "p", "  limits: [{per: all, at_most: 1, period: 1d}]"),
                5, 18, "any, channel, action, group"},
        Mistake{
            "UnknownOutcome",
            Resource("Policy", "p", "  suppressions: [{outcome: refused, within: 1d, pause: 1d}]"),
            5, 28, "declined"},
        Mistake{"ReachesTooFarBack",
                Resource("Policy", "p",
                         "  suppressions: [{outcome: declined, within: 31d, pause: 60d}]"),
                5, 58, "at most 90d"},
        Mistake{"NoPause",
                Resource("Policy", "p", "  suppressions: [{outcome: declined, within: 31d}]"), 5,
                18, "lacks \"pause\""},
        Mistake{"BadHour",
                Resource("Policy", "p",
                         "  quiet_hours: {from: \"24:00\", to: \"09:00\", default_zone: UTC}"),
                5, 23, "\"21:00\""},
        Mistake{
            "NoHour",
            Resource("Policy", "p", "  quiet_hours: {from: 9, to: \"09:00\", default_zone: UTC}"),
            5, 23, "\"21:00\""},
        Mistake{"EqualHours",
                Resource("Policy", "p",
                         "  quiet_hours: {from: \"09:00\", to: \"09:00\", default_zone: UTC}"),
                5, 36, "same time"},
        Mistake{"UnknownZone",
                Resource(
                    "Policy", "p",
                    "  quiet_hours: {from: \"21:00\", to: \"09:00\", default_zone: Europe/Madird}"),
                5, 59, "\"Europe/Madrid\""}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Messages, DecisionKindsRefuse,
    testing::Values(
        Mistake{"UnknownVariable", Mail("m", "Hello {{name}}"), 9, 20,
                "\"name\", which is not known"},
        Mistake{"UnknownFact", Mail("m", "{{#facts.x}}{{facts.x}}{{/facts.x}}"), 9, 14,
                "names the FactKind \"x\""},
        Mistake{"NotGuarded", Mail("m", "In {{traits.city}}"), 9, 17,
                "write \"{{#traits.city}}… {{traits.city}} …{{/traits.city}}\""},
        Mistake{"ProductNotGuarded",
                Resource("OpenFields", "o", "  when: {type: t}\n  paths: [product_id]") +
                    Mail("m", "{{product.title}}"),
                16, 14, "{{#product}}"},
        Mistake{"ProductItself",
                Resource("OpenFields", "o", "  when: {type: t}\n  paths: [product_id]") +
                    Mail("m", "{{#product}}{{product}}{{/product}}"),
                16, 26, "write {{product.title}}"},
        Mistake{"PathNotOpen", Mail("m", "{{#event.order_id}}x{{/event.order_id}}"), 9, 14,
                "add it to an OpenFields"},
        Mistake{"PathNotOpenForTheJourney",
                Resource("OpenFields", "o", kOrderOpen) +
                    Mail("m", "{{#event.order_id}}x{{/event.order_id}}") +
                    Resource("Action", "a", kSent) +
                    Resource("Journey", "j",
                             "  when: {type: web.track, event: B}\n  expires_after: 1d\n  channel: "
                             "email\n  actions: [a]"),
                16, 14, "that begins Journey \"j\""},
        Mistake{"NoFallback", Mail("m", "Hello {{first_name}}"), 9, 20, "first_name_fallback"},
        Mistake{
            "NoUnsubscribe",
            Mail("m", "x") + Resource("Action", "a",
                                      "  group: g\n  value: 1 EUR\n  title: {en: T}\n  channels: "
                                      "[email]\n  templates: {email: m}"),
            9, 13, "add {{unsubscribe_url}}"},
        Mistake{
            "MustacheInABlock",
            Resource("Template", "m",
                     "  channel: email\n  texts:\n    en:\n      subject: S\n      text: |\n"
                     "        Hello\n\n        {{#today}}\n          {{>x}}\n        {{/today}}"),
            13, 11, "cannot include"},
        Mistake{"NoEnglishTexts",
                Resource("Template", "m", "  channel: sms\n  texts: {es: {text: x}}"), 6, 10,
                "add \"en: …\""},
        Mistake{"SubjectOfSms",
                Resource("Template", "m", "  channel: sms\n  texts: {en: {text: x, subject: y}}"),
                6, 34, "text alone"},
        Mistake{"NoSubject",
                Resource("Template", "m", "  channel: email\n  texts: {en: {text: x}}"), 6, 15,
                "lacks \"subject\""},
        Mistake{"TemplateForTheDesk",
                Resource("Template", "m", "  channel: desk\n  texts: {en: {text: x}}"), 5, 12,
                "email, sms"},
        Mistake{
            "JourneyOfNothing",
            Resource("Journey", "j", "  when: {type: t}\n  expires_after: 1d\n  channel: email"), 5,
            3, "nothing to choose from"},
        Mistake{"JourneyWithoutAPause",
                Resource("Journey", "j",
                         "  when: {type: t}\n  expires_after: 1d\n  channel: email\n  groups: [g]"),
                5, 3, "add \"reenter_after: 1d\""},
        Mistake{"NegativeWait", Resource("Journey", "j", "  when: {type: t}\n  wait: -1s"), 6, 9,
                "no duration"},
        Mistake{"StepsOfAJourney", Resource("Journey", "j", "  when: {type: t}\n  steps: []"), 6, 3,
                "has no key \"steps\""},
        Mistake{"JourneyWithoutEnd",
                DeskAction("a") +
                    Resource("Journey", "j", "  when: {type: t}\n  channel: email\n  actions: [a]"),
                15, 11, "no action that is on \"email\""},
        Mistake{"BadExitReason",
                Resource("Journey", "j",
                         "  when: {type: t}\n  expires_after: 1d\n  channel: email\n  groups: [g]\n"
                         "  exits: [{when: {type: t}, reason: Has bought}]"),
                9, 37, "\"bought\""},
        Mistake{"ExitKeyAlone",
                Resource("Journey", "j",
                         "  when: {type: t}\n  expires_after: 1d\n  channel: email\n  groups: [g]\n"
                         "  exits: [{when: {type: t}, reason: bought, key: id}]"),
                9, 50, "no \"key\" to compare"},
        Mistake{"BadUrl",
                Resource("Product", "p",
                         "  title: {en: T}\n  price: 1 EUR\n  url: javascript:alert(1)"),
                7, 8, "https://"},
        Mistake{"NoPrice", Resource("Product", "p", "  title: {en: T}"), 5, 3, "lacks \"price\""},
        Mistake{"BadFlag",
                Resource("Product", "p", "  title: {en: T}\n  price: 1 EUR\n  available: \"no\""),
                7, 14, "true or false"},
        Mistake{"ProductTwice",
                Resource("Product", "p", "  title: {en: T}\n  price: 1 EUR") +
                    Resource("Product", "q", "  id: p\n  title: {en: T}\n  price: 1 EUR"),
                12, 7, "already"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(DecisionKinds, FilesStayInTheirFolder) {
  for (const char* path :
       {"../a.yaml", "/etc/a.yaml", "a/../../b.yaml", "", "a\nb.yaml", "a\\b.yaml"}) {
    const std::vector<File> files = {{path, DeskAction("a")}};
    const auto parsed = Catalogue::Parse(files, 1);
    ASSERT_THAT(parsed.problems, SizeIs(1)) << path;
    EXPECT_THAT(parsed.problems[0].message, HasSubstr("rename it"));
  }
  const std::vector<File> fine = {{"shop/a..b.yaml", DeskAction("a")}};
  EXPECT_TRUE(Catalogue::Parse(fine, 1).catalogue);
}

// One byte after the other is left out, doubled or exchanged for one that means something in YAML,
// mustache or conditions. Whatever comes of it is a catalogue or problems with places in the file.
TEST(DecisionKinds, NothingThatIsWrittenBreaksTheReader) {
  const std::string whole = kFull;
  const std::string_view meaningful = "{}[]'\"|>:-#&*!%@\\\n\t ,.\xC3\xFF\x01";
  std::minstd_rand random(20'261'125);
  for (int round = 0; round < 600; ++round) {
    std::string content = whole;
    for (int change = 0; change < 3; ++change) {
      const size_t at = random() % content.size();
      switch (random() % 4) {
        case 0:
          content.erase(at, random() % 20);
          break;
        case 1:
          content.insert(at, content.substr(at, random() % 40));
          break;
        case 2:
          content[at] = meaningful[random() % meaningful.size()];
          break;
        default:
          content.insert(at, 1, meaningful[random() % meaningful.size()]);
      }
    }
    const auto lines = static_cast<int>(std::count(content.begin(), content.end(), '\n')) + 1;
    const auto parsed = ParseOne(content);
    EXPECT_EQ(parsed.catalogue == nullptr, !parsed.problems.empty()) << "round " << round;
    for (const Problem& problem : parsed.problems) {
      EXPECT_GE(problem.line, 0) << "round " << round;
      EXPECT_LE(problem.line, lines) << "round " << round << ": " << problem.message;
      EXPECT_GE(problem.column, 0) << "round " << round;
      EXPECT_FALSE(problem.message.empty());
    }
  }
}

std::vector<File> ManyActions(size_t count) {
  std::vector<File> files;
  for (size_t i = 0; i < count; ++i) {
    if (i % 250 == 0) files.push_back({"actions/" + std::to_string(i) + ".yaml", ""});
    files.back().content += Resource(
        "Action", "action-" + std::to_string(i),
        "  group: group-" + std::to_string(i % 50) +
            "\n  title: {en: Title, es: Título}\n  talk_track: {en: Say, es: Diga}\n  "
            "accept_label: "
            "{en: \"Y\"}\n  decline_label: {en: \"N\"}\n  value: " +
            std::to_string(i % 90 + 1) +
            ".50 EUR\n  channels: [desk]\n  eligibility: [customer.orders > " +
            std::to_string(i % 7) + "]\n  applicability: ['!(\"x" + std::to_string(i % 100) +
            "\" in customer.fact_kinds)', customer.open_complaints == 0]\n  prior: {positives: 2, "
            "negatives: 8}");
  }
  return files;
}

TEST(Catalogue, HoldsTenThousandActionsAndNoMore) {
  const std::vector<File> files = ManyActions(Catalogue::kMaxActions);
  // Processor time, so that a busy machine does not matter; about one second.
  const std::clock_t begin = std::clock();
  const auto parsed = Catalogue::Parse(files, 1);
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  ASSERT_TRUE(parsed.catalogue) << parsed.problems[0].message;
  EXPECT_THAT(parsed.catalogue->ActionsFor("desk"), SizeIs(Catalogue::kMaxActions));
  RecordProperty("load_milliseconds", static_cast<int>(seconds * 1'000));
  EXPECT_LT(seconds, 20);

  const auto one_more = Catalogue::Parse(ManyActions(Catalogue::kMaxActions + 2), 1);
  ASSERT_THAT(one_more.problems, SizeIs(1));
  EXPECT_THAT(one_more.problems[0].message, HasSubstr("at most 10000"));
}

TEST(Catalogue, RefusesToReadTooMuchAtOnce) {
  std::vector<File> files;
  for (size_t i = 0; i <= Catalogue::kMaxBytes / Catalogue::kMaxFileBytes; ++i)
    files.push_back({std::to_string(i), std::string(Catalogue::kMaxFileBytes, '#')});
  const auto parsed = Catalogue::Parse(files, 1);
  ASSERT_THAT(parsed.problems, SizeIs(1));
  EXPECT_THAT(parsed.problems[0].message, HasSubstr("at most 32 MiB"));
}

}  // namespace
}  // namespace hilo::catalogue
