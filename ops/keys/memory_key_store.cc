#include "ops/keys/memory_key_store.h"

#include <algorithm>
#include <limits>

#include "ops/keys/key_errors.h"

namespace hilo::keys {

StatusOr<SubjectKey> MemoryKeyStore::EnsureKey(SubjectId subject) {
  MutexLock lock(mutex_);
  Row& row = rows_[subject];
  if (row.generation == 0 || row.destroyed) {
    if (row.generation == std::numeric_limits<uint16_t>::max()) return TooManyGenerations();
    ++row.generation;
    row.destroyed = false;
    row.secret = Secret::Random();
  }
  return SubjectKey{row.generation, row.secret};
}

Status MemoryKeyStore::EnsureKeys(std::span<const SubjectId> subjects) {
  for (SubjectId subject : subjects) HILO_RETURN_IF_ERROR(EnsureKey(subject).status());
  return OkStatus();
}

StatusOr<SubjectKey> MemoryKeyStore::FindKey(SubjectId subject) {
  MutexLock lock(mutex_);
  const auto found = rows_.find(subject);
  if (found == rows_.end()) return KeyUnknown();
  if (found->second.destroyed) return KeyDestroyed();
  return SubjectKey{found->second.generation, found->second.secret};
}

Status MemoryKeyStore::DestroyKeys(std::span<const SubjectId> subjects) {
  {
    MutexLock lock(mutex_);
    for (SubjectId subject : subjects) {
      const auto found = rows_.find(subject);
      if (found == rows_.end()) continue;
      found->second.destroyed = true;
      found->second.secret = Secret();
    }
  }
  TellDestroyed(subjects);
  return OkStatus();
}

StatusOr<HashKey> MemoryKeyStore::PurposeKey(std::string_view purpose) {
  if (!IsPurpose(purpose)) return BadPurpose();
  MutexLock lock(mutex_);
  const auto [found, fresh] = purposes_.try_emplace(std::string(purpose));
  if (fresh) {
    const Secret secret = Secret::Random();
    std::copy_n(secret.data(), Secret::kSize, found->second.bytes.begin());
  }
  return found->second;
}

}  // namespace hilo::keys
