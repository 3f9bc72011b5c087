#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "state/types/ids.h"

// What others may read of identity's state: pure functions over a store or a view of it. Give a
// View where several answers must belong to one moment. **Errors**: the store's, and
// `schema_unknown` or `undecodable` for a row that cannot be read.
namespace hilo::identity {

// A member, and the customer it belongs to now.
struct Place {
  MemberId member;
  CustomerId customer;
  friend bool operator==(const Place&, const Place&) = default;
};

// What is known of an identifier.
struct IdentifierFound {
  // Who has it; absent when it is shared.
  std::optional<Place> place;
  // Seen with several known customers: it says nothing about who comes by it.
  bool shared = false;
  // Shared: where events with nothing else belong; absent until one came.
  std::optional<Place> home;
  // Other known customers it was seen with, oldest first, at most kCustomersPerIdentifier.
  std::vector<CustomerId> seen_with;
  int64_t first_micros = 0;
  int64_t last_micros = 0;  // to the hour
};

// Where `member` belongs now; nullopt when there is no such member. **Cost**: one look-up.
StatusOr<std::optional<Place>> FindMember(const store::Reader& reader, MemberId member);

// `kind` is a hilo.v1.IdentifierKind. nullopt when it was never seen. **Cost**: two look-ups, one
// more for each customer it was seen with.
StatusOr<std::optional<IdentifierFound>> FindByIdentifier(const store::Reader& reader,
                                                          uint32_t kind, IdentifierHash hash);

// A person's membership of a group.
struct GroupMember {
  Place place;
  std::string role;
  int64_t first_micros = 0;
  int64_t last_micros = 0;  // to the hour
};
struct GroupPage {
  std::vector<GroupMember> members;  // in order of member id
  std::optional<MemberId> next;      // give it as `after` for the next page; absent on the last
};
// Members of `group` behind `after`, at most `limit` (1 to 1,000). **Cost**: one range, one look-up
// per member.
StatusOr<GroupPage> FindByGroup(const store::Reader& reader, GroupId group,
                                std::optional<MemberId> after, int limit);

// A suggestion, by its name: offset in `events`, and index.
struct SuggestionFound {
  int64_t offset = 0;
  uint32_t index = 0;
  store::v1::SuggestionRow row;
};
// Suggestions that name `customer`, oldest first, at most kSuggestionsPerCustomer.
StatusOr<std::vector<SuggestionFound>> SuggestionsOf(const store::Reader& reader,
                                                     CustomerId customer);

}  // namespace hilo::identity
