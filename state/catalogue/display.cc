#include "state/catalogue/display.h"

#include <algorithm>
#include <iterator>

namespace hilo::catalogue {
namespace {

struct Sign {
  std::string_view code;
  std::string_view sign;
};
constexpr Sign kSigns[] = {{"EUR", "€"}, {"GBP", "£"}, {"JPY", "¥"}, {"USD", "$"}};
constexpr std::string_view kMonths[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};
constexpr std::string_view kMeses[] = {"enero",      "febrero", "marzo",     "abril",
                                       "mayo",       "junio",   "julio",     "agosto",
                                       "septiembre", "octubre", "noviembre", "diciembre"};
constexpr std::string_view kNoBreakSpace = "\xC2\xA0";

bool Is(std::string_view language, std::string_view primary) {
  return language.substr(0, language.find_first_of("-_")) == primary;
}

std::string Padded(int value, size_t width) {
  std::string digits = std::to_string(value);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

// "1234567" → "1,234,567".
std::string Grouped(std::string digits, char separator) {
  for (size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, separator);
  return digits;
}

}  // namespace

std::string ShownMoney(Money amount, std::string_view language) {
  const bool english = Is(language, "en");
  const size_t decimals = static_cast<size_t>(amount.currency.MinorDigits());
  // As unsigned, since the least value has no opposite.
  const uint64_t minor = amount.minor < 0 ? uint64_t{0} - static_cast<uint64_t>(amount.minor)
                                          : static_cast<uint64_t>(amount.minor);
  std::string digits = std::to_string(minor);
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  std::string text = Grouped(digits.substr(0, digits.size() - decimals), english ? ',' : '.');
  if (decimals > 0) text += (english ? '.' : ',') + digits.substr(digits.size() - decimals);
  const std::string minus = amount.minor < 0 ? "-" : "";
  const auto sign =
      std::find_if(std::begin(kSigns), std::end(kSigns),
                   [&amount](const Sign& known) { return known.code == amount.currency.Text(); });
  const std::string unit(sign == std::end(kSigns) ? amount.currency.Text() : sign->sign);
  if (english && sign != std::end(kSigns)) return minus + unit + text;
  return minus + text + std::string(kNoBreakSpace) + unit;
}

std::string ShownDay(Day day, std::string_view language) {
  const size_t month = static_cast<size_t>(std::clamp(day.month, 1, 12) - 1);
  if (Is(language, "en")) {
    return std::to_string(day.day) + " " + std::string(kMonths[month]) + " " +
           std::to_string(day.year);
  }
  if (Is(language, "es")) {
    return std::to_string(day.day) + " de " + std::string(kMeses[month]) + " de " +
           std::to_string(day.year);
  }
  return Padded(day.year, 4) + "-" + Padded(day.month, 2) + "-" + Padded(day.day, 2);
}

void AddProduct(const Product& product, std::string_view language, Variables& variables) {
  variables["product.id"] = product.id;
  variables["product.title"] = std::string(product.title.In(language));
  variables["product.price"] = ShownMoney(product.price, language);
  variables["product.url"] = product.url;
}

}  // namespace hilo::catalogue
