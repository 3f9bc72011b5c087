#include "state/profile/traits.h"

#include <algorithm>
#include <string>
#include <tuple>
#include <utility>

#include "state/types/ordered_list.h"
#include "state/types/origin.h"

namespace hilo::profile {
namespace {

using store::v1::GroupRow;
using store::v1::KnownIdentifierRow;
using store::v1::MemberRow;
using store::v1::OriginRow;
using store::v1::SuggestionNoteRow;
using store::v1::TraitRow;

auto Strength(const KnownIdentifierRow& row) {
  return std::make_tuple(row.identifier().weak(), row.identifier().kind());
}

// Strongest first, of one strength the longest known first.
bool Before(const KnownIdentifierRow& a, const KnownIdentifierRow& b) {
  if (Strength(a) != Strength(b)) return Strength(a) < Strength(b);
  if (a.first_micros() != b.first_micros()) return a.first_micros() < b.first_micros();
  return a.identifier().hash() < b.identifier().hash();
}

bool Before(const SuggestionNoteRow& a, const SuggestionNoteRow& b) {
  return std::make_tuple(a.identity_offset(), a.note().index(), a.note().other()) <
         std::make_tuple(b.identity_offset(), b.note().index(), b.note().other());
}

// The weakest kind's longest unseen one goes.
void DropIdentifier(MemberRow& row) {
  auto& list = *row.mutable_identifiers();
  int drop = list.size() - 1;
  for (int i = drop - 1; i >= 0 && Strength(list[i]) == Strength(list[drop]); --i) {
    if (list[i].last_micros() <= list[drop].last_micros()) drop = i;
  }
  EraseAt(list, drop);
  row.mutable_left_out()->set_identifiers(row.left_out().identifiers() + 1);
}

void Keep(MemberRow& row, KnownIdentifierRow known) {
  auto& list = *row.mutable_identifiers();
  for (int i = 0; i < list.size(); ++i) {
    KnownIdentifierRow& at = list[i];
    if (at.identifier().hash() != known.identifier().hash() ||
        at.identifier().kind() != known.identifier().kind()) {
      continue;
    }
    at.set_last_micros(std::max(at.last_micros(), known.last_micros()));
    const bool moves = known.first_micros() < at.first_micros() ||
                       known.identifier().weak() != at.identifier().weak();
    if (!moves) return;
    known.set_first_micros(std::min(at.first_micros(), known.first_micros()));
    known.set_last_micros(at.last_micros());
    if (!at.identifier().sealed().empty()) {
      known.mutable_identifier()->set_sealed(at.identifier().sealed());  // one copy is enough
    }
    known.mutable_identifier()->set_weak(at.identifier().weak() || known.identifier().weak());
    EraseAt(list, i);
    break;
  }
  InsertInOrder(list, std::move(known), [](const auto& a, const auto& b) { return Before(a, b); });
  while (list.size() > kMaxIdentifiers) DropIdentifier(row);
}

void Keep(MemberRow& row, const TraitRow& trait) {
  auto& list = *row.mutable_traits();
  const auto before = [](const TraitRow& a, const TraitRow& b) { return a.name() < b.name(); };
  auto at = std::lower_bound(list.begin(), list.end(), trait, before);
  if (at != list.end() && at->name() == trait.name()) {
    if (Supersedes(trait.origin(), at->origin())) *at = trait;
    return;
  }
  InsertInOrder(list, trait, before);
  while (list.size() > kMaxTraits) DropOldestTrait(row);
}

void Keep(MemberRow& row, const GroupRow& group) {
  auto& list = *row.mutable_groups();
  const auto before = [](const GroupRow& a, const GroupRow& b) {
    return a.group().group() < b.group().group();
  };
  auto at = std::lower_bound(list.begin(), list.end(), group, before);
  if (at != list.end() && at->group().group() == group.group().group()) {
    if (Supersedes(group.origin(), at->origin())) *at = group;
    return;
  }
  InsertInOrder(list, group, before);
  while (list.size() > kMaxGroups) DropOldestGroup(row);
}

void Keep(MemberRow& row, const SuggestionNoteRow& suggestion) {
  auto& list = *row.mutable_suggestions();
  const auto before = [](const auto& a, const auto& b) { return Before(a, b); };
  if (std::binary_search(list.begin(), list.end(), suggestion, before)) return;
  InsertInOrder(list, suggestion, before);
  while (list.size() > kMaxSuggestions) DropOldestSuggestion(row);
}

// The index of what was written longest ago.
template <typename List>
int Oldest(const List& list) {
  int oldest = 0;
  for (int i = 1; i < list.size(); ++i) {
    if (ComparePrecedence(list[i].origin(), list[oldest].origin()) < 0) oldest = i;
  }
  return oldest;
}

}  // namespace

void See(MemberRow& row, const store::v1::Identifier& identifier, int64_t event_micros) {
  // Nearly every event brings what is known already, later than before.
  for (KnownIdentifierRow& known : *row.mutable_identifiers()) {
    if (known.identifier().hash() != identifier.hash() ||
        known.identifier().kind() != identifier.kind() ||
        known.identifier().weak() != identifier.weak() || event_micros < known.first_micros()) {
      continue;
    }
    known.set_last_micros(std::max(known.last_micros(), event_micros));
    return;
  }
  KnownIdentifierRow known;
  *known.mutable_identifier() = identifier;
  known.set_first_micros(event_micros);
  known.set_last_micros(event_micros);
  Keep(row, std::move(known));
}

void SetTrait(MemberRow& row, const store::v1::EventTrait& trait, const OriginRow& origin) {
  TraitRow fresh;
  fresh.set_name(trait.name());
  fresh.set_sealed(trait.sealed());
  *fresh.mutable_origin() = origin;
  Keep(row, fresh);
}

void SetLanguage(MemberRow& row, std::string_view language, const OriginRow& origin) {
  if (language.empty()) return;
  if (row.has_language_origin() && !Supersedes(origin, row.language_origin())) return;
  row.set_language(std::string(language));
  *row.mutable_language_origin() = origin;
}

void SetTimeZone(MemberRow& row, std::string_view zone, const OriginRow& origin) {
  if (zone.empty()) return;
  if (row.has_time_zone_origin() && !Supersedes(origin, row.time_zone_origin())) return;
  row.set_time_zone(std::string(zone));
  *row.mutable_time_zone_origin() = origin;
}

void JoinGroup(MemberRow& row, const store::v1::Group& group, const OriginRow& origin) {
  GroupRow fresh;
  *fresh.mutable_group() = group;
  *fresh.mutable_origin() = origin;
  Keep(row, fresh);
}

void NoteSuggestion(MemberRow& row, const store::v1::SuggestionNote& note, int64_t identity_offset,
                    int64_t event_micros) {
  SuggestionNoteRow fresh;
  *fresh.mutable_note() = note;
  fresh.set_identity_offset(identity_offset);
  fresh.set_event_micros(event_micros);
  Keep(row, fresh);
}

bool DropOldestTrait(MemberRow& row) {
  if (row.traits_size() == 0) return false;
  EraseAt(*row.mutable_traits(), Oldest(row.traits()));
  row.mutable_left_out()->set_traits(row.left_out().traits() + 1);
  return true;
}

bool DropOldestGroup(MemberRow& row) {
  if (row.groups_size() == 0) return false;
  EraseAt(*row.mutable_groups(), Oldest(row.groups()));
  row.mutable_left_out()->set_groups(row.left_out().groups() + 1);
  return true;
}

bool DropOldestSuggestion(MemberRow& row) {
  if (row.suggestions_size() == 0) return false;
  EraseAt(*row.mutable_suggestions(), 0);
  row.mutable_left_out()->set_suggestions(row.left_out().suggestions() + 1);
  return true;
}

void Absorb(MemberRow& into, const MemberRow& from) {
  for (const KnownIdentifierRow& known : from.identifiers()) Keep(into, known);
  for (const TraitRow& trait : from.traits()) Keep(into, trait);
  for (const GroupRow& group : from.groups()) Keep(into, group);
  for (const SuggestionNoteRow& suggestion : from.suggestions()) Keep(into, suggestion);
  if (from.has_language_origin()) SetLanguage(into, from.language(), from.language_origin());
  if (from.has_time_zone_origin()) SetTimeZone(into, from.time_zone(), from.time_zone_origin());
}

}  // namespace hilo::profile
