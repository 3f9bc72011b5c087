// A checker that never failed proves nothing: with each fault that the build `faults` plants in the
// runtime, the simulation must find a violation.
#if HILO_PLANTED_FAULTS

#include <gtest/gtest.h>

#include <cstdio>
#include <ostream>
#include <string>

#include "ops/base/fault.h"
#include "tests/simulation/lanes_world.h"
#include "tests/simulation/outbound_world.h"

namespace hilo::simulation {
namespace {

constexpr uint64_t kMaxSeeds = 3'000;

struct Planted {
  const char* name;
  const char* what;
  uint64_t first_seed = 0;  // of a fault that shows rarely: near a seed where it does
};

void PrintTo(const Planted& fault, std::ostream* out) { *out << fault.what; }

const Planted kPlanted[] = {
    {"chain_not_compared", "duplicates and successors are taken without comparing chains"},
    {"clock_in_fold", "a fold reads something that differs between nodes"},
    {"duplicate_accepted", "the receiver does not drop lower sequences"},
    {"epoch_ignored", "the receiver does not look at the epoch", 10'700},
    {"gap_accepted", "the receiver accepts any higher sequence"},
    {"lost_lane_tail", "the last record of a quiet lane is never sent, and taken for acknowledged"},
    {"outbox_not_in_batch", "the position reaches the store before the outbox"},
    {"owner_only_outbox", "replicas do not keep what their owner may not have got out"},
    {"position_off_by_one", "the position in state is one below what was folded"},
    {"progress_before_durable", "progress is published when a record is sent"},
    {"same_sequence_other_bytes", "what is sent again has other bytes"},
    {"trim_when_durable", "outbox rows go when they are durable instead of accepted"},
    {"trim_without_chain", "published progress trims rows whose chain differs"},
};

class PlantedFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedFault, IsFound) {
  fault::Set({GetParam().name});
  std::string violation;
  uint64_t seed = GetParam().first_seed;
  const uint64_t end = seed + kMaxSeeds;
  for (; violation.empty() && seed < end; ++seed) violation = LanesWorld(seed).Run();
  fault::Set({});
  EXPECT_NE(violation, "") << GetParam().what << ": not found in " << kMaxSeeds << " seeds";
  std::printf("%s: seed %llu: %s\n", GetParam().name, static_cast<unsigned long long>(seed - 1),
              violation.c_str());
}

INSTANTIATE_TEST_SUITE_P(Lanes, PlantedFault, testing::ValuesIn(kPlanted),
                         [](const auto& info) { return std::string(info.param.name); });

// The same for what is sent: faults of the fold, and mistakes of a dispatcher.
const Planted kPlantedOutbound[] = {
    {"due_row_left", "a run that is decided stays in the list of what is due"},
    {"opt_out_after_decided_ignored", "consent is looked at when a place is reserved, and no more"},
    {"permit_given_twice", "an attempt that has a permit gets another"},
    {"reserved_not_counted", "limits count what was sent, and not what is on its way"},
    {"second_decided_taken", "of two decisions for one run and turn both are taken"},
    {"unknown_gives_place_back", "what may have been sent ends as surely not sent"},
    {"unknown_marketing_again", "marketing whose outcome is not known is offered again"},
};

class PlantedOutboundFault : public testing::TestWithParam<Planted> {};

TEST_P(PlantedOutboundFault, IsFound) {
  fault::Set({GetParam().name});
  std::string violation;
  uint64_t seed = GetParam().first_seed;
  const uint64_t end = seed + kMaxSeeds;
  for (; violation.empty() && seed < end; ++seed) violation = OutboundWorld(seed).Run();
  fault::Set({});
  EXPECT_NE(violation, "") << GetParam().what << ": not found in " << kMaxSeeds << " seeds";
  std::printf("%s: seed %llu: %s\n", GetParam().name, static_cast<unsigned long long>(seed - 1),
              violation.c_str());
}

INSTANTIATE_TEST_SUITE_P(Outbound, PlantedOutboundFault, testing::ValuesIn(kPlantedOutbound),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(DispatcherMistake, IsFound) {
  using Mistake = OutboundWorld::Mistake;
  for (const Mistake mistake : {Mistake::kPermitIdFromMessage, Mistake::kLostAnswerIsNotSent,
                                Mistake::kSendsBeforeItAsks}) {
    std::string violation;
    uint64_t seed = 0;
    for (; violation.empty() && seed < kMaxSeeds; ++seed)
      violation = OutboundWorld(seed, /*story=*/false, mistake).Run();
    EXPECT_NE(violation, "") << "mistake " << static_cast<int>(mistake);
    std::printf("mistake %d: seed %llu: %s\n", static_cast<int>(mistake),
                static_cast<unsigned long long>(seed - 1), violation.c_str());
  }
}

}  // namespace
}  // namespace hilo::simulation

#endif
