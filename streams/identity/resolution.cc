#include "streams/identity/resolution.h"

#include <algorithm>
#include <tuple>

#include "ops/base/check.h"
#include "streams/identity/identity_fold.h"

namespace hilo::identity {
namespace {

constexpr int64_t kWeek = 7 * int64_t{86'400'000'000};
constexpr std::string_view kIdentifiersMeet = "identifiers_meet";
constexpr std::string_view kStrongConflict = "strong_conflict";
constexpr std::string_view kWeakIdentifierShared = "weak_identifier_shared";

}  // namespace

Status Resolution::Read(const store::v1::Event& event) {
  incoming_.reserve(static_cast<size_t>(event.identifiers_size()));
  for (int i = 0; i < event.identifiers_size(); ++i) {
    const store::v1::Identifier& identifier = event.identifiers(i);
    const std::optional<IdentifierHash> hash = IdentifierHash::FromBytes(identifier.hash());
    HILO_CHECK(hash.has_value(), "a malformed event is refused before its identifiers are read");
    const IdentifierName name{.kind = static_cast<uint8_t>(identifier.kind()), .hash = *hash};
    const auto same = std::find_if(incoming_.begin(), incoming_.end(),
                                   [&](const Incoming& before) { return before.name == name; });
    if (same != incoming_.end()) {
      same->weak |= identifier.weak();
      continue;
    }
    incoming_.push_back({.name = name, .index = i, .weak = identifier.weak()});
  }
  for (Incoming& incoming : incoming_) {
    HILO_ASSIGN_OR_RETURN(std::optional<IdentifierState> state,
                          state_.FindIdentifier(incoming.name));
    if (state) {
      incoming.known = true;
      incoming.weak |= state->weak;
      incoming.state = *std::move(state);
      if (incoming.Usable()) {
        HILO_ASSIGN_OR_RETURN(incoming.place, state_.PlaceOf(*incoming.state.member));
      }
    }
    incoming.strength = StrengthOf(incoming.name.kind, incoming.weak);
  }
  std::sort(incoming_.begin(), incoming_.end(), [](const Incoming& a, const Incoming& b) {
    return std::tie(a.strength, a.name) < std::tie(b.strength, b.name);
  });
  return OkStatus();
}

int Resolution::StrongIdentifiers() const {
  return static_cast<int>(std::count_if(
      incoming_.begin(), incoming_.end(),
      [](const Incoming& incoming) { return incoming.strength == Strength::kStrong; }));
}

Status Resolution::Decide(EventId event) {
  const bool only_shared = std::none_of(incoming_.begin(), incoming_.end(),
                                        [](const Incoming& i) { return i.Usable(); });
  if (only_shared) {
    HILO_RETURN_IF_ERROR(FindHome());
  } else {
    HILO_ASSIGN_OR_RETURN(const Incoming* const anchor, FindAnchor());
    if (anchor == nullptr) {
      Begin();
    } else {
      place_ = anchor->place;
      const bool nothing_new =
          std::all_of(incoming_.begin(), incoming_.end(), [this](const Incoming& i) {
            return i.known && (!i.Usable() || i.place.customer == place_.customer);
          });
      if (!nothing_new) {
        HILO_ASSIGN_OR_RETURN(customer_, state_.GetCustomer(place_.customer));
      }
    }
    for (Incoming& incoming : incoming_) {
      if (!incoming.known) Bind(incoming);
    }
    for (Incoming& incoming : incoming_) {
      if (incoming.known && incoming.Usable() && incoming.place.customer != place_.customer) {
        HILO_RETURN_IF_ERROR(Meet(incoming, event));
      }
    }
  }
  for (Incoming& incoming : incoming_) {
    if (!incoming.known) continue;
    incoming.changed |=
        Seen(where_.event_micros, &incoming.state.first_micros, &incoming.state.last_micros);
    if (incoming.changed) state_.PutIdentifier(incoming.name, incoming.state);
  }
  return OkStatus();
}

// What nobody in particular comes by has a place of its own: it has no identifiers, so nothing
// links to it.
Status Resolution::FindHome() {
  Incoming& strongest = incoming_.front();
  if (strongest.state.home) {
    HILO_ASSIGN_OR_RETURN(place_, state_.PlaceOf(*strongest.state.home));
    return OkStatus();
  }
  Begin();
  strongest.state.home = place_.member;
  strongest.changed = true;
  return OkStatus();
}

// The strongest known identifier whose customer may take the new ones in; null when there is none.
StatusOr<const Resolution::Incoming*> Resolution::FindAnchor() {
  bool brings_strong = false;
  bool brings_better = false;
  for (const Incoming& incoming : incoming_) {
    if (incoming.known) continue;
    brings_strong |= incoming.strength == Strength::kStrong;
    brings_better |= incoming.strength != Strength::kWeak;
  }
  for (const Incoming& incoming : incoming_) {
    if (!incoming.known || !incoming.Usable()) continue;
    if (!brings_strong && !(brings_better && incoming.strength == Strength::kWeak)) {
      return &incoming;
    }
    HILO_ASSIGN_OR_RETURN(const StateAccess::Customer* const customer,
                          state_.GetCustomer(incoming.place.customer));
    if (brings_strong && customer->state.strong) continue;
    if (brings_better && incoming.strength == Strength::kWeak && customer->state.Known()) continue;
    return &incoming;
  }
  return nullptr;
}

void Resolution::Begin() {
  const CustomerId id = CustomerIdAt(where_.id_key, where_.from, where_.offset, 0);
  place_ = {.member = BirthMember(id), .customer = id};
  customer_ = state_.NewCustomer(id);
  customer_->state.birth = where_.offset;
  customer_->state.members.push_back(place_.member);
  begins_ = true;
  counters_.customers.Increment();
}

// Within the limits; beyond them the event still belongs to its customer, the identifier stays
// unknown.
void Resolution::Bind(Incoming& incoming) {
  CustomerState& customer = customer_->state;
  const bool strong = incoming.strength == Strength::kStrong;
  if (!strong && customer.Identifiers() >= kIdentifiersPerCustomer) {
    counters_.merge_limit.Increment();
    return;
  }
  KindTally& tally = customer.Tally(incoming.name.kind, incoming.weak);
  if (incoming.strength == Strength::kWeak) {
    const int64_t week = where_.log_micros / kWeek;
    const uint32_t bound = tally.week == week ? tally.this_week : 0;
    if (bound >= kWeakPerWeek) {
      counters_.weekly_limit.Increment();
      return;
    }
    tally.week = week;
    tally.this_week = bound + 1;
  }
  if (strong) {
    HILO_CHECK(!customer.strong, "FindAnchor passes over customers who have a strong value");
    customer.strong = incoming.name.hash;
  }
  ++tally.count;
  customer_->changed = true;
  incoming.state = {.member = place_.member,
                    .weak = incoming.weak,
                    .first_micros = where_.event_micros,
                    .last_micros = where_.event_micros};
  incoming.place = place_;
  incoming.known = true;
  incoming.changed = true;
}

// A known identifier of another customer: the two are never joined, but the pair is told once.
Status Resolution::Meet(Incoming& incoming, EventId event) {
  HILO_ASSIGN_OR_RETURN(StateAccess::Customer* const other,
                        state_.GetCustomer(incoming.place.customer));
  const bool weak = incoming.strength == Strength::kWeak;
  std::vector<CustomerId>& seen_with = incoming.state.seen_with;
  const bool seen_before = incoming.state.WasSeenWith(place_.customer);
  bool share = false;
  if (customer_->state.Known()) {
    if (!seen_before) {
      seen_with.push_back(place_.customer);
      incoming.changed = true;
    }
    // A weak one may meet a second known customer when its own became known since.
    share = weak ? seen_with.size() + (other->state.Known() ? 1 : 0) > 1
                 : seen_with.size() > kCustomersPerIdentifier;
  }
  if (share) Share(incoming, *other);
  if (seen_before) return OkStatus();  // the pair was told then
  std::string_view reason = kIdentifiersMeet;
  if (share && weak) {
    reason = kWeakIdentifierShared;
  } else if (customer_->state.strong && other->state.strong) {
    reason = kStrongConflict;
  }
  return Suggest(incoming, reason, *other, event);
}

void Resolution::Share(Incoming& incoming, StateAccess::Customer& owner) {
  std::vector<CustomerId>& seen_with = incoming.state.seen_with;
  if (owner.state.Known()) seen_with.insert(seen_with.begin(), owner.id);
  if (seen_with.size() > kCustomersPerIdentifier) seen_with.resize(kCustomersPerIdentifier);
  KindTally& tally = owner.state.Tally(incoming.name.kind, incoming.state.weak);
  HILO_CHECK(tally.count > 0, "every bound identifier was counted when it was bound");
  --tally.count;
  owner.changed = true;
  incoming.state.member.reset();
  incoming.state.shared = true;
  incoming.changed = true;
  counters_.shared.Increment();
}

Status Resolution::Suggest(const Incoming& incoming, std::string_view reason,
                           StateAccess::Customer& other, EventId event) {
  HILO_ASSIGN_OR_RETURN(const bool before, state_.WasSuggested(place_.customer, other.id));
  if (before) return OkStatus();
  if (customer_->state.suggestions >= kSuggestionsPerCustomer ||
      other.state.suggestions >= kSuggestionsPerCustomer) {
    counters_.not_suggested.Increment();
    return OkStatus();
  }
  const Suggested suggested{.other = incoming.place,
                            .reason = reason,
                            .kind = incoming.name.kind,
                            .index = static_cast<uint32_t>(suggested_.size())};
  store::v1::SuggestionRow row;
  row.set_customer(std::string(place_.customer.Bytes()));
  row.set_other(std::string(other.id.Bytes()));
  row.set_reason(std::string(reason));
  row.set_identifier_kind(incoming.name.kind);
  row.set_identifier(std::string(incoming.name.hash.Bytes()));
  row.set_event_id(std::string(event.Bytes()));
  row.set_event_micros(where_.event_micros);
  state_.PutSuggestion(where_.offset, suggested.index, place_.customer, other.id, row);
  for (StateAccess::Customer* const customer : {customer_, &other}) {
    ++customer->state.suggestions;
    customer->changed = true;
  }
  suggested_.push_back(suggested);
  counters_.suggestions.Increment();
  return OkStatus();
}

void Resolution::Describe(store::v1::CustomerEvent* told) const {
  told->set_customer(std::string(place_.customer.Bytes()));
  told->set_member(std::string(place_.member.Bytes()));
  told->set_begins(begins_);
  told->set_identity_offset(where_.offset);
  told->set_event_micros(where_.event_micros);
  for (const Incoming& incoming : incoming_) {
    if (incoming.state.member == place_.member) {
      told->add_bound(static_cast<uint32_t>(incoming.index));
    }
  }
  std::sort(told->mutable_bound()->begin(), told->mutable_bound()->end());
  for (const Suggested& suggested : suggested_) Note(suggested, suggested.other.customer, told);
}

void Resolution::Tell(const Suggested& suggested, store::v1::CustomerEvent* told) const {
  told->set_customer(std::string(suggested.other.customer.Bytes()));
  told->set_member(std::string(suggested.other.member.Bytes()));
  told->set_identity_offset(where_.offset);
  told->set_event_micros(where_.event_micros);
  Note(suggested, place_.customer, told);
}

void Resolution::Note(const Suggested& suggested, CustomerId other,
                      store::v1::CustomerEvent* told) const {
  store::v1::SuggestionNote& note = *told->add_suggestions();
  note.set_other(std::string(other.Bytes()));
  note.set_reason(std::string(suggested.reason));
  note.set_identifier_kind(suggested.kind);
  note.set_index(suggested.index);
}

}  // namespace hilo::identity
