#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/store/keys.h"
#include "state/types/ids.h"
#include "streams/log/log.h"

// Keys of identity's rows (state/store/tables.h). They are part of what is stored: a golden test
// holds them.
namespace hilo::identity {

// An identifier as identity sees it: the kind, a hilo.v1.IdentifierKind, and the keyed hash.
struct IdentifierName {
  uint8_t kind = 0;
  IdentifierHash hash;
  friend auto operator<=>(const IdentifierName&, const IdentifierName&) = default;
};

inline std::string IdentifierKey(const IdentifierName& name) {
  return store::KeyBuilder(store::Table::kIdentifier).U8(name.kind).Raw(name.hash.Bytes()).Build();
}
inline std::string CustomerKey(CustomerId customer) {
  return store::KeyBuilder(store::Table::kCustomer).Raw(customer.Bytes()).Build();
}
inline std::string EventIdKey(EventId event) {
  return store::KeyBuilder(store::Table::kEventId).Raw(event.Bytes()).Build();
}

// Event ids that will be forgotten together: of one hour, from at most 64 offsets in a row.
struct EventIdGroup {
  static constexpr int kOffsets = 64;
  int64_t hour = 0;
  int64_t group = 0;  // offset / kOffsets
  friend auto operator<=>(const EventIdGroup&, const EventIdGroup&) = default;
};
inline std::string EventIdHourKey(const EventIdGroup& of) {
  return store::KeyBuilder(store::Table::kEventIdHour)
      .Time(of.hour)
      .U64(static_cast<uint64_t>(of.group))
      .Build();
}

inline std::string SuggestionKey(log::Offset offset, uint32_t index) {
  return store::KeyBuilder(store::Table::kSuggestion)
      .U64(static_cast<uint64_t>(offset))
      .U32(index)
      .Build();
}
inline std::string SuggestionPairPrefix(CustomerId customer) {
  return store::KeyBuilder(store::Table::kSuggestionPair).Raw(customer.Bytes()).Build();
}
inline std::string SuggestionPairKey(CustomerId customer, CustomerId other) {
  return store::KeyBuilder(store::Table::kSuggestionPair)
      .Raw(customer.Bytes())
      .Raw(other.Bytes())
      .Build();
}
inline std::string GroupPrefix(GroupId group) {
  return store::KeyBuilder(store::Table::kGroupMember).Raw(group.Bytes()).Build();
}
inline std::string GroupMemberKey(GroupId group, MemberId member) {
  return store::KeyBuilder(store::Table::kGroupMember)
      .Raw(group.Bytes())
      .Raw(member.Bytes())
      .Build();
}

}  // namespace hilo::identity
