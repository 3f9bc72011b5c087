#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/serving/endpoints.h"
#include "ops/base/mutex.h"

namespace hilo::serving {

// The protocol grpc.health.v1, for "" and every service of Endpoints: all serve or none does.
//
// In place of gRPC's own service, which in this version is built on the callback interface: that
// adds a completion queue with threads that poll the same connections as ours, and a fifth of the
// CPU of a small call went into handing calls from them to us.
// **Guarantees**: a watcher hears of the state at once and of every change, in order, at most
// kMaxWatchers of them. **Threads**: thread-safe; watchers are called under its lock: they may
// send, and nothing else. **Source**: grpc/doc/health-checking.md.
class HealthWatch {
 public:
  static constexpr size_t kMaxWatchers = 1'000;
  static constexpr std::string_view kCheck = "/grpc.health.v1.Health/Check";
  static constexpr std::string_view kWatch = "/grpc.health.v1.Health/Watch";

  explicit HealthWatch(const Endpoints& endpoints) : endpoints_(endpoints) {}

  static bool IsMethod(std::string_view method) { return method == kCheck || method == kWatch; }
  // Which service a serialised HealthCheckRequest asks about; nullopt when it is none.
  static std::optional<std::string> ServiceOf(std::string_view request);

  void SetServing(bool serving) HILO_EXCLUDES(mutex_);
  // A serialised HealthCheckResponse; nullopt for a service that is not known.
  std::optional<std::string> Check(std::string_view service) const HILO_EXCLUDES(mutex_);
  // `send` gets a response now and after each change, until Unwatch; nullopt when there are too
  // many.
  std::optional<uint64_t> Watch(std::string_view service,
                                std::function<void(const std::string& response)> send)
      HILO_EXCLUDES(mutex_);
  void Unwatch(uint64_t watcher) HILO_EXCLUDES(mutex_);

 private:
  bool Knows(std::string_view service) const;

  const Endpoints& endpoints_;
  mutable Mutex mutex_;
  bool serving_ HILO_GUARDED_BY(mutex_) = false;
  uint64_t next_ HILO_GUARDED_BY(mutex_) = 0;
  // Those of services that are not known are counted, and hear nothing more.
  std::map<uint64_t, std::function<void(const std::string&)>> watchers_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::serving
