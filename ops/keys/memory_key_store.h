#pragma once

#include <map>
#include <string>
#include <unordered_map>

#include "ops/base/mutex.h"
#include "ops/keys/key_store.h"

namespace hilo::keys {

// Keys that live as long as this object, for tests: nothing is durable and no memory is locked.
// **Threads**: thread-safe.
class MemoryKeyStore final : public KeyStore {
 public:
  Status EnsureKeys(std::span<const SubjectId> subjects) override;
  StatusOr<SubjectKey> EnsureKey(SubjectId subject) override;
  StatusOr<SubjectKey> FindKey(SubjectId subject) override;
  Status DestroyKeys(std::span<const SubjectId> subjects) override;
  StatusOr<HashKey> PurposeKey(std::string_view purpose) override;

 private:
  struct Row {
    uint16_t generation = 0;
    bool destroyed = false;
    Secret secret;
  };

  Mutex mutex_;
  std::unordered_map<SubjectId, Row> rows_ HILO_GUARDED_BY(mutex_);
  std::map<std::string, HashKey, std::less<>> purposes_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::keys
