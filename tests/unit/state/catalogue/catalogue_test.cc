#include "state/catalogue/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

const char kReason[] = "  question: {en: \"Why?\", es: \"¿Por qué?\"}\n  expires_after: 90d";

TEST(Catalogue, CarriesADefaultWithoutProblems) {
  const auto parsed = Catalogue::Parse(Catalogue::BuiltInFiles(), 0);
  for (const Problem& problem : parsed.problems)
    ADD_FAILURE() << problem.path << ":" << problem.line << " " << problem.message;
  ASSERT_TRUE(parsed.catalogue);
  const auto built_in = Catalogue::BuiltIn();
  EXPECT_EQ(built_in->revision(), 0u);
  ASSERT_TRUE(built_in->FindFactKind("return_reason"));
  EXPECT_EQ(built_in->FindFactKind("return_reason")->question.In("es-MX"), "¿Por qué se devuelve?");
  EXPECT_EQ(built_in->FindFactKind("return_reason")->question.In("de"),
            "Why is it being returned?");
  const auto& rules = built_in->RulesFor("web.track", "Return Requested");
  EXPECT_THAT(rules.facts, SizeIs(3));
  ASSERT_THAT(rules.cases, SizeIs(1));
  EXPECT_EQ(rules.cases[0].first->name, "return");
  EXPECT_EQ(rules.cases[0].second->title_from, "reason");
}

TEST(Catalogue, FindsRulesByTypeAndName) {
  const auto parsed = ParseOne(
      Resource("FactKind", "reason", kReason) +
      Resource("FactRule", "any-track", "  when: {type: web.track}\n  from: a\n  kind: reason") +
      Resource(
          "FactRule", "one-event",
          "  when: {type: web.track, event: X}\n  from: b\n  kind: reason\n  expires_after: 2h") +
      Resource("OpenFields", "everywhere", "  paths: [z, a]") +
      Resource("OpenFields", "tracks", "  when: {type: web.track}\n  paths: b"));
  ASSERT_TRUE(parsed.catalogue) << parsed.problems[0].message;
  const Catalogue& catalogue = *parsed.catalogue;
  EXPECT_EQ(catalogue.revision(), 7u);
  EXPECT_THAT(catalogue.RulesFor("web.track", "X").facts, SizeIs(2));
  EXPECT_THAT(catalogue.RulesFor("web.track", "X").open_fields, ElementsAre("a", "b", "z"));
  ASSERT_THAT(catalogue.RulesFor("web.track", "Y").facts, SizeIs(1));
  EXPECT_EQ(catalogue.RulesFor("web.track", "Y").facts[0]->expires_after,
            std::chrono::hours(90 * 24));
  EXPECT_EQ(catalogue.RulesFor("web.track", "X").facts[1]->expires_after, std::chrono::hours(2));
  EXPECT_THAT(catalogue.RulesFor("order.placed", "X").facts, IsEmpty());
  EXPECT_THAT(catalogue.RulesFor("order.placed", "X").open_fields, ElementsAre("a", "z"));
}

struct Mistake {
  const char* name;
  std::string content;
  int line;
  int column;
  const char* message;
};
void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

class CatalogueRefuses : public testing::TestWithParam<Mistake> {};

TEST_P(CatalogueRefuses, AndSaysWhereAndWhatInstead) {
  const auto parsed = ParseOne(GetParam().content);
  EXPECT_FALSE(parsed.catalogue);
  ASSERT_FALSE(parsed.problems.empty());
  const Problem& problem = parsed.problems[0];
  EXPECT_EQ(problem.path, "a.yaml");
  EXPECT_EQ(problem.line, GetParam().line) << problem.message;
  EXPECT_EQ(problem.column, GetParam().column) << problem.message;
  EXPECT_THAT(problem.message, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, CatalogueRefuses,
    testing::Values(
        Mistake{"UnknownKey", Resource("FactKind", "a", "  question: {en: x}\n  expire_after: 2d"),
                6, 3, "did you mean \"expires_after\"?"},
        Mistake{"RepeatedKey",
                Resource("FactKind", "a", "  question: {en: x}\n  question: {en: y}"), 6, 3,
                "twice"},
        Mistake{"UnknownKind", Resource("FactRules", "a", "  x: 1"), 2, 7,
                "did you mean \"FactRule\"?"},
        Mistake{
            "OldVersion",
            "apiVersion: hilo/v0\nkind: FactKind\nmetadata: {name: a}\nspec: {question: {en: x}}\n",
            1, 13, "apiVersion: hilo/v1"},
        Mistake{"NameTwice",
                Resource("FactKind", "a", kReason) + Resource("FactKind", "a", kReason), 10, 11,
                "already"},
        Mistake{"BadName", Resource("FactKind", "Bad Name", kReason), 3, 11, "lower-case letters"},
        Mistake{"BadDuration",
                Resource("FactKind", "a", "  question: {en: x}\n  expires_after: 90 days"), 6, 18,
                "\"30d\""},
        Mistake{"NegativeDuration",
                Resource("FactKind", "a", "  question: {en: x}\n  expires_after: -1d"), 6, 18,
                "\"30d\""},
        Mistake{"EndlessDuration",
                Resource("FactKind", "a", "  question: {en: x}\n  expires_after: 9999999w"), 6, 18,
                "ten years"},
        Mistake{"BadConfidence",
                Resource("FactKind", "a", kReason) +
                    Resource("FactRule", "r",
                             "  when: {type: t}\n  from: x\n  kind: a\n  confidence: 101"),
                15, 15, "from 1 to 100"},
        Mistake{"UnknownFactKind",
                Resource("FactKind", "reason", kReason) +
                    Resource("FactRule", "r", "  when: {type: t}\n  from: x\n  kind: reasom"),
                14, 9, "did you mean \"reason\"?"},
        Mistake{
            "MissingTrigger",
            Resource("FactKind", "a", kReason) + Resource("FactRule", "r", "  from: x\n  kind: a"),
            12, 3, "lacks \"when\""},
        Mistake{"TriggerWithoutType",
                Resource("OpenFields", "a", "  when: {event: X}\n  paths: [x]"), 5, 9,
                "lacks \"type\""},
        Mistake{"BadPath", Resource("OpenFields", "a", "  paths: [\"a..b\"]"), 5, 11,
                "products.0.name"},
        Mistake{"ConditionOnOpenFields",
                Resource("OpenFields", "a",
                         "  when: {type: t, condition: {path: x, equals: y}}\n  paths: [x]"),
                5, 9, "cannot"},
        Mistake{"NoLanguage", Resource("CaseKind", "a", "  title: Return"), 5, 10,
                "{en: …, es: …}"},
        Mistake{"BadLanguage", Resource("CaseKind", "a", "  title: {english: Return}"), 5, 11,
                "BCP 47"},
        Mistake{"NoCurrency",
                Resource("PurchaseRule", "a",
                         "  when: {type: t}\n  kind: order\n  order: id\n  amount: total"),
                5, 3, "default_currency"},
        Mistake{"BadGroupKind", Resource("GroupRule", "a", "  from: x\n  kind: famly"), 6, 9,
                "household"},
        Mistake{"NoYaml", "a: [1, 2", 1, 1, "not valid YAML"},
        Mistake{"NotAMap", "- 1\n", 1, 1, "must be a map"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Catalogue, TellsAllProblemsOfAllFilesAtOnce) {
  const std::vector<File> files = {
      {"a.yaml", Resource("FactKind", "a", "  questions: x")},
      {"b.yaml", Resource("FactRule", "b", "  when: {type: t}\n  from: x\n  kind: c")}};
  const auto parsed = Catalogue::Parse(files, 1);
  ASSERT_THAT(parsed.problems, SizeIs(3));
  EXPECT_EQ(parsed.problems[1].path, "a.yaml");
  EXPECT_EQ(parsed.problems[2].path, "b.yaml");
}

TEST(Catalogue, HasLimits) {
  std::vector<File> files(Catalogue::kMaxFiles + 1);
  for (size_t i = 0; i < files.size(); ++i) files[i].path = std::to_string(i);
  EXPECT_THAT(Catalogue::Parse(files, 1).problems, SizeIs(1));
  files.pop_back();
  EXPECT_TRUE(Catalogue::Parse(files, 1).catalogue);
  EXPECT_THAT(ParseOne(std::string(Catalogue::kMaxFileBytes, '#') + "#").problems, SizeIs(1));
  EXPECT_TRUE(ParseOne(std::string(Catalogue::kMaxFileBytes, '#')).catalogue);
  EXPECT_THAT(ParseOne(std::string(100'000, '[')).problems, SizeIs(1));
}

TEST(Catalogue, ChecksAliasesWithoutFollowingThemTooFar) {
  std::string bomb = "a: &a [x, x]\n";
  for (char c = 'b'; c <= 'z'; ++c)
    bomb += std::string(1, c) + ": &" + c + " [*" + static_cast<char>(c - 1) + ", *" +
            static_cast<char>(c - 1) + "]\n";
  EXPECT_FALSE(ParseOne(bomb).catalogue);
}

}  // namespace
}  // namespace hilo::catalogue
