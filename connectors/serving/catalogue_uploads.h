#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "state/catalogue/file.h"

namespace hilo::serving {

// Files of catalogues that do not fit into one request, gathered until they are applied.
//
// One upload a caller: another name begins anew. What nobody went on with for kPatience is
// forgotten, and so is everything when this process ends: the caller then gets `upload_unknown` and
// uploads again. **Limits**: kMaxUploads callers; a catalogue's own for each.
// **Threads**: thread-safe.
class CatalogueUploads {
 public:
  static constexpr size_t kMaxUploads = 4;
  static constexpr std::chrono::minutes kPatience{15};

  explicit CatalogueUploads(const Clock& clock) : clock_(clock) {}

  struct Total {
    size_t files = 0;
    size_t bytes = 0;
  };
  // Adds files; one whose path is there already takes its place, so that a request may be repeated.
  // **Errors**: `catalogue_too_large`, `too_many_uploads` (retryable).
  StatusOr<Total> Add(const std::string& caller, const std::string& upload,
                      std::vector<catalogue::File> files);
  // All files of it, in the order of their paths; it stays for a repeat.
  // **Errors**: `upload_unknown`.
  StatusOr<std::vector<catalogue::File>> Find(const std::string& caller, const std::string& upload);

 private:
  struct Upload {
    std::string name;
    MonotonicTime used;
    std::map<std::string, std::string> files;
    size_t bytes = 0;
  };
  void Forget() HILO_REQUIRES(mutex_);

  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Upload> uploads_ HILO_GUARDED_BY(mutex_);  // by caller
};

}  // namespace hilo::serving
