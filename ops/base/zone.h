#pragma once

#include <string_view>

namespace hilo {

// Whether the tz database of this machine knows a zone: "Europe/Madrid", "UTC". Where the machine
// has no such data, everything of that form passes for a zone.
bool IsZone(std::string_view name);

}  // namespace hilo
