#include "tests/unit/state/expression/shop_schema.h"

namespace hilo::expression {
namespace {

using testing::ElementsAre;

std::vector<std::string> Tell(std::string_view source, bool labels = false,
                              Language language = Language::kEnglish) {
  const auto expression = Expression::Compile(source, ShopSchema(labels));
  HILO_CHECK(expression.ok(), expression.status().ToString().c_str());
  const ShopCustomer shop;
  Budget budget;
  return Reasons(expression->Explain(shop.variables, budget), language);
}

TEST(Explain, NamesTheConjunctThatFailedWithItsValue) {
  EXPECT_THAT(Tell("customer.open_complaints == 0 && customer.days_since_order > 30"),
              ElementsAre("customer.open_complaints == 0 is false: it is 1"));
  EXPECT_THAT(Tell("customer.open_complaints == 0 && customer.days_since_order > 30", false,
                   Language::kSpanish),
              ElementsAre("customer.open_complaints == 0 no se cumple: es 1"));
}

TEST(Explain, NamesEveryConjunctThatFailedAndNoneAfterTheFirstIsHidden) {
  EXPECT_THAT(
      Tell("customer.open_complaints == 0 && customer.vip && customer.spend > 1.0"),
      ElementsAre("customer.open_complaints == 0 is false: it is 1", "customer.vip is false"));
}

TEST(Explain, SaysWhyWhenItHolds) {
  EXPECT_THAT(Tell("customer.days_since_order > 30 && customer.spend >= 100.0"),
              ElementsAre("customer.days_since_order > 30 is true: it is 45",
                          "customer.spend >= 100.0 is true: it is 120.5"));
  EXPECT_THAT(Tell("customer.vip || customer.name == 'Ana'"),
              ElementsAre("customer.name == 'Ana' is true: it is \"Ana\""));
}

TEST(Explain, UsesTheWordsOfTheSchema) {
  EXPECT_THAT(
      Tell("customer.open_complaints == 0 && customer.days_since_order > 60 && customer.vip", true),
      ElementsAre("open complaints: 1 (must be 0)",
                  "days since the last order: 45 (must be more than 60)", "VIP: no (must be yes)"));
  EXPECT_THAT(
      Tell("customer.open_complaints == 0 && customer.days_since_order > 60 && customer.vip", true,
           Language::kSpanish),
      ElementsAre("reclamaciones abiertas: 1 (debe ser 0)",
                  "días desde el último pedido: 45 (debe ser más de 60)", "VIP: no (debe ser sí)"));
  EXPECT_THAT(Tell("!(customer.open_complaints > 0)", true),
              ElementsAre("open complaints: 1 (must not be more than 0)"));
  EXPECT_THAT(Tell("customer.open_complaints != 1", true),
              ElementsAre("open complaints: 1 (must not be 1)"));
  EXPECT_THAT(Tell("60 <= customer.days_since_order", true),
              ElementsAre("days since the last order: 45 (must be at least 60)"));
  EXPECT_THAT(Tell("customer.name in ['Eva', 'Leo']", true),
              ElementsAre("name: \"Ana\" (must be one of [\"Eva\", \"Leo\"])"));
  EXPECT_THAT(Tell("'hat' in customer.tags", true),
              ElementsAre("tags: [\"shoes\", \"red\"] (must include \"hat\")"));
  EXPECT_THAT(Tell("!('red' in customer.tags)", true, Language::kSpanish),
              ElementsAre("etiquetas: [\"shoes\", \"red\"] (no debe incluir \"red\")"));
  EXPECT_THAT(Tell("has(customer.last_order)", true),
              ElementsAre("last order: not known (must be known)"));
  EXPECT_THAT(Tell("customer.days_since_order > 30", true),
              ElementsAre("days since the last order: 45"));
}

TEST(Explain, TellsWhatIsNotKnown) {
  EXPECT_THAT(Tell("has(customer.last_order) && customer.last_order < now"),
              ElementsAre("customer.last_order is not known"));
  EXPECT_THAT(Tell("customer.last_order < now"),
              ElementsAre("cannot tell: customer.last_order is not known"));
  EXPECT_THAT(Tell("customer.last_order < now && customer.spend > 0.0", true, Language::kSpanish),
              ElementsAre("no se puede saber: último pedido no consta"));
  EXPECT_THAT(Tell("customer.open_complaints / (customer.days_since_order - 45) > 1", false,
                   Language::kSpanish),
              ElementsAre("no se puede saber: customer.open_complaints / "
                          "(customer.days_since_order - 45) divide entre cero"));
}

TEST(Explain, NamesTheElementThatDecided) {
  EXPECT_THAT(Tell("customer.tags.all(t, t.size() > 3)"),
              ElementsAre("customer.tags.all(t, t.size() > 3) is false: because of \"red\""));
  EXPECT_THAT(Tell("customer.tags.exists(t, t == 'blue')"),
              ElementsAre("customer.tags.exists(t, t == 'blue') is false: nothing in it fits"));
}

TEST(Explain, ShowsBothSidesWhenNeitherIsFixed) {
  EXPECT_THAT(Tell("customer.days_since_order < customer.open_complaints"),
              ElementsAre("customer.days_since_order < customer.open_complaints is false: "
                          "customer.days_since_order is 45, customer.open_complaints is 1"));
  EXPECT_THAT(Tell("customer.name.startsWith('B')"),
              ElementsAre("customer.name.startsWith('B') is false: it is \"Ana\""));
}

TEST(Explain, ShowsTheListThatSomethingIsNotIn) {
  EXPECT_THAT(Tell("'hat' in customer.tags"),
              ElementsAre("'hat' in customer.tags is false: it is [\"shoes\", \"red\"]"));
}

TEST(Explain, FollowsTheBranchThatWasTaken) {
  EXPECT_THAT(
      Tell("customer.vip ? customer.spend > 1.0 : customer.spend > 500.0"),
      ElementsAre("customer.spend > 500.0 is false: it is 120.5", "because customer.vip is false"));
}

TEST(Explain, TraceHoldsEverySubExpression) {
  const auto expression =
      Expression::Compile("customer.vip && size(customer.tags) > 1", ShopSchema());
  ASSERT_TRUE(expression.ok());
  const ShopCustomer shop;
  Budget budget;
  const Trace trace = expression->Explain(shop.variables, budget);
  EXPECT_EQ(trace.outcome, Outcome::kFalse);
  ASSERT_EQ(trace.parts.size(), 2u);
  EXPECT_EQ(trace.parts[0].source, "customer.vip");
  EXPECT_EQ(trace.parts[0].outcome, Outcome::kFalse);
  const Trace& compare = trace.parts[1];
  EXPECT_EQ(compare.outcome, Outcome::kTrue);
  EXPECT_EQ(compare.begin, 16u);
  EXPECT_EQ(compare.parts[0].source, "size(customer.tags)");
  EXPECT_EQ(compare.parts[0].text, "2");
  EXPECT_EQ(compare.parts[0].parts[0].text, "[\"shoes\", \"red\"]");
}

TEST(Explain, OutcomeEqualsTheOneOfEvaluate) {
  const ShopCustomer shop;
  for (const char* source :
       {"customer.last_order < now || customer.vip", "customer.last_order < now && customer.vip",
        "!(customer.last_order < now)", "customer.vip ? 1/0 > 0 : true", "1/0 > 0 || true"}) {
    const auto expression = Expression::Compile(source, ShopSchema());
    ASSERT_TRUE(expression.ok()) << source;
    Budget a;
    Budget b;
    const auto value = expression->Test(shop.variables, a);
    const Trace trace = expression->Explain(shop.variables, b);
    const Outcome expected = !value.ok() ? Outcome::kError
                             : *value    ? Outcome::kTrue
                                         : Outcome::kFalse;
    EXPECT_EQ(trace.outcome, expected) << source;
  }
}

}  // namespace
}  // namespace hilo::expression
