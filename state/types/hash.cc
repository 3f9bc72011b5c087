#include "state/types/hash.h"

#include <sodium.h>

#include <algorithm>
#include <cstring>

#include "ops/base/check.h"

namespace hilo {
namespace {

const unsigned char* Raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Hash16 Hash(std::string_view bytes) {
  Hash16 hash;
  crypto_generichash_blake2b(hash.data(), hash.size(), Raw(bytes), bytes.size(), nullptr, 0);
  return hash;
}

Hash16 Hash(std::string_view first, std::string_view second) {
  Hash16 hash;
  crypto_generichash_blake2b_state state;
  crypto_generichash_blake2b_init(&state, nullptr, 0, hash.size());
  crypto_generichash_blake2b_update(&state, Raw(first), first.size());
  crypto_generichash_blake2b_update(&state, Raw(second), second.size());
  crypto_generichash_blake2b_final(&state, hash.data(), hash.size());
  return hash;
}

Hash16 KeyedHash(const HashKey& key, std::string_view domain, std::string_view bytes) {
  HILO_CHECK(domain.size() <= crypto_generichash_blake2b_PERSONALBYTES,
             "domains are literals of our own");
  unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] = {};
  std::memcpy(personal, domain.data(), domain.size());
  Hash16 hash;
  crypto_generichash_blake2b_salt_personal(hash.data(), hash.size(), Raw(bytes), bytes.size(),
                                           key.bytes.data(), key.bytes.size(), nullptr, personal);
  return hash;
}

uint64_t Head64(const Hash16& hash) {
  uint64_t head;
  std::memcpy(&head, hash.data(), sizeof head);
  return head;
}

}  // namespace hilo
