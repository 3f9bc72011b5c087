#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/kit/incoming_event.h"
#include "hilo/v1/common.pb.h"
#include "ops/base/status.h"
#include "state/types/hash.h"
#include "state/types/ids.h"

namespace hilo::kit {

// An identifier as it is compared: the same person's address is the same bytes, whichever channel
// wrote it.
struct NormalisedIdentifier {
  v1::IdentifierKind kind = v1::IDENTIFIER_KIND_UNSPECIFIED;
  std::string value;
  bool weak = false;  // a role address (info@…): several people read it
};

// Normalises by kind: e-mail trimmed, lower case, the domain in its ASCII form; telephone numbers
// to E.164, `default_region` ("ES") for those without country code; ids trimmed.
// **Errors**: INVALID_ARGUMENT `identifier_blocked` (empty, "null", "undefined", "anonymous", "-1",
// only zeros and hyphens, …), `identifier_format` (no e-mail address or several, no possible
// telephone number, not UTF-8), `identifier_too_long`.
// **Threads**: thread-safe. **Source**: Segment Unify's blocked values; UTS #46 for domains;
// libphonenumber.
StatusOr<NormalisedIdentifier> Normalise(const RawIdentifier& identifier,
                                         std::string_view default_region);

// The longest identifier, in bytes.
inline constexpr size_t kMaxIdentifierBytes = 512;

// Names under which edges find identifiers in JSON: strings that Normalise judges, not the reader.
inline constexpr std::string_view kIdentifierNames[] = {
    "userId",      "anonymousId", "previousId",   "email",     "phone",    "user_id",
    "customer_id", "customerId",  "anonymous_id", "device_id", "deviceId", "id"};

// Strongest first: strong, medium, weak; within them by kind, then by hash: a total order that
// every node shares.
int StrengthRank(v1::IdentifierKind kind, bool weak);

// The keyed hash of an identifier: domain "identifier", kind byte, value.
IdentifierHash HashOf(const HashKey& key, v1::IdentifierKind kind, std::string_view normalised);

// A group's id, trimmed; nullopt for a kind that is none of household, company, account and
// loyalty_card, and for what Normalise would refuse as an id.
std::optional<std::string> NormaliseGroup(std::string_view kind, std::string_view id);
// The keyed hash of a group: domain "group", kind, id.
GroupId HashOfGroup(const HashKey& key, std::string_view kind, std::string_view normalised);

// The event id: a pure function of channel, source or scope, and the provider's id; domain "event".
EventId DeriveEventId(const HashKey& key, v1::Channel channel, std::string_view scope,
                      std::string_view id);

}  // namespace hilo::kit
