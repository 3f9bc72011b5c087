#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hilo {

// An ISO 4217 code, three upper-case letters.
struct Currency {
  std::array<char, 3> code{'X', 'X', 'X'};
  // nullopt unless three letters; lower case is raised.
  static std::optional<Currency> Parse(std::string_view text);
  std::string_view Text() const { return {code.data(), 3}; }
  // How many digits the minor unit has: 2 for most, 0 for JPY, 3 for KWD. Source: ISO 4217, list of
  // 2024.
  int MinorDigits() const;
  friend auto operator<=>(const Currency&, const Currency&) = default;
};

// An exact amount in minor units (cents). Never a floating point number.
struct Money {
  int64_t minor = 0;
  Currency currency;
  // Reads a decimal as it stands in JSON ("12.5", "-3", "1e2" is refused): exact, or nullopt when
  // it has more digits than the currency or does not fit in 64 bits.
  static std::optional<Money> Parse(std::string_view decimal, Currency currency);
  friend bool operator==(const Money&, const Money&) = default;
};

}  // namespace hilo
