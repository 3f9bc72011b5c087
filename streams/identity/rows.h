#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"
#include "state/types/ids.h"

// Identity's rows as the fold works with them: decoded, with ids as values. The stored form is
// proto/hilo/store/v1/rows.proto.
namespace hilo::identity {

// How much an identifier says about who comes by it; the lower the more.
enum class Strength : uint8_t { kStrong = 0, kMedium = 1, kWeak = 2 };

// Kinds are those of hilo.v1.IdentifierKind: 1 to 5.
inline constexpr uint8_t kUserId = 1;
inline constexpr uint8_t kEmail = 2;
inline constexpr uint8_t kPhone = 3;
inline constexpr uint8_t kAnonymousId = 4;
inline constexpr uint8_t kDeviceId = 5;
inline constexpr uint8_t kLastKind = kDeviceId;

constexpr Strength StrengthOf(uint8_t kind, bool weak) {
  if (weak || kind == kAnonymousId || kind == kDeviceId) return Strength::kWeak;
  return kind == kUserId ? Strength::kStrong : Strength::kMedium;
}

// Where an identifier leads.
struct IdentifierState {
  std::optional<MemberId> member;  // absent when shared
  std::optional<MemberId> home;    // of a shared one, once an event had nothing else
  bool shared = false;
  bool weak = false;
  int64_t first_micros = 0;
  int64_t last_micros = 0;
  std::vector<CustomerId> seen_with;

  bool WasSeenWith(CustomerId customer) const;
  friend bool operator==(const IdentifierState&, const IdentifierState&) = default;
};

// How many identifiers of one kind and weakness a customer has.
struct KindTally {
  uint32_t count = 0;
  uint32_t this_week = 0;
  int64_t week = 0;
  friend bool operator==(const KindTally&, const KindTally&) = default;
};

// A customer's row.
class CustomerState {
 public:
  int64_t birth = 0;
  std::vector<MemberId> members;  // oldest first
  std::optional<IdentifierHash> strong;
  std::optional<CustomerId> moved_to;
  uint32_t suggestions = 0;

  KindTally& Tally(uint8_t kind, bool weak) { return tallies_[Index(kind, weak)]; }
  const KindTally& Tally(uint8_t kind, bool weak) const { return tallies_[Index(kind, weak)]; }
  // All identifiers.
  uint32_t Identifiers() const;
  // Whether it has a strong or medium identifier: it is known, not a mere visitor.
  bool Known() const;

  friend bool operator==(const CustomerState&, const CustomerState&) = default;

 private:
  static size_t Index(uint8_t kind, bool weak) { return 2 * kind + (weak ? 1 : 0); }
  std::array<KindTally, 2 * (kLastKind + 1)> tallies_;
};

std::string EncodeIdentifier(const IdentifierState& state);
StatusOr<IdentifierState> DecodeIdentifier(std::string_view bytes);
std::string EncodeCustomer(const CustomerState& state);
StatusOr<CustomerState> DecodeCustomer(std::string_view bytes);

}  // namespace hilo::identity
