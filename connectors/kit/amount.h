#pragma once

#include <optional>
#include <string_view>

#include "state/types/money.h"

namespace hilo::kit {

// An amount as programs write it, in JSON or in a string: "89.90", "-3", "1e2",
// "179.79999999999998". Digits beyond the currency's are rounded to the nearest minor unit, halves
// away from zero: they are the noise of somebody's floating point. No floating point is used here.
// nullopt for anything else, or what does not fit.
std::optional<Money> ParseAmount(std::string_view text, Currency currency);

}  // namespace hilo::kit
