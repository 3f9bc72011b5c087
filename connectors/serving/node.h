#pragma once

#include <utility>
#include <vector>

#include "state/store/store.h"
#include "streams/fold/partition.h"
#include "streams/log/log.h"

namespace hilo::serving {

// What serving reads of this node: the state of its partitions and where each stands.
// **Threads**: thread-safe. **Lifetime**: outlives serving.
class Node {
 public:
  virtual ~Node() = default;
  // Partitions of the topic `customers`.
  virtual uint32_t CustomerPartitions() const = 0;
  virtual const store::Store& CustomersStore(uint32_t partition) const = 0;
  virtual const store::Store& IdentityStore() const = 0;
  virtual fold::PartitionView View(const log::TopicPartition& of) const = 0;
  // Of View what every answer needs, cheaply.
  virtual fold::Standing StandingOf(const log::TopicPartition& of) const {
    fold::PartitionView view = View(of);
    return {std::move(view.of), view.position, view.end, view.log_time, view.last_append_micros};
  }
  // All partitions that are folded here, events first.
  virtual std::vector<log::TopicPartition> Folded() const = 0;
};

}  // namespace hilo::serving
