#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "state/types/hash.h"
#include "state/types/ids.h"

namespace hilo::kit {

// What a link or address in a message names, so that whoever comes by it needs no login.
struct MessageToken {
  CustomerId customer;
  MemberId member;
  MessageId message;
  std::string purpose;  // of consent; lower case, at most 64 bytes
};

// Opaque, for addresses: URL-safe Base64 of the ids, the purpose and a keyed hash over all. Nobody
// can make one, or change whose it is, without the key.
std::string MakeToken(const HashKey& key, const MessageToken& token);
// nullopt for one that was not made with this key. Compared in constant time.
std::optional<MessageToken> ParseToken(const HashKey& key, std::string_view text);

// For the local part of an address, of which servers keep 64 bytes and sometimes change the case:
// 48 lower-case hexadecimal digits of the message and a keyed hash of 8 bytes. As hard to make as
// guessing 64 bits, one mail a guess.
std::string MakeAddressToken(const HashKey& key, MessageId message);
// In either case; nullopt for one that was not made with this key. Compared in constant time.
std::optional<MessageId> ParseAddressToken(const HashKey& key, std::string_view text);

}  // namespace hilo::kit
