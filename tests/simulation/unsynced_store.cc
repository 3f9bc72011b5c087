#include "tests/simulation/unsynced_store.h"

#include <algorithm>

namespace hilo::simulation {

class UnsyncedStore::ChangeBatch final : public store::Batch {
 public:
  void Put(std::string_view key, std::string_view value) override {
    changes.emplace_back(std::string(key), std::string(value));
  }
  void Delete(std::string_view key) override {
    changes.emplace_back(std::string(key), std::nullopt);
  }
  std::vector<Change> changes;
};

class UnsyncedStore::RowIterator final : public store::Iterator {
 public:
  RowIterator(const Rows& rows, store::KeyRange range)
      : rows_(rows), range_(std::move(range)), at_(rows_.lower_bound(range_.begin)) {}
  bool Valid() const override {
    return at_ != rows_.end() && (range_.end.empty() || at_->first < range_.end);
  }
  void Next() override { ++at_; }
  void Seek(std::string_view key) override {
    at_ = rows_.lower_bound(std::max(key, std::string_view(range_.begin)));
  }
  std::string_view Key() const override { return at_->first; }
  std::string_view Value() const override { return at_->second; }
  Status status() const override { return OkStatus(); }

 private:
  const Rows& rows_;
  const store::KeyRange range_;
  Rows::const_iterator at_;
};

StatusOr<std::optional<std::string>> UnsyncedStore::Get(std::string_view key) const {
  const auto row = rows_.find(key);
  if (row == rows_.end()) return std::optional<std::string>();
  return std::optional<std::string>(row->second);
}

std::unique_ptr<store::Iterator> UnsyncedStore::NewIterator(const store::KeyRange& range) const {
  return std::make_unique<RowIterator>(rows_, range);
}

std::unique_ptr<store::Batch> UnsyncedStore::NewBatch() { return std::make_unique<ChangeBatch>(); }

Status UnsyncedStore::Write(std::unique_ptr<store::Batch> batch) {
  auto& changes = static_cast<ChangeBatch&>(*batch).changes;
  std::vector<Change> undo;
  undo.reserve(changes.size());
  for (auto& [key, value] : changes) {
    auto row = rows_.find(key);
    undo.emplace_back(key, row == rows_.end() ? std::nullopt
                                              : std::optional<std::string>(std::move(row->second)));
    if (value) {
      rows_.insert_or_assign(std::move(key), *std::move(value));
    } else if (row != rows_.end()) {
      rows_.erase(row);
    }
  }
  undo_.push_back(std::move(undo));
  if (undo_.size() > kMaxUnsynced) undo_.pop_front();
  return OkStatus();
}

void UnsyncedStore::PowerCut(size_t batches) {
  for (; batches > 0 && !undo_.empty(); --batches) {
    for (auto change = undo_.back().rbegin(); change != undo_.back().rend(); ++change) {
      if (change->second) {
        rows_.insert_or_assign(std::move(change->first), *std::move(change->second));
      } else {
        rows_.erase(change->first);
      }
    }
    undo_.pop_back();
  }
}

void UnsyncedStore::Restore(Rows rows) {
  rows_ = std::move(rows);
  undo_.clear();
}

}  // namespace hilo::simulation
