#pragma once

#include <atomic>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "ops/base/mutex.h"
#include "state/store/store.h"

namespace hilo::store {

// A store in an ordered map, for tests and simulation: same answers as RocksDbStore, nothing on the
// disk.
//
// **Guarantees**: a view and an iterator stand on the map of their moment: the first Write after
// one was made copies the map if it still lives. **Threads**: as Store. **Lifetime**: views and
// iterators may outlive it.
// **Cost**: Write is O(rows) while a view or iterator lives, else O(batch · log rows).
class MapStore final : public Store {
 public:
  using Rows = std::map<std::string, std::string, std::less<>>;

  MapStore() : MapStore(Rows()) {}
  // A store that begins with these rows, for instance those of another at a power cut.
  explicit MapStore(Rows rows) : held_(std::make_shared<Held>(std::move(rows))) {}

  StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  std::unique_ptr<Iterator> NewIterator(const KeyRange& range) const override;
  std::unique_ptr<Batch> NewBatch() override;
  Status Write(std::unique_ptr<Batch> batch) override;
  std::unique_ptr<View> NewView() const override;
  Status Flush() override { return OkStatus(); }

  // All rows as they are now: to compare two stores, or to keep what a simulated power cut goes
  // back to. Unchanged while it is held.
  std::shared_ptr<const Rows> AllRows() const;

 private:
  // One state of the rows and how many read it outside the lock. Not shared_ptr's own count:
  // reading that one says nothing about what its former holders have finished doing.
  struct Held {
    explicit Held(Rows rows) : rows(std::move(rows)) {}
    Rows rows;
    std::atomic<size_t> readers{0};
  };

  mutable Mutex mutex_;
  std::shared_ptr<Held> held_ HILO_GUARDED_BY(mutex_);  // never null
};

}  // namespace hilo::store
