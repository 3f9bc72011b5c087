#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "ops/keys/secret.h"
#include "state/types/hash.h"
#include "state/types/ids.h"

namespace hilo::keys {

// The key of one subject, for as long as one sealing takes.
struct SubjectKey {
  // Which of the subject's keys this is: 1 for the first, one more each time a key was destroyed
  // and a new one made.
  uint16_t generation = 0;
  Secret secret;
};

// Hears of keys that are destroyed: for who keeps something that was opened with them.
class ErasureListener {
 public:
  virtual ~ErasureListener() = default;
  // These subjects' keys open nothing any more. Called before DestroyKeys returns, on its thread,
  // and also when it returns an error after it had begun; do little, and destroy nothing from here.
  virtual void OnKeysDestroyed(std::span<const SubjectId> subjects) = 0;
};

// Keeps one random 256-bit key per subject, and the few keys of the space that are not a subject's.
//
// **Guarantees**: a key that was handed out is durable: no crash can lose it afterwards. A subject
// has one key at a time; two callers that ask at once get the same. When DestroyKeys returns, no
// file of the store holds the key, and what was sealed with it can never be opened again; that the
// subject had a key is remembered, so that it is told as `key_destroyed`. Destroying again, or a
// subject that never had a key, is OK. Listeners have heard of it before it returns.
// **Errors**: `key_destroyed` (not_found) when the subject's key was destroyed and no new one made;
// `key_unknown` (not_found) when it never had one here; `key_store_broken` (unavailable) when a key
// could not be written or read: it was not created or destroyed as far as the caller may assume,
// and may be asked again; `key_malformed` (data_loss) when a stored key does not open, as when it
// was damaged or belongs to another subject.
// **Threads**: thread-safe.
class KeyStore {
 public:
  virtual ~KeyStore() = default;

  // Makes sure that every subject has a key, with one sync for all that are new. An intake calls it
  // once per batch.
  virtual Status EnsureKeys(std::span<const SubjectId> subjects) = 0;
  // The subject's key, made if there is none.
  virtual StatusOr<SubjectKey> EnsureKey(SubjectId subject) = 0;
  // The subject's key; never makes one.
  virtual StatusOr<SubjectKey> FindKey(SubjectId subject) = 0;

  // Destroys the keys of these subjects: crypto-shredding. Slow (it rewrites files); erasing a
  // person is rare.
  virtual Status DestroyKeys(std::span<const SubjectId> subjects) = 0;
  Status DestroyKey(SubjectId subject) { return DestroyKeys({&subject, 1}); }

  // A key of the space for one purpose (at most 32 characters of a-z and "_"), the same for ever;
  // made at the first call.
  virtual StatusOr<HashKey> PurposeKey(std::string_view purpose) = 0;
  // What identifiers are hashed with.
  StatusOr<HashKey> IdentifierKey() { return PurposeKey("identifier"); }

  // `listener` hears of every destruction that returns after this, until StopListening returns.
  void Listen(ErasureListener& listener);
  void StopListening(ErasureListener& listener);

 protected:
  // Of DestroyKeys, once FindKey finds none of these any more.
  void TellDestroyed(std::span<const SubjectId> subjects);

 private:
  Mutex listeners_mutex_;
  std::vector<ErasureListener*> listeners_ HILO_GUARDED_BY(listeners_mutex_);
};

}  // namespace hilo::keys
