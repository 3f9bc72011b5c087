#include "connectors/serving/catalogue_in_force.h"

#include <string>
#include <utility>
#include <vector>

#include "ops/base/metric_names.h"

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

void CatalogueInForce::Offer(const store::v1::CatalogueRevision& revision) {
  std::shared_ptr<const catalogue::Catalogue> next;
  {
    MutexLock lock(mutex_);
    if (revision.revision() <= current_.catalogue->revision()) return;
    next = ParsedFrom(revision);
    registry_.Get(metric::kCatalogueLastSwitchSuccess).Set(next == nullptr ? 0 : 1);
    if (next == nullptr) return;
    current_ = {next, revision};
  }
  registry_.SetInfo(metric::kCatalogueRevision, {std::to_string(revision.revision())});
  if (changed_) changed_(next);
}

}  // namespace hilo::serving
