#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace hilo {

using Hash16 = std::array<uint8_t, 16>;

// BLAKE2b with a 16-byte result, unkeyed. Source: RFC 7693, libsodium's crypto_generichash.
Hash16 Hash(std::string_view bytes);
// H(first ‖ second) without joining them first: the chain of a lane.
Hash16 Hash(std::string_view first, std::string_view second);

// A secret 32-byte key: identifiers are hashed with the space's key, so that nobody can compute
// them from an address.
struct HashKey {
  std::array<uint8_t, 32> bytes{};
};

// BLAKE2b keyed with `key`; `domain` (at most 16 characters) keeps uses of one key apart.
Hash16 KeyedHash(const HashKey& key, std::string_view domain, std::string_view bytes);

// The first eight bytes, little-endian: for digests and buckets.
uint64_t Head64(const Hash16& hash);

inline std::string_view Bytes(const Hash16& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

}  // namespace hilo
