#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "connectors/serving/catalogue_in_force.h"
#include "connectors/serving/context_cache.h"
#include "connectors/serving/node.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "ops/keys/sealer.h"
#include "state/types/ids.h"

namespace hilo::serving {

// Customers as the answers that show them, serialised: what ReadContext shows, without the way over
// messages.
//
// **Guarantees**: an answer shows the customer as it is stored when it is asked for, at the log
// time and under the catalogue of then; it is never older than the position it names. What was
// rendered before is shown again only when none of these has changed: the stored bytes are read and
// compared every time. After a change only what is new on the timeline is rendered, and the rest of
// the customer. An answer in which something sealed did not open is not kept.
// **Errors**: the store's, and those of fold::Decode.
// **Threads**: thread-safe; blocks on the store alone.
// **Lifetime**: shorter than that of what it is made with.
// **Cost**: shown again: one read of a row and one copy of the answer, about 10 µs. Rendered anew:
// about a microsecond for each sealed value, and as much again for the rest.
class Contexts {
 public:
  struct Options {
    const Node& node;
    const keys::Sealer& sealer;
    const CatalogueInForce& catalogue;
    ContextCache& cache;
    const Clock& clock;
    Registry& registry;
  };
  explicit Contexts(Options options);

  // A v1::GetContextResponse with the newest `timeline_size` entries; nullopt when the customer is
  // not known.
  StatusOr<std::optional<std::string>> ContextResponse(CustomerId customer, size_t timeline_size);
  // A v1::ListTimelineResponse with the newest `page_size` entries of all channels.
  StatusOr<std::optional<std::string>> TimelineResponse(CustomerId customer, size_t page_size);

 private:
  using Rendered = std::shared_ptr<const RenderedCustomer>;
  // With at least the newest `entries` entries, as far as there are so many; null when not known.
  StatusOr<Rendered> Current(CustomerId customer, size_t entries, const fold::Standing& standing);
  // What of `before` still holds is taken over from it; it may be null.
  StatusOr<Rendered> Render(CustomerId customer, size_t entries, LogTime now,
                            std::shared_ptr<const catalogue::Catalogue> catalogue,
                            const RenderedCustomer* before, bool* all_opened);

  const Options options_;
  Counter& shown_again_;
  Counter& brought_up_to_date_;
  Counter& rendered_;
};

}  // namespace hilo::serving
