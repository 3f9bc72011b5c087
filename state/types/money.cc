#include "state/types/money.h"

namespace hilo {

std::optional<Currency> Currency::Parse(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  Currency currency;
  for (size_t i = 0; i < 3; ++i) {
    char c = text[i];
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c < 'A' || c > 'Z') return std::nullopt;
    currency.code[i] = c;
  }
  return currency;
}

int Currency::MinorDigits() const {
  const std::string_view text = Text();
  for (std::string_view none : {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
                                "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"}) {
    if (text == none) return 0;
  }
  for (std::string_view three : {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}) {
    if (text == three) return 3;
  }
  return 2;
}

std::optional<Money> Money::Parse(std::string_view decimal, Currency currency) {
  const bool negative = !decimal.empty() && decimal.front() == '-';
  if (negative) decimal.remove_prefix(1);
  const int digits = currency.MinorDigits();
  int64_t minor = 0;
  int fraction = -1;  // digits seen behind the point, -1 before it
  bool any = false;
  for (char c : decimal) {
    if (c == '.') {
      if (fraction >= 0 || !any) return std::nullopt;
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    any = true;
    if (fraction >= digits) {
      if (c != '0') return std::nullopt;
      continue;
    }
    if (__builtin_mul_overflow(minor, int64_t{10}, &minor) ||
        __builtin_add_overflow(minor, int64_t{c - '0'}, &minor)) {
      return std::nullopt;
    }
    if (fraction >= 0) ++fraction;
  }
  if (!any) return std::nullopt;
  for (int i = fraction < 0 ? 0 : fraction; i < digits; ++i) {
    if (__builtin_mul_overflow(minor, int64_t{10}, &minor)) return std::nullopt;
  }
  return Money{negative ? -minor : minor, currency};
}

}  // namespace hilo
