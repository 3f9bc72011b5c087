#include <gtest/gtest.h>

#include <cstdio>

#include "tests/simulation/outbound_world.h"
#include "tests/simulation/seeds.h"

namespace hilo::simulation {
namespace {

constexpr uint64_t kSeedsInTests = 2'000;
constexpr int kMaxFailuresTold = 5;

TEST(OutboundSimulation, NothingIsSentTwiceTooOftenOrAfterAnOptOut) {
  const Seeds seeds = SeedsFromEnvironment(kSeedsInTests);
  int64_t sent = 0, repeated = 0, unknown = 0, refused = 0, deaths = 0;
  int failures = 0;
  for (uint64_t seed = seeds.first; seed < seeds.first + seeds.count; ++seed) {
    OutboundWorld world(seed, seeds.story);
    const std::string violation = world.Run();
    sent += world.sent();
    repeated += world.repeated();
    unknown += world.unknown();
    refused += world.refused();
    deaths += world.deaths();
    if (violation.empty()) continue;
    ADD_FAILURE() << violation << "; replay with HILO_SEED=" << seed;
    if (++failures == kMaxFailuresTold) break;
  }
  std::printf(
      "outbound: seeds %llu to %llu; %lld sent, of which %lld messages more than once; %lld ended "
      "unknown; %lld requests refused; dispatchers died %lld times\n",
      static_cast<unsigned long long>(seeds.first),
      static_cast<unsigned long long>(seeds.first + seeds.count - 1), static_cast<long long>(sent),
      static_cast<long long>(repeated), static_cast<long long>(unknown),
      static_cast<long long>(refused), static_cast<long long>(deaths));
}

}  // namespace
}  // namespace hilo::simulation
