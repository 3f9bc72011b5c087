#include "ops/keys/key_store.h"

#include <algorithm>

namespace hilo::keys {

void KeyStore::Listen(ErasureListener& listener) {
  MutexLock lock(listeners_mutex_);
  listeners_.push_back(&listener);
}

void KeyStore::StopListening(ErasureListener& listener) {
  MutexLock lock(listeners_mutex_);
  std::erase(listeners_, &listener);
}

void KeyStore::TellDestroyed(std::span<const SubjectId> subjects) {
  MutexLock lock(listeners_mutex_);
  for (ErasureListener* listener : listeners_) listener->OnKeysDestroyed(subjects);
}

}  // namespace hilo::keys
