#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/status.h"
#include "state/types/hash.h"
#include "state/types/ids.h"
#include "streams/identity/counters.h"
#include "streams/identity/state_access.h"

namespace hilo::identity {

// A suggestion that this event brought about, between its customer and another.
struct Suggested {
  Place other;
  std::string_view reason;  // a literal
  uint8_t kind = 0;
  uint32_t index = 0;
};

// Finds out whose an event is: Read, then Decide. The rules are told at NewIdentityFold.
// **Threads**: confined to its partition's thread. **Lifetime**: one record.
class Resolution {
 public:
  struct Where {
    const log::TopicPartition& from;
    log::Offset offset;
    int64_t log_micros;
    int64_t event_micros;  // set back when ahead
    const HashKey& id_key;
  };
  Resolution(const Where& where, StateAccess& state, Counters& counters)
      : where_(where), state_(state), counters_(counters) {}
  Resolution(const Resolution&) = delete;
  Resolution& operator=(const Resolution&) = delete;

  // Looks up the event's identifiers and changes nothing. The event is well formed (CheckEvent).
  Status Read(const store::v1::Event& event);
  // How many different strong values it names.
  int StrongIdentifiers() const;

  // Finds or makes the event's customer, binds what is new and records whom it met. Customers' rows
  // are written by StateAccess::WriteCustomers.
  Status Decide(EventId event);

  // After Decide.
  const Place& place() const { return place_; }
  const std::vector<Suggested>& suggested() const { return suggested_; }
  // What the event's customer is told, apart from the event.
  void Describe(store::v1::CustomerEvent* told) const;
  // What the other customer of a suggestion is told.
  void Tell(const Suggested& suggested, store::v1::CustomerEvent* told) const;

 private:
  // An identifier of the event with its row.
  struct Incoming {
    IdentifierName name;
    int index = 0;  // in the event
    bool weak = false;
    bool known = false;  // it had a row before this event, or has one by now
    bool changed = false;
    Strength strength = Strength::kWeak;
    IdentifierState state;
    Place place;  // of a known one that is not shared

    bool Usable() const { return !state.shared; }
  };

  Status FindHome();
  StatusOr<const Incoming*> FindAnchor();
  void Begin();
  void Bind(Incoming& incoming);
  Status Meet(Incoming& incoming, EventId event);
  void Share(Incoming& incoming, StateAccess::Customer& owner);
  Status Suggest(const Incoming& incoming, std::string_view reason, StateAccess::Customer& other,
                 EventId event);
  void Note(const Suggested& suggested, CustomerId other, store::v1::CustomerEvent* told) const;

  const Where where_;
  StateAccess& state_;
  Counters& counters_;
  std::vector<Incoming> incoming_;  // strongest first
  Place place_;
  // At place_; null while the event brings nothing new to it.
  StateAccess::Customer* customer_ = nullptr;
  bool begins_ = false;
  std::vector<Suggested> suggested_;
};

}  // namespace hilo::identity
