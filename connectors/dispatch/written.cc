#include "connectors/dispatch/written.h"

#include <absl/time/time.h>

namespace hilo::dispatch {
namespace {

constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kMeses[] = {"enero",      "febrero", "marzo",     "abril",
                                       "mayo",       "junio",   "julio",     "agosto",
                                       "septiembre", "octubre", "noviembre", "diciembre"};

bool IsSpanish(std::string_view language) {
  return language == "es" || language.substr(0, 3) == "es-";
}

std::string_view SignOf(std::string_view currency) {
  if (currency == "EUR") return "€";
  if (currency == "USD") return "$";
  if (currency == "GBP") return "£";
  return "";
}

}  // namespace

std::string WrittenMoney(const Money& money, std::string_view language) {
  const bool spanish = IsSpanish(language);
  const int digits = money.currency.MinorDigits();
  const bool negative = money.minor < 0;
  // As unsigned, so that the lowest value has an amount too.
  uint64_t minor =
      negative ? 0 - static_cast<uint64_t>(money.minor) : static_cast<uint64_t>(money.minor);
  std::string fraction;
  for (int i = 0; i < digits; ++i, minor /= 10)
    fraction.insert(fraction.begin(), static_cast<char>('0' + minor % 10));
  std::string amount = std::to_string(minor);
  for (auto at = static_cast<ptrdiff_t>(amount.size()) - 3; at > 0; at -= 3)
    amount.insert(static_cast<size_t>(at), spanish ? "." : ",");
  if (digits > 0) amount += (spanish ? "," : ".") + fraction;
  const std::string_view sign = SignOf(money.currency.Text());
  const std::string minus = negative ? "-" : "";
  if (!spanish && !sign.empty()) return minus + std::string(sign) + amount;
  return minus + amount + " " + std::string(sign.empty() ? money.currency.Text() : sign);
}

std::string WrittenDate(WallTime time, std::string_view zone, std::string_view language) {
  absl::TimeZone local;
  if (zone.empty() || !absl::LoadTimeZone(std::string(zone), &local)) local = absl::UTCTimeZone();
  const absl::CivilDay day(local.At(absl::FromUnixMicros(time.time_since_epoch().count())).cs);
  const auto month = static_cast<size_t>(day.month() - 1);
  if (IsSpanish(language)) {
    return std::to_string(day.day()) + " de " + std::string(kMeses[month]) + " de " +
           std::to_string(day.year());
  }
  return std::to_string(day.day()) + " " + std::string(kMonths[month]) + " " +
         std::to_string(day.year());
}

}  // namespace hilo::dispatch
