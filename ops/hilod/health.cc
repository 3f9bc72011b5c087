#include "ops/hilod/health.h"

#include <memory>

namespace hilo::hilod {
namespace {

http::Response Text(int status, std::string body) {
  return {status,
          {{"Content-Type", "text/plain; charset=utf-8"}, {"Cache-Control", "no-store"}},
          std::move(body)};
}

http::Response Ready(const std::vector<HealthCheck>& checks, bool verbose) {
  bool ready = true;
  std::string lines;
  for (const auto& [name, check] : checks) {
    const std::string problem = check();
    ready = ready && problem.empty();
    if (verbose || !problem.empty())
      lines += "[" + std::string(problem.empty() ? "+" : "-") + "] " + name;
    if (!problem.empty()) lines += ": " + problem;
    if (verbose || !problem.empty()) lines += "\n";
  }
  return Text(ready ? 200 : 503, lines + (ready ? "ok\n" : "not ready\n"));
}

}  // namespace

void AddHealth(std::vector<HealthCheck> checks, const Registry& registry, http::Router& router) {
  const auto shared = std::make_shared<const std::vector<HealthCheck>>(std::move(checks));
  router.Add("GET", "/livez", [](std::shared_ptr<http::Exchange> exchange) {
    exchange->Respond(Text(200, "ok\n"));
  });
  for (const char* path : {"/readyz", "/startupz"}) {
    router.Add("GET", path, [shared](std::shared_ptr<http::Exchange> exchange) {
      exchange->Respond(Ready(*shared, exchange->request().Query("verbose").has_value()));
    });
  }
  router.Add("GET", "/metrics", [&registry](std::shared_ptr<http::Exchange> exchange) {
    exchange->Respond({200,
                       {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"},
                        {"Cache-Control", "no-store"}},
                       registry.Expose()});
  });
  router.Add("GET", "/version", [](std::shared_ptr<http::Exchange> exchange) {
    exchange->Respond(Text(200, std::string(kVersion) + "\n"));
  });
}

}  // namespace hilo::hilod
