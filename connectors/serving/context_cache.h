#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/base/metrics.h"
#include "ops/base/mutex.h"
#include "ops/keys/key_store.h"
#include "ops/keys/opened_bytes.h"
#include "state/catalogue/catalogue.h"
#include "state/types/ids.h"
#include "state/types/time.h"

namespace hilo::serving {

// A customer as it was rendered, and all that the rendering depended on: the stored bytes, the
// catalogue, and a span of log time. It depends on nothing of the caller: who may not see it is
// refused before it is looked for.
// **Threads**: immutable.
struct RenderedCustomer {
  // An entry of the timeline: where it stands, and where its bytes end in `context`.
  struct Entry {
    std::string place;
    size_t end = 0;
  };

  std::string stored;  // of customer::ReadCustomerBytes
  std::shared_ptr<const catalogue::Catalogue> catalogue;
  LogTime from;                     // rendered then
  int64_t until_micros = 0;         // from then on it would be shown otherwise
  std::vector<SubjectId> subjects;  // whose sealed values were opened
  keys::OpenedBytes context;        // a serialised v1::Context up to its timeline
  size_t timeline_begin = 0;        // where its first entry begins
  std::vector<Entry> entries;       // newest first
  std::string next;                 // the place to go on from; empty when these are all entries

  // Whether it is what rendering now would give, for all that is told here.
  bool Holds(std::string_view stored_now, const catalogue::Catalogue* catalogue_now,
             LogTime now) const {
    return now >= from && now.micros < until_micros && catalogue.get() == catalogue_now &&
           stored == stored_now;
  }
  // Whether it has the newest `count` entries.
  bool Shows(size_t count) const { return entries.size() >= count || next.empty(); }
  size_t Bytes() const;
};

// Keeps rendered customers, so that a customer who is looked at again is not opened, rendered and
// serialised again.
//
// **Guarantees**: at most max_bytes, counted with what each entry costs around its bytes; the one
// used longest ago goes first; one alone larger than an eighth of that is not kept. What opened
// values stand in is wiped when the last who reads it lets go. When KeyStore::DestroyKeys returns,
// nothing is found any more in whose rendering a value of its subjects was opened, and none can get
// in that was begun before: begin a reading with Epoch(), and give it to Put. It does not know
// whether a customer has changed: whoever finds one asks Holds.
// **Threads**: thread-safe.
// **Lifetime**: shorter than its key store's.
// **Cost**: a lock and a look-up; a destruction looks at every entry.
class ContextCache final : public keys::ErasureListener {
 public:
  struct Options {
    // Some 2,500 customers with 20 entries each; the 1,000 that a large floor speaks with fit in.
    size_t max_bytes = size_t{32} << 20;
  };
  ContextCache(Options options, keys::KeyStore& keys, Registry& registry);
  ~ContextCache() override;
  ContextCache(const ContextCache&) = delete;
  ContextCache& operator=(const ContextCache&) = delete;

  // Before anything is opened.
  uint64_t Epoch() const { return epoch_.load(std::memory_order_acquire); }
  // Null when there is none.
  std::shared_ptr<const RenderedCustomer> Find(CustomerId customer) HILO_EXCLUDES(mutex_);
  // Takes the place of what is kept of this customer; drops it when a key was destroyed since
  // `epoch`.
  void Put(CustomerId customer, std::shared_ptr<const RenderedCustomer> rendered, uint64_t epoch)
      HILO_EXCLUDES(mutex_);

  void OnKeysDestroyed(std::span<const SubjectId> subjects) override HILO_EXCLUDES(mutex_);

 private:
  using Kept = std::pair<CustomerId, std::shared_ptr<const RenderedCustomer>>;
  using Order = std::list<Kept>;
  void Remove(Order::iterator kept) HILO_REQUIRES(mutex_);

  const Options options_;
  keys::KeyStore& keys_;
  Gauge& bytes_kept_;
  Counter& erased_;

  std::atomic<uint64_t> epoch_{0};  // counted up under the mutex
  Mutex mutex_;
  Order order_ HILO_GUARDED_BY(mutex_);  // used last first
  std::unordered_map<CustomerId, Order::iterator> by_customer_ HILO_GUARDED_BY(mutex_);
  size_t bytes_ HILO_GUARDED_BY(mutex_) = 0;
};

}  // namespace hilo::serving
