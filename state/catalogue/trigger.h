#pragma once

#include <optional>
#include <string>

namespace hilo::catalogue {

// A detail of an event must have this value, compared as text.
struct Condition {
  std::string path;
  std::string equals;
};

// Which events a rule looks at.
struct Trigger {
  std::string type;   // event type, such as "web.track"; "" matches every type, and then every name
  std::string event;  // tracked event's name; "" matches every name
  std::optional<Condition> condition;  // none: no further condition
};

// Whether a rule with trigger `rule` looks at every event that `wanted` stands for.
bool Covers(const Trigger& rule, const Trigger& wanted);

}  // namespace hilo::catalogue
