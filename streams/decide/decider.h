#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "state/catalogue/catalogue.h"
#include "state/decision/decide.h"
#include "state/store/store.h"
#include "streams/decide/propensities.h"
#include "streams/fold/fold.h"
#include "streams/fold/partition.h"
#include "streams/log/log.h"

namespace hilo::decide {

// Decides what is due: the part of a partition's owner that reads the catalogue, draws at random
// and computes in floating point, so that folds need not. What it finds becomes a `Decided` record;
// the fold takes the first one for each run and turn (ADR 0012).
//
// **Guarantees**: what is due is decided for as long as it lies in the table kDue, also after a
// restart; deciding twice does no harm. **Limits**: kMaxAtOnce a partition and turn of its thread.
// **Errors**: what cannot be read or appended is tried again a second later, and counted.
// **Threads**: one of its own; everything else thread-safe. **Lifetime**: parts outlive it.
class Decider : public fold::Listener {
 public:
  static constexpr size_t kMaxAtOnce = 1'000;
  // How often it looks even if nobody told it.
  static constexpr std::chrono::milliseconds kLook{1'000};

  struct Parts {
    log::Log& log;
    uint32_t partitions = 1;  // of the topic `customers`
    std::function<const store::Store&(uint32_t partition)> store;
    std::function<fold::PartitionView(uint32_t partition)> view;
    std::function<std::shared_ptr<const catalogue::Catalogue>()> catalogue;
    Propensities& propensities;
    // Random: seeds of decisions.
    std::function<uint64_t()> seed;
    Registry& registry;
    Logger logger;
  };
  static std::unique_ptr<Decider> Create(const Parts& parts);

  virtual void Start() = 0;
  virtual void Stop() = 0;
};

// What the owner says of a run that is due.
struct DueRun {
  const store::v1::MemberRow& customer;  // joined
  const store::v1::JourneyRow& run;
  const catalogue::Catalogue& catalogue;
  LogTime now;
  uint64_t seed = 0;
  decision::PosteriorOf posterior;
};
// Pure. Customer, member, run and turn are set by the caller.
store::v1::Decided DecideRun(const DueRun& due);

}  // namespace hilo::decide
