#include "state/decision/decide.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "state/decision/record.h"

namespace hilo::decision {
namespace {

using catalogue::Catalogue;
using catalogue::File;

constexpr LogTime kNow{1'770'000'000'000'000};
constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

std::string Action(const std::string& name, const std::string& more,
                   const std::string& value = "10.00 EUR", const std::string& channels = "[desk]") {
  return "apiVersion: hilo/v1\nkind: Action\nmetadata: {name: " + name +
         "}\nspec:\n  group: offers\n  class: default\n  title: {en: " + name +
         "}\n  talk_track: {en: Say it.}\n  accept_label: {en: \"Yes\"}\n  decline_label: {en: "
         "\"No\"}\n  value: " +
         value + "\n  channels: " + channels + "\n" + more;
}

std::string Policy(const std::string& name, const std::string& spec) {
  return "apiVersion: hilo/v1\nkind: Policy\nmetadata: {name: " + name + "}\nspec:\n" + spec;
}

std::string Mail(const std::string& name, const std::string& more = "") {
  return Action(name, "  templates: {email: plain}\n" + more, "10.00 EUR", "[email]");
}
const char kPlainTemplate[] =
    "apiVersion: hilo/v1\nkind: Template\nmetadata: {name: plain}\nspec:\n  channel: email\n"
    "  texts: {en: {subject: Hello, text: \"Hello {{unsubscribe_url}}\"}}\n";
const char kComplaint[] =
    "apiVersion: hilo/v1\nkind: CaseKind\nmetadata: {name: complaint}\nspec:\n  title: {en: "
    "Complaint}\n  complaint: true\n";

std::shared_ptr<const Catalogue> CatalogueOf(const std::vector<std::string>& documents) {
  std::vector<File> files;
  for (size_t i = 0; i < documents.size(); ++i)
    files.push_back({"f" + std::to_string(i) + ".yaml", documents[i]});
  Catalogue::Parsed parsed = Catalogue::Parse(files, 7);
  for (const auto& problem : parsed.problems) {
    ADD_FAILURE() << problem.path << ":" << problem.line << ": " << problem.message;
  }
  return parsed.catalogue;
}

google::protobuf::Timestamp At(int64_t micros) {
  google::protobuf::Timestamp time;
  time.set_seconds(micros / 1'000'000);
  return time;
}

// A question that outlives its parts.
struct Asking {
  std::shared_ptr<const Catalogue> catalogue;
  v1::DecisionProfile profile;
  v1::DecisionContext context;
  uint64_t seed = 1;
  PosteriorOf posterior = [](const catalogue::Action& action) {
    return PosteriorFrom(action, 0, 0);
  };
  uint32_t exploration_ppm = 0;

  explicit Asking(std::shared_ptr<const Catalogue> from, const std::string& channel = "desk")
      : catalogue(std::move(from)) {
    context.set_channel(channel);
  }
  Question question() const {
    return {*catalogue, profile, context, kNow, seed, posterior, exploration_ppm};
  }
  Answer answer() const { return Decide(question()); }
};

std::vector<std::string> Ranked(const Answer& answer) {
  std::vector<std::string> names;
  for (const Verdict& verdict : answer.ranked) names.push_back(verdict.action->name);
  return names;
}

// Where and why an action fell; "ranked" for one that did not.
std::string Fell(const Answer& answer, const std::string& action) {
  for (const Verdict& verdict : answer.ranked) {
    if (verdict.action->name == action) return "ranked";
  }
  for (const Verdict& verdict : answer.fallen) {
    if (verdict.action->name != action) continue;
    std::string stage = v1::DecisionStage_Name(verdict.stage).substr(15);
    return stage + " " + std::string(verdict.reason);
  }
  return "not there";
}

TEST(Decide, LetsEachActionFallAtTheFirstStageThatStopsIt) {
  Asking asking(CatalogueOf(
      {Action("fine", ""),
       Action("ineligible", "  eligibility: [{condition: customer.orders > 5}]\n"),
       Action("pointless", "  applicability: [{condition: customer.open_cases > 0}]\n"),
       Action("unsuitable", "  suitability: [{condition: customer.satisfaction > 3}]\n"),
       Action("two-reasons",
              "  eligibility: [{condition: customer.orders > 5}]\n  suitability: [{condition: "
              "customer.satisfaction > 3}]\n")}));
  const Answer answer = asking.answer();
  EXPECT_EQ(Ranked(answer), std::vector<std::string>{"fine"});
  EXPECT_EQ(Fell(answer, "ineligible"), "ELIGIBILITY condition_false");
  EXPECT_EQ(Fell(answer, "pointless"), "APPLICABILITY condition_false");
  EXPECT_EQ(Fell(answer, "unsuitable"), "SUITABILITY condition_false");
  EXPECT_EQ(Fell(answer, "two-reasons"), "ELIGIBILITY condition_false");
  // The furthest comes first.
  EXPECT_EQ(answer.fallen.front().action->name, "unsuitable");
}

TEST(Decide, TakesAConditionThatFailsForOneThatDoesNotHold) {
  Asking asking(
      CatalogueOf({Action("broken", "  eligibility: [{condition: 1 / customer.orders > 0}]\n")}));
  EXPECT_EQ(Fell(asking.answer(), "broken"), "ELIGIBILITY condition_false");
}

TEST(Decide, SendsNothingToWhomItCannotReachOrWhoHasNotConsented) {
  Asking asking(CatalogueOf({Mail("news"), kPlainTemplate}), "email");
  EXPECT_EQ(Fell(asking.answer(), "news"), "CHANNEL no_address");
  asking.profile.add_identifier_kinds("email");
  EXPECT_EQ(Fell(asking.answer(), "news"), "CONTACT_POLICY no_consent");
  asking.profile.add_granted("email.marketing");
  EXPECT_EQ(Fell(asking.answer(), "news"), "ranked");
  asking.profile.add_denied("*.marketing");
  EXPECT_EQ(Fell(asking.answer(), "news"), "CONTACT_POLICY opted_out");
}

TEST(Decide, HoldsBackWhileAComplaintIsOpenUnlessReleased) {
  Asking asking(CatalogueOf(
      {Action("sell", ""), kComplaint, Policy("calm", "  held_by_cases: [complaint]\n")}));
  EXPECT_EQ(Fell(asking.answer(), "sell"), "ranked");
  asking.profile.add_open_case_kinds("complaint");
  const Answer held = asking.answer();
  EXPECT_EQ(Fell(held, "sell"), "CONTACT_POLICY open_complaint");
  EXPECT_GT(held.fallen.front().again_micros, kNow.micros);
  asking.context.set_released(true);
  EXPECT_EQ(Fell(asking.answer(), "sell"), "ranked");
}

TEST(Decide, RestsAfterOutcomesAsItsPolicySays) {
  Asking asking(CatalogueOf(
      {Action("offer", ""), Policy("rest",
                                   "  suppressions:\n    - {outcome: declined, count: 2, "
                                   "within: 10d, pause: 20d}\n")}));
  const auto declined = [&](int64_t days_ago) {
    auto* outcome = asking.profile.add_outcomes();
    outcome->set_action("offer");
    outcome->set_channel("desk");
    outcome->set_outcome(v1::OUTCOME_KIND_DECLINED);
    *outcome->mutable_time() = At(kNow.micros - days_ago * kDay);
  };
  declined(19);
  EXPECT_EQ(Fell(asking.answer(), "offer"), "ranked");
  declined(8);  // eleven days after the first: not within ten
  EXPECT_EQ(Fell(asking.answer(), "offer"), "ranked");
  declined(7);
  const Answer resting = asking.answer();
  EXPECT_EQ(Fell(resting, "offer"), "CONTACT_POLICY resting");
  EXPECT_EQ(resting.fallen.front().again_micros, kNow.micros + 13 * kDay);
  EXPECT_EQ(resting.fallen.front().policy->name, "rest");
}

TEST(Decide, IsQuietUntilASnoozeIsOver) {
  Asking asking(CatalogueOf({Action("offer", "")}));
  auto* outcome = asking.profile.add_outcomes();
  outcome->set_action("offer");
  outcome->set_outcome(v1::OUTCOME_KIND_SNOOZED);
  *outcome->mutable_time() = At(kNow.micros - kDay);
  *outcome->mutable_snooze_until_time() = At(kNow.micros + kDay);
  EXPECT_EQ(Fell(asking.answer(), "offer"), "CONTACT_POLICY snoozed");
  *outcome->mutable_snooze_until_time() = At(kNow.micros);
  EXPECT_EQ(Fell(asking.answer(), "offer"), "ranked");
}

TEST(Decide, KeepsToContactLimits) {
  Asking asking(CatalogueOf({Mail("news"), kPlainTemplate,
                             Policy("weekly",
                                    "  limits:\n    - {per: channel, at_most: 1, period: "
                                    "7d}\n")}),
                "email");
  asking.profile.add_identifier_kinds("email");
  asking.profile.add_granted("email.marketing");
  auto* message = asking.profile.add_messages();
  message->set_channel("email");
  message->set_counts(true);
  *message->mutable_time() = At(kNow.micros - 6 * kDay);
  EXPECT_EQ(Fell(asking.answer(), "news"), "CONTACT_POLICY limit_reached");
  *message->mutable_time() = At(kNow.micros - 7 * kDay);
  EXPECT_EQ(Fell(asking.answer(), "news"), "ranked");
  *message->mutable_time() = At(kNow.micros - 6 * kDay);
  message->set_channel("sms");
  EXPECT_EQ(Fell(asking.answer(), "news"), "ranked");
  message->set_channel("email");
  message->set_counts(false);
  EXPECT_EQ(Fell(asking.answer(), "news"), "ranked");
}

TEST(Decide, RanksByPropensityTimesContextTimesValueTimesLevers) {
  // The figures are those of published examples: 7.2, 8.64, 9.0, 4.725 and 22.95.
  Asking asking(CatalogueOf(
      {Action("a", "  context_weights: [{condition: 'true', percent: 80}]\n", "0.10 EUR"),
       Action("b",
              "  context_weights: [{condition: 'true', percent: 90}]\n  levers: {l: "
              "80}\n",
              "0.40 EUR"),
       Action("c", "  levers: {l: 60}\n", "0.30 EUR"),
       Action("d",
              "  context_weights: [{condition: 'true', percent: 50}]\n  levers: {l: "
              "90}\n",
              "0.15 EUR"),
       Action("e", "  context_weights: [{condition: 'true', percent: 90}]\n", "0.30 EUR")}));
  // As good as certain: shapes so large that the draw is the mean.
  asking.posterior = [](const catalogue::Action& action) {
    const double p = action.name == "a"   ? .9
                     : action.name == "b" ? .3
                     : action.name == "c" ? .5
                     : action.name == "d" ? .7
                                          : .85;
    return Posterior{p * 1e12, (1 - p) * 1e12};
  };
  const Answer answer = asking.answer();
  EXPECT_EQ(Ranked(answer), (std::vector<std::string>{"e", "c", "b", "a", "d"}));
  const double expected[] = {22.95, 9.0, 8.64, 7.2, 4.725};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(static_cast<double>(answer.ranked[i].priority_micros) / 1e6, expected[i], 1e-3);
    EXPECT_EQ(answer.ranked[i].rank, static_cast<int32_t>(i + 1));
  }
}

TEST(Decide, DoesNothingRatherThanWhatIsWorthNothing) {
  Asking asking(
      CatalogueOf({Action("dear", "  cost: 12.00 EUR\n"), Action("off", "  levers: {stop: 0}\n")}));
  const Answer answer = asking.answer();
  EXPECT_TRUE(answer.ranked.empty());
  EXPECT_EQ(Fell(answer, "dear"), "ARBITRATION not_worth_it");
  EXPECT_EQ(Fell(answer, "off"), "ARBITRATION lever_zero");
}

TEST(Decide, DoesWhatTheCustomerWaitsForWhateverItIsWorth) {
  std::string confirmation = Action("confirmation", "", "0.00 EUR");
  confirmation.replace(confirmation.find("class: default"), 14, "class: transactional");
  Asking asking(CatalogueOf({Action("offer", ""), confirmation}));
  EXPECT_EQ(Ranked(asking.answer()), (std::vector<std::string>{"offer", "confirmation"}));
}

TEST(Decide, PutsMandatoryActionsFirst) {
  std::string mandatory = Action("must", "", "0.00 EUR");
  mandatory.replace(mandatory.find("class: default"), 14, "class: mandatory");
  Asking asking(CatalogueOf({Action("dear", "", "1000.00 EUR"), mandatory}));
  EXPECT_EQ(Ranked(asking.answer()), (std::vector<std::string>{"must", "dear"}));
}

// Many actions with all kinds of conditions.
std::vector<std::string> ManyActions(int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> documents;
  for (int i = 0; i < count; ++i) {
    std::string more;
    if (random() % 3 == 0)
      more +=
          "  eligibility: [{condition: customer.orders >= " + std::to_string(random() % 4) + "}]\n";
    if (random() % 3 == 0) more += "  levers: {l: " + std::to_string(random() % 5 * 50) + "}\n";
    documents.push_back(
        Action("a" + std::to_string(i), more, std::to_string(1 + random() % 90) + ".00 EUR"));
  }
  return documents;
}

TEST(Decide, DoesNotDependOnTheOrderOfTheFiles) {
  std::vector<std::string> documents = ManyActions(60, 5);
  std::mt19937_64 random(11);
  Asking first(CatalogueOf(documents));
  first.profile.set_orders(2);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    std::shuffle(documents.begin(), documents.end(), random);
    Asking other(CatalogueOf(documents));
    other.profile = first.profile;
    other.seed = first.seed = seed;
    const auto shown = [](const Asking& asking) {
      return Present(asking.question(), asking.answer(),
                     {.ranked = 100, .fallen = 100, .language = "en"})
          .SerializeAsString();
    };
    ASSERT_EQ(shown(first), shown(other)) << "seed " << seed;
  }
}

TEST(Decide, NeverRanksALeverOfZero) {
  Asking asking(CatalogueOf(ManyActions(100, 6)));
  asking.profile.set_orders(9);
  asking.exploration_ppm = 1'000'000;
  for (asking.seed = 1; asking.seed <= 200; ++asking.seed) {
    for (const Verdict& verdict : asking.answer().ranked) ASSERT_GT(verdict.lever_ppm, 0);
  }
}

TEST(Decide, AddingAnActionLeavesTheDrawsOfTheOthersAlone) {
  std::vector<std::string> documents = ManyActions(10, 7);
  Asking before(CatalogueOf(documents));
  documents.push_back(Action("newcomer", ""));
  Asking after(CatalogueOf(documents));
  const Answer old = before.answer();
  const Answer fresh = after.answer();
  for (const Verdict& verdict : old.ranked) {
    const auto same = std::find_if(fresh.ranked.begin(), fresh.ranked.end(), [&](const Verdict& v) {
      return v.action->name == verdict.action->name;
    });
    ASSERT_NE(same, fresh.ranked.end());
    EXPECT_EQ(same->propensity_ppm, verdict.propensity_ppm);
  }
}

TEST(Decide, TellsHowProbableTheFirstWas) {
  Asking asking(CatalogueOf({Action("a", ""), Action("b", ""), Action("c", "", "0.01 EUR")}));
  asking.exploration_ppm = 20'000;
  std::map<std::string, int> first;
  std::map<std::string, double> told;
  constexpr int kTimes = 3'000;
  for (asking.seed = 1; asking.seed <= kTimes; ++asking.seed) {
    const Answer answer = asking.answer();
    ++first[answer.ranked.front().action->name];
    for (const Verdict& verdict : answer.ranked)
      told[verdict.action->name] += verdict.chosen_ppm / 1e6 / kTimes;
  }
  for (const auto& [name, probability] : told) {
    EXPECT_NEAR(first[name] / static_cast<double>(kTimes), probability, 0.03) << name;
  }
  // The floor keeps even the hopeless one in the game.
  EXPECT_GT(told["c"], 0.02 / 3 * 0.9);
}

TEST(RecordedQuestion, ReplaysToTheSameDecision) {
  Asking asking(CatalogueOf(ManyActions(40, 8)));
  asking.profile.set_orders(3);
  asking.profile.add_segments("to be worked out anew");
  asking.posterior = [](const catalogue::Action& action) {
    return PosteriorFrom(action, 3.3333333, static_cast<double>(action.name.size()) / 7);
  };
  for (asking.seed = 1; asking.seed <= 50; ++asking.seed) {
    const Answer answer = asking.answer();
    const auto record = RecordOf(asking.question(), answer);
    const auto recorded = RecordedQuestion::Of(record);
    ASSERT_TRUE(recorded.ok());
    Question again = recorded->Over(*asking.catalogue);
    again.exploration_ppm = asking.exploration_ppm;
    const Answer replayed = Decide(again);
    ASSERT_EQ(Ranked(answer), Ranked(replayed));
    for (size_t i = 0; i < answer.ranked.size(); ++i)
      ASSERT_EQ(answer.ranked[i].priority_micros, replayed.ranked[i].priority_micros);
  }
}

TEST(RecordedQuestion, RefusesWhatCannotBeRead) {
  store::v1::DecisionRecord record;
  record.set_profile("\xff\xff\xff");
  EXPECT_EQ(Reason(RecordedQuestion::Of(record).status()), "decision_unreadable");
}

TEST(Why, IsMadeOfWhatIsKnownAndOfWhatStopsIt) {
  Asking asking(CatalogueOf(
      {Action("help",
              "  applicability:\n    - {condition: customer.orders > 0, why: {en: They "
              "bought before., es: Ya ha comprado.}, why_not: {en: They never bought.}}\n"),
       Action("plain", "  eligibility: [{condition: customer.orders == 7}]\n")}));
  asking.profile.set_orders(1);
  const Answer bought = asking.answer();
  EXPECT_EQ(Why(asking.question(), bought.ranked.front(), "en"), "They bought before.");
  EXPECT_EQ(Why(asking.question(), bought.ranked.front(), "es-MX"), "Ya ha comprado.");
  // Without words of the catalogue's the condition itself speaks, with the value it saw.
  const std::string why = Why(asking.question(), bought.fallen.front(), "en");
  EXPECT_NE(why.find("orders"), std::string::npos) << why;
  EXPECT_NE(why.find("1"), std::string::npos) << why;
  asking.profile.set_orders(0);
  EXPECT_EQ(Why(asking.question(), asking.answer().fallen.front(), "en"), "They never bought.");
}

TEST(TraceConditions, TellsAllConditionsAlsoBehindTheOneThatStopped) {
  Asking asking(CatalogueOf(
      {Action("a",
              "  eligibility: [{condition: customer.orders > 0}]\n  suitability: [{condition: "
              "customer.events >= 0}]\n"),
       Policy("p", "  applicability: [{condition: customer.open_cases == 0}]\n")}));
  const auto traces = TraceConditions(asking.question(), *asking.catalogue->FindAction("a"), "en");
  ASSERT_EQ(traces.size(), 3u);
  EXPECT_EQ(traces[0].value, "false");
  EXPECT_EQ(traces[1].policy->name, "p");
  EXPECT_EQ(traces[1].value, "true");
  EXPECT_EQ(traces[2].stage, v1::DECISION_STAGE_SUITABILITY);
}

}  // namespace
}  // namespace hilo::decision
