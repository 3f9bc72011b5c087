#pragma once

#include <atomic>
#include <memory>
#include <unordered_map>
#include <vector>

#include "connectors/serving/call.h"
#include "connectors/serving/catalogue_in_force.h"
#include "connectors/serving/endpoints.h"
#include "connectors/serving/node.h"
#include "connectors/serving/worker.h"
#include "hilo/v1/desk_service.pb.h"
#include "ops/base/metrics.h"
#include "ops/base/mutex.h"
#include "ops/keys/sealer.h"
#include "streams/fold/partition.h"

namespace hilo::serving {

class Subscription;

// Tells desks what changes: it listens to the partitions of this node and keeps the live streams.
//
// **Guarantees**: a stream begins with a snapshot, or goes on from its resume token without losing
// a change; after each change a watched customer's context is sent as it is then (latest wins, so
// what waits is bounded by what is watched); a reader that does not keep up is told `resync` and
// gets a snapshot when it reads again. A heartbeat comes after 15 s of silence.
// **Threads**: thread-safe; listener calls come from partition threads and only mark what changed.
// **Lifetime**: outlives its streams.
// **Cost**: a notice nobody waits for costs one atomic read and the observation of its latency.
class Hub : public fold::Listener {
 public:
  static constexpr int kMaxWatched = 16;
  static constexpr size_t kMaxSubscriptions = 10'000;
  static constexpr std::chrono::seconds kHeartbeat{15};
  // Streams end on purpose after this and up to as much again, so that desks spread over nodes.
  static constexpr std::chrono::minutes kShortestLife{30};
  // More new entries than this since a token are a resync, not a change.
  static constexpr size_t kMaxResumedEntries = 100;

  struct Options {
    const Node& node;
    const keys::Sealer& sealer;
    const CatalogueInForce& catalogue;
    Worker& worker;
    const Clock& clock;
    Registry& registry;
    uint32_t partitions = 4;
  };
  explicit Hub(Options options);
  ~Hub() override;

  // Opens a stream for this call.
  void Watch(std::shared_ptr<Call> call, const v1::WatchDesktopRequest& request,
             std::shared_ptr<MessageSink> sink);
  // Heartbeats and ends of life; call it about once a second.
  void Beat();
  // Ends every stream (`stopping`).
  void Stop();

  void OnNotice(const log::TopicPartition& of, const fold::Notice& notice) override;
  void OnFolded(const log::TopicPartition& of, log::Offset position) override;

 private:
  friend class Subscription;
  void Remove(const Subscription* subscription) HILO_EXCLUDES(mutex_);
  std::vector<std::shared_ptr<Subscription>> All() const HILO_EXCLUDES(mutex_);

  const Options options_;
  Histogram& ingest_to_context_;
  std::vector<std::atomic<int64_t>> folded_;  // by partition: everything below has been told
  std::atomic<size_t> count_{0};
  mutable Mutex mutex_;
  std::unordered_map<const Subscription*, std::shared_ptr<Subscription>> subscriptions_
      HILO_GUARDED_BY(mutex_);
  std::unordered_map<CustomerId, std::vector<std::shared_ptr<Subscription>>> by_customer_
      HILO_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::vector<std::shared_ptr<Subscription>>> by_agent_
      HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::serving
