#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/keys/key_store.h"

namespace hilo::keys {

struct StoredKeyStoreOptions {
  // A directory of its own, made when missing (mode 0700). In no general backup.
  std::string directory;
  // See master_key.h.
  std::string master_key_file;
  // How many opened keys are held in locked memory: 32 bytes each, and about 100 of bookkeeping.
  size_t cached_keys = 65536;
  // How long an opened key is held at most.
  std::chrono::seconds cache_age{300};
};

// Opens, or begins, the key store of this node: a RocksDB of its own, each key wrapped by the
// master key, every write synced. One process at a time.
//
// **Guarantees**: as KeyStore. Callers that need new keys at the same time share a sync. A
// destruction that a crash cut short is finished here, before this returns.
// **Errors**: those of ReadMasterKey; `master_key_mismatch` (failed_precondition) when the store
// was written under another master key; `key_store_broken` (unavailable).
// **Lifetime**: `clock` and `registry` outlive the result.
// **Cost**: FindKey of a cached key takes a lock and a look-up, else a read of a file and the
// opening of 32 bytes.
StatusOr<std::unique_ptr<KeyStore>> OpenStoredKeyStore(StoredKeyStoreOptions options,
                                                       const Clock& clock, Registry& registry);

}  // namespace hilo::keys
