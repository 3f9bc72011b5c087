#pragma once

#include <functional>
#include <memory>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/metrics.h"
#include "ops/base/mutex.h"
#include "state/catalogue/catalogue.h"

namespace hilo::serving {

// The catalogue that this node uses: the highest revision that one of its partitions has folded,
// the built-in one until then. A revision that does not parse (it was checked when applied, so
// another version of the program wrote it) leaves the old one in force.
// **Threads**: thread-safe.
class CatalogueInForce {
 public:
  // `changed` hears of each new one; it may be empty.
  CatalogueInForce(Registry& registry,
                   std::function<void(std::shared_ptr<const catalogue::Catalogue>)> changed);

  struct Current {
    std::shared_ptr<const catalogue::Catalogue> catalogue;
    store::v1::CatalogueRevision record;  // empty for the built-in one
  };
  Current Get() const;
  void Offer(const store::v1::CatalogueRevision& revision);

 private:
  Registry& registry_;
  const std::function<void(std::shared_ptr<const catalogue::Catalogue>)> changed_;
  mutable Mutex mutex_;
  Current current_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::serving
