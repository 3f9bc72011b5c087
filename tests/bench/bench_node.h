#pragma once

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>

#include "connectors/kit/intake.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "ops/hilod/local_node.h"
#include "ops/keys/key_store.h"
#include "ops/keys/sealer.h"
#include "streams/log/embedded_log.h"

namespace hilo::bench {

// The engine of a node in this process, over files laid out as hilod's: the embedded log, keys, the
// intake, and all partitions with the real folds, each on its own thread. Edges are left out.
//
// **Threads**: thread-safe once started. **Lifetime**: listeners outlive it.
class BenchNode {
 public:
  struct Options {
    std::string directory;
    uint64_t cache_megabytes = 256;  // hilod's default
  };
  explicit BenchNode(const Options& options);
  ~BenchNode();

  void Listen(fold::Listener& listener) { listeners_.Add(listener); }
  // Called on partition threads, once an event is visible, with its time of receipt.
  void OnVisible(std::function<void(int64_t receive_micros)> callback);
  void Start() { node_->Start(); }
  void Stop();

  // Of events, since it was built.
  uint64_t visible() const { return visible_.count.load(std::memory_order_acquire); }
  // Waits, looking every `step`, until so many events are visible.
  void AwaitVisible(uint64_t events) const;

  log::EmbeddedLog& log() { return *log_; }
  kit::Intake& intake() { return *intake_; }
  hilod::LocalNode& node() { return *node_; }
  keys::KeyStore& keys() { return *keys_; }
  const keys::Sealer& sealer() const { return *sealer_; }
  Registry& registry() { return registry_; }
  const Logger& logger() const { return logger_; }
  const Clock& clock() const { return clock_; }

 private:
  struct Visible final : fold::Listener {
    void OnNotice(const log::TopicPartition& of, const fold::Notice& notice) override;
    std::atomic<uint64_t> count{0};
    std::function<void(int64_t)> callback;
  };

  SystemClock clock_;
  Registry registry_;
  DescriptorSink sink_{2};
  LogOutput output_;
  Logger logger_;
  Visible visible_;
  hilod::Listeners listeners_;
  std::unique_ptr<keys::KeyStore> keys_;
  std::unique_ptr<keys::Sealer> sealer_;
  std::unique_ptr<log::EmbeddedLog> log_;
  std::unique_ptr<hilod::LocalNode> node_;
  std::unique_ptr<kit::Intake> intake_;
};

// Ends the program when `status` is an error; benches have nobody to hand one to.
inline void Must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "bench: %s\n", Describe(status).c_str());
  std::exit(1);
}
template <typename T>
T Must(StatusOr<T> result) {
  Must(result.status());
  return *std::move(result);
}

}  // namespace hilo::bench
