#include <map>
#include <tuple>

#include "ops/base/mutex.h"
#include "streams/fold/partition.h"

namespace hilo::fold {
namespace {

class LocalProgress final : public Progress {
 public:
  void Publish(const Lane& lane, const Accepted& accepted) override {
    MutexLock lock(mutex_);
    Accepted& latest = latest_[lane];
    if (std::tie(accepted.epoch, accepted.sequence) > std::tie(latest.epoch, latest.sequence))
      latest = accepted;
  }

  std::optional<Accepted> Latest(const Lane& lane) const override {
    MutexLock lock(mutex_);
    const auto found = latest_.find(lane);
    if (found == latest_.end()) return std::nullopt;
    return found->second;
  }

 private:
  mutable Mutex mutex_;
  std::map<Lane, Accepted> latest_ HILO_GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<Progress> NewLocalProgress() { return std::make_unique<LocalProgress>(); }

}  // namespace hilo::fold
