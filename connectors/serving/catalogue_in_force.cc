#include "connectors/serving/catalogue_in_force.h"

#include <string>
#include <utility>
#include <vector>

#include "ops/base/metric_names.h"

namespace hilo::serving {

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

void CatalogueInForce::Offer(const store::v1::CatalogueRevision& revision) {
  std::shared_ptr<const catalogue::Catalogue> next;
  {
    MutexLock lock(mutex_);
    if (revision.revision() <= current_.catalogue->revision()) return;
    std::vector<catalogue::File> files;
    for (const auto& file : revision.files()) files.push_back({file.path(), file.content()});
    next = catalogue::Catalogue::Parse(files, revision.revision()).catalogue;
    registry_.Get(metric::kCatalogueLastSwitchSuccess).Set(next == nullptr ? 0 : 1);
    if (next == nullptr) return;
    current_ = {next, revision};
  }
  registry_.SetInfo(metric::kCatalogueRevision, {std::to_string(revision.revision())});
  if (changed_) changed_(next);
}

}  // namespace hilo::serving
