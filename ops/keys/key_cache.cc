#include "ops/keys/key_cache.h"

#include <sodium.h>

#include <cstring>

#include "ops/base/metric_names.h"

namespace hilo::keys {

std::unique_ptr<KeyCache> KeyCache::Create(Options options, const Clock& clock,
                                           Registry& registry) {
  LockedMemory secrets = AllocateLocked(options.capacity * Secret::kSize);
  if (secrets == nullptr) return nullptr;
  return std::unique_ptr<KeyCache>(new KeyCache(options, std::move(secrets), clock, registry));
}

KeyCache::KeyCache(Options options, LockedMemory secrets, const Clock& clock, Registry& registry)
    : options_(options),
      clock_(clock),
      cached_(registry.Get(metric::kKeysCached)),
      ring_(options.capacity),
      secrets_(std::move(secrets)) {}

std::optional<SubjectKey> KeyCache::Find(SubjectId subject) {
  MutexLock lock(mutex_);
  DropExpired();
  const auto found = slots_.find(subject);
  if (found == slots_.end()) return std::nullopt;
  const uint8_t* secret = SecretOf(found->second);
  return SubjectKey{ring_[found->second].generation,
                    Secret(std::span<const uint8_t, Secret::kSize>(secret, Secret::kSize))};
}

uint64_t KeyCache::Epoch() const {
  MutexLock lock(mutex_);
  return epoch_;
}

void KeyCache::Put(SubjectId subject, const SubjectKey& key, uint64_t epoch) {
  MutexLock lock(mutex_);
  if (epoch != epoch_ || ring_.empty() || slots_.contains(subject)) return;
  DropExpired();
  if (used_ == ring_.size()) DropOldest();
  const size_t slot = (oldest_ + used_) % ring_.size();
  ++used_;
  ring_[slot] = {.subject = subject,
                 .since = clock_.Monotonic(),
                 .generation = key.generation,
                 .filled = true};
  std::memcpy(SecretOf(slot), key.secret.data(), Secret::kSize);
  slots_[subject] = slot;
  cached_.Set(static_cast<double>(slots_.size()));
}

void KeyCache::Erase(std::span<const SubjectId> subjects) {
  MutexLock lock(mutex_);
  ++epoch_;
  for (SubjectId subject : subjects) {
    if (const auto found = slots_.find(subject); found != slots_.end()) Empty(found->second);
  }
}

void KeyCache::DropExpired() {
  const MonotonicTime now = clock_.Monotonic();
  while (used_ > 0 && (!ring_[oldest_].filled || now - ring_[oldest_].since >= options_.age))
    DropOldest();
}

void KeyCache::DropOldest() {
  Empty(oldest_);
  oldest_ = (oldest_ + 1) % ring_.size();
  --used_;
}

void KeyCache::Empty(size_t slot) {
  if (!ring_[slot].filled) return;
  slots_.erase(ring_[slot].subject);
  ring_[slot] = {};
  sodium_memzero(SecretOf(slot), Secret::kSize);
  cached_.Set(static_cast<double>(slots_.size()));
}

}  // namespace hilo::keys
