#include "connectors/kit/amount.h"

#include <charconv>
#include <string>

namespace hilo::kit {
namespace {

constexpr size_t kMaxAmountBytes = 64;
constexpr int kMaxExponent = 18;  // 64 bits hold no more digits

}  // namespace

std::optional<Money> ParseAmount(std::string_view text, Currency currency) {
  if (text.empty() || text.size() > kMaxAmountBytes) return std::nullopt;
  int exponent = 0;
  if (const size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc() || end != digits.data() + digits.size() || exponent > kMaxExponent ||
        exponent < -kMaxExponent) {
      return std::nullopt;
    }
    text = text.substr(0, e);
  }
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::string digits;
  int point = -1;
  for (char c : text) {
    if (c == '.' && point < 0 && !digits.empty()) {
      point = static_cast<int>(digits.size());
    } else if (c >= '0' && c <= '9') {
      digits += c;
    } else {
      return std::nullopt;
    }
  }
  if (digits.empty() || text.back() == '.') return std::nullopt;
  if (point < 0) point = static_cast<int>(digits.size());

  // How many of the digits are minor units.
  const int wanted = point + exponent + currency.MinorDigits();
  int64_t minor = 0;
  for (int i = 0; i < wanted; ++i) {
    const int digit =
        i < static_cast<int>(digits.size()) ? digits[static_cast<size_t>(i)] - '0' : 0;
    if (__builtin_mul_overflow(minor, int64_t{10}, &minor) ||
        __builtin_add_overflow(minor, int64_t{digit}, &minor)) {
      return std::nullopt;
    }
  }
  const bool up = wanted >= 0 && wanted < static_cast<int>(digits.size()) &&
                  digits[static_cast<size_t>(wanted)] >= '5';
  if (up && __builtin_add_overflow(minor, int64_t{1}, &minor)) return std::nullopt;
  return Money{negative ? -minor : minor, currency};
}

}  // namespace hilo::kit
