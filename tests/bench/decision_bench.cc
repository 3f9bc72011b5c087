// A decision among so many actions, with two conditions each and policies over all, beside its
// limit: the draws and comparisons alone.
//
//   build/release/bin/hilo_decision_bench
//
// The aim is 1 ms for 1,000 actions. Compare Decide with DrawsAlone of the same run.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "ops/base/check.h"
#include "state/decision/decide.h"
#include "state/decision/record.h"

namespace hilo::decision {
namespace {

std::shared_ptr<const catalogue::Catalogue> CatalogueOf(int64_t actions) {
  std::string documents =
      "apiVersion: hilo/v1\nkind: Policy\nmetadata: {name: all}\nspec:\n  eligibility: "
      "[{condition: "
      "customer.events > 0}]\n  suppressions: [{outcome: declined, count: 3, within: 30d, pause: "
      "60d}]\n";
  for (int64_t i = 0; i < actions; ++i) {
    documents +=
        "---\napiVersion: hilo/v1\nkind: Action\nmetadata: {name: a" + std::to_string(i) +
        "}\nspec:\n  group: g" + std::to_string(i % 20) +
        "\n  class: default\n  title: {en: A}\n  talk_track: {en: Say it.}\n  "
        "accept_label: {en: \"Yes\"}\n  decline_label: {en: \"No\"}\n  value: 10.00 EUR\n  "
        "channels: [desk]\n  eligibility: [{condition: customer.orders > " +
        std::to_string(i % 3) +
        "}]\n  suitability: [{condition: customer.open_complaints == 0 && "
        "customer.spent_minor > " +
        std::to_string(i % 100) + "}]\n";
  }
  // Files have a limit of their own.
  std::vector<catalogue::File> files;
  constexpr size_t kPart = 200 << 10;
  while (!documents.empty()) {
    size_t end = documents.size() <= kPart ? documents.size() : documents.rfind("---\n", kPart);
    files.push_back({"f" + std::to_string(files.size()) + ".yaml", documents.substr(0, end)});
    documents.erase(0, end);
  }
  auto parsed = catalogue::Catalogue::Parse(files, 1);
  HILO_CHECK(parsed.catalogue != nullptr, "the catalogue of a benchmark is right");
  return parsed.catalogue;
}

v1::DecisionProfile Profile() {
  v1::DecisionProfile profile;
  profile.set_events(120);
  profile.set_orders(7);
  profile.set_spent_minor(45'000);
  for (int i = 0; i < 20; ++i) {
    v1::PastOutcome* outcome = profile.add_outcomes();
    outcome->set_action("a" + std::to_string(i));
    outcome->set_channel("desk");
    outcome->set_outcome(v1::OUTCOME_KIND_DECLINED);
    outcome->mutable_time()->set_seconds(1'769'000'000 + i);
  }
  return profile;
}

void Decide(benchmark::State& state) {
  const auto catalogue = CatalogueOf(state.range(0));
  const v1::DecisionProfile profile = Profile();
  v1::DecisionContext context;
  context.set_channel("desk");
  uint64_t seed = 0;
  for (auto _ : state) {
    const Question question{
        .catalogue = *catalogue,
        .profile = profile,
        .context = context,
        .now = LogTime{1'770'000'000'000'000},
        .seed = ++seed,
        .posterior = [](const catalogue::Action& action) { return PosteriorFrom(action, 0, 0); }};
    benchmark::DoNotOptimize(hilo::decision::Decide(question).ranked.size());
  }
  state.counters["ns_per_action"] = benchmark::Counter(
      static_cast<double>(state.range(0)) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(Decide)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

void DrawsAlone(benchmark::State& state) {
  uint64_t seed = 0;
  for (auto _ : state) {
    double best = 0;
    ++seed;
    for (int64_t i = 0; i < state.range(0); ++i) {
      Draws draws(seed, "a");
      best = std::max(best, draws.Beta({1, 9}));
    }
    benchmark::DoNotOptimize(best);
  }
}
BENCHMARK(DrawsAlone)->Arg(1'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace hilo::decision
