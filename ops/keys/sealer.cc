#include "ops/keys/sealer.h"

#include <sodium.h>

#include <cstring>

#include "ops/base/metric_names.h"
#include "ops/keys/key_errors.h"

namespace hilo::keys {
namespace {

// Offsets in a sealed value.
constexpr size_t kSubjectAt = 1;
constexpr size_t kGenerationAt = kSubjectAt + SubjectId::kSize;
constexpr size_t kNonceAt = kGenerationAt + 2;
constexpr size_t kCiphertextAt = kNonceAt + crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
static_assert(Sealer::kOverhead == kCiphertextAt + crypto_aead_xchacha20poly1305_ietf_ABYTES);

const uint8_t* Raw(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

// What is authenticated beside the value: everything before the nonce, and the field. The field
// comes last and all else has a fixed length, so no two meanings give the same bytes.
std::string Context(std::string_view sealed, std::string_view field) {
  std::string context(sealed.substr(0, kNonceAt));
  context += field;
  return context;
}

Status Broken() {
  return Error(StatusCode::kDataLoss, "seal_broken",
               "the sealed value was changed, or belongs to another field");
}

}  // namespace

Sealer::Sealer(KeyStore& keys, Registry& registry)
    : keys_(keys),
      destroyed_(registry.Get(metric::kKeysOpenRefused, {"key_destroyed"})),
      unknown_(registry.Get(metric::kKeysOpenRefused, {"key_unknown"})),
      broken_(registry.Get(metric::kKeysOpenRefused, {"seal_broken"})),
      unavailable_(registry.Get(metric::kKeysOpenRefused, {"unavailable"})) {}

StatusOr<std::string> Sealer::Seal(SubjectId subject, std::string_view field,
                                   std::string_view value) const {
  if (value.size() > kMaxValueBytes) {
    return Error(StatusCode::kInvalidArgument, "value_too_large",
                 "a value to seal has at most 1 MiB");
  }
  HILO_ASSIGN_OR_RETURN(const SubjectKey key, keys_.EnsureKey(subject));
  std::string sealed(kOverhead + value.size(), '\0');
  sealed[0] = static_cast<char>(kVersion);
  std::memcpy(sealed.data() + kSubjectAt, subject.Bytes().data(), SubjectId::kSize);
  sealed[kGenerationAt] = static_cast<char>(key.generation & 0xff);
  sealed[kGenerationAt + 1] = static_cast<char>(key.generation >> 8);
  uint8_t* out = reinterpret_cast<uint8_t*>(sealed.data());
  randombytes_buf(out + kNonceAt, crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  const std::string context = Context(sealed, field);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out + kCiphertextAt, nullptr, Raw(value), value.size(),
                                             Raw(context), context.size(), nullptr, out + kNonceAt,
                                             key.secret.data());
  return sealed;
}

StatusOr<std::string> Sealer::Open(std::string_view sealed, std::string_view field) const {
  StatusOr<std::string> value = OpenUncounted(sealed, field);
  if (value.ok()) return value;
  const std::string reason = Reason(value.status());
  if (reason == "key_destroyed") {
    destroyed_.Increment();
  } else if (reason == "key_unknown") {
    unknown_.Increment();
  } else if (reason == "seal_broken") {
    broken_.Increment();
  } else {
    unavailable_.Increment();
  }
  return value;
}

StatusOr<std::string> Sealer::OpenUncounted(std::string_view sealed, std::string_view field) const {
  const std::optional<SubjectId> subject = SubjectOf(sealed);
  if (!subject) return Broken();
  HILO_ASSIGN_OR_RETURN(const SubjectKey key, keys_.FindKey(*subject));
  const uint8_t* in = Raw(sealed);
  const unsigned generation = in[kGenerationAt] | in[kGenerationAt + 1] << 8;
  if (generation != 0 && generation < key.generation) return KeyDestroyed();
  if (generation != key.generation) return Broken();
  std::string value(sealed.size() - kOverhead, '\0');
  const std::string context = Context(sealed, field);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          reinterpret_cast<uint8_t*>(value.data()), nullptr, nullptr, in + kCiphertextAt,
          sealed.size() - kCiphertextAt, Raw(context), context.size(), in + kNonceAt,
          key.secret.data()) != 0) {
    return Broken();
  }
  return value;
}

std::optional<SubjectId> Sealer::SubjectOf(std::string_view sealed) {
  if (sealed.size() < kOverhead || static_cast<uint8_t>(sealed[0]) != kVersion) return std::nullopt;
  return SubjectId::FromBytes(sealed.substr(kSubjectAt, SubjectId::kSize));
}

}  // namespace hilo::keys
