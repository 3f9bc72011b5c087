#include "connectors/serving/catalogue_uploads.h"

#include "state/catalogue/catalogue.h"

namespace hilo::serving {

using catalogue::Catalogue;

void CatalogueUploads::Forget() {
  const MonotonicTime now = clock_.Monotonic();
  std::erase_if(uploads_, [&](const auto& entry) { return now - entry.second.used > kPatience; });
}

StatusOr<CatalogueUploads::Total> CatalogueUploads::Add(const std::string& caller,
                                                        const std::string& upload,
                                                        std::vector<catalogue::File> files) {
  MutexLock lock(mutex_);
  Forget();
  if (!uploads_.contains(caller) && uploads_.size() >= kMaxUploads) {
    return Error(StatusCode::kResourceExhausted, "too_many_uploads",
                 "others upload a catalogue now; try again in some minutes");
  }
  Upload& mine = uploads_[caller];
  if (mine.name != upload) mine = Upload{.name = upload};
  mine.used = clock_.Monotonic();
  for (catalogue::File& file : files) {
    const auto known = mine.files.find(file.path);
    const size_t before = known == mine.files.end() ? 0 : known->second.size();
    const size_t count = mine.files.size() + (known == mine.files.end() ? 1 : 0);
    if (count > Catalogue::kMaxFiles ||
        mine.bytes - before + file.content.size() > Catalogue::kMaxBytes) {
      return Error(StatusCode::kInvalidArgument, "catalogue_too_large",
                   "a catalogue is at most " + std::to_string(Catalogue::kMaxFiles) +
                       " files and " + std::to_string(Catalogue::kMaxBytes >> 20) + " MiB");
    }
    mine.bytes += file.content.size() - before;
    mine.files[file.path] = std::move(file.content);
  }
  return Total{mine.files.size(), mine.bytes};
}

StatusOr<std::vector<catalogue::File>> CatalogueUploads::Find(const std::string& caller,
                                                              const std::string& upload) {
  MutexLock lock(mutex_);
  Forget();
  const auto mine = uploads_.find(caller);
  if (mine == uploads_.end() || mine->second.name != upload) {
    return Error(StatusCode::kFailedPrecondition, "upload_unknown",
                 "these files are no longer here; upload them again");
  }
  mine->second.used = clock_.Monotonic();
  std::vector<catalogue::File> files;
  for (const auto& [path, content] : mine->second.files) files.push_back({path, content});
  return files;
}

}  // namespace hilo::serving
