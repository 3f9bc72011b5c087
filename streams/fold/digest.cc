#include "streams/fold/digest.h"

#include "state/store/tables.h"

namespace hilo::fold {
namespace {

static_assert(std::endian::native == std::endian::little,
              "replicas of all machines must read words alike");

constexpr uint64_t kSecret[] = {0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3};
constexpr uint64_t kOtherSecret[] = {0x589965cc75374cc3, 0x1d8e4e27c47d124f};
__extension__ using Wide = unsigned __int128;

uint64_t Mix(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Word(const char* at, size_t bytes) {
  uint64_t word = 0;
  std::memcpy(&word, at, bytes);
  return word;
}

uint64_t Absorb(uint64_t state, std::string_view bytes, const uint64_t* secret = kSecret) {
  const char* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= 16; at += 16, left -= 16) {
    state = Mix(Word(at, 8) ^ secret[0], Word(at + 8, 8) ^ state);
  }
  const uint64_t low = Word(at, left < 8 ? left : 8);
  const uint64_t high = left > 8 ? Word(at + 8, left - 8) : 0;
  return Mix(low ^ secret[1] ^ bytes.size(), high ^ state);
}

}  // namespace

uint64_t RowHash(std::string_view key, std::string_view value) {
  return Mix(Absorb(Absorb(kSecret[2], key), value) ^ kSecret[0], kSecret[1]);
}

Hash16 RunningHash(const Hash16& before, std::string_view first, std::string_view second) {
  uint64_t halves[2];
  std::memcpy(halves, before.data(), sizeof halves);
  // Each half takes in both halves of before.
  const uint64_t one = Mix(halves[0] ^ kSecret[0], halves[1] ^ kSecret[2]);
  const uint64_t other = Mix(halves[0] ^ kOtherSecret[0], halves[1] ^ kOtherSecret[1]);
  halves[0] = Absorb(Absorb(one, first, kSecret), second, kSecret);
  halves[1] = Absorb(Absorb(other, first, kOtherSecret), second, kOtherSecret);
  Hash16 hash;
  std::memcpy(hash.data(), halves, sizeof halves);
  return hash;
}

StatusOr<uint64_t> ComputeDigest(const store::Reader& reader) {
  uint64_t digest = 0;
  const auto rows = reader.NewIterator({});
  for (; rows->Valid(); rows->Next()) {
    if (store::InDigest(static_cast<store::Table>(rows->Key()[0])))
      digest += RowHash(rows->Key(), rows->Value());
  }
  HILO_RETURN_IF_ERROR(rows->status());
  return digest;
}

}  // namespace hilo::fold
