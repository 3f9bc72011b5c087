#include "streams/fold/timer_queue.h"

#include "ops/base/check.h"
#include "state/store/keys.h"

namespace hilo::fold {
namespace {

using store::KeyBuilder;
using store::Table;

std::string Place(LogTime due, std::string_view name) {
  std::string key = KeyBuilder(Table::kTimer).Time(due.micros).Raw(name).Build();
  return key.substr(1);
}

std::string RowKey(std::string_view place) { return KeyBuilder(Table::kTimer).Raw(place).Build(); }
std::string NameKey(std::string_view name) {
  return KeyBuilder(Table::kTimerByName).Raw(name).Build();
}

LogTime DueOf(std::string_view place) {
  uint64_t bits = 0;
  for (size_t i = 0; i < 8; ++i) bits = bits << 8 | static_cast<uint8_t>(place[i]);
  return {static_cast<int64_t>(bits ^ (uint64_t{1} << 63))};
}

}  // namespace

Status TimerQueue::Cancel(std::string_view name) {
  const std::string by_name = NameKey(name);
  HILO_ASSIGN_OR_RETURN(const auto old, staging_.Get(by_name));
  if (!old) return OkStatus();
  std::string place = std::string(*old) + std::string(name);
  staging_.Delete(RowKey(place));
  staging_.Delete(by_name);
  pending_.emplace_back(std::move(place), false);
  return OkStatus();
}

void TimerQueue::Remove(const Timer& timer) {
  std::string place = Place(timer.due, timer.name);
  staging_.Delete(RowKey(place));
  if (!timer.fixed) staging_.Delete(NameKey(timer.name));
  pending_.emplace_back(std::move(place), false);
}

Status TimerQueue::Set(const Timer& timer) {
  if (!timer.fixed) HILO_RETURN_IF_ERROR(Cancel(timer.name));
  store::v1::TimerRow row;
  row.set_payload(timer.payload);
  row.set_catch_up(static_cast<uint32_t>(timer.catch_up));
  row.set_period_micros(timer.period.count());
  row.set_fixed(timer.fixed);
  std::string place = Place(timer.due, timer.name);
  staging_.Put(RowKey(place), Encode(row));
  if (!timer.fixed) {
    staging_.Put(NameKey(timer.name), std::string_view(place).substr(0, 8));
  }
  pending_.emplace_back(std::move(place), true);
  return OkStatus();
}

StatusOr<std::optional<Timer>> TimerQueue::Lowest(LogTime now) {
  HILO_CHECK(pending_.empty(), "timers are asked for between records");
  if (nearest_.empty() && covered_) HILO_RETURN_IF_ERROR(Refill());
  if (nearest_.empty() || DueOf(*nearest_.begin()) > now) return std::optional<Timer>();
  const std::string& place = *nearest_.begin();
  HILO_ASSIGN_OR_RETURN(const auto bytes, staging_.Get(RowKey(place)));
  if (!bytes) return Error(StatusCode::kDataLoss, "state_corrupt", "a timer's row is missing");
  store::v1::TimerRow row;
  HILO_RETURN_IF_ERROR(Decode(*bytes, &row));
  return std::optional<Timer>(Timer{.name = place.substr(8),
                                    .due = DueOf(place),
                                    .payload = row.payload(),
                                    .catch_up = static_cast<CatchUp>(row.catch_up()),
                                    .period = Micros(row.period_micros()),
                                    .fixed = row.fixed()});
}

void TimerQueue::Commit() {
  for (auto& [place, comes] : pending_) {
    if (!comes) {
      nearest_.erase(place);
    } else if (!covered_ || place <= *covered_) {
      nearest_.insert(std::move(place));
    }
  }
  pending_.clear();
  if (nearest_.size() <= 2 * kRefill) return;
  while (nearest_.size() > kRefill) nearest_.erase(std::prev(nearest_.end()));
  covered_ = *nearest_.rbegin();
}

Status TimerQueue::Refill() {
  store::KeyRange range = store::PrefixRange(KeyBuilder(Table::kTimer).Build());
  range.begin = RowKey(*covered_);
  HILO_RETURN_IF_ERROR(staging_.Scan(range, [&](std::string_view key, std::string_view) {
    nearest_.emplace_hint(nearest_.end(), key.substr(1));
    return nearest_.size() < kRefill;
  }));
  if (nearest_.size() < kRefill) {
    covered_ = std::nullopt;
  } else {
    covered_ = *nearest_.rbegin();
  }
  return OkStatus();
}

}  // namespace hilo::fold
