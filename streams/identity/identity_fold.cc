#include "streams/identity/identity_fold.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/check.h"
#include "state/types/bucket.h"
#include "streams/identity/counters.h"
#include "streams/identity/event_ids.h"
#include "streams/identity/keys.h"
#include "streams/identity/resolution.h"
#include "streams/identity/rows.h"
#include "streams/identity/state_access.h"

namespace hilo::identity {
namespace {

using fold::Context;
using fold::FoldRecord;
using fold::Outcome;

// Whether an event is one that identity can read; what it refuses no retry mends.
Outcome CheckEvent(const store::v1::Event& event) {
  const auto malformed = [](std::string_view why) {
    return Outcome::Refused("event_malformed", why);
  };
  if (!EventId::FromBytes(event.event_id())) return malformed("its id has not 16 bytes");
  if (event.body_hash().size() != sizeof(Hash16)) return malformed("its hash has not 16 bytes");
  if (event.identifiers().empty()) {
    return Outcome::Refused("identifier_missing", "it names nobody");
  }
  if (event.identifiers_size() > kIdentifiersPerEvent) return malformed("too many identifiers");
  for (const store::v1::Identifier& identifier : event.identifiers()) {
    if (identifier.kind() < 1 || identifier.kind() > kLastKind) {
      return malformed("an identifier is of no kind that is known");
    }
    if (!IdentifierHash::FromBytes(identifier.hash())) {
      return malformed("an identifier's hash has not 16 bytes");
    }
  }
  if (event.groups_size() > kGroupsPerEvent) return malformed("too many groups");
  for (const store::v1::Group& group : event.groups()) {
    if (!GroupId::FromBytes(group.group())) return malformed("a group's hash has not 16 bytes");
  }
  return Outcome::Ok();
}

class IdentityFold final : public fold::Fold {
 public:
  explicit IdentityFold(Options options)
      : options_(std::move(options)),
        counters_(options_.metrics),
        cache_(options_.cached_identifiers, options_.cached_customers, options_.cached_places) {
    HILO_CHECK(options_.customer_partitions >= 1 && options_.customer_partitions <= 256,
               "a space has 1 to 256 partitions of customers, checked when it is configured");
  }

  void Prefetch(const FoldRecord& record, std::vector<std::string>& keys) override {
    if (!record.record.has_event() || !event_.ParseFromString(record.record.event())) return;
    const std::optional<EventId> id = EventId::FromBytes(event_.event_id());
    if (!id || event_.identifiers_size() > kIdentifiersPerEvent) return;
    keys.push_back(EventIdKey(*id));
    for (const store::v1::Identifier& identifier : event_.identifiers()) {
      const std::optional<IdentifierHash> hash = IdentifierHash::FromBytes(identifier.hash());
      const IdentifierName name{.kind = static_cast<uint8_t>(identifier.kind()),
                                .hash = hash.value_or(IdentifierHash())};
      if (hash && !cache_.identifiers.Find(name)) keys.push_back(IdentifierKey(name));
    }
  }

  Outcome Apply(const FoldRecord& record, Context& context) override {
    switch (record.record.kind_case()) {
      case store::v1::Record::kEvent:
        return ApplyEvent(record, context);
      case store::v1::Record::kCatalogue:
        return Outcome::Ok();  // every partition gets it; nothing in it concerns identity
      case store::v1::Record::kAcceptSuggestion:
      case store::v1::Record::kSplitMember:
      case store::v1::Record::kEraseCustomer:
        return Outcome::Refused("not_yet_supported",
                                "this version neither merges nor splits nor erases customers");
      default:
        return Outcome::Refused("schema_unknown", "identity folds no records of this kind");
    }
  }

  Outcome Ticked(Context& context) override {
    if (context.Now().micros <= 0) return Outcome::Ok();
    return Done(event_ids_.ForgetOlder(context.Now().micros - Lateness(context), context));
  }

  void Forget() override {
    cache_.Clear();
    event_ids_.Forget();
  }

 private:
  static int64_t Lateness(Context& context) {
    const int64_t set = context.Parameters().lateness_micros();
    return set > 0 ? set : kDefaultLateness.count();
  }
  static int64_t Ahead(Context& context) {
    const int64_t set = context.Parameters().ahead_micros();
    return set > 0 ? set : kDefaultAhead.count();
  }
  static Outcome Done(Status status) {
    return status.ok() ? Outcome::Ok() : Outcome::Failed(std::move(status));
  }

  // A refusal changes nothing: everything that can refuse comes before the first change.
  Outcome ApplyEvent(const FoldRecord& record, Context& context) {
    const std::string& bytes = record.record.event();
    if (!event_.ParseFromString(bytes)) {
      return Outcome::Refused("event_malformed", "its bytes are no event");
    }
    if (Outcome checked = CheckEvent(event_); !checked.ok()) return checked;
    const EventId id = *EventId::FromBytes(event_.event_id());

    const StatusOr<EventIds::Known> known = event_ids_.Find(id, event_.body_hash(), context);
    if (!known.ok()) return Outcome::Failed(known.status());
    if (*known == EventIds::Known::kSame) {
      counters_.duplicates.Increment();
      return Outcome::Ok();
    }
    if (*known == EventIds::Known::kOtherBody) {
      return Outcome::Refused("event_id_conflict", "another event with this id came before");
    }

    const int64_t now = context.Now().micros;
    if (now > 0 && event_.event_micros() < now - Lateness(context)) {
      return Outcome::Refused("event_too_late", "it happened longer ago than events are accepted");
    }
    const int64_t latest = std::max(now, record.append_micros) + Ahead(context);
    const int64_t event_micros = std::min(event_.event_micros(), latest);
    if (event_micros != event_.event_micros()) counters_.set_back.Increment();

    StateAccess state(context, cache_);
    Resolution resolution({.from = record.from,
                           .offset = record.offset,
                           .log_micros = now,
                           .event_micros = event_micros,
                           .id_key = options_.id_key},
                          state, counters_);
    if (Status read = resolution.Read(event_); !read.ok()) return Outcome::Failed(std::move(read));
    if (resolution.StrongIdentifiers() > 1) {
      return Outcome::Refused("strong_conflict", "it names two user ids");
    }
    return Done(Accept(record, id, now + Ahead(context), event_micros, resolution, state, context));
  }

  // From here on the event counts.
  Status Accept(const FoldRecord& record, EventId id, int64_t soonest, int64_t event_micros,
                Resolution& resolution, StateAccess& state, Context& context) {
    HILO_RETURN_IF_ERROR(event_ids_.Remember(id, event_.body_hash(), record.offset,
                                             std::max(soonest, event_micros), context));
    HILO_RETURN_IF_ERROR(resolution.Decide(id));
    HILO_RETURN_IF_ERROR(
        state.JoinGroups(event_.groups(), resolution.place().member, event_micros));
    state.WriteCustomers();

    out_.Clear();
    store::v1::CustomerEvent& to_customer = *out_.mutable_customer_event();
    to_customer.set_event(record.record.event());
    resolution.Describe(&to_customer);
    Emit(resolution.place().customer, context);

    for (const Suggested& suggested : resolution.suggested()) {
      out_.Clear();
      store::v1::CustomerEvent& told = *out_.mutable_customer_event();
      resolution.Tell(suggested, &told);
      Emit(suggested.other.customer, context);
    }
    return OkStatus();
  }

  void Emit(CustomerId customer, Context& context) {
    context.Emit({options_.customers_topic, PartitionOf(customer, options_.customer_partitions)},
                 out_);
  }

  const Options options_;
  Counters counters_;
  StateCache cache_;
  EventIds event_ids_;
  // Kept between records for the memory they hold.
  store::v1::Event event_;
  store::v1::Record out_;
};

}  // namespace

CustomerId CustomerIdAt(const HashKey& key, const log::TopicPartition& of, log::Offset offset,
                        uint32_t index) {
  std::string position = of.topic;
  position.push_back('\0');
  const auto append = [&position](uint64_t value, int bytes) {
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
      position.push_back(static_cast<char>(value >> shift));
    }
  };
  append(of.partition, 4);
  append(static_cast<uint64_t>(offset), 8);
  append(index, 4);
  return CustomerId(KeyedHash(key, "customer", position));
}

std::unique_ptr<fold::Fold> NewIdentityFold(Options options) {
  return std::make_unique<IdentityFold>(std::move(options));
}

}  // namespace hilo::identity
