#include "state/expression/expression.h"

#include "tests/unit/state/expression/shop_schema.h"

namespace hilo::expression {
namespace {

using testing::HasSubstr;

TEST(Expression, ReadsFieldsOfTheCustomer) {
  EXPECT_EQ(Yield("customer.open_complaints == 0 && customer.days_since_order > 30"), "false");
  EXPECT_EQ(Yield("customer.open_complaints == 1 && customer.days_since_order > 30"), "true");
  EXPECT_EQ(Yield("customer.address.city"), "\"Sevilla\"");
  EXPECT_EQ(Yield("facts.size == '38' && facts['size'] == '38'"), "true");
}

TEST(Expression, ComparesNumbersAcrossTheirTypes) {
  EXPECT_EQ(Yield("customer.spend > 100"), "true");
  EXPECT_EQ(Yield("1 == 1.0 && 1u == 1 && 2.0 > 1u && !(1 == 1.5)"), "true");
  EXPECT_EQ(Yield("-1 < 18446744073709551615u"), "true");
  EXPECT_EQ(Yield("0.0/0.0 == 0.0/0.0"), "false");
}

TEST(Expression, WhatIsNotKnownIsAnErrorThatTheDecidingSideAbsorbs) {
  EXPECT_EQ(Yield("customer.last_order < now"), "error: not_known");
  EXPECT_EQ(Yield("has(customer.last_order)"), "false");
  EXPECT_EQ(Yield("has(customer.last_order) && customer.last_order < now"), "false");
  EXPECT_EQ(Yield("customer.last_order < now && has(customer.last_order)"), "false");
  EXPECT_EQ(Yield("customer.last_order < now || customer.name == 'Ana'"), "true");
  EXPECT_EQ(Yield("has(customer.address.zone)"), "false");
  EXPECT_EQ(Yield("any == 1"), "error: not_known");
}

TEST(Expression, ArithmeticFailsRatherThanOverflows) {
  EXPECT_EQ(Yield("9223372036854775807 + 1"), "error: overflow");
  EXPECT_EQ(Yield("-9223372036854775808 / -1"), "error: overflow");
  EXPECT_EQ(Yield("1 % 0"), "error: division_by_zero");
  EXPECT_EQ(Yield("0u - 1u"), "error: overflow");
  EXPECT_EQ(Yield("7 / -2"), "-3");
  EXPECT_EQ(Yield("-7 % 3"), "-1");
}

TEST(Expression, KnowsTimesOnlyAsArguments) {
  EXPECT_EQ(Yield("now - duration('36h') < now"), "true");
  EXPECT_EQ(Yield("now.getHours()"), "20");
  EXPECT_EQ(Yield("now.getHours('Europe/Madrid')"), "22");
  EXPECT_EQ(Yield("now.getHours('-03:30')"), "16");
  EXPECT_EQ(Yield("now.getDayOfWeek()"), "4");
  EXPECT_EQ(Yield("timestamp('2024-02-29T00:00:00Z').getDayOfYear()"), "59");
  EXPECT_EQ(Yield("duration('1h30m')"), "duration(\"5400s\")");
  EXPECT_EQ(Yield("duration('-1.5s').getMilliseconds()"), "-500");
  EXPECT_EQ(Yield("string(timestamp('1969-12-31T23:59:59.5Z'))"), "\"1969-12-31T23:59:59.5Z\"");
  EXPECT_THAT(Refusal("now() > now"), HasSubstr("there is no clock"));
}

TEST(Expression, MacrosGoThroughListsAndMaps) {
  EXPECT_EQ(Yield("customer.tags.exists(t, t == 'red')"), "true");
  EXPECT_EQ(Yield("customer.tags.all(t, t.size() > 3)"), "false");
  EXPECT_EQ(Yield("customer.tags.exists_one(t, t.startsWith('s'))"), "true");
  EXPECT_EQ(Yield("customer.tags.filter(t, t != 'red').map(t, t + '!')"), "[\"shoes!\"]");
  EXPECT_EQ(Yield("[1, 2, 3].map(x, x > 1, x * x)"), "[4, 9]");
  EXPECT_EQ(Yield("facts.all(k, v, k == 'size' && v == '38')"), "true");
  EXPECT_EQ(Yield("[1, 2].exists(x, [3, 4].exists(y, x * y == 8))"), "true");
  EXPECT_EQ(Yield("[1, 0].exists(x, 1 / x == 1)"), "true");
  EXPECT_EQ(Yield("[0, 1].exists(x, 1 / x == 1)"), "true");
  EXPECT_EQ(Yield("[0, 2].exists(x, 1 / x == 1)"), "error: division_by_zero");
}

TEST(Expression, MatchesPatternsInLinearTime) {
  EXPECT_EQ(Yield("customer.name.matches('^A.a$')"), "true");
  EXPECT_EQ(Yield("customer.name.matches(facts.size)"), "false");
  EXPECT_EQ(Yield("customer.name.matches(customer.name + '(')"), "error: bad_value");
  EXPECT_THAT(Refusal("customer.name.matches('(')"), HasSubstr("malformed"));
  EXPECT_THAT(Refusal("customer.name.matches('(a{500}){500}')"), HasSubstr("too large"));
}

TEST(Expression, SaysWhereAndWhatToWriteInstead) {
  EXPECT_EQ(Refusal("customer.open_complaint == 0"),
            "line 1, column 10: unknown field 'open_complaint' of customer; did you mean "
            "'open_complaints'?");
  EXPECT_EQ(Refusal("customer.vip &&\n  costumer.vip"),
            "line 2, column 3: unknown name 'costumer'; did you mean 'customer'?");
  EXPECT_THAT(Refusal("open_complaints == 0"),
              HasSubstr("did you mean 'customer.open_complaints'?"));
  EXPECT_THAT(Refusal("customer.name = 'Ana'"), HasSubstr("write == to compare"));
  EXPECT_THAT(Refusal("customer.vip and true"), HasSubstr("write && for 'and'"));
  EXPECT_THAT(Refusal("customer.open_complaints == '0'"), HasSubstr("without quotes"));
  EXPECT_THAT(Refusal("customer.last_order == null"), HasSubstr("has(customer.last_order)"));
  EXPECT_THAT(Refusal("now - customer.last_order > 36"), HasSubstr("duration(\"36h\")"));
  EXPECT_THAT(Refusal("customer.name.length() > 3"), HasSubstr("write size(…)"));
  EXPECT_THAT(Refusal("customer.name.startswith('A')"), HasSubstr("did you mean 'startsWith'?"));
  EXPECT_THAT(Refusal("'re' in customer.name"), HasSubstr("customer.name.contains('re')"));
  EXPECT_THAT(Refusal("customer.open_complaints"), HasSubstr("compare it"));
  EXPECT_THAT(Refusal("customer.name == “Ana”"), HasSubstr("straight quotes"));
  EXPECT_THAT(Refusal("duration('30d') > duration('1h')"), HasSubstr("\"720h\""));
  EXPECT_THAT(Refusal("now.getHours('Europe/Madird') > 3"), HasSubstr("unknown time zone"));
  EXPECT_THAT(Refusal("customer.vip &&"), HasSubstr("ends here"));
  EXPECT_THAT(Refusal("size(customer.name, 3) > 1"), HasSubstr("does not take 2 values"));
  EXPECT_THAT(Refusal(""), HasSubstr("ends here"));
}

TEST(Expression, TellsTheColumnInCharacters) {
  const auto expression = Expression::Compile("'añó' == 'x' && nobody", ShopSchema());
  const std::optional<Position> position = PositionOf(expression.status());
  ASSERT_TRUE(position);
  EXPECT_EQ(position->line, 1u);
  EXPECT_EQ(position->column, 17u);
}

TEST(Expression, RefusesWhatIsNotOfTheTypeThatIsNeeded) {
  EXPECT_THAT(Refusal("customer.name", {.result = Type::Bool()}), HasSubstr("a bool is needed"));
  EXPECT_EQ(Refusal("customer.spend * 2.0", {.result = Type::Double()}), "");
}

std::string Repeat(std::string_view part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

TEST(ExpressionLimits, RefusesADepthOfAThousandInAnyForm) {
  const Options options = {.limits = {.source_bytes = 100'000, .nodes = 100'000}};
  for (const std::string& source :
       {Repeat("(", 1000) + "true" + Repeat(")", 1000), Repeat("!", 1000) + "true",
        Repeat("- ", 1000) + "any == 1", Repeat("[", 1000) + Repeat("]", 1000),
        Repeat("{1:", 1000) + "1" + Repeat("}", 1000), "1" + Repeat("+1", 1000) + " > 0",
        "any" + Repeat(".a", 1000) + " == 1", "any" + Repeat("[0]", 1000) + " == 1",
        Repeat("any[", 1000) + "0" + Repeat("]", 1000), Repeat("true?true:", 1000) + "true",
        Repeat("true?(", 1000) + "true" + Repeat("):true", 1000),
        Repeat("int(", 1000) + "1" + Repeat(")", 1000),
        Repeat("(true && ", 1000) + "true" + Repeat(")", 1000)}) {
    EXPECT_THAT(Refusal(source, options), HasSubstr("inside one another")) << source.substr(0, 30);
  }
}

TEST(ExpressionLimits, AcceptsALongChainOfConditions) {
  EXPECT_EQ(Refusal("customer.vip" + Repeat(" && customer.vip", 200)), "");
}

TEST(ExpressionLimits, RefusesALongSource) {
  EXPECT_THAT(Refusal("customer.name == '" + std::string(5000, 'a') + "'"),
              HasSubstr("longer than 4096 bytes"));
  EXPECT_THAT(
      Refusal("[" + Repeat("1,", 2010) + "1].size() > 0", {.limits = {.source_bytes = 100'000}}),
      HasSubstr("more than 2000 parts"));
}

TEST(ExpressionLimits, RefusesMacrosThatLieTooDeepInOneAnother) {
  const std::string three = "customer.tags.all(a, customer.tags.all(b, customer.tags.all(c, ";
  EXPECT_EQ(Refusal(three + "true)))"), "");
  EXPECT_THAT(Refusal(three + "customer.tags.all(d, true))))"), HasSubstr("split the condition"));
}

TEST(ExpressionLimits, EvaluationStopsWhenTheBudgetIsSpent) {
  const std::string list = "[1,2,3,4,5,6,7,8,9,10]";
  const std::string source =
      list + ".all(a, " + list + ".all(b, " + list + ".all(c, a + b + c + size(facts) > 0)))";
  const auto expression = Expression::Compile(source, ShopSchema());
  ASSERT_TRUE(expression.ok()) << expression.status();
  const ShopCustomer shop;
  Budget little(500);
  const auto refused = expression->Test(shop.variables, little);
  EXPECT_EQ(Reason(refused.status()), "expression_budget");
  EXPECT_FALSE(IsRetryable(refused.status()));
  EXPECT_EQ(little.left(), 0u);
  Budget enough;
  EXPECT_TRUE(*expression->Test(shop.variables, enough));
  EXPECT_GT(enough.left(), 0u);
}

TEST(ExpressionLimits, NothingAbsorbsASpentBudget) {
  const auto expression =
      Expression::Compile("customer.tags.all(t, t.size() > 1) || true", ShopSchema());
  ASSERT_TRUE(expression.ok());
  const ShopCustomer shop;
  Budget budget(3);
  EXPECT_EQ(Reason(expression->Test(shop.variables, budget).status()), "expression_budget");
}

TEST(ExpressionLimits, TextsCannotGrowWithoutBound) {
  std::string source = "customer.name";
  const auto expression = Expression::Compile(
      "[1,2,3,4,5,6,7,8,9,10].map(a, any + any).map(b, b + b).size() > 0", ShopSchema());
  ASSERT_TRUE(expression.ok()) << expression.status();
  ShopCustomer shop;
  shop.variables.Set(3, Value::String(std::string(20'000, 'a')));
  Budget budget(1'000'000);
  EXPECT_EQ(Reason(expression->Test(shop.variables, budget).status()), "expression_budget");
}

TEST(ExpressionLimits, AListOfADeepValueIsNotCompared) {
  Value deep = Value::Int(1);
  for (int i = 0; i < 10'000; ++i) deep = Value::ListOf({deep});
  ShopCustomer shop;
  shop.variables.Set(3, deep);
  const auto expression = Expression::Compile("any == any", ShopSchema());
  Budget budget;
  EXPECT_EQ(Reason(expression->Test(shop.variables, budget).status()), "expression_budget");
  EXPECT_THAT(ToText(deep), HasSubstr("…"));
}

TEST(Expression, ReportsWhichVariablesItNeeds) {
  const auto expression = Expression::Compile("now > now && customer.vip", ShopSchema());
  EXPECT_THAT(expression->variables(), testing::ElementsAre(0, 2));
}

TEST(Expression, AWrongKindFromTheActivationIsAnErrorAndNoCrash) {
  const auto expression = Expression::Compile(
      "customer.open_complaints + 1 > 0 && customer.tags.size() > 0", ShopSchema());
  ASSERT_TRUE(expression.ok());
  ShopCustomer shop;
  shop.customer->Set(kOpenComplaints, Value::StringView("one"));
  Budget budget;
  EXPECT_EQ(Reason(expression->Test(shop.variables, budget).status()), "no_such_overload");
  shop.variables.Set(0, Value::Int(3));
  EXPECT_EQ(Reason(expression->Test(shop.variables, budget).status()), "no_such_overload");
}

TEST(Schema, RefusesNamesThatTheLanguageCannotSay) {
  Schema schema;
  EXPECT_EQ(Reason(schema.AddVariable("in", Type::Int())), "expression_schema");
  EXPECT_EQ(Reason(schema.AddVariable("días", Type::Int())), "expression_schema");
  EXPECT_EQ(Reason(schema.AddVariable("a..b", Type::Int())), "expression_schema");
  EXPECT_EQ(Reason(schema.AddVariable("x", Type::Struct("Nobody"))), "expression_schema");
  EXPECT_TRUE(schema.AddVariable("x", Type::Int()).ok());
  EXPECT_EQ(Reason(schema.AddVariable("x", Type::Int())), "expression_schema");
  EXPECT_EQ(Reason(schema.AddStruct({"S", {{"a", Type::Int()}, {"a", Type::Int()}}})),
            "expression_schema");
}

}  // namespace
}  // namespace hilo::expression
