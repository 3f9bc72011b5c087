#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

// "Already told us": facts, the questions put to the customer, and which of them were answered.
// Pure rules over a member's row.
namespace hilo::facts {

inline constexpr int kMaxFacts = 256;
// Of one kind, so that a rule that finds a fact in every event does not fill the row with its
// history; the timeline has all of it.
inline constexpr int kMaxFactsOfKind = 16;
inline constexpr int kMaxQuestions = 64;

// Whether `fact` is still known at `now`. A fact without a bound is known for ever.
inline bool IsKnown(const store::v1::FactRow& fact, LogTime now) {
  return fact.expire_micros() == 0 || fact.expire_micros() > now.micros;
}

// The newest fact of `kind` that is still known at `now`; null when there is none. Points into
// `row`.
const store::v1::FactRow* Latest(const store::v1::MemberRow& row, std::string_view kind,
                                 LogTime now);

// Puts `fact` in its place by event time and lets it answer the open questions of its kind: at its
// event time, or when they were asked if that is later. Above kMaxFactsOfKind the oldest of its
// kind goes; above kMaxFacts the expired ones go first, then superseded ones, then the oldest. Each
// is counted.
void Add(store::v1::MemberRow& row, store::v1::FactRow fact, LogTime now);

// Takes the fact with this id out; nullopt when it is not (or no longer) there.
std::optional<store::v1::FactRow> Retract(store::v1::MemberRow& row, std::string_view fact);

// What became of a question.
struct Asked {
  const store::v1::QuestionRow* question;  // in the row
  const store::v1::FactRow* known_fact;    // in the row; null when the answer was not on record
};
// Records a question. When its answer is already on record the question says so and the count goes
// up. Above kMaxQuestions the oldest go.
Asked Ask(store::v1::MemberRow& row, store::v1::QuestionRow question, LogTime now);

// Makes room: lets the oldest fact go that is expired, or else superseded by a later one of its
// kind; false when there is none.
bool DropStale(store::v1::MemberRow& row, LogTime now);
// Lets the oldest fact or question go; false when there is none.
bool DropOldest(store::v1::MemberRow& row);
bool DropOldestQuestion(store::v1::MemberRow& row);

// Order in which facts and questions are kept: oldest first.
bool Before(const store::v1::FactRow& a, const store::v1::FactRow& b);
bool Before(const store::v1::QuestionRow& a, const store::v1::QuestionRow& b);

}  // namespace hilo::facts
