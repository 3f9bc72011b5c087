#include "connectors/serving/context_cache.h"

#include <algorithm>

#include "ops/base/metric_names.h"

namespace hilo::serving {
namespace {

// A node of the list, one of the map, its bucket, and what the allocator rounds up.
constexpr size_t kAround = 256;
// One customer's share of all: a giant must not push out everybody.
constexpr size_t kLargestShare = 8;

}  // namespace

size_t RenderedCustomer::Bytes() const {
  size_t bytes = kAround + sizeof(*this) + stored.capacity() + context.size() +
                 subjects.capacity() * sizeof(SubjectId) + next.capacity();
  for (const Entry& entry : entries) bytes += sizeof(entry) + entry.place.capacity();
  return bytes;
}

ContextCache::ContextCache(Options options, keys::KeyStore& keys, Registry& registry)
    : options_(options),
      keys_(keys),
      bytes_kept_(registry.Get(metric::kContextCacheBytes)),
      erased_(registry.Get(metric::kContextCacheErased)) {
  keys_.Listen(*this);
}

ContextCache::~ContextCache() { keys_.StopListening(*this); }

std::shared_ptr<const RenderedCustomer> ContextCache::Find(CustomerId customer) {
  MutexLock lock(mutex_);
  const auto found = by_customer_.find(customer);
  if (found == by_customer_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->second;
}

void ContextCache::Put(CustomerId customer, std::shared_ptr<const RenderedCustomer> rendered,
                       uint64_t epoch) {
  const size_t bytes = rendered->Bytes();
  MutexLock lock(mutex_);
  if (const auto found = by_customer_.find(customer); found != by_customer_.end())
    Remove(found->second);
  if (epoch == epoch_.load(std::memory_order_relaxed) &&
      bytes <= options_.max_bytes / kLargestShare) {
    while (bytes_ + bytes > options_.max_bytes) Remove(std::prev(order_.end()));
    order_.emplace_front(customer, std::move(rendered));
    by_customer_.emplace(customer, order_.begin());
    bytes_ += bytes;
  }
  bytes_kept_.Set(static_cast<double>(bytes_));
}

void ContextCache::OnKeysDestroyed(std::span<const SubjectId> subjects) {
  MutexLock lock(mutex_);
  epoch_.fetch_add(1, std::memory_order_release);
  for (auto kept = order_.begin(); kept != order_.end();) {
    const auto here = kept++;
    const std::vector<SubjectId>& opened = here->second->subjects;
    if (std::find_first_of(opened.begin(), opened.end(), subjects.begin(), subjects.end()) ==
        opened.end()) {
      continue;
    }
    Remove(here);
    erased_.Increment();
  }
  bytes_kept_.Set(static_cast<double>(bytes_));
}

void ContextCache::Remove(Order::iterator kept) {
  bytes_ -= kept->second->Bytes();
  by_customer_.erase(kept->first);
  order_.erase(kept);
}

}  // namespace hilo::serving
