#include "state/expression/moment.h"

#include <limits>

#include "ops/base/zone.h"

namespace hilo::expression {
namespace {

constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'799;
constexpr int64_t kDaySeconds = 86'400;
__extension__ typedef __int128 Wide;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Exactly `count` digits at the front, taken off.
std::optional<int> Digits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Eat(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool IsLeap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int DaysOf(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && IsLeap(year) ? 29 : kDays[month - 1];
}

// Days from 1970-01-01; the year begins in March, so that the leap day is its last.
int64_t DaysFromCivil(int64_t year, int month, int day) {
  year -= month <= 2;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t of_era = year - era * 400;
  const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

int64_t FloorDivide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

Wide Nanos(Span span) { return Wide{span.seconds} * 1'000'000'000 + span.nanos; }

std::optional<Span> OfNanos(Wide nanos) {
  Wide seconds = nanos / 1'000'000'000;
  Wide rest = nanos % 1'000'000'000;
  if (rest < 0) {
    rest += 1'000'000'000;
    --seconds;
  }
  if (seconds > std::numeric_limits<int64_t>::max() ||
      seconds < std::numeric_limits<int64_t>::min()) {
    return std::nullopt;
  }
  return Span{static_cast<int64_t>(seconds), static_cast<int32_t>(rest)};
}

std::string Padded(int64_t value, size_t width) {
  std::string digits = std::to_string(value);
  return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

// ".25" for 250,000,000; "" for 0.
std::string Decimals(int32_t nanos) {
  if (nanos == 0) return "";
  std::string digits = Padded(nanos, 9);
  digits.erase(digits.find_last_not_of('0') + 1);
  return "." + digits;
}

// "+05:30", "-02:00" or "02:00" in seconds.
std::optional<int64_t> ParseOffset(std::string_view text) {
  const bool negative = Eat(text, '-');
  if (!negative) Eat(text, '+');
  const std::optional<int> hours = Digits(text, 2);
  if (!hours || !Eat(text, ':')) return std::nullopt;
  const std::optional<int> minutes = Digits(text, 2);
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  const int64_t seconds = *hours * 3600 + *minutes * 60;
  return negative ? -seconds : seconds;
}

std::optional<int32_t> Fraction(std::string_view& text) {
  int32_t nanos = 0;
  size_t count = 0;
  while (!text.empty() && IsDigit(text.front())) {
    if (count < 9) nanos = nanos * 10 + (text.front() - '0');
    ++count;
    text.remove_prefix(1);
  }
  if (count == 0) return std::nullopt;
  for (; count < 9; ++count) nanos *= 10;
  return nanos;
}

std::optional<int64_t> Unit(std::string_view& text) {
  struct Named {
    std::string_view name;
    int64_t nanos;
  };
  constexpr Named kUnits[] = {
      {"ns", 1},         {"us", 1000},         {"\u00b5s", 1000},     {"\u03bcs", 1000},
      {"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}};
  for (const Named& unit : kUnits) {
    if (text.substr(0, unit.name.size()) == unit.name) {
      text.remove_prefix(unit.name.size());
      return unit.nanos;
    }
  }
  return std::nullopt;
}

}  // namespace

bool IsTimestamp(Span since_1970) {
  return since_1970.seconds >= kFirstSecond && since_1970.seconds <= kLastSecond;
}

bool IsDuration(Span span) {
  const Wide nanos = Nanos(span);
  return nanos >= std::numeric_limits<int64_t>::min() &&
         nanos <= std::numeric_limits<int64_t>::max();
}

std::optional<Span> Add(Span a, Span b) { return OfNanos(Nanos(a) + Nanos(b)); }
std::optional<Span> Subtract(Span a, Span b) { return OfNanos(Nanos(a) - Nanos(b)); }

std::optional<Span> ParseTimestamp(std::string_view text) {
  const auto year = Digits(text, 4);
  if (!year || !Eat(text, '-')) return std::nullopt;
  const auto month = Digits(text, 2);
  if (!month || !Eat(text, '-')) return std::nullopt;
  const auto day = Digits(text, 2);
  if (!day || !(Eat(text, 'T') || Eat(text, 't'))) return std::nullopt;
  const auto hour = Digits(text, 2);
  if (!hour || !Eat(text, ':')) return std::nullopt;
  const auto minute = Digits(text, 2);
  if (!minute || !Eat(text, ':')) return std::nullopt;
  const auto second = Digits(text, 2);
  if (!second || *month < 1 || *month > 12 || *day < 1 || *day > DaysOf(*year, *month) ||
      *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  int32_t nanos = 0;
  if (Eat(text, '.')) {
    const auto fraction = Fraction(text);
    if (!fraction) return std::nullopt;
    nanos = *fraction;
  }
  int64_t offset = 0;
  if (text != "Z" && text != "z") {
    if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
    const auto parsed = ParseOffset(text);
    if (!parsed) return std::nullopt;
    offset = *parsed;
  }
  const Span span{DaysFromCivil(*year, *month, *day) * kDaySeconds + *hour * 3600 + *minute * 60 +
                      *second - offset,
                  nanos};
  if (!IsTimestamp(span)) return std::nullopt;
  return span;
}

std::string FormatTimestamp(Span since_1970) {
  const Calendar at(since_1970.seconds);
  return Padded(at.year, 4) + "-" + Padded(at.month, 2) + "-" + Padded(at.day, 2) + "T" +
         Padded(at.hour, 2) + ":" + Padded(at.minute, 2) + ":" + Padded(at.second, 2) +
         Decimals(since_1970.nanos) + "Z";
}

std::optional<Span> ParseDuration(std::string_view text) {
  const bool negative = Eat(text, '-');
  if (!negative) Eat(text, '+');
  if (text == "0") return Span{};
  if (text.empty()) return std::nullopt;
  Wide total = 0;
  while (!text.empty()) {
    Wide whole = 0;
    bool digits = false;
    while (!text.empty() && IsDigit(text.front())) {
      digits = true;
      whole = whole * 10 + (text.front() - '0');
      if (whole > std::numeric_limits<int64_t>::max()) return std::nullopt;
      text.remove_prefix(1);
    }
    int32_t billionths = 0;
    if (Eat(text, '.')) {
      const auto fraction = Fraction(text);
      if (!fraction && !digits) return std::nullopt;
      billionths = fraction.value_or(0);
      digits = true;
    }
    if (!digits) return std::nullopt;
    const auto unit = Unit(text);
    if (!unit) return std::nullopt;
    total += whole * *unit + Wide{billionths} * *unit / 1'000'000'000;
    if (total > Wide{std::numeric_limits<int64_t>::max()} + 1) return std::nullopt;
  }
  const std::optional<Span> span = OfNanos(negative ? -total : total);
  if (!span || !IsDuration(*span)) return std::nullopt;
  return span;
}

std::string FormatDuration(Span span) {
  const bool negative = span.seconds < 0;
  if (negative && span.nanos != 0) span = {span.seconds + 1, 1'000'000'000 - span.nanos};
  const uint64_t seconds =
      negative ? 0 - static_cast<uint64_t>(span.seconds) : static_cast<uint64_t>(span.seconds);
  return (negative ? "-" : "") + std::to_string(seconds) + Decimals(span.nanos) + "s";
}

std::optional<Zone> Zone::Find(std::string_view name) {
  Zone zone;
  if (name == "UTC") return zone;
  if (const std::optional<int64_t> offset = ParseOffset(name)) {
    zone.offset_ = *offset;
    return zone;
  }
  absl::TimeZone named;
  if (!IsZone(name) || !absl::LoadTimeZone(std::string(name), &named)) return std::nullopt;
  zone.named_ = named;
  return zone;
}

int64_t Zone::OffsetSeconds(int64_t since_1970) const {
  return named_ ? named_->At(absl::FromUnixSeconds(since_1970)).offset : offset_;
}

Calendar::Calendar(int64_t seconds) {
  const int64_t days = FloorDivide(seconds, kDaySeconds);
  const int64_t of_day = seconds - days * kDaySeconds;
  hour = static_cast<int>(of_day / 3600);
  minute = static_cast<int>(of_day / 60 % 60);
  second = static_cast<int>(of_day % 60);
  day_of_week = static_cast<int>((days % 7 + 11) % 7);
  const int64_t shifted = days + 719'468;
  const int64_t era = FloorDivide(shifted, 146'097);
  const int64_t of_era = shifted - era * 146'097;
  const int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t from_march = (5 * of_year + 2) / 153;
  day = static_cast<int>(of_year - (153 * from_march + 2) / 5 + 1);
  month = static_cast<int>(from_march < 10 ? from_march + 3 : from_march - 9);
  year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  day_of_year = static_cast<int>(days - DaysFromCivil(year, 1, 1));
}

}  // namespace hilo::expression
