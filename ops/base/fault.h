#pragma once

#include <string_view>

#if HILO_PLANTED_FAULTS
#include <set>
#include <string>
#endif

// Faults planted on purpose: they prove that the checker and the simulation find what they claim to
// find. Only the build with HILO_PLANTED_FAULTS (preset `faults`) has them; everywhere else Enabled
// is a constant and the branch vanishes.
namespace hilo::fault {

#if HILO_PLANTED_FAULTS

// The faults that are on: those of the environment variable HILO_FAULTS (names with commas
// between), or what Set said last.
// **Threads**: thread-compatible; set before threads start.
void Set(std::set<std::string> names);
bool Enabled(std::string_view name);

#else

constexpr bool Enabled(std::string_view) { return false; }

#endif

}  // namespace hilo::fault
