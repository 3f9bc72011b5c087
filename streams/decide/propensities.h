#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/clock.h"
#include "ops/base/mutex.h"
#include "state/decision/decide.h"
#include "state/store/store.h"
#include "state/types/time.h"

namespace hilo::decide {

// How often actions were taken up, by channel: the sums of all partitions, as decisions use them.
//
// **Guarantees**: at most kAge old. Where a partition cannot be read the last sums stay in use, or
// the prior alone.
// **Threads**: thread-safe. **Lifetime**: stores outlive it, and it outlives what For returns.
// **Cost**: a read of one row in every partition for each action and channel, once each kAge.
class Propensities {
 public:
  static constexpr std::chrono::milliseconds kAge{1'000};

  Propensities(uint32_t partitions, std::function<const store::Store&(uint32_t)> store,
               const Clock& clock);

  // Priors with what was observed, weighed as of `now`.
  decision::PosteriorOf For(std::string_view channel, LogTime now);

 private:
  using Key = std::pair<std::string, std::string>;  // channel, action
  struct Kept {
    MonotonicTime read;
    store::v1::PropensityRow sum;
  };

  decision::Posterior Of(const std::string& channel, const catalogue::Action& action, LogTime now);
  StatusOr<store::v1::PropensityRow> Read(const Key& key) const;

  const uint32_t partitions_;
  const std::function<const store::Store&(uint32_t)> store_;
  const Clock& clock_;
  Mutex mutex_;
  // As many as the catalogue's actions on its channels.
  std::map<Key, Kept> kept_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::decide
