#include <random>

#include "tests/unit/state/expression/shop_schema.h"

namespace hilo::expression {
namespace {

constexpr uint64_t kSeed = 20260502;
constexpr int kSources = 60'000;
constexpr uint64_t kSteps = 20'000;

const std::vector<std::string>& Seeds() {
  static const std::vector<std::string> seeds = {
      "customer.open_complaints == 0 && customer.days_since_order > 30",
      "has(customer.last_order) && now - customer.last_order > duration('36h')",
      "customer.tags.exists(t, t in ['shoes', \"hat\"]) ? customer.spend * 2.0 : -1.5e3",
      "customer.tags.map(a, customer.tags.filter(b, b < a).size() + 1)",
      "[1, 2u, 3.0].all(x, any[x] == {'a': b'\\xff', true: null}) || "
      "facts['size'].matches(r'^\\d+$')",
      "string(now.getHours('Europe/Madrid')) + '''\\u00e1''' + customer.name.startsWith('A')",
      "[[1, 2], [3]].map(x, x.map(y, x.map(z, y * z))).size() != int('7') % 0x1F",
      "{'k': [1, 2], 'm': {'n': timestamp('2026-01-01T00:00:00Z')}}.m.n.getDayOfWeek() // why\n == "
      "4",
      "!(type(any) == string) && .customer.address.`city` >= 'a'",
  };
  return seeds;
}

// What a source may do: be refused with a place and words, or end within its budget; explaining it
// gives the outcome that evaluating gives.
void Try(const std::string& source) {
  static const Schema schema = ShopSchema(true);
  const auto expression = Expression::Compile(source, schema, {.result = Type::Any()});
  if (!expression.ok()) {
    const std::optional<Position> position = PositionOf(expression.status());
    ASSERT_TRUE(position);
    ASSERT_GE(position->line, 1u);
    ASSERT_LE(position->column, source.size() + 1);
    ASSERT_FALSE(expression.status().message().empty());
    return;
  }
  const ShopCustomer shop;
  Budget budget(kSteps);
  const auto value = expression->Evaluate(shop.variables, budget);
  Budget again(kSteps * 4);  // nothing is cut short, so it may cost more
  const Trace trace = expression->Explain(shop.variables, again);
  if (value.ok()) {
    ASSERT_FALSE(ToText(*value).empty());
    const Outcome outcome = value->kind() != Kind::kBool ? Outcome::kValue
                            : value->AsBool()            ? Outcome::kTrue
                                                         : Outcome::kFalse;
    ASSERT_EQ(trace.outcome, outcome);
  }
  for (const Language language : {Language::kEnglish, Language::kSpanish}) {
    ASSERT_FALSE(Why(trace, language).empty());
  }
}

TEST(HostileSources, RandomBytesAreRefusedOrEnd) {
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < kSources && !testing::Test::HasFatalFailure(); ++i) {
    std::string source(random() % 40, ' ');
    for (char& c : source) c = static_cast<char>(random());
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ", source " + std::to_string(i));
    Try(source);
  }
}

TEST(HostileSources, RandomTokensAreRefusedOrEnd) {
  const std::vector<std::string> tokens = {"customer",
                                           ".tags",
                                           ".name",
                                           ".spend",
                                           "now",
                                           "any",
                                           "facts",
                                           "(",
                                           ")",
                                           "[",
                                           "]",
                                           "{",
                                           "}",
                                           ",",
                                           ":",
                                           "?",
                                           ".",
                                           "&&",
                                           "||",
                                           "!",
                                           "-",
                                           "+",
                                           "*",
                                           "/",
                                           "%",
                                           "==",
                                           "<",
                                           ">=",
                                           " in ",
                                           "1",
                                           "2u",
                                           "0.5",
                                           "'a'",
                                           "b'a'",
                                           "true",
                                           "null",
                                           ".map(x,",
                                           ".all(y,",
                                           ".exists(x,",
                                           "x",
                                           "y",
                                           "has(",
                                           "size(",
                                           "int(",
                                           "string(",
                                           "type(",
                                           "duration('1h')",
                                           ".matches('a*')",
                                           ".getHours()",
                                           ".filter(",
                                           "dyn("};
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < kSources && !testing::Test::HasFatalFailure(); ++i) {
    std::string source;
    for (size_t n = 1 + random() % 14; n > 0; --n) source += tokens[random() % tokens.size()];
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ": " + source);
    Try(source);
  }
}

TEST(HostileSources, ChangedConditionsAreRefusedOrEnd) {
  std::mt19937_64 random(kSeed);
  for (int i = 0; i < kSources && !testing::Test::HasFatalFailure(); ++i) {
    std::string source = Seeds()[random() % Seeds().size()];
    for (size_t n = 1 + random() % 3; n > 0 && !source.empty(); --n) {
      const size_t at = random() % source.size();
      const std::string& other = Seeds()[random() % Seeds().size()];
      const size_t from = random() % other.size();
      switch (random() % 5) {
        case 0:
          source[at] = static_cast<char>(' ' + random() % 95);
          break;
        case 1:
          source.erase(at, random() % 8);
          break;
        case 2:
          source.insert(at, other.substr(from, random() % 12));
          break;
        case 3:
          source.insert(at, source.substr(at, random() % 20));
          break;
        default:
          source.replace(at, random() % 10, other.substr(from, random() % 10));
          break;
      }
    }
    SCOPED_TRACE("seed " + std::to_string(kSeed) + ": " + source);
    Try(source);
  }
}

TEST(HostileSources, TheSeedsAreConditionsThatCompile) {
  size_t compiled = 0;
  for (const std::string& source : Seeds()) {
    compiled += Expression::Compile(source, ShopSchema(), {.result = Type::Any()}).ok() ? 1 : 0;
  }
  EXPECT_GE(compiled, Seeds().size() - 2);  // two do not fit their types
}

// The most that a small source may cost: steps stay within the budget whatever it multiplies.
TEST(HostileSources, WhatMultipliesEndsWithinItsBudget) {
  const std::string list = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]";
  std::string sum = list;
  for (int i = 0; i < 30; ++i) sum = "(" + sum + " + any)";
  const std::vector<std::string> sources = {
      list + ".map(a, " + list + ".map(b, " + list + ".map(c, [a, b, c])))",
      "[any].map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a).map(a, a + a)",
      list + ".map(a, any).map(b, b + b).map(c, c + c).map(d, string(size(d)))",
      sum,
      list + ".exists(a, any.matches('(a|b|c|d)*(e|f)' + string(a)))",
      list + ".all(a, any == any)"};
  for (const std::string& source : sources) {
    const auto expression = Expression::Compile(source, ShopSchema(), {.result = Type::Any()});
    ASSERT_TRUE(expression.ok()) << source << expression.status();
    for (const Value& value :
         {Value::String(std::string(60'000, 'a')),
          Value::ListOf(std::vector<Value>(9'000, Value::Int(1))),
          Value::ListOf({Value::ListOf(std::vector<Value>(9'000, Value::Int(1)))})}) {
      ShopCustomer shop;
      shop.variables.Set(3, value);
      Budget budget(kSteps);
      const auto result = expression->Evaluate(shop.variables, budget);
      if (!result.ok()) {
        EXPECT_THAT(Reason(result.status()),
                    testing::AnyOf("expression_budget", "no_such_overload"))
            << source;
      }
    }
  }
}

}  // namespace
}  // namespace hilo::expression
