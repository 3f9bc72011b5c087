#include "connectors/dispatch/quiet_hours.h"

#include <absl/time/time.h>

#include <algorithm>
#include <string>

namespace hilo::dispatch {
namespace {

absl::TimeZone Zone(std::string_view name, std::string_view default_name) {
  absl::TimeZone zone;
  if (!name.empty() && absl::LoadTimeZone(std::string(name), &zone)) return zone;
  if (!default_name.empty() && absl::LoadTimeZone(std::string(default_name), &zone)) return zone;
  return absl::UTCTimeZone();
}

}  // namespace

std::optional<WallTime> QuietUntil(const QuietHours& hours, std::string_view zone,
                                   std::string_view default_zone, WallTime now) {
  if (hours.from_minute == hours.to_minute) return std::nullopt;
  const absl::TimeZone local = Zone(zone, default_zone);
  const absl::Time instant = absl::FromUnixMicros(now.time_since_epoch().count());
  const absl::CivilSecond civil = local.At(instant).cs;
  const auto minute = static_cast<uint32_t>(civil.hour() * 60 + civil.minute());
  const bool over_midnight = hours.from_minute > hours.to_minute;
  const bool quiet = over_midnight ? minute >= hours.from_minute || minute < hours.to_minute
                                   : minute >= hours.from_minute && minute < hours.to_minute;
  if (!quiet) return std::nullopt;
  absl::CivilDay day(civil);
  if (over_midnight && minute >= hours.from_minute) ++day;
  const absl::CivilMinute end(day.year(), day.month(), day.day(),
                              static_cast<int>(hours.to_minute / 60),
                              static_cast<int>(hours.to_minute % 60));
  const absl::TimeZone::TimeInfo info = local.At(absl::CivilSecond(end));
  const absl::Time until = info.kind == absl::TimeZone::TimeInfo::UNIQUE ? info.pre
                           : info.kind == absl::TimeZone::TimeInfo::SKIPPED
                               ? info.trans
                               : std::max(info.pre, info.post);
  return WallTime(std::chrono::microseconds(absl::ToUnixMicros(until)));
}

}  // namespace hilo::dispatch
