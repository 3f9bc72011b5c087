#pragma once

#include <cstdint>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"

// Who a member is: identifiers, traits with their origin, language and zone, groups, suggestions.
// Pure rules over a member's row.
namespace hilo::profile {

inline constexpr int kMaxIdentifiers = 50;
inline constexpr int kMaxTraits = 256;
inline constexpr int kMaxGroups = 64;
inline constexpr int kMaxSuggestions = 64;

// Adds or refreshes an identifier. They stand strongest first (weak ones last, then by kind, first
// seen, hash); above the limit the weakest kind's longest unseen one goes.
void See(store::v1::MemberRow& row, const store::v1::Identifier& identifier, int64_t event_micros);

// The last writer's value stands. They stand by name; above the limit the oldest goes.
void SetTrait(store::v1::MemberRow& row, const store::v1::EventTrait& trait,
              const store::v1::OriginRow& origin);
void SetLanguage(store::v1::MemberRow& row, std::string_view language,
                 const store::v1::OriginRow& origin);
void SetTimeZone(store::v1::MemberRow& row, std::string_view zone,
                 const store::v1::OriginRow& origin);
// The last writer's role stands.
void JoinGroup(store::v1::MemberRow& row, const store::v1::Group& group,
               const store::v1::OriginRow& origin);
// Once per place in the identity order.
void NoteSuggestion(store::v1::MemberRow& row, const store::v1::SuggestionNote& note,
                    int64_t identity_offset, int64_t event_micros);

// Makes room; false when there is none.
bool DropOldestTrait(store::v1::MemberRow& row);
bool DropOldestGroup(store::v1::MemberRow& row);
bool DropOldestSuggestion(store::v1::MemberRow& row);

// Takes over what another member's row says about who this is, by the same rules.
void Absorb(store::v1::MemberRow& into, const store::v1::MemberRow& from);

}  // namespace hilo::profile
