#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "state/types/hash.h"

namespace hilo::keys {

// BLAKE2b with a 32-byte result of first ‖ second, unkeyed: where somebody may look for collisions,
// as in the audit.
using Hash32 = std::array<uint8_t, 32>;
Hash32 StrongHash(std::string_view first, std::string_view second);

// Who can check what a Signer signed. 32 bytes, not secret.
struct PublicKey {
  std::array<uint8_t, 32> bytes{};
  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};
using Signature = std::array<uint8_t, 64>;

// Signs with a key of the space. **Threads**: thread-safe. **Source**: Ed25519 (RFC 8032),
// libsodium.
class Signer {
 public:
  // From KeyStore::PurposeKey.
  explicit Signer(const HashKey& seed);
  ~Signer();
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  Signature Sign(std::string_view message) const;
  const PublicKey& public_key() const { return public_key_; }

 private:
  PublicKey public_key_;
  std::array<uint8_t, 64> secret_;
};

bool IsSignedBy(const PublicKey& key, std::string_view message, const Signature& signature);

}  // namespace hilo::keys
