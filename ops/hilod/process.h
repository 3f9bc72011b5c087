#pragma once

#include <memory>
#include <string>

#include "ops/base/status.h"
#include "ops/hilod/settings.h"

namespace hilo::hilod {

// A whole node: builds every part, in the order of what needs what, and takes it down again.
//
// **Stop order**: readiness off → HTTP and gRPC stop (streams end with `unavailable` and a token,
// calls finish) → intake → folds (last batch written, outbox sent) → log → keys and audit. Crashing
// instead is safe at every point.
// **Threads**: Start and Stop on one thread.
class Process {
 public:
  static StatusOr<std::unique_ptr<Process>> Start(const Settings& settings);
  virtual ~Process() = default;
  virtual uint16_t HttpPort() const = 0;
  virtual uint16_t GrpcPort() const = 0;
  virtual void Stop() = 0;
};

}  // namespace hilo::hilod
