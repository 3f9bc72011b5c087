#include "ops/base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace hilo {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // reflected

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kTable = MakeTable();

uint32_t ByTable(uint32_t crc, const char* at, size_t size) {
  for (; size > 0; --size, ++at) {
    crc = kTable[(crc ^ static_cast<uint8_t>(*at)) & 0xff] ^ crc >> 8;
  }
  return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) uint32_t ByInstruction(uint32_t crc, const char* at,
                                                         size_t size) {
  uint64_t wide = crc;
  for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), at += sizeof(uint64_t)) {
    uint64_t next;
    std::memcpy(&next, at, sizeof(next));
    wide = _mm_crc32_u64(wide, next);
  }
  crc = static_cast<uint32_t>(wide);
  for (; size > 0; --size, ++at) crc = _mm_crc32_u8(crc, static_cast<uint8_t>(*at));
  return crc;
}

const bool kHasInstruction = __builtin_cpu_supports("sse4.2");
#endif

}  // namespace

uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes) {
#if defined(__x86_64__)
  if (kHasInstruction) return ~ByInstruction(~crc, bytes.data(), bytes.size());
#endif
  return ~ByTable(~crc, bytes.data(), bytes.size());
}

}  // namespace hilo

// Debian builds RocksDB for the oldest amd64, without that instruction, though RocksDB checks each
// byte it writes and reads. A program that has it inside is linked with --wrap, by which its calls
// of rocksdb::crc32c::Extend come here (cmake/Dependencies.cmake, docs/adr/0015).
extern "C" uint32_t __wrap__ZN7rocksdb6crc32c6ExtendEjPKcm(  // NOLINT(bugprone-reserved-identifier)
    uint32_t crc, const char* data, size_t size) {
  return hilo::ExtendCrc32c(crc, {data, size});
}
