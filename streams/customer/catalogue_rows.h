#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "streams/fold/fold.h"

// The catalogue in the log and in state. Every customers partition has all of it.
//
// A catalogue may be larger than a record. So its files are packed, and the packed bytes cut into
// parts of one publication, a record and a row each; the last part puts the revision in force, and
// a publication that ends halfway leaves the one before it there.
namespace hilo::customer {

// What was decided is explained under the revision of its time.
inline constexpr uint64_t kMaxCatalogueRevisions = 100;
inline constexpr size_t kMaxCataloguePartBytes = 512 << 10;
inline constexpr uint32_t kMaxCatalogueParts = 24;
// Of files when they are unpacked, whatever they were packed from: above any catalogue's limit.
inline constexpr size_t kMaxUnpackedCatalogueBytes = 48 << 20;

// `revision` as it goes into the log: one record a part, to be appended together and in order.
// `publication`: 16 random bytes.
// **Errors**: `catalogue_too_large` (invalid_argument) when it packs to more than
// kMaxCatalogueParts parts. **Cost**: some tens of ms a MiB of files.
StatusOr<std::vector<store::v1::CatalogueRevision>> CutCatalogue(
    const store::v1::CatalogueRevision& revision, std::string_view publication);

// A revision of the log: whole, or a part. One that is not higher than the one in force, and a part
// that does not follow the one before it, change nothing. Refuses a part that cannot be one.
fold::Outcome ApplyCatalogue(const store::v1::CatalogueRevision& offered, fold::Context& context);

// The revision in force in this partition, or nullopt. Without its files.
StatusOr<std::optional<store::v1::CatalogueRevision>> ReadCatalogueHead(
    const store::Reader& reader);
// The same with its files.
// **Errors**: `catalogue_unreadable` (data_loss).
StatusOr<std::optional<store::v1::CatalogueRevision>> ReadCatalogue(const store::Reader& reader);
// A revision, also a past one; nullopt when it was never there or is no longer kept.
StatusOr<std::optional<store::v1::CatalogueRevision>> ReadCatalogueRevision(
    const store::Reader& reader, uint64_t revision);
// The newest ones below `below` (0: from the newest), at most `most`, newest first, without their
// files.
StatusOr<std::vector<store::v1::CatalogueRevision>> ReadCatalogueRevisions(
    const store::Reader& reader, uint64_t below, size_t most);

}  // namespace hilo::customer
