#pragma once

#include <string>
#include <string_view>

#include "ops/base/clock.h"
#include "state/types/money.h"

namespace hilo::dispatch {

// As people write it in that language ("es", else as in English): "€89.90", "89,90 €".
std::string WrittenMoney(const Money& money, std::string_view language);
// "25 November 2026", "25 de noviembre de 2026", in that zone; UTC for one that is not known.
std::string WrittenDate(WallTime time, std::string_view zone, std::string_view language);

}  // namespace hilo::dispatch
