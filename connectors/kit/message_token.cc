#include "connectors/kit/message_token.h"

#include <algorithm>

#include "ops/base/text_encoding.h"

namespace hilo::kit {
namespace {

constexpr std::string_view kDomain = "message token";
constexpr size_t kIds = 3 * MessageId::kSize;
constexpr size_t kMac = 16;
constexpr size_t kMaxPurpose = 64;

constexpr std::string_view kAddressDomain = "address token";
constexpr size_t kAddressDigits = 2 * 24;

std::string AddressMac(const HashKey& key, MessageId message) {
  return Hex(Bytes(KeyedHash(key, kAddressDomain, message.Bytes())))
      .substr(0, kAddressDigits - 2 * MessageId::kSize);
}

bool SameInConstantTime(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned char difference = 0;
  for (size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

}  // namespace

std::string MakeToken(const HashKey& key, const MessageToken& token) {
  std::string bytes;
  bytes += token.customer.Bytes();
  bytes += token.member.Bytes();
  bytes += token.message.Bytes();
  bytes += token.purpose;
  return UrlSafeBase64(bytes + std::string(Bytes(KeyedHash(key, kDomain, bytes))));
}

std::optional<MessageToken> ParseToken(const HashKey& key, std::string_view text) {
  if (text.size() > 2 * (kIds + kMaxPurpose + kMac)) return std::nullopt;
  const auto bytes = ParseUrlSafeBase64(text);
  if (!bytes || bytes->size() < kIds + kMac || bytes->size() > kIds + kMaxPurpose + kMac)
    return std::nullopt;
  const std::string_view named(bytes->data(), bytes->size() - kMac);
  const Hash16 mac = KeyedHash(key, kDomain, named);
  if (!SameInConstantTime(Bytes(mac), std::string_view(*bytes).substr(named.size())))
    return std::nullopt;
  // Written anew it is the same: no two texts for one token.
  if (UrlSafeBase64(*bytes) != text) return std::nullopt;
  MessageToken token;
  token.customer = *CustomerId::FromBytes(named.substr(0, 16));
  token.member = *MemberId::FromBytes(named.substr(16, 16));
  token.message = *MessageId::FromBytes(named.substr(32, 16));
  token.purpose = std::string(named.substr(kIds));
  return token;
}

std::string MakeAddressToken(const HashKey& key, MessageId message) {
  return message.Hex() + AddressMac(key, message);
}

std::optional<MessageId> ParseAddressToken(const HashKey& key, std::string_view text) {
  if (text.size() != kAddressDigits) return std::nullopt;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const auto message = MessageId::FromHex(std::string_view(lower).substr(0, 2 * MessageId::kSize));
  if (!message || !SameInConstantTime(AddressMac(key, *message),
                                      std::string_view(lower).substr(2 * MessageId::kSize))) {
    return std::nullopt;
  }
  return message;
}

}  // namespace hilo::kit
