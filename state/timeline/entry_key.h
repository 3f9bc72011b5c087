#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "state/store/store.h"
#include "state/types/bucket.h"
#include "state/types/ids.h"

namespace hilo::timeline {

// Where an entry stands among all of a customer's: newest first, by event time, then offset, then
// member.
struct EntryPlace {
  int64_t event_micros = 0;
  int64_t offset = 0;
  MemberId member;

  // 32 bytes that sort as the timeline does; opaque to callers.
  std::string Bytes() const;
  // nullopt unless made by Bytes.
  static std::optional<EntryPlace> FromBytes(std::string_view bytes);
};

// Key of a member's row.
std::string MemberKey(Bucket bucket, MemberId member);
// Key of an entry of a member.
std::string EntryKey(Bucket bucket, const EntryPlace& place);
// All entries of a member, newest first.
store::KeyRange EntriesOf(Bucket bucket, MemberId member);
// The place of an entry's key; nullopt when it is none.
std::optional<EntryPlace> PlaceOf(std::string_view key);

}  // namespace hilo::timeline
