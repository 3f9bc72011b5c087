#include "state/timeline/entry_key.h"

#include "state/store/keys.h"

namespace hilo::timeline {
namespace {

constexpr size_t kPlaceBytes = 8 + 8 + MemberId::kSize;
constexpr size_t kMemberAt = 2;  // behind tag and bucket
constexpr size_t kTimeAt = kMemberAt + MemberId::kSize;
constexpr size_t kKeyBytes = kTimeAt + 8 + 8;

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (char byte : bytes.substr(0, 8)) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

int64_t DescendingTime(std::string_view bytes) {
  return static_cast<int64_t>(~BigEndian(bytes) ^ (uint64_t{1} << 63));
}

// Time and offset as they stand in keys.
std::string Order(const EntryPlace& place) {
  return store::KeyBuilder(store::Table::kTimeline)
      .TimeDescending(place.event_micros)
      .U64(~static_cast<uint64_t>(place.offset))
      .Build()
      .substr(1);
}

}  // namespace

std::string EntryPlace::Bytes() const { return Order(*this).append(member.Bytes()); }

std::optional<EntryPlace> EntryPlace::FromBytes(std::string_view bytes) {
  if (bytes.size() != kPlaceBytes) return std::nullopt;
  EntryPlace place;
  place.event_micros = DescendingTime(bytes);
  place.offset = static_cast<int64_t>(~BigEndian(bytes.substr(8)));
  place.member = *MemberId::FromBytes(bytes.substr(16));
  return place;
}

std::string MemberKey(Bucket bucket, MemberId member) {
  return store::KeyBuilder(store::Table::kMember).U8(bucket).Raw(member.Bytes()).Build();
}

std::string EntryKey(Bucket bucket, const EntryPlace& place) {
  return store::KeyBuilder(store::Table::kTimeline)
      .U8(bucket)
      .Raw(place.member.Bytes())
      .TimeDescending(place.event_micros)
      .U64(~static_cast<uint64_t>(place.offset))
      .Build();
}

store::KeyRange EntriesOf(Bucket bucket, MemberId member) {
  return store::PrefixRange(
      store::KeyBuilder(store::Table::kTimeline).U8(bucket).Raw(member.Bytes()).Build());
}

std::optional<EntryPlace> PlaceOf(std::string_view key) {
  if (key.size() != kKeyBytes || key[0] != static_cast<char>(store::Table::kTimeline)) {
    return std::nullopt;
  }
  EntryPlace place;
  place.event_micros = DescendingTime(key.substr(kTimeAt));
  place.offset = static_cast<int64_t>(~BigEndian(key.substr(kTimeAt + 8)));
  place.member = *MemberId::FromBytes(key.substr(kMemberAt, MemberId::kSize));
  return place;
}

}  // namespace hilo::timeline
