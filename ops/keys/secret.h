#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>

namespace hilo::keys {

// 32 secret bytes. Every copy wipes itself; keep it no longer than one use takes.
class Secret {
 public:
  static constexpr size_t kSize = 32;

  // Zeros.
  Secret() = default;
  explicit Secret(std::span<const uint8_t, kSize> bytes);
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret();
  static Secret Random();

  const uint8_t* data() const { return bytes_.data(); }
  uint8_t* data() { return bytes_.data(); }
  friend bool operator==(const Secret& a, const Secret& b);

 private:
  std::array<uint8_t, kSize> bytes_{};
};

// Frees what AllocateLocked gave, wiped.
struct LockedFree {
  void operator()(uint8_t* memory) const;
};
using LockedMemory = std::unique_ptr<uint8_t[], LockedFree>;

// Memory that is kept out of swap and core files as far as the system's limit on locked memory
// (RLIMIT_MEMLOCK) allows, with guard pages around it. Null when there is none.
LockedMemory AllocateLocked(size_t bytes);

// Seals a secret under a wrapping key: nonce (24) ‖ ciphertext (32) ‖ tag (16). `context` must be
// the same to unwrap. Source: XChaCha20-Poly1305-IETF, libsodium.
inline constexpr size_t kWrappedSize = 24 + Secret::kSize + 16;
using Wrapped = std::array<uint8_t, kWrappedSize>;
Wrapped Wrap(const uint8_t* wrapping_key, std::span<const uint8_t> context, const Secret& secret);
// False when the bytes, the context or the wrapping key are others.
bool Unwrap(const uint8_t* wrapping_key, std::span<const uint8_t> context,
            std::span<const uint8_t, kWrappedSize> wrapped, Secret& secret);

}  // namespace hilo::keys
