#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connectors/kit/intake.h"
#include "connectors/serving/catalogue_in_force.h"
#include "connectors/serving/contexts.h"
#include "connectors/serving/endpoints.h"
#include "connectors/serving/hub.h"
#include "connectors/serving/node.h"
#include "connectors/serving/worker.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/keys/sealer.h"
#include "state/types/hash.h"
#include "streams/command/command.h"
#include "streams/decide/propensities.h"
#include "streams/log/log.h"

namespace hilo::serving {

// What the handlers work with. **Lifetime**: everything outlives the calls.
struct Parts {
  const Node& node;
  const keys::Sealer& sealer;
  kit::Intake& intake;
  command::Commands& commands;
  log::Log& log;
  CatalogueInForce& catalogue;
  Contexts& contexts;
  Hub& hub;
  Worker& worker;
  Worker& slow_worker;  // for what takes seconds: checking a catalogue
  const Clock& clock;
  Registry& registry;
  decide::Propensities& propensities;
  std::function<uint64_t()> seed;  // random: seeds of decisions
  Counter& views;
  HashKey content_key;         // tells a retry of a write from another write
  std::string default_region;  // for telephone numbers without country code, "ES"
};

// One function per service, or half of one; each adds its methods with their handlers.
void AddCustomerReads(const Parts& parts, Endpoints& endpoints);
void AddCustomerWrites(const Parts& parts, Endpoints& endpoints);
void AddDecisionService(const Parts& parts, Endpoints& endpoints);
void AddDeskService(const Parts& parts, Endpoints& endpoints);
void AddEventService(const Parts& parts, Endpoints& endpoints);
void AddCatalogueService(const Parts& parts, Endpoints& endpoints);
void AddOperationsService(const Parts& parts, Endpoints& endpoints);

}  // namespace hilo::serving
