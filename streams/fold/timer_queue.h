#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ops/base/status.h"
#include "state/types/time.h"
#include "streams/fold/fold.h"
#include "streams/fold/staging.h"

namespace hilo::fold {

// A partition's timers in order of (due, name): rows in state, and the lowest of them in memory.
//
// Fired timers leave tombstones at the head of the table; a search that begins there pays for all
// of them. So the lowest keys are kept here, and the table is read only from the highest key known
// onwards. Which timers fire does not depend on it. Changes belong to the staging's record: Commit
// or Rollback with it.
// **Errors**: the store's. **Threads**: confined to one thread. **Lifetime**: the staging outlives
// it.
// **Cost**: Set and Cancel read one row, unless the timer is fixed; a refill reads kRefill rows.
class TimerQueue {
 public:
  static constexpr size_t kRefill = 2'000;
  static constexpr size_t kMaxNameBytes = 64;
  static constexpr size_t kMaxPayloadBytes = 256;

  explicit TimerQueue(Staging& staging) : staging_(staging) {}

  Status Set(const Timer& timer);
  Status Cancel(std::string_view name);
  // One that Lowest gave.
  void Remove(const Timer& timer);
  // The lowest timer that is due at `now`.
  StatusOr<std::optional<Timer>> Lowest(LogTime now);

  void Commit();
  void Rollback() { pending_.clear(); }

 private:
  Status Refill();

  Staging& staging_;
  // Row keys without their tag: every timer's whose key is <= *covered_; all timers' when nullopt.
  std::set<std::string, std::less<>> nearest_;
  std::optional<std::string> covered_ = std::string();
  std::vector<std::pair<std::string, bool>> pending_;  // key, whether it comes (or goes)
};

}  // namespace hilo::fold
