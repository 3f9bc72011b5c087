#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "ops/base/metrics.h"
#include "state/types/hash.h"
#include "state/types/time.h"
#include "streams/fold/fold.h"

namespace hilo::identity {

// Limits of identity. They are the fold's behaviour: changing one takes a new behaviour version.
inline constexpr int kIdentifiersPerEvent = 16;
inline constexpr int kGroupsPerEvent = 16;
// Identifiers of one customer; the strong one always fits. Beyond it nothing new is bound.
inline constexpr uint32_t kIdentifiersPerCustomer = 50;
// New identifiers of one weak kind that a customer may get in a week of log time.
inline constexpr uint32_t kWeakPerWeek = 5;
// Known customers that a medium identifier may be seen with before it becomes shared, and how many
// are listed.
inline constexpr size_t kCustomersPerIdentifier = 10;
// Suggestions that may name one customer.
inline constexpr uint32_t kSuggestionsPerCustomer = 50;
// First and last seen are told again only when they move by this much.
inline constexpr Micros kSeenStep{3'600'000'000};
// Event ids forgotten by one tick at most: above any sustained rate of intake, since a tick comes
// once a second.
inline constexpr int kForgottenPerTick = 65'536;
// Parameters in force until a record sets others.
inline constexpr Micros kDefaultLateness{7 * 86'400'000'000};
inline constexpr Micros kDefaultAhead{600'000'000};

struct Options {
  // How many partitions the topic `customers` has: 1 to 256, fixed per space.
  uint32_t customer_partitions = 4;
  std::string customers_topic = "customers";
  // The space's identifier key, constant per space: customer ids derive from it and from positions.
  HashKey id_key;
  // Rows kept in memory, decoded: at least 1 each, about 12 MiB as it stands. They change no
  // answer.
  size_t cached_identifiers = 32'768;
  size_t cached_customers = 4'096;
  size_t cached_places = 131'072;  // to which customer a member belongs: all that most events ask
  // Where what happens is counted; may be null.
  Registry* metrics = nullptr;
};

// The fold over `events`: decides to which customer each event belongs, links identifiers that come
// together, and passes the event on to the customer's partition, its bytes unchanged.
//
// **Rules**: strong identifiers are `user_id`; medium `email`, `phone`; weak `anonymous_id`,
// `device_id`, and whatever carries the weak flag. In an event the strongest known identifier takes
// the unknown ones in, unless that gave its customer a second strong value, or it is weak, its
// customer has a better one and the event brings a new strong or medium one: then a new customer
// begins. Two known customers who meet are never merged: a suggestion is recorded once per pair,
// with its evidence, and told to both. A weak identifier that is seen with a second known customer
// (one with a strong or medium identifier), and a medium one with more than
// kCustomersPerIdentifier, becomes shared: it links nobody from then on, and events with nothing
// else belong to a home customer of its own.
//
// **Guarantees**: no customer has two strong values; an event id counts once within the lateness (7
// days) of log time; a customer id is a keyed hash of the position of the record it began with.
// What an event does costs a bounded number of rows, whatever its customer or identifiers hold
// already.
//
// **Refusals** (dead letters): `event_too_late` (older than the lateness), `event_id_conflict`
// (known id, other body), `strong_conflict` (two strong values in one event), `identifier_missing`,
// `event_malformed`, `not_yet_supported` (accepting suggestions, splitting and erasing),
// `schema_unknown` (any other kind). A repeat with the same body is dropped and counted. An event
// too far ahead of both log time and append time is not refused: its time is set back for what
// folds go by (CustomerEvent.event_micros), its bytes stay as they are. Before the first tick log
// time is 0 and no event is too late.
//
// **Threads**: confined to its partition's thread. **Cost**: a look-up for the event id, one per
// identifier, and one for the customer when it is not at hand; rows are written only when they
// change. The last rows used are kept in memory, decoded.
std::unique_ptr<fold::Fold> NewIdentityFold(Options options);

// The id of the customer who begins at that place; `index` counts those who begin within one
// record.
CustomerId CustomerIdAt(const HashKey& key, const log::TopicPartition& of, log::Offset offset,
                        uint32_t index);

}  // namespace hilo::identity
