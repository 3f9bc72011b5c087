#include "ops/base/zone.h"

#include <algorithm>
#include <string>

#include "absl/time/time.h"

namespace hilo {
namespace {

constexpr size_t kMaxZoneBytes = 64;

// The machine's files are asked only for what cannot be a path out of their folder.
bool HasForm(std::string_view name) {
  return !name.empty() && name.size() <= kMaxZoneBytes && name.front() >= 'A' &&
         name.front() <= 'Z' && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '/' || c == '_' || c == '-' || c == '+';
         });
}

bool Loads(std::string_view name) {
  absl::TimeZone zone;
  return absl::LoadTimeZone(std::string(name), &zone);
}

}  // namespace

bool IsZone(std::string_view name) {
  return HasForm(name) && (Loads(name) || !Loads("Europe/London"));
}

}  // namespace hilo
