#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "connectors/http/router.h"
#include "ops/base/metrics.h"

namespace hilo::hilod {

// One check of readiness: its name, and what is wrong; "" when all is well.
using HealthCheck = std::pair<std::string, std::function<std::string()>>;

// Adds /livez (the process only), /readyz and /startupz (every check; `?verbose` names each),
// /metrics and /version. They ask for no token and show nothing of customers. **Lifetime**:
// registry and whatever the checks use outlive the router.
void AddHealth(std::vector<HealthCheck> checks, const Registry& registry, http::Router& router);

inline constexpr char kVersion[] = "0.1.0";

}  // namespace hilo::hilod
