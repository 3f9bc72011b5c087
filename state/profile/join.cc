#include "state/profile/join.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "state/cases/cases.h"
#include "state/consent/consents.h"
#include "state/facts/facts.h"
#include "state/journey/journeys.h"
#include "state/message/messages.h"
#include "state/outcomes/outcomes.h"
#include "state/profile/traits.h"
#include "state/timeline/interactions.h"
#include "state/value/purchases.h"

namespace hilo::profile {
namespace {

using store::v1::MemberRow;

// The newest copy of each member, by member id.
using Members = std::map<std::string, const MemberRow*>;

// Of two copies of one member the one that more records changed; copies that differ otherwise do
// not come from one fold, and the larger bytes win so that the order still does not matter.
bool IsNewer(const MemberRow& a, const MemberRow& b) {
  if (a.changes() != b.changes()) return a.changes() > b.changes();
  return a.SerializeAsString() > b.SerializeAsString();
}

void Take(const MemberRow& row, Members& members) {
  auto [at, fresh] = members.try_emplace(row.member(), &row);
  if (!fresh && IsNewer(row, *at->second)) at->second = &row;
}

template <typename List, typename Before>
void Append(const List& from, List& into, Before before) {
  const int middle = into.size();
  into.MergeFrom(from);
  std::inplace_merge(into.pointer_begin(), into.pointer_begin() + middle, into.pointer_end(),
                     [&](const auto* a, const auto* b) { return before(*a, *b); });
}

void AddLeftOut(const store::v1::LeftOutRow& from, store::v1::LeftOutRow& into) {
  into.set_identifiers(into.identifiers() + from.identifiers());
  into.set_traits(into.traits() + from.traits());
  into.set_facts(into.facts() + from.facts());
  into.set_questions(into.questions() + from.questions());
  into.set_cases(into.cases() + from.cases());
  into.set_promises(into.promises() + from.promises());
  into.set_interactions(into.interactions() + from.interactions());
  into.set_interactions_cut(into.interactions_cut() + from.interactions_cut());
  into.set_groups(into.groups() + from.groups());
  into.set_consents(into.consents() + from.consents());
  into.set_suggestions(into.suggestions() + from.suggestions());
  into.set_purchases(into.purchases() + from.purchases());
  into.set_purchase_days(into.purchase_days() + from.purchase_days());
  into.set_journeys(into.journeys() + from.journeys());
  into.set_messages(into.messages() + from.messages());
  into.set_outcomes(into.outcomes() + from.outcomes());
  into.set_decisions(into.decisions() + from.decisions());
}

void AddOne(const MemberRow& from, MemberRow& into) {
  const bool first = into.parts_size() == 0;
  *into.add_parts() = from;
  into.set_first_micros(first ? from.first_micros()
                              : std::min(into.first_micros(), from.first_micros()));
  into.set_last_micros(first ? from.last_micros()
                             : std::max(into.last_micros(), from.last_micros()));
  into.set_events(into.events() + from.events());
  into.set_changes(into.changes() + from.changes());
  into.set_asked_again(into.asked_again() + from.asked_again());
  into.set_versions(std::max(into.versions(), from.versions()));
  if (from.has_left_out()) AddLeftOut(from.left_out(), *into.mutable_left_out());
  Absorb(into, from);
  consent::Absorb(into, from);
  Append(from.facts(), *into.mutable_facts(),
         [](const auto& a, const auto& b) { return facts::Before(a, b); });
  Append(from.questions(), *into.mutable_questions(),
         [](const auto& a, const auto& b) { return facts::Before(a, b); });
  Append(from.cases(), *into.mutable_cases(),
         [](const auto& a, const auto& b) { return cases::Before(a, b); });
  Append(from.promises(), *into.mutable_promises(),
         [](const auto& a, const auto& b) { return cases::Before(a, b); });
  Append(from.interactions(), *into.mutable_interactions(),
         [](const auto& a, const auto& b) { return timeline::Before(a, b); });
  Append(from.journeys(), *into.mutable_journeys(),
         [](const auto& a, const auto& b) { return journey::Before(a, b); });
  // Budgets add up: limits count the messages of all members.
  Append(from.messages(), *into.mutable_messages(),
         [](const auto& a, const auto& b) { return message::Before(a, b); });
  Append(from.outcomes(), *into.mutable_outcomes(),
         [](const auto& a, const auto& b) { return outcomes::Before(a, b); });
  Append(from.decisions(), *into.mutable_decisions(),
         [](const auto& a, const auto& b) { return outcomes::Before(a, b); });
}

void KeepToLimits(MemberRow& row) {
  constexpr LogTime kNothingExpired{INT64_MIN};  // a join knows no time; readers do
  while (row.facts_size() > facts::kMaxFacts &&
         (facts::DropStale(row, kNothingExpired) || facts::DropOldest(row))) {
  }
  while (row.questions_size() > facts::kMaxQuestions && facts::DropOldestQuestion(row)) {
  }
  while (row.cases_size() > cases::kMaxCases &&
         (cases::DropClosedCase(row) || cases::DropOldestCase(row))) {
  }
  while (row.promises_size() > cases::kMaxPromises &&
         (cases::DropEndedPromise(row) || cases::DropOldestPromise(row))) {
  }
  timeline::Trim(row);
  while (row.journeys_size() > journey::kMaxRuns && journey::DropEnded(row)) {
  }
  // Messages, outcomes and decisions stay: what decides must see all that counts.
}

}  // namespace

MemberRow Join(std::span<const MemberRow> rows) {
  Members members;
  for (const MemberRow& row : rows) {
    if (row.parts_size() == 0 && !row.member().empty()) Take(row, members);
    for (const MemberRow& part : row.parts()) Take(part, members);
  }
  if (members.empty()) return MemberRow();
  if (members.size() == 1) return *members.begin()->second;
  MemberRow joined;
  std::vector<const MemberRow*> in_order;
  for (const auto& [member, row] : members) {
    in_order.push_back(row);
    AddOne(*row, joined);
    if (joined.customer().empty() || row->customer() < joined.customer()) {
      joined.set_customer(row->customer());
    }
  }
  // The customer is named after the member it was born with, when that is among them.
  joined.set_member(members.contains(joined.customer()) ? joined.customer()
                                                        : members.begin()->first);
  value::JoinPurchases(in_order, joined);
  KeepToLimits(joined);
  return joined;
}

}  // namespace hilo::profile
