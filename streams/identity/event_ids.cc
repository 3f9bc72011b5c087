#include "streams/identity/event_ids.h"

#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "state/store/tables.h"
#include "streams/identity/identity_fold.h"

namespace hilo::identity {
namespace {

constexpr int64_t kHour = 3'600'000'000;

// Hours before 1970 count too: what a source claims is data.
int64_t HourOf(int64_t micros) {
  const int64_t hour = micros / kHour;
  return micros % kHour < 0 ? hour - 1 : hour;
}

}  // namespace

StatusOr<EventIds::Known> EventIds::Find(EventId id, std::string_view body_hash,
                                         fold::Context& context) const {
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, context.Get(EventIdKey(id)));
  if (!bytes) return Known::kNo;
  store::v1::EventIdRow row;
  HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &row));
  return row.body_hash() == body_hash ? Known::kSame : Known::kOtherBody;
}

Status EventIds::Remember(EventId id, std::string_view body_hash, log::Offset offset, int64_t time,
                          fold::Context& context) {
  store::v1::EventIdRow row;
  row.set_body_hash(std::string(body_hash));
  row.set_offset(offset);
  context.Put(EventIdKey(id), fold::Encode(row));

  const EventIdGroup of{.hour = HourOf(time), .group = offset / EventIdGroup::kOffsets};
  HILO_ASSIGN_OR_RETURN(Open* const open, OpenGroup(of, context));
  open->ids.append(id.Bytes());
  store::v1::EventIdHourRow hour;
  hour.set_event_ids(open->ids);
  context.Put(EventIdHourKey(of), fold::Encode(hour));
  return OkStatus();
}

StatusOr<EventIds::Open*> EventIds::OpenGroup(const EventIdGroup& of, fold::Context& context) {
  for (Open& open : open_) {
    if (open.of == of) return &open;
  }
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> bytes, context.Get(EventIdHourKey(of)));
  store::v1::EventIdHourRow row;
  if (bytes) HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &row));
  newest_ = 1 - newest_;
  open_[newest_] = {.of = of, .ids = std::move(*row.mutable_event_ids())};
  return &open_[newest_];
}

Status EventIds::ForgetOlder(int64_t before, fold::Context& context) {
  const std::string begin = store::KeyBuilder(store::Table::kEventIdHour).Build();
  const std::string end = EventIdHourKey({.hour = HourOf(before), .group = 0});
  if (nothing_below_ >= end) return OkStatus();

  std::vector<std::string> groups;
  std::string ids;
  std::optional<std::string> rest;  // what this tick has no room for
  Status broken = OkStatus();
  HILO_RETURN_IF_ERROR(context.Scan({.begin = std::max(begin, nothing_below_), .end = end},
                                    [&](std::string_view key, std::string_view value) {
                                      store::v1::EventIdHourRow row;
                                      broken = fold::Decode(value, &row);
                                      if (!broken.ok()) return false;
                                      if (ids.size() + row.event_ids().size() >
                                          kForgottenPerTick * EventId::kSize) {
                                        rest = std::string(key);
                                        return false;
                                      }
                                      groups.emplace_back(key);
                                      ids.append(row.event_ids());
                                      return true;
                                    }));
  HILO_RETURN_IF_ERROR(broken);

  const std::string_view all = ids;
  for (size_t at = 0; at < all.size(); at += EventId::kSize) {
    const std::optional<EventId> id = EventId::FromBytes(all.substr(at, EventId::kSize));
    if (!id) return Error(StatusCode::kDataLoss, "undecodable", "a row of event ids is cut short");
    context.Delete(EventIdKey(*id));
  }
  for (const std::string& group : groups) context.Delete(group);
  for (Open& open : open_) open = {};
  nothing_below_ = rest.value_or(end);
  return OkStatus();
}

void EventIds::Forget() {
  for (Open& open : open_) open = {};
  nothing_below_.clear();
}

}  // namespace hilo::identity
