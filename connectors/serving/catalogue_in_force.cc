#include "connectors/serving/catalogue_in_force.h"

#include <string>
#include <utility>
#include <vector>

#include "ops/base/metric_names.h"
#include "streams/customer/catalogue_rows.h"

namespace hilo::serving {
namespace {

// Null for one that this version of the program cannot read.
std::shared_ptr<const catalogue::Catalogue> ParsedFrom(
    const store::v1::CatalogueRevision& revision) {
  std::vector<catalogue::File> files;
  for (const auto& file : revision.files()) files.push_back({file.path(), file.content()});
  return catalogue::Catalogue::Parse(files, revision.revision()).catalogue;
}

}  // namespace

CatalogueInForce::CatalogueInForce(
    Registry& registry, std::function<void(std::shared_ptr<const catalogue::Catalogue>)> changed)
    : registry_(registry), changed_(std::move(changed)) {
  current_.catalogue = catalogue::Catalogue::BuiltIn();
  registry_.SetInfo(metric::kCatalogueRevision, {"0"});
}

CatalogueInForce::Current CatalogueInForce::Get() const {
  MutexLock lock(mutex_);
  return current_;
}

StatusOr<std::shared_ptr<const catalogue::Catalogue>> CatalogueInForce::OfRevision(
    uint64_t revision) const {
  {
    MutexLock lock(mutex_);
    if (current_.catalogue->revision() == revision) return current_.catalogue;
    for (const auto& kept : asked_) {
      if (kept->revision() == revision) return kept;
    }
  }
  std::shared_ptr<const catalogue::Catalogue> found;
  if (revision == 0) {
    found = catalogue::Catalogue::BuiltIn();
  } else if (past_) {
    HILO_ASSIGN_OR_RETURN(const auto record, past_(revision));
    if (record.has_value()) found = ParsedFrom(*record);
  }
  if (found == nullptr) {
    return Error(StatusCode::kNotFound, "catalogue_gone",
                 "revision " + std::to_string(revision) + " of the catalogue is no longer kept");
  }
  MutexLock lock(mutex_);
  asked_.push_back(found);
  if (asked_.size() > kKept) asked_.pop_front();
  return found;
}

std::shared_ptr<const catalogue::Catalogue> CatalogueInForce::Catalogue() const {
  MutexLock lock(mutex_);
  return current_.catalogue;
}

void CatalogueInForce::Prepare(std::string publication,
                               std::shared_ptr<const catalogue::Catalogue> catalogue) {
  MutexLock lock(mutex_);
  prepared_publication_ = std::move(publication);
  prepared_ = std::move(catalogue);
}

void CatalogueInForce::Offer(const store::v1::CatalogueRevision& revision) {
  MutexLock switching(switching_);
  if (revision.revision() <= Catalogue()->revision()) return;
  Switch(ParsedFrom(revision), revision);
}

Status CatalogueInForce::OfferFrom(const store::Reader& customers) {
  HILO_ASSIGN_OR_RETURN(const auto head, customer::ReadCatalogueHead(customers));
  if (!head.has_value()) return OkStatus();
  MutexLock switching(switching_);
  if (head->revision() <= Catalogue()->revision()) return OkStatus();
  std::shared_ptr<const catalogue::Catalogue> prepared;
  {
    MutexLock lock(mutex_);
    if (prepared_ != nullptr && head->part().publication() == prepared_publication_)
      prepared = std::exchange(prepared_, nullptr);
  }
  if (prepared != nullptr) {
    Switch(std::move(prepared), *head);
    return OkStatus();
  }
  HILO_ASSIGN_OR_RETURN(const auto whole, customer::ReadCatalogue(customers));
  if (whole.has_value()) Switch(ParsedFrom(*whole), *whole);
  return OkStatus();
}

void CatalogueInForce::Switch(std::shared_ptr<const catalogue::Catalogue> next,
                              const store::v1::CatalogueRevision& revision) {
  registry_.Get(metric::kCatalogueLastSwitchSuccess).Set(next == nullptr ? 0 : 1);
  if (next == nullptr) return;
  {
    MutexLock lock(mutex_);
    current_.catalogue = next;
    current_.record = revision;
    current_.record.clear_files();
  }
  registry_.SetInfo(metric::kCatalogueRevision, {std::to_string(revision.revision())});
  if (changed_) changed_(next);
}

}  // namespace hilo::serving
