#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/web/web.h"
#include "ops/base/mutex.h"

namespace hilo::web {

// The last refusals of each source. **Threads**: thread-safe.
class Rejections {
 public:
  void Add(const std::string& source, Rejection rejection) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    auto& last = by_source_[source];
    last.push_front(std::move(rejection));
    if (last.size() > Web::kMaxRejections) last.pop_back();
  }
  std::vector<Rejection> Last(std::string_view source) const HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    const auto found = by_source_.find(source);
    if (found == by_source_.end()) return {};
    return {found->second.begin(), found->second.end()};
  }

 private:
  mutable Mutex mutex_;
  // Sources are those of the configuration.
  std::map<std::string, std::deque<Rejection>, std::less<>> by_source_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::web
