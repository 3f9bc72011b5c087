#include "state/store/map_store.h"

#include <utility>
#include <vector>

#include "ops/base/check.h"

namespace hilo::store {
namespace {

using Rows = MapStore::Rows;

class MapBatch final : public Batch {
 public:
  void Put(std::string_view key, std::string_view value) override {
    changes_.emplace_back(std::string(key), std::string(value));
  }
  void Delete(std::string_view key) override {
    changes_.emplace_back(std::string(key), std::nullopt);
  }

  void ApplyTo(Rows& rows) && {
    for (auto& [key, value] : changes_) {
      if (value) {
        rows.insert_or_assign(std::move(key), *std::move(value));
      } else {
        rows.erase(key);
      }
    }
  }

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> changes_;
};

class MapIterator final : public Iterator {
 public:
  MapIterator(std::shared_ptr<const Rows> rows, KeyRange range)
      : rows_(std::move(rows)), range_(std::move(range)), at_(rows_->lower_bound(range_.begin)) {}

  bool Valid() const override {
    return at_ != rows_->end() && (range_.end.empty() || at_->first < range_.end);
  }
  void Next() override { ++at_; }
  void Seek(std::string_view key) override {
    at_ = rows_->lower_bound(std::max(key, std::string_view(range_.begin)));
  }
  std::string_view Key() const override { return at_->first; }
  std::string_view Value() const override { return at_->second; }
  Status status() const override { return OkStatus(); }

 private:
  const std::shared_ptr<const Rows> rows_;
  const KeyRange range_;
  Rows::const_iterator at_;
};

std::optional<std::string> Find(const Rows& rows, std::string_view key) {
  const auto row = rows.find(key);
  if (row == rows.end()) return std::nullopt;
  return row->second;
}

class MapView final : public View {
 public:
  explicit MapView(std::shared_ptr<const Rows> rows) : rows_(std::move(rows)) {}

  StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return Find(*rows_, key);
  }
  std::unique_ptr<Iterator> NewIterator(const KeyRange& range) const override {
    return std::make_unique<MapIterator>(rows_, range);
  }

 private:
  const std::shared_ptr<const Rows> rows_;
};

}  // namespace

StatusOr<std::optional<std::string>> MapStore::Get(std::string_view key) const {
  MutexLock lock(mutex_);
  return Find(held_->rows, key);
}

std::unique_ptr<Iterator> MapStore::NewIterator(const KeyRange& range) const {
  return std::make_unique<MapIterator>(AllRows(), range);
}

std::unique_ptr<Batch> MapStore::NewBatch() { return std::make_unique<MapBatch>(); }

Status MapStore::Write(std::unique_ptr<Batch> batch) {
  auto* changes = dynamic_cast<MapBatch*>(batch.get());
  HILO_CHECK(changes != nullptr, "a batch is written to the store that made it");
  MutexLock lock(mutex_);
  // New readers come only under the lock: a count of none cannot grow meanwhile.
  if (held_->readers.load(std::memory_order_acquire) > 0) {
    held_ = std::make_shared<Held>(held_->rows);
  }
  std::move(*changes).ApplyTo(held_->rows);
  return OkStatus();
}

std::unique_ptr<View> MapStore::NewView() const { return std::make_unique<MapView>(AllRows()); }

std::shared_ptr<const MapStore::Rows> MapStore::AllRows() const {
  MutexLock lock(mutex_);
  held_->readers.fetch_add(1, std::memory_order_relaxed);
  // Runs when the last owner has let go, after all that the owners did with the rows.
  return {&held_->rows,
          [held = held_](const Rows*) { held->readers.fetch_sub(1, std::memory_order_release); }};
}

}  // namespace hilo::store
