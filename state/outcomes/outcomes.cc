#include "state/outcomes/outcomes.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "hilo/v1/decision.pb.h"
#include "state/types/ordered_list.h"

namespace hilo::outcomes {
namespace {

using store::v1::DecisionNoteRow;
using store::v1::MemberRow;
using store::v1::OutcomeRow;

bool IsPositive(const OutcomeRow& outcome) {
  return outcome.outcome() == v1::OUTCOME_KIND_ACCEPTED ||
         outcome.outcome() == v1::OUTCOME_KIND_COMPLETED;
}
bool IsNegative(const OutcomeRow& outcome) {
  return outcome.outcome() == v1::OUTCOME_KIND_DECLINED ||
         outcome.outcome() == v1::OUTCOME_KIND_NO_RESPONSE;
}
bool IsImpression(const OutcomeRow& outcome) {
  return outcome.outcome() == v1::OUTCOME_KIND_IMPRESSION;
}

bool IsOfSame(const OutcomeRow& a, const OutcomeRow& b) {
  return a.decision() == b.decision() && a.action() == b.action() && a.channel() == b.channel();
}

bool IsAnswered(const MemberRow& row, const OutcomeRow& impression) {
  return std::any_of(row.outcomes().begin(), row.outcomes().end(), [&](const OutcomeRow& other) {
    return !IsImpression(other) && IsOfSame(other, impression);
  });
}

Counts CountsAs(const MemberRow& row, const OutcomeRow& outcome) {
  if (IsImpression(outcome)) return Counts::kImpression;
  if (!IsPositive(outcome) && !IsNegative(outcome)) return Counts::kNothing;
  const Counts alone = IsPositive(outcome) ? Counts::kPositive : Counts::kNegative;
  if (outcome.decision().empty()) return alone;
  bool taken_up = false;
  bool refused = false;
  for (const OutcomeRow& other : row.outcomes()) {
    if (!IsOfSame(other, outcome)) continue;
    taken_up = taken_up || IsPositive(other);
    refused = refused || IsNegative(other);
  }
  const bool known = taken_up || (refused && alone == Counts::kNegative);
  return known ? Counts::kNothing : alone;
}

}  // namespace

Micros ResponseTime(std::string_view channel) {
  return channel == "desk" || channel == "call" ? kContactResponse : kSentResponse;
}

Counts Record(MemberRow& row, OutcomeRow outcome) {
  const Counts counts = CountsAs(row, outcome);
  const int64_t kept_from = outcome.micros() - kKeptFor.count();
  auto& outcomes = *row.mutable_outcomes();
  int old = 0;  // dropped for their age, which is no loss
  while (old < outcomes.size() && outcomes[old].micros() < kept_from) ++old;
  outcomes.DeleteSubrange(0, old);
  while (outcomes.size() >= kMaxOutcomes && DropOldest(row)) {
  }
  InsertInOrder(outcomes, std::move(outcome),
                [](const OutcomeRow& a, const OutcomeRow& b) { return Before(a, b); });
  return counts;
}

std::vector<OutcomeRow> Unanswered(const MemberRow& row, std::string_view decision, LogTime now) {
  std::vector<OutcomeRow> unanswered;
  for (const OutcomeRow& shown : row.outcomes()) {
    if (!IsImpression(shown) || shown.decision() != decision || IsAnswered(row, shown)) continue;
    OutcomeRow nothing = shown;
    nothing.set_outcome(v1::OUTCOME_KIND_NO_RESPONSE);
    nothing.set_micros(now.micros);
    unanswered.push_back(std::move(nothing));
  }
  return unanswered;
}

bool IsOpen(const MemberRow& row, std::string_view decision, std::string_view action) {
  return std::any_of(row.outcomes().begin(), row.outcomes().end(), [&](const OutcomeRow& shown) {
    return IsImpression(shown) && shown.decision() == decision && shown.action() == action &&
           !IsAnswered(row, shown);
  });
}

std::vector<std::string> NoteDecision(MemberRow& row, std::string_view decision, LogTime now) {
  std::vector<std::string> gone;
  while (row.decisions_size() >= kMaxDecisions) {
    gone.push_back(row.decisions(0).decision());
    EraseAt(*row.mutable_decisions(), 0);
    row.mutable_left_out()->set_decisions(row.left_out().decisions() + 1);
  }
  DecisionNoteRow note;
  note.set_decision(std::string(decision));
  note.set_decide_micros(now.micros);
  InsertInOrder(*row.mutable_decisions(), std::move(note),
                [](const DecisionNoteRow& a, const DecisionNoteRow& b) { return Before(a, b); });
  return gone;
}

bool DropOldest(MemberRow& row) {
  if (row.outcomes_size() == 0) return false;
  EraseAt(*row.mutable_outcomes(), 0);
  row.mutable_left_out()->set_outcomes(row.left_out().outcomes() + 1);
  return true;
}

bool Before(const OutcomeRow& a, const OutcomeRow& b) {
  const auto order = [](const OutcomeRow& outcome) {
    return std::make_tuple(outcome.micros(), std::string_view(outcome.decision()),
                           std::string_view(outcome.action()), std::string_view(outcome.channel()),
                           outcome.outcome());
  };
  return order(a) < order(b);
}

bool Before(const DecisionNoteRow& a, const DecisionNoteRow& b) {
  return std::make_tuple(a.decide_micros(), std::string_view(a.decision())) <
         std::make_tuple(b.decide_micros(), std::string_view(b.decision()));
}

}  // namespace hilo::outcomes
