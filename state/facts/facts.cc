#include "state/facts/facts.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "state/types/ordered_list.h"
#include "state/types/origin.h"

namespace hilo::facts {

using store::v1::FactRow;
using store::v1::MemberRow;
using store::v1::QuestionRow;

namespace {

void CountFact(MemberRow& row) { row.mutable_left_out()->set_facts(row.left_out().facts() + 1); }

// Lets the oldest fact of the kind go when there are as many as there may be.
void MakeRoomInKind(MemberRow& row, const FactRow& fact) {
  int count = 0;
  int oldest = -1;
  for (int i = row.facts_size() - 1; i >= 0; --i) {
    if (row.facts(i).kind() != fact.kind()) continue;
    ++count;
    oldest = i;
  }
  if (count < kMaxFactsOfKind) return;
  EraseAt(*row.mutable_facts(), oldest);
  CountFact(row);
}

}  // namespace

bool Before(const FactRow& a, const FactRow& b) {
  if (auto order = ComparePrecedence(a.origin(), b.origin()); order != 0) return order < 0;
  return a.fact() < b.fact();
}

bool Before(const QuestionRow& a, const QuestionRow& b) {
  if (auto order = ComparePrecedence(a.origin(), b.origin()); order != 0) return order < 0;
  return a.question() < b.question();
}

const FactRow* Latest(const MemberRow& row, std::string_view kind, LogTime now) {
  for (int i = row.facts_size() - 1; i >= 0; --i) {
    const FactRow& fact = row.facts(i);
    if (fact.kind() == kind && IsKnown(fact, now)) return &fact;
  }
  return nullptr;
}

void Add(MemberRow& row, FactRow fact, LogTime now) {
  for (QuestionRow& question : *row.mutable_questions()) {
    if (question.answer_micros() != 0 || question.kind() != fact.kind()) continue;
    question.set_answer_micros(
        std::max(question.origin().event_micros(), fact.origin().event_micros()));
  }
  MakeRoomInKind(row, fact);
  InsertInOrder(*row.mutable_facts(), std::move(fact),
                [](const FactRow& a, const FactRow& b) { return Before(a, b); });
  while (row.facts_size() > kMaxFacts && (DropStale(row, now) || DropOldest(row))) {
  }
}

std::optional<FactRow> Retract(MemberRow& row, std::string_view fact) {
  for (int i = 0; i < row.facts_size(); ++i) {
    if (row.facts(i).fact() != fact) continue;
    FactRow taken = std::move(*row.mutable_facts(i));
    EraseAt(*row.mutable_facts(), i);
    return taken;
  }
  return std::nullopt;
}

Asked Ask(MemberRow& row, QuestionRow question, LogTime now) {
  const FactRow* known = Latest(row, question.kind(), now);
  question.set_already_on_record(known != nullptr);
  if (known != nullptr) row.set_asked_again(row.asked_again() + 1);
  // Room is made first: what is returned points into the list. A question older than all that are
  // kept cannot come, since questions carry the append time.
  while (row.questions_size() >= kMaxQuestions && DropOldestQuestion(row)) {
  }
  const QuestionRow* kept =
      InsertInOrder(*row.mutable_questions(), std::move(question),
                    [](const QuestionRow& a, const QuestionRow& b) { return Before(a, b); });
  return {kept, known};
}

bool DropStale(MemberRow& row, LogTime now) {
  for (int i = 0; i < row.facts_size(); ++i) {
    if (IsKnown(row.facts(i), now)) continue;
    EraseAt(*row.mutable_facts(), i);
    CountFact(row);
    return true;
  }
  std::unordered_set<std::string_view> later;  // looked up, never iterated
  int superseded = -1;
  for (int i = row.facts_size() - 1; i >= 0; --i) {
    if (!later.insert(row.facts(i).kind()).second) superseded = i;
  }
  if (superseded < 0) return false;
  EraseAt(*row.mutable_facts(), superseded);
  CountFact(row);
  return true;
}

bool DropOldest(MemberRow& row) {
  if (row.facts_size() == 0) return false;
  EraseAt(*row.mutable_facts(), 0);
  CountFact(row);
  return true;
}

bool DropOldestQuestion(MemberRow& row) {
  if (row.questions_size() == 0) return false;
  EraseAt(*row.mutable_questions(), 0);
  row.mutable_left_out()->set_questions(row.left_out().questions() + 1);
  return true;
}

}  // namespace hilo::facts
