#pragma once

#include <cstdint>

namespace hilo::store {

// The first byte of every key in a partition's store. A tag is never used for another table. Rows
// of a customer go on with bucket (1 byte), then the member's 16 bytes, so that a bucket is one
// range and can move.
enum class Table : uint8_t {
  // The runtime's (streams/fold).
  kMeta = 1,         // name -> position, running hash, digest; outside digests
  kLaneOut = 2,      // target topic, partition -> lane head
  kLaneIn = 3,       // source topic, partition -> accepted epoch, sequence, chains
  kTimer = 4,        // due BE, name -> timer
  kTimerByName = 5,  // name -> due
  kOutbox = 6,  // lane, first sequence -> blob of emissions; differs between nodes: outside digests
  kLocal = 7,   // node-local facts; outside digests
  kLaneWindow =
      8,  // lane, slot -> chain values accepted lately; outside digests, the newest covers them
  kClock = 9,  // empty -> log time, lines, gaps, fold version, parameters

  // Identity (streams/identity).
  kIdentifier = 16,   // kind, hash -> member, first and last seen, shared
  kCustomer = 17,     // customer -> birth, strong value, counts per kind, members
  kEventId = 18,      // event id -> hash of its body, offset
  kEventIdHour = 19,  // hour BE, offset / 64 BE -> event ids: what to forget when
  kSuggestion = 20,   // offset BE, index -> the pair and its evidence
  kGroup = 21,        // reserved
  kGroupMember = 22,  // group, member -> role
  kSuggestionPair =
      23,  // customer, other -> the suggestion; both ways round, so that it is told once

  // Customers (streams/customer).
  kMember = 32,             // bucket, member -> everything but the timeline
  kTimeline = 33,           // bucket, member, event time inverted, offset inverted -> entry
  kAnswer = 34,             // bucket, member, caller hash, request id -> answer
  kAgent = 35,              // agent hash, interaction -> member: what is at an agent now
  kCatalogue = 36,          // "current", "pending" -> catalogue revision
  kAnswerHour = 37,         // hour BE, answer key -> empty: what to forget when
  kDecision = 38,           // bucket, member, decision -> what replays it
  kDue = 39,                // bucket, member, run -> a journey that waits for its owner's decision
  kPropensity = 40,         // channel, action -> sums of outcomes
  kCatalogueRevision = 41,  // revision BE -> catalogue revision, for explaining what was decided
  kCataloguePart = 42,      // publication, number BE -> a part of a revision's packed files
};

// Whether a table's rows count in a partition's digest.
constexpr bool InDigest(Table table) {
  return table != Table::kMeta && table != Table::kOutbox && table != Table::kLocal &&
         table != Table::kLaneWindow;
}

// Whether a row that was just written is worth keeping in memory: one of these is seldom read again
// soon.
constexpr bool SeldomReadAgain(Table table) {
  switch (table) {
    case Table::kTimer:
    case Table::kTimerByName:
    case Table::kEventId:
    case Table::kEventIdHour:
    case Table::kTimeline:
    case Table::kAnswerHour:
    case Table::kCataloguePart:
      return true;
    default:
      return false;
  }
}

}  // namespace hilo::store
