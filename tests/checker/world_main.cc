// hilo_checker_world <directory> <first seed> <seeds> [events] [fault]: runs that many worlds and
// writes each one's ledger, dump and refolded dump into <directory>/<seed>. A fault is one of
// faulty_fold.h, "stale_restore", "told_too_early", or, where they are built in, one of
// ops/base/fault.h.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>

#include "ops/base/fault.h"
#include "tests/checker/faulty_fold.h"
#include "tests/checker/world.h"

int main(int argc, char** argv) {
  using namespace hilo;
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: hilo_checker_world <directory> <first seed> <seeds> [events] [fault]\n");
    return 2;
  }
  const std::string directory = argv[1];
  const uint64_t first = std::stoull(argv[2]);
  const uint64_t seeds = std::stoull(argv[3]);
  checker::World::Options options;
  if (argc > 4) options.events = std::stoi(argv[4]);
  const std::string fault = argc > 5 ? argv[5] : "";
  const auto ours = checker::FoldFaults();
  if (std::find(ours.begin(), ours.end(), fault) != ours.end()) options.fold_fault = fault;
  options.stale_restore = fault == "stale_restore";
  options.forget_unsent = fault == "told_too_early";
#if HILO_PLANTED_FAULTS
  if (options.fold_fault.empty() && !fault.empty()) fault::Set({fault});
#endif
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::string place = directory + "/" + std::to_string(seed);
    std::filesystem::create_directories(place);
    options.seed = seed;
    options.ledger_path = place + "/ledger.jsonl";
    checker::World world(options);
    world.Run();
    Status dumped = world.Dump(place + "/dump.jsonl");
    if (dumped.ok()) dumped = world.DumpRefolded(place + "/refold.jsonl");
    if (!dumped.ok()) {
      std::fprintf(stderr, "hilo_checker_world: %s\n", Describe(dumped).c_str());
      return 1;
    }
  }
  return 0;
}
