#include "ops/keys/secret.h"

#include <sodium.h>

#include <algorithm>

#include "ops/base/check.h"

namespace hilo::keys {
namespace {

// Idempotent and thread-safe; its only failure is a system without randomness.
void InitialiseSodium() { HILO_CHECK(sodium_init() >= 0, "the kernel has a random source"); }

static_assert(kWrappedSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES + Secret::kSize +
                                  crypto_aead_xchacha20poly1305_ietf_ABYTES);
constexpr size_t kNonceSize = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

}  // namespace

Secret::Secret(std::span<const uint8_t, kSize> bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

Secret::~Secret() { sodium_memzero(bytes_.data(), bytes_.size()); }

Secret Secret::Random() {
  InitialiseSodium();
  Secret secret;
  randombytes_buf(secret.bytes_.data(), kSize);
  return secret;
}

bool operator==(const Secret& a, const Secret& b) {
  return sodium_memcmp(a.data(), b.data(), Secret::kSize) == 0;
}

void LockedFree::operator()(uint8_t* memory) const { sodium_free(memory); }

LockedMemory AllocateLocked(size_t bytes) {
  InitialiseSodium();
  return LockedMemory(static_cast<uint8_t*>(sodium_malloc(bytes)));
}

Wrapped Wrap(const uint8_t* wrapping_key, std::span<const uint8_t> context, const Secret& secret) {
  InitialiseSodium();
  Wrapped wrapped;
  randombytes_buf(wrapped.data(), kNonceSize);
  crypto_aead_xchacha20poly1305_ietf_encrypt(wrapped.data() + kNonceSize, nullptr, secret.data(),
                                             Secret::kSize, context.data(), context.size(), nullptr,
                                             wrapped.data(), wrapping_key);
  return wrapped;
}

bool Unwrap(const uint8_t* wrapping_key, std::span<const uint8_t> context,
            std::span<const uint8_t, kWrappedSize> wrapped, Secret& secret) {
  return crypto_aead_xchacha20poly1305_ietf_decrypt(
             secret.data(), nullptr, nullptr, wrapped.data() + kNonceSize,
             kWrappedSize - kNonceSize, context.data(), context.size(), wrapped.data(),
             wrapping_key) == 0;
}

}  // namespace hilo::keys
