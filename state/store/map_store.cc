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
  return Find(*rows_, key);
}

std::unique_ptr<Iterator> MapStore::NewIterator(const KeyRange& range) const {
  return std::make_unique<MapIterator>(AllRows(), range);
}

std::unique_ptr<Batch> MapStore::NewBatch() { return std::make_unique<MapBatch>(); }

Status MapStore::Write(std::unique_ptr<Batch> batch) {
  auto* changes = dynamic_cast<MapBatch*>(batch.get());
  HILO_CHECK(changes != nullptr, "a batch is written to the store that made it");
  MutexLock lock(mutex_);
  // New holders come only from here, under the lock: a count of one cannot grow meanwhile.
  if (rows_.use_count() > 1) rows_ = std::make_shared<Rows>(*rows_);
  std::move(*changes).ApplyTo(*rows_);
  return OkStatus();
}

std::unique_ptr<View> MapStore::NewView() const { return std::make_unique<MapView>(AllRows()); }

std::shared_ptr<const MapStore::Rows> MapStore::AllRows() const {
  MutexLock lock(mutex_);
  return rows_;
}

}  // namespace hilo::store
