#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ops/base/metrics.h"
#include "ops/base/status.h"
#include "ops/keys/key_store.h"
#include "state/types/ids.h"

namespace hilo::keys {

// Seals personal values for their subject, and opens them at the last moment.
//
//   version (1 byte) ‖ subject (16) ‖ generation of its key (2, little-endian) ‖ nonce (24) ‖
//   ciphertext ‖ tag (16)
//
// **Guarantees**: a sealed value opens only with its subject's key, under the field's name it was
// sealed for, unchanged: it cannot be moved to another customer or another field. The same value
// sealed twice gives different bytes. The length of the value can be seen.
// **Errors**: those of KeyStore; Open answers `key_destroyed` (not_found) for good once the key was
// destroyed, also when the subject has a new one, and `seal_broken` (data_loss) for bytes that were
// changed, moved or are no sealed value; Seal answers `value_too_large` (invalid_argument) above
// kMaxValueBytes.
// **Threads**: thread-safe.
// **Lifetime**: shorter than its key store's.
// **Cost**: about a microsecond for 100 bytes when the key is cached; a new subject costs a sync,
// which EnsureKeys shares among a batch.
// **Source**: XChaCha20-Poly1305-IETF as in libsodium; random nonces of 192 bits do not repeat.
class Sealer {
 public:
  static constexpr uint8_t kVersion = 1;
  static constexpr size_t kOverhead = 1 + SubjectId::kSize + 2 + 24 + 16;
  // As the largest record of the log.
  static constexpr size_t kMaxValueBytes = 1 << 20;

  Sealer(KeyStore& keys, Registry& registry);

  // `field` is the name that must be given again to open, as "traits.email": a constant of the
  // program or of the declared field, never a value.
  StatusOr<std::string> Seal(SubjectId subject, std::string_view field,
                             std::string_view value) const;
  StatusOr<std::string> Open(std::string_view sealed, std::string_view field) const;

  // Whose it is; nullopt for what is no sealed value.
  static std::optional<SubjectId> SubjectOf(std::string_view sealed);

 private:
  StatusOr<std::string> OpenUncounted(std::string_view sealed, std::string_view field) const;

  KeyStore& keys_;
  Counter& destroyed_;
  Counter& unknown_;
  Counter& broken_;
  Counter& unavailable_;
};

}  // namespace hilo::keys
