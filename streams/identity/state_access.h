#pragma once

#include <cstddef>
#include <list>
#include <optional>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/types/ids.h"
#include "streams/fold/fold.h"
#include "streams/identity/keys.h"
#include "streams/identity/lookup.h"
#include "streams/identity/row_cache.h"
#include "streams/identity/rows.h"

namespace hilo::identity {

// Decoded rows that outlive a record; cleared when a batch is not written.
struct StateCache {
  StateCache(size_t identifier_slots, size_t customer_slots, size_t place_slots)
      : identifiers(identifier_slots), customers(customer_slots), places(place_slots) {}

  // Ids and hashes are spread evenly: eight bytes of them choose a slot.
  struct SlotOf {
    size_t operator()(const IdentifierName& name) const {
      return std::hash<IdentifierHash>{}(name.hash);
    }
    size_t operator()(const CustomerId& customer) const {
      return std::hash<CustomerId>{}(customer);
    }
  };
  RowCache<IdentifierName, IdentifierState, SlotOf> identifiers;
  RowCache<CustomerId, CustomerState, SlotOf> customers;
  // Where the member born with a customer belongs now.
  RowCache<CustomerId, CustomerId, SlotOf> places;

  void Clear() {
    identifiers.Clear();
    customers.Clear();
    places.Clear();
  }
};

// Identity's rows while one record is applied.
// **Threads**: confined to its partition's thread. **Lifetime**: one record; context and cache
// outlive it.
class StateAccess {
 public:
  StateAccess(fold::Context& context, StateCache& cache) : context_(context), cache_(cache) {}
  StateAccess(const StateAccess&) = delete;
  StateAccess& operator=(const StateAccess&) = delete;

  StatusOr<std::optional<IdentifierState>> FindIdentifier(const IdentifierName& name);
  void PutIdentifier(const IdentifierName& name, const IdentifierState& state);

  // A customer's row, to be read or changed: what was changed is told by `changed`, and written by
  // WriteCustomers.
  struct Customer {
    CustomerId id;
    CustomerState state;
    bool changed = false;
  };
  // The row lives as long as this object.
  StatusOr<Customer*> GetCustomer(CustomerId id);
  Customer* NewCustomer(CustomerId id);
  void WriteCustomers();
  // Where a member belongs now.
  StatusOr<Place> PlaceOf(MemberId member);

  // Whether the pair was suggested before.
  StatusOr<bool> WasSuggested(CustomerId one, CustomerId other);
  void PutSuggestion(log::Offset offset, uint32_t index, CustomerId one, CustomerId other,
                     const store::v1::SuggestionRow& row);

  using Groups = google::protobuf::RepeatedPtrField<store::v1::Group>;
  Status JoinGroups(const Groups& groups, MemberId member, int64_t event_micros);

 private:
  fold::Context& context_;
  StateCache& cache_;
  std::list<Customer> customers_;  // those of this record; a list, so that they stay where they are
};

// Moves first and last seen; whether the row must be written.
bool Seen(int64_t event_micros, int64_t* first_micros, int64_t* last_micros);

}  // namespace hilo::identity
