#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/metrics.h"
#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "state/catalogue/catalogue.h"
#include "state/store/store.h"

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
    store::v1::CatalogueRevision record;  // without its files; empty for the built-in one
  };
  Current Get() const;
  // The catalogue of a revision, also a past one: as decisions were made under it.
  // **Errors**: `catalogue_gone` (not_found) for one that is no longer kept.
  StatusOr<std::shared_ptr<const catalogue::Catalogue>> OfRevision(uint64_t revision) const;
  // Where past revisions are read from; nothing is read from anywhere until it is set. Call it
  // before threads do.
  using Past = std::function<StatusOr<std::optional<store::v1::CatalogueRevision>>(uint64_t)>;
  void ReadPastFrom(Past past) { past_ = std::move(past); }
  // Get().catalogue, without the record.
  std::shared_ptr<const catalogue::Catalogue> Catalogue() const;
  void Offer(const store::v1::CatalogueRevision& revision);
  // The same with what a customers partition has in force.
  // **Errors**: `catalogue_unreadable`; the old one stays. **Cost**: that of parsing, on the
  // caller's thread, unless it was prepared or is not higher.
  Status OfferFrom(const store::Reader& customers);
  // Spares OfferFrom the parsing of what is about to be published.
  void Prepare(std::string publication, std::shared_ptr<const catalogue::Catalogue> catalogue);

 private:
  Registry& registry_;
  const std::function<void(std::shared_ptr<const catalogue::Catalogue>)> changed_;
  void Switch(std::shared_ptr<const catalogue::Catalogue> next,
              const store::v1::CatalogueRevision& revision);

  // Held while one is read and parsed, so that the partitions do it once and not each.
  Mutex switching_;
  mutable Mutex mutex_;
  Current current_ HILO_GUARDED_BY(mutex_);
  std::string prepared_publication_ HILO_GUARDED_BY(mutex_);
  std::shared_ptr<const catalogue::Catalogue> prepared_ HILO_GUARDED_BY(mutex_);
  Past past_;
  // The last kKept that were asked for, the oldest first.
  static constexpr size_t kKept = 8;
  mutable std::deque<std::shared_ptr<const catalogue::Catalogue>> asked_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::serving
