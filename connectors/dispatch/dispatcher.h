#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "connectors/dispatch/carrier.h"
#include "connectors/dispatch/preparation.h"
#include "connectors/dispatch/suppressions.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "streams/command/command.h"
#include "streams/log/log.h"

namespace hilo::dispatch {

// Sends what folds have decided to send on one channel: reads `outbound.<channel>`, opens and
// renders, asks a permit by a command, hands the message to the channel, reports by a command.
//
// It decides nothing and keeps no schedule: what must wait comes back by itself as a new record
// (ADR 0012).
//
// **Guarantees**: a message is handed to the carrier only under a permit given to this incarnation
// for this attempt, and not after it has run out. Its position moves over a record only when the
// fold has settled it, so a killed dispatcher asks again for what was under way: what had a permit
// is refused then, and the fold calls it unknown.
// **Limits**: kMaxUnderWay messages a partition.
// **Errors**: a log that cannot be read stops the partition; Failure says so.
// **Threads**: one of its own a partition; everything else thread-safe. **Lifetime**: all parts
// outlive it. Stop before commands and log stop.
class Dispatcher {
 public:
  static constexpr size_t kMaxUnderWay = 64;
  // How long an answer of the fold is waited for before the same question is put again.
  static constexpr std::chrono::seconds kAnswerWait{5};
  // Pause before asking again: doubled each time up to the second.
  static constexpr std::chrono::milliseconds kFirstPause{100};
  static constexpr std::chrono::milliseconds kLongestPause{5'000};
  // How long Stop waits for what the carrier has in hand.
  static constexpr std::chrono::seconds kStopWait{5};

  struct Options {
    std::string channel;          // "email"
    uint32_t channel_number = 0;  // hilo.v1.Channel
    uint32_t partitions = 1;
    uint64_t incarnation = 0;  // random, never 0
  };
  struct Parts {
    log::Log& log;
    command::Commands& commands;
    const Preparation& preparation;
    Carrier& carrier;
    Suppressions& suppressions;
    store::Store& positions;  // keys of table kLocal, by channel and partition
    const Clock& clock;
    Registry& registry;
    Logger logger;
  };
  static StatusOr<std::unique_ptr<Dispatcher>> Create(const Options& options, const Parts& parts);
  virtual ~Dispatcher() = default;

  virtual void Start() = 0;
  // Begins nothing new, waits up to kStopWait for what is in the carrier's hands and reports it.
  virtual void Stop() = 0;
  // OK while all partitions are read.
  virtual Status Failure() const = 0;
  // Records of that partition that are not settled yet; for gauges.
  virtual int64_t Lag(uint32_t partition) const = 0;
};

}  // namespace hilo::dispatch
