#pragma once

#include "connectors/dispatch/carrier.h"
#include "hilo/store/v1/records.pb.h"
#include "ops/base/status.h"

namespace hilo::dispatch {

// Opens and renders a message.
// **Errors**: `address_unreadable`, `template_failed`, `key_destroyed`, …: their reason is told to
// the fold, which refuses the message for good; UNAVAILABLE is asked again.
// **Threads**: thread-safe.
class Preparation {
 public:
  virtual ~Preparation() = default;
  virtual StatusOr<Outgoing> Prepare(const store::v1::OutboundMessage& message) const = 0;
};

}  // namespace hilo::dispatch
