#include "ops/base/fault.h"

#if HILO_PLANTED_FAULTS

#include <cstdlib>

namespace hilo::fault {
namespace {

std::set<std::string> FromEnvironment() {
  std::set<std::string> names;
  const char* list = std::getenv("HILO_FAULTS");
  std::string name;
  for (const char* c = list == nullptr ? "" : list;; ++c) {
    if (*c != ',' && *c != '\0') {
      name += *c;
      continue;
    }
    if (!name.empty()) names.insert(std::move(name));
    name.clear();
    if (*c == '\0') return names;
  }
}

std::set<std::string>& Names() {
  static std::set<std::string> names = FromEnvironment();
  return names;
}

}  // namespace

void Set(std::set<std::string> names) { Names() = std::move(names); }

bool Enabled(std::string_view name) { return Names().contains(std::string(name)); }

}  // namespace hilo::fault

#endif
