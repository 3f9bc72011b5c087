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
inline constexpr int kMaxQuestions = 64;

// Whether `fact` is still known at `now`. A fact without a bound is known for ever.
inline bool IsKnown(const store::v1::FactRow& fact, LogTime now) {
  return fact.expire_micros() == 0 || fact.expire_micros() > now.micros;
}

// The fact of `kind` that has the last word, if it is known at `now`; null when there is none.
// Points into `row`.
const store::v1::FactRow* Latest(const store::v1::MemberRow& row, std::string_view kind,
                                 LogTime now);

// Puts `fact` in its place by event time and lets it answer open questions of its kind that were
// asked at or before its event time. Above kMaxFacts the expired ones go first, then superseded
// ones, then the oldest; each is counted.
void Add(store::v1::MemberRow& row, store::v1::FactRow fact, LogTime now);

// Takes the fact with this id out; nullopt when it is not (or no longer) there.
std::optional<store::v1::FactRow> Retract(store::v1::MemberRow& row, std::string_view fact);

// Records a question. When its answer is already on record the question says so, the count goes up,
// and the fact is returned. Above kMaxQuestions the oldest go. The pointer is into `row`.
const store::v1::FactRow* Ask(store::v1::MemberRow& row, store::v1::QuestionRow question,
                              LogTime now);

// Lets one fact go to make room in the row, in the order of Add; false when there is none.
bool DropOne(store::v1::MemberRow& row, LogTime now);

// Order in which facts and questions are kept: oldest first.
bool Before(const store::v1::FactRow& a, const store::v1::FactRow& b);
bool Before(const store::v1::QuestionRow& a, const store::v1::QuestionRow& b);

}  // namespace hilo::facts
