#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "state/types/ids.h"
#include "streams/log/log.h"

namespace hilo::kit {

// The event ids that became durable lately, so that repeats and conflicts are told at once.
// Forgetting one is harmless: the identity fold remembers for days.
// **Threads**: thread-compatible. **Cost**: about 120 bytes an id.
class RecentEvents {
 public:
  struct Known {
    std::string body_hash;
    log::Offset offset = -1;
  };

  explicit RecentEvents(size_t limit) : limit_(limit) {}

  std::optional<Known> Find(EventId id) const {
    const auto found = known_.find(id);
    return found == known_.end() ? std::nullopt : std::optional(found->second);
  }
  // The first one stays; the oldest goes when there are more than the limit.
  void Add(EventId id, Known known) {
    if (limit_ == 0 || !known_.emplace(id, std::move(known)).second) return;
    order_.push_back(id);
    if (order_.size() > limit_) {
      known_.erase(order_.front());
      order_.pop_front();
    }
  }
  size_t size() const { return order_.size(); }

 private:
  const size_t limit_;
  std::unordered_map<EventId, Known> known_;
  std::deque<EventId> order_;
};

}  // namespace hilo::kit
