#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/store/store.h"

namespace hilo::simulation {

// A store whose last batches are not on the disk yet: a power cut takes them away, always a suffix.
// **Threads**: thread-compatible; no iterator lives across a Write.
class UnsyncedStore final : public store::Store {
 public:
  static constexpr size_t kMaxUnsynced = 4;  // batches
  using Rows = std::map<std::string, std::string, std::less<>>;

  StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  std::unique_ptr<store::Iterator> NewIterator(const store::KeyRange& range) const override;
  std::unique_ptr<store::Batch> NewBatch() override;
  Status Write(std::unique_ptr<store::Batch> batch) override;
  std::unique_ptr<store::View> NewView() const override { return nullptr; }
  Status Flush() override { return OkStatus(); }

  // Loses up to `batches` of the last ones.
  void PowerCut(size_t batches);
  const Rows& rows() const { return rows_; }
  // Goes on from another store's rows, as after a restore.
  void Restore(Rows rows);

 private:
  using Change = std::pair<std::string, std::optional<std::string>>;
  class ChangeBatch;
  class RowIterator;

  Rows rows_;
  std::deque<std::vector<Change>> undo_;  // of the last batches, the newest last
};

}  // namespace hilo::simulation
