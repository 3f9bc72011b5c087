#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "state/expression/value.h"

// Moments and spans as the language reads and writes them.
namespace hilo::expression {

// 0001-01-01T00:00:00Z ... 9999-12-31T23:59:59.999999999Z.
bool IsTimestamp(Span since_1970);
// As many nanoseconds as an int64 holds: about 292 years either way.
bool IsDuration(Span span);

// The sum or difference; nullopt when the seconds overflow. The caller checks the range.
std::optional<Span> Add(Span a, Span b);
std::optional<Span> Subtract(Span a, Span b);

// RFC 3339: "2026-03-01T09:30:00Z", "2026-03-01T09:30:00.25+01:00". nullopt when it is none or out
// of range.
std::optional<Span> ParseTimestamp(std::string_view text);
std::string FormatTimestamp(Span since_1970);  // in UTC, with as many decimals as it has

// "1h30m", "-2.5s", "90ms"; units h, m, s, ms, us, ns. nullopt when it is none or out of range.
std::optional<Span> ParseDuration(std::string_view text);
std::string FormatDuration(Span span);  // in seconds: "5400s", "-2.5s"

// A zone: a name of the IANA data ("Europe/Madrid"), "UTC", or an offset ("+05:30", "-02:00",
// "02:00").
class Zone {
 public:
  static std::optional<Zone> Find(std::string_view name);
  int64_t OffsetSeconds(int64_t since_1970) const;

 private:
  std::optional<absl::TimeZone> named_;
  int64_t offset_ = 0;
};

// The parts of a moment in the proleptic Gregorian calendar. `seconds` since 1970 in local time.
struct Calendar {
  explicit Calendar(int64_t seconds);
  int64_t year;
  int month;        // 1 ... 12
  int day;          // 1 ... 31
  int day_of_year;  // 0 ... 365
  int day_of_week;  // 0: Sunday
  int hour, minute, second;
};

}  // namespace hilo::expression
