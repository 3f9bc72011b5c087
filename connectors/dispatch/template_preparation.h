#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connectors/dispatch/preparation.h"
#include "ops/base/clock.h"
#include "ops/keys/sealer.h"
#include "state/catalogue/catalogue.h"

namespace hilo::dispatch {

// Opens what the message carries and fills in its template, in the catalogue's revision that it was
// decided under.
//
// **Errors**: `address_unreadable`, `key_destroyed` for an address that can no longer be opened;
// `catalogue_gone`, `template_gone`; those of catalogue::Render; `unavailable` ones are worth
// asking again. A trait or fact that cannot be opened any more counts as not known.
// **Threads**: thread-safe. **Lifetime**: parts outlive it.
class TemplatePreparation final : public Preparation {
 public:
  struct Parts {
    const keys::Sealer& sealer;
    const Clock& clock;
    std::function<StatusOr<std::shared_ptr<const catalogue::Catalogue>>(uint64_t revision)>
        catalogue;
    // Where the customer stops this kind of message; "" where there is no such place.
    std::function<std::string(const store::v1::OutboundMessage&)> unsubscribe_url;
  };
  explicit TemplatePreparation(Parts parts) : parts_(std::move(parts)) {}

  StatusOr<Outgoing> Prepare(const store::v1::OutboundMessage& message) const override;

 private:
  const Parts parts_;
};

}  // namespace hilo::dispatch
