#include "ops/keys/signer.h"

#include <sodium.h>

namespace hilo::keys {
namespace {

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace

Hash32 StrongHash(std::string_view first, std::string_view second) {
  Hash32 hash;
  crypto_generichash_state state;
  crypto_generichash_init(&state, nullptr, 0, hash.size());
  crypto_generichash_update(&state, Raw(first), first.size());
  crypto_generichash_update(&state, Raw(second), second.size());
  crypto_generichash_final(&state, hash.data(), hash.size());
  return hash;
}

Signer::Signer(const HashKey& seed) {
  static_assert(crypto_sign_SEEDBYTES == sizeof seed.bytes &&
                crypto_sign_SECRETKEYBYTES == sizeof secret_);
  crypto_sign_seed_keypair(public_key_.bytes.data(), secret_.data(), seed.bytes.data());
}

Signer::~Signer() { sodium_memzero(secret_.data(), secret_.size()); }

Signature Signer::Sign(std::string_view message) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, Raw(message), message.size(), secret_.data());
  return signature;
}

bool IsSignedBy(const PublicKey& key, std::string_view message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), Raw(message), message.size(),
                                     key.bytes.data()) == 0;
}

}  // namespace hilo::keys
