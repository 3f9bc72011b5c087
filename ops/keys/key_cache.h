#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/mutex.h"
#include "ops/keys/key_store.h"
#include "ops/keys/secret.h"
#include "state/types/ids.h"

namespace hilo::keys {

// Opened keys in locked memory, so that most seals and opens read no file.
//
// **Guarantees**: at most `capacity` keys, none longer than `age` after it was put in as far as
// anybody calls; a key that leaves is wiped. The one put in first leaves first: with an age of
// minutes that loses little against the order of use, and a hit changes nothing. A key that was
// read from disk before an Erase cannot get in after it.
// **Threads**: thread-safe.
// **Cost**: a lock and a look-up.
class KeyCache {
 public:
  struct Options {
    size_t capacity;
    std::chrono::seconds age;
  };
  // nullptr when there is no memory for it.
  static std::unique_ptr<KeyCache> Create(Options options, const Clock& clock, Registry& registry);

  std::optional<SubjectKey> Find(SubjectId subject);

  // Begin a read of the disk with Epoch(); what it gave is put in only when nothing was erased
  // since.
  uint64_t Epoch() const;
  void Put(SubjectId subject, const SubjectKey& key, uint64_t epoch);
  void Erase(std::span<const SubjectId> subjects);

 private:
  struct Slot {
    SubjectId subject;
    MonotonicTime since;
    uint16_t generation = 0;
    bool filled = false;
  };
  KeyCache(Options options, LockedMemory secrets, const Clock& clock, Registry& registry);
  uint8_t* SecretOf(size_t slot) HILO_REQUIRES(mutex_) {
    return secrets_.get() + slot * Secret::kSize;
  }
  void DropExpired() HILO_REQUIRES(mutex_);
  void DropOldest() HILO_REQUIRES(mutex_);
  void Empty(size_t slot) HILO_REQUIRES(mutex_);

  const Options options_;
  const Clock& clock_;
  Gauge& cached_;

  mutable Mutex mutex_;
  uint64_t epoch_ HILO_GUARDED_BY(mutex_) = 0;
  // A ring of slots in the order in which they were filled; erased ones stay in it, empty, until
  // their turn comes.
  std::vector<Slot> ring_ HILO_GUARDED_BY(mutex_);
  size_t oldest_ HILO_GUARDED_BY(mutex_) = 0;
  size_t used_ HILO_GUARDED_BY(mutex_) = 0;
  // Slot i's secret lies at 32 i.
  LockedMemory secrets_ HILO_GUARDED_BY(mutex_);
  std::unordered_map<SubjectId, size_t> slots_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::keys
