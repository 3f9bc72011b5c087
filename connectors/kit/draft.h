#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "hilo/store/v1/records.pb.h"
#include "ops/base/status.h"
#include "state/catalogue/catalogue.h"
#include "state/types/hash.h"
#include "state/types/ids.h"

namespace hilo::kit {

// An event on its way into a record: everything is in place but the sealed parts, which need the
// subject's key.
struct Draft {
  struct ToSeal {
    std::string* into;       // in `event` or `body`
    std::string_view field;  // a literal: the name it must be opened with
    std::string value;       // personal
  };
  EventId event_id;
  SubjectId subject;
  std::unique_ptr<store::v1::Event> event;
  std::unique_ptr<store::v1::EventBody> body;
  std::vector<ToSeal> to_seal;
  size_t bytes = 0;  // about what it holds in memory
};

// Limits of one event, beside those of its JSON.
inline constexpr size_t kMaxIdentifiers = 16;
inline constexpr size_t kMaxGroups = 16;
inline constexpr size_t kMaxTraits = 128;
inline constexpr size_t kMaxTraitNameBytes = 128;
inline constexpr size_t kMaxFactBytes = 4 << 10;
inline constexpr size_t kMaxTitleBytes = 500;
inline constexpr size_t kMaxOpenFieldBytes = 256;
inline constexpr size_t kMaxItems = 100;
inline constexpr size_t kMaxEventNameBytes = 200;
inline constexpr size_t kMaxTypeBytes = 128;
inline constexpr size_t kMaxProviderIdBytes = 100;
inline constexpr size_t kMaxScopeBytes = 512;
inline constexpr size_t kMaxCallIdBytes = 256;

// Checks and normalises an event, and extracts by the catalogue: open fields, facts, traits,
// groups, a purchase, a case, consents. Everything personal waits in `to_seal`.
// **Errors**: those of the first group of Intake. **Threads**: pure.
StatusOr<Draft> MakeDraft(const IncomingEvent& event, const catalogue::Catalogue& catalogue,
                          const HashKey& key, std::chrono::microseconds ahead);

}  // namespace hilo::kit
