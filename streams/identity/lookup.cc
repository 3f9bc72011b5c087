#include "streams/identity/lookup.h"

#include <algorithm>

#include "ops/base/check.h"
#include "streams/fold/fold.h"
#include "streams/identity/identity_fold.h"
#include "streams/identity/keys.h"
#include "streams/identity/rows.h"

namespace hilo::identity {
namespace {

// A member that a row names must have a customer.
StatusOr<Place> PlaceOf(const store::Reader& reader, MemberId member) {
  HILO_ASSIGN_OR_RETURN(const std::optional<Place> place, FindMember(reader, member));
  if (!place) {
    return Error(StatusCode::kDataLoss, "undecodable", "a row leads to a member without a row");
  }
  return *place;
}

// The end of a key: the id behind its prefix.
template <typename T>
StatusOr<T> LastId(std::string_view key) {
  const std::optional<T> id = T::FromBytes(key.substr(key.size() - std::min(key.size(), T::kSize)));
  if (!id) return Error(StatusCode::kDataLoss, "undecodable", "a key of identity is cut short");
  return *id;
}

}  // namespace

StatusOr<std::optional<Place>> FindMember(const store::Reader& reader, MemberId member) {
  const CustomerId birth = BirthCustomer(member);
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, reader.Get(CustomerKey(birth)));
  if (!bytes) return std::optional<Place>();
  HILO_ASSIGN_OR_RETURN(const CustomerState state, DecodeCustomer(*bytes));
  return std::optional<Place>({.member = member, .customer = state.moved_to.value_or(birth)});
}

StatusOr<std::optional<IdentifierFound>> FindByIdentifier(const store::Reader& reader,
                                                          uint32_t kind, IdentifierHash hash) {
  if (kind < 1 || kind > kLastKind) return std::optional<IdentifierFound>();
  const IdentifierName name{.kind = static_cast<uint8_t>(kind), .hash = hash};
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, reader.Get(IdentifierKey(name)));
  if (!bytes) return std::optional<IdentifierFound>();
  HILO_ASSIGN_OR_RETURN(const IdentifierState state, DecodeIdentifier(*bytes));
  IdentifierFound found{
      .shared = state.shared, .first_micros = state.first_micros, .last_micros = state.last_micros};
  if (state.member) {
    HILO_ASSIGN_OR_RETURN(found.place, PlaceOf(reader, *state.member));
  }
  if (state.home) {
    HILO_ASSIGN_OR_RETURN(found.home, PlaceOf(reader, *state.home));
  }
  for (const CustomerId& customer : state.seen_with) {
    // Where the customer it was seen with is by now.
    HILO_ASSIGN_OR_RETURN(const Place place, PlaceOf(reader, BirthMember(customer)));
    const bool listed = std::find(found.seen_with.begin(), found.seen_with.end(), place.customer) !=
                        found.seen_with.end();
    const bool own = found.place && found.place->customer == place.customer;
    if (!listed && !own) found.seen_with.push_back(place.customer);
  }
  return std::optional<IdentifierFound>(std::move(found));
}

StatusOr<GroupPage> FindByGroup(const store::Reader& reader, GroupId group,
                                std::optional<MemberId> after, int limit) {
  HILO_CHECK(limit >= 1 && limit <= 1'000, "callers bound the size of a page");
  const std::string prefix = GroupPrefix(group);
  store::KeyRange range = store::PrefixRange(prefix);
  // The first key behind `after`'s.
  if (after) range.begin = GroupMemberKey(group, *after) + '\0';
  const std::unique_ptr<store::Iterator> rows = reader.NewIterator(range);
  GroupPage page;
  for (; rows->Valid(); rows->Next()) {
    if (page.members.size() == static_cast<size_t>(limit)) {
      page.next = page.members.back().place.member;
      break;
    }
    store::v1::GroupMemberRow row;
    HILO_RETURN_IF_ERROR(fold::Decode(rows->Value(), &row));
    HILO_ASSIGN_OR_RETURN(const MemberId member, LastId<MemberId>(rows->Key()));
    HILO_ASSIGN_OR_RETURN(const Place place, PlaceOf(reader, member));
    page.members.push_back({.place = place,
                            .role = row.role(),
                            .first_micros = row.first_micros(),
                            .last_micros = row.last_micros()});
  }
  HILO_RETURN_IF_ERROR(rows->status());
  return page;
}

StatusOr<std::vector<SuggestionFound>> SuggestionsOf(const store::Reader& reader,
                                                     CustomerId customer) {
  std::vector<SuggestionFound> found;
  const std::unique_ptr<store::Iterator> pairs =
      reader.NewIterator(store::PrefixRange(SuggestionPairPrefix(customer)));
  for (; pairs->Valid(); pairs->Next()) {
    store::v1::SuggestionPairRow pair;
    HILO_RETURN_IF_ERROR(fold::Decode(pairs->Value(), &pair));
    SuggestionFound& one = found.emplace_back();
    one.offset = pair.offset();
    one.index = pair.index();
  }
  HILO_RETURN_IF_ERROR(pairs->status());
  std::sort(found.begin(), found.end(), [](const SuggestionFound& a, const SuggestionFound& b) {
    return std::pair(a.offset, a.index) < std::pair(b.offset, b.index);
  });
  for (SuggestionFound& one : found) {
    HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                          reader.Get(SuggestionKey(one.offset, one.index)));
    if (!bytes) {
      return Error(StatusCode::kDataLoss, "undecodable", "a pair leads to no suggestion");
    }
    HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &one.row));
  }
  return found;
}

}  // namespace hilo::identity
