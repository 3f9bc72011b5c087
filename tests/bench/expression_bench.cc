// What a condition costs, and the same condition by another implementation of the language.
//
//   build/release/bin/hilo_expression_bench
//
// Peer/… runs tests/expression/bench.mjs: @bufbuild/cel with its plan made beforehand, in a process
// of its own, and counts only its evaluations.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/check.h"
#include "state/expression/expression.h"

namespace hilo::expression {
namespace {

constexpr char kOrdinary[] = "customer.open_complaints == 0 && customer.days_since_order > 30";
constexpr char kLong[] =
    "customer.open_complaints == 0 && customer.tier in ['gold', 'silver'] && now - "
    "customer.last_order > "
    "duration('720h') && customer.spend > 100.0 && !customer.city.startsWith('X')";
constexpr char kTags[] = "customer.tags.exists(t, t == 'shoes')";
constexpr int64_t kNow = 1'780'000'000;

Schema BenchSchema() {
  Schema schema;
  HILO_CHECK(schema
                 .AddStruct({"Customer",
                             {{"open_complaints", Type::Int()},
                              {"days_since_order", Type::Int()},
                              {"tier", Type::String()},
                              {"last_order", Type::Timestamp()},
                              {"spend", Type::Double()},
                              {"city", Type::String()},
                              {"tags", Type::List(Type::String())}}})
                 .ok(),
             "the names are new");
  HILO_CHECK(schema.AddVariable("customer", Type::Struct("Customer")).ok(), "the name is new");
  HILO_CHECK(schema.AddVariable("now", Type::Timestamp()).ok(), "the name is new");
  return schema;
}

struct Customer {
  Customer()
      : fields("Customer", {Value::Int(0), Value::Int(45), Value::StringView("silver"),
                            Value::Timestamp(Span{kNow - 90 * 86'400, 0}), Value::Double(250.5),
                            Value::StringView("Sevilla"),
                            Value::ListOf({Value::StringView("red"), Value::StringView("hat"),
                                           Value::StringView("shoes")})}) {
    variables.Set(0, Value::StructView(fields));
    variables.Set(1, Value::Timestamp(Span{kNow, 0}));
  }
  Fields fields;
  Variables variables{{}};
};

Expression Compiled(const char* source) {
  auto expression = Expression::Compile(source, BenchSchema());
  HILO_CHECK(expression.ok(), "the conditions of the bench compile");
  return *std::move(expression);
}

void Condition(benchmark::State& state, const char* source) {
  const Expression expression = Compiled(source);
  const Customer customer;
  for (auto _ : state) {
    Budget budget;
    const StatusOr<bool> holds = expression.Test(customer.variables, budget);
    HILO_CHECK(holds.ok() && *holds, "the conditions of the bench hold");
    benchmark::DoNotOptimize(budget);
  }
}
BENCHMARK_CAPTURE(Condition, Ordinary, kOrdinary);
BENCHMARK_CAPTURE(Condition, Long, kLong);
BENCHMARK_CAPTURE(Condition, Tags, kTags);

// A thousand conditions that differ, one after the other: as one decision meets them.
void AThousand(benchmark::State& state) {
  std::vector<Expression> expressions;
  for (int i = 0; i < 1000; ++i) {
    const std::string source = "customer.open_complaints == 0 && customer.days_since_order > " +
                               std::to_string(i % 90) + " && customer.spend > " +
                               std::to_string(i) + ".5";
    expressions.push_back(Compiled(source.c_str()));
  }
  const Customer customer;
  for (auto _ : state) {
    Budget budget(1'000'000);
    int held = 0;
    for (const Expression& expression : expressions) {
      held += expression.Test(customer.variables, budget).value_or(false) ? 1 : 0;
    }
    benchmark::DoNotOptimize(held);
  }
}
BENCHMARK(AThousand);

void Explain(benchmark::State& state) {
  const Expression expression = Compiled(kOrdinary);
  const Customer customer;
  for (auto _ : state) {
    Budget budget;
    benchmark::DoNotOptimize(
        Why(expression.Explain(customer.variables, budget), Language::kEnglish));
  }
}
BENCHMARK(Explain);

void Compile(benchmark::State& state) {
  const Schema schema = BenchSchema();
  for (auto _ : state) benchmark::DoNotOptimize(Expression::Compile(kOrdinary, schema));
}
BENCHMARK(Compile);

void Peer(benchmark::State& state, const char* name) {
  const std::string command = "node " + std::string(HILO_SOURCE_DIRECTORY) +
                              "/tests/expression/bench.mjs " + name + " 2>&1";
  for (auto _ : state) {
    std::FILE* output = ::popen(command.c_str(), "r");
    double nanoseconds = 0;
    const bool read = output != nullptr && std::fscanf(output, "%lf", &nanoseconds) == 1;
    if (output != nullptr) ::pclose(output);
    if (!read) {
      state.SkipWithError(
          "node or the packages of tests/expression are missing (target expression_test_packages)");
      return;
    }
    state.SetIterationTime(nanoseconds * 1e-9);
  }
}
BENCHMARK_CAPTURE(Peer, Ordinary, "ordinary")->UseManualTime()->Iterations(1);
BENCHMARK_CAPTURE(Peer, Long, "long")->UseManualTime()->Iterations(1);
BENCHMARK_CAPTURE(Peer, Tags, "tags")->UseManualTime()->Iterations(1);

}  // namespace
}  // namespace hilo::expression
