#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hilo {

// Sixteen opaque bytes whose tag keeps kinds of ids from being mixed up. Ordered bytewise, as in
// the stores.
template <typename Tag>
class Id {
 public:
  static constexpr size_t kSize = 16;

  constexpr Id() = default;
  constexpr explicit Id(const std::array<uint8_t, kSize>& bytes) : bytes_(bytes) {}

  // nullopt unless `raw` is exactly 16 bytes.
  static std::optional<Id> FromBytes(std::string_view raw) {
    if (raw.size() != kSize) return std::nullopt;
    Id id;
    std::memcpy(id.bytes_.data(), raw.data(), kSize);
    return id;
  }
  // nullopt unless `hex` is 32 hexadecimal digits (hyphens as in a UUID are allowed).
  static std::optional<Id> FromHex(std::string_view hex) {
    Id id;
    size_t digits = 0;
    for (char c : hex) {
      if (c == '-') continue;
      int value;
      if (c >= '0' && c <= '9') {
        value = c - '0';
      } else if (c >= 'a' && c <= 'f') {
        value = c - 'a' + 10;
      } else if (c >= 'A' && c <= 'F') {
        value = c - 'A' + 10;
      } else {
        return std::nullopt;
      }
      if (digits == 2 * kSize) return std::nullopt;
      uint8_t& byte = id.bytes_[digits / 2];
      byte = static_cast<uint8_t>(digits % 2 == 0 ? value << 4 : byte | value);
      ++digits;
    }
    if (digits != 2 * kSize) return std::nullopt;
    return id;
  }

  std::string_view Bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), kSize}; }
  std::string Hex() const {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string hex;
    hex.reserve(2 * kSize);
    for (uint8_t byte : bytes_) {
      hex += kDigits[byte >> 4];
      hex += kDigits[byte & 15];
    }
    return hex;
  }
  bool IsZero() const { return bytes_ == std::array<uint8_t, kSize>{}; }

  friend auto operator<=>(const Id&, const Id&) = default;

 private:
  std::array<uint8_t, kSize> bytes_{};
};

// A customer: one person. Opaque, derived from the position of the first record (design of
// identity).
using CustomerId = Id<struct CustomerTag>;
// A member: what came by one former customer. The id of the customer it was born with.
using MemberId = Id<struct MemberTag>;
// An event, derived from the provider's own id.
using EventId = Id<struct EventTag>;
// A keyed hash of a normalised identifier: what folds see instead of an address.
using IdentifierHash = Id<struct IdentifierTag>;
// The subject a key belongs to: the identifier that an event came by.
using SubjectId = Id<struct SubjectTag>;
// A write of a caller, a UUIDv7: carries its issue time.
using RequestId = Id<struct RequestTag>;
using InteractionId = Id<struct InteractionTag>;
using FactId = Id<struct FactTag>;
using CaseId = Id<struct CaseTag>;
using PromiseId = Id<struct PromiseTag>;
using GroupId = Id<struct GroupTag>;
using DecisionId = Id<struct DecisionTag>;
using MessageId = Id<struct MessageTag>;

// The member born with a customer, and the customer a member was born with.
inline MemberId BirthMember(CustomerId customer) { return *MemberId::FromBytes(customer.Bytes()); }
inline CustomerId BirthCustomer(MemberId member) { return *CustomerId::FromBytes(member.Bytes()); }

}  // namespace hilo

template <typename Tag>
struct std::hash<hilo::Id<Tag>> {
  size_t operator()(const hilo::Id<Tag>& id) const noexcept {
    // The ids are hashes already: their first bytes are as good as any.
    uint64_t head;
    std::memcpy(&head, id.Bytes().data(), sizeof head);
    return head;
  }
};
