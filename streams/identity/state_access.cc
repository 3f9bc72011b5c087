#include "streams/identity/state_access.h"

#include "ops/base/check.h"
#include "streams/identity/identity_fold.h"

namespace hilo::identity {

bool Seen(int64_t event_micros, int64_t* first_micros, int64_t* last_micros) {
  bool moved = false;
  if (event_micros < *first_micros) {
    *first_micros = event_micros;
    moved = true;
  }
  if (event_micros - kSeenStep.count() >= *last_micros) {
    *last_micros = event_micros;
    moved = true;
  }
  return moved;
}

StatusOr<std::optional<IdentifierState>> StateAccess::FindIdentifier(const IdentifierName& name) {
  if (const IdentifierState* cached = cache_.identifiers.Find(name)) return *cached;
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, context_.Get(IdentifierKey(name)));
  if (!bytes) return std::optional<IdentifierState>();
  HILO_ASSIGN_OR_RETURN(IdentifierState state, DecodeIdentifier(*bytes));
  cache_.identifiers.Set(name, state);
  return std::optional<IdentifierState>(std::move(state));
}

void StateAccess::PutIdentifier(const IdentifierName& name, const IdentifierState& state) {
  context_.Put(IdentifierKey(name), EncodeIdentifier(state));
  cache_.identifiers.Set(name, state);
}

StatusOr<StateAccess::Customer*> StateAccess::GetCustomer(CustomerId id) {
  for (Customer& customer : customers_) {
    if (customer.id == id) return &customer;
  }
  if (const CustomerState* cached = cache_.customers.Find(id)) {
    return &customers_.emplace_back(Customer{.id = id, .state = *cached});
  }
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, context_.Get(CustomerKey(id)));
  if (!bytes) {
    return Error(StatusCode::kDataLoss, "undecodable",
                 "an identifier leads to a customer without a row");
  }
  HILO_ASSIGN_OR_RETURN(CustomerState state, DecodeCustomer(*bytes));
  cache_.customers.Set(id, state);
  return &customers_.emplace_back(Customer{.id = id, .state = std::move(state)});
}

StateAccess::Customer* StateAccess::NewCustomer(CustomerId id) {
  return &customers_.emplace_back(Customer{.id = id, .changed = true});
}

void StateAccess::WriteCustomers() {
  for (Customer& customer : customers_) {
    if (!customer.changed) continue;
    context_.Put(CustomerKey(customer.id), EncodeCustomer(customer.state));
    cache_.customers.Set(customer.id, customer.state);
    cache_.places.Set(customer.id, customer.state.moved_to.value_or(customer.id));
    customer.changed = false;
  }
}

StatusOr<Place> StateAccess::PlaceOf(MemberId member) {
  const CustomerId born_with = BirthCustomer(member);
  if (const CustomerId* const cached = cache_.places.Find(born_with)) {
    return Place{.member = member, .customer = *cached};
  }
  HILO_ASSIGN_OR_RETURN(const Customer* const birth, GetCustomer(born_with));
  const CustomerId now = birth->state.moved_to.value_or(birth->id);
  cache_.places.Set(born_with, now);
  return Place{.member = member, .customer = now};
}

StatusOr<bool> StateAccess::WasSuggested(CustomerId one, CustomerId other) {
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes,
                        context_.Get(SuggestionPairKey(one, other)));
  return bytes.has_value();
}

void StateAccess::PutSuggestion(log::Offset offset, uint32_t index, CustomerId one,
                                CustomerId other, const store::v1::SuggestionRow& row) {
  context_.Put(SuggestionKey(offset, index), fold::Encode(row));
  store::v1::SuggestionPairRow pair;
  pair.set_offset(offset);
  pair.set_index(index);
  const std::string bytes = fold::Encode(pair);
  context_.Put(SuggestionPairKey(one, other), bytes);
  context_.Put(SuggestionPairKey(other, one), bytes);
}

Status StateAccess::JoinGroups(const Groups& groups, MemberId member, int64_t event_micros) {
  for (const store::v1::Group& group : groups) {
    const std::optional<GroupId> id = GroupId::FromBytes(group.group());
    HILO_CHECK(id.has_value(), "a malformed event is refused before its groups are read");
    const std::string key = GroupMemberKey(*id, member);
    HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, context_.Get(key));
    store::v1::GroupMemberRow row;
    bool changed = !bytes;
    if (bytes) {
      HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &row));
    } else {
      row.set_kind(group.kind());
      row.set_role(group.role());
      row.set_first_micros(event_micros);
      row.set_last_micros(event_micros);
    }
    // An event that says no role takes none away, and a late one does not bring back an old one.
    if (!group.role().empty() && group.role() != row.role() && event_micros >= row.last_micros()) {
      row.set_role(group.role());
      row.set_last_micros(event_micros);
      changed = true;
    }
    int64_t first = row.first_micros();
    int64_t last = row.last_micros();
    if (Seen(event_micros, &first, &last)) {
      row.set_first_micros(first);
      row.set_last_micros(last);
      changed = true;
    }
    if (changed) context_.Put(key, fold::Encode(row));
  }
  return OkStatus();
}

}  // namespace hilo::identity
