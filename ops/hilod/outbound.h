#pragma once

#include <memory>

#include "connectors/http/router.h"
#include "connectors/serving/catalogue_in_force.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "ops/hilod/settings.h"
#include "ops/keys/key_store.h"
#include "ops/keys/sealer.h"
#include "streams/command/command.h"
#include "streams/fold/partition.h"
#include "streams/log/log.h"

namespace hilo::hilod {

// Counts what becomes of messages, as folds tell it.
class MessageCounter final : public fold::Listener {
 public:
  explicit MessageCounter(Registry& registry) : registry_(registry) {}
  void OnNotice(const log::TopicPartition& of, const fold::Notice& notice) override;

 private:
  Registry& registry_;
};

// Everything that sends: for each channel that is set up a dispatcher and its carrier.
//
// **Errors**: `config_invalid` for settings that do not fit together; those of the parts.
// **Threads**: from one. **Lifetime**: parts outlive it.
class Outbound {
 public:
  struct Parts {
    log::Log& log;
    command::Commands& commands;
    keys::KeyStore& keys;
    const keys::Sealer& sealer;
    const serving::CatalogueInForce& catalogue;
    const Clock& clock;
    Registry& registry;
    Logger logger;
    uint32_t partitions = 1;
  };
  static StatusOr<std::unique_ptr<Outbound>> Open(const Settings& settings, const Parts& parts);
  virtual ~Outbound() = default;

  virtual void AddRoutes(http::Router& router) = 0;
  virtual void Start() = 0;
  // Begins nothing new, waits a little for what channels have in hand, reports it.
  virtual void Stop() = 0;
  // Why nothing is sent though it should be; "" when all is well.
  virtual std::string NotReadyReason() const = 0;
  virtual void UpdateGauges() = 0;
};

}  // namespace hilo::hilod
