#include <gtest/gtest.h>

#include <cstdio>

#include "tests/simulation/lanes_world.h"
#include "tests/simulation/seeds.h"

namespace hilo::simulation {
namespace {

constexpr uint64_t kSeedsInTests = 2'000;
constexpr int kMaxFailuresTold = 5;

TEST(LanesSimulation, NothingIsLostDoubledOrOutOfOrder) {
  const Seeds seeds = SeedsFromEnvironment(kSeedsInTests);
  uint64_t cut = 0;
  uint64_t reset = 0;
  uint64_t kills = 0;
  int failures = 0;
  for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    LanesWorld world(seed, seeds.story);
    const std::string violation = world.Run();
    cut += world.cut() ? 1 : 0;
    reset += world.resets() > 0 ? 1 : 0;
    kills += static_cast<uint64_t>(world.kills());
    if (violation.empty()) continue;
    ADD_FAILURE() << violation << "; replay with HILO_SEED=" << seed;
    if (++failures == kMaxFailuresTold) break;
  }
  std::printf(
      "lanes: seeds %llu to %llu; a log was cut in %llu, a lane was reset in %llu; %llu kills\n",
      static_cast<unsigned long long>(seeds.first),
      static_cast<unsigned long long>(seeds.first + seeds.count - 1),
      static_cast<unsigned long long>(cut), static_cast<unsigned long long>(reset),
      static_cast<unsigned long long>(kills));
}

}  // namespace
}  // namespace hilo::simulation
