#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ops/base/status.h"
#include "state/store/store.h"
#include "streams/fold/row_index.h"

namespace hilo::fold {

// What a batch of records has changed and not written yet, over the rows of a store: reads see the
// changes.
//
// Changes since Begin belong to one record and can be taken back as a whole. What was read or
// written stays as a cache for later batches (not of tables that are seldom read again), up to
// `max_cached_bytes`, then all of it is forgotten; so the store must have no other writer.
// **Digest**: Mark notes the change of the digest so far; rows that were overwritten without having
// been read are fetched by one MultiGet in Resolve. **Errors**: the store's; failed() stays true
// after one, and the batch must not be written.
// **Threads**: confined to one thread. **Lifetime**: the store outlives it.
// **Cost**: a hash look-up a row; an ordered index only once a Scan asks for it. Rows of a batch
// that are not kept leave their memory, up to kMaxSpareBytes, to those of the next.
class Staging {
 public:
  static constexpr size_t kMaxSpareBytes = 4 << 20;

  Staging(const store::Reader& store, size_t max_cached_bytes)
      : store_(store), max_cached_bytes_(max_cached_bytes) {}
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  // The view is valid until the next call that is not const.
  StatusOr<std::optional<std::string_view>> Get(std::string_view key);
  void Put(std::string_view key, std::string_view value) { Set(key, value); }
  // Put of a row that is surely not there.
  void Insert(std::string_view key, std::string_view value);
  void Delete(std::string_view key) { Set(key, std::nullopt); }
  Status Scan(const store::KeyRange& range,
              const std::function<bool(std::string_view key, std::string_view value)>& visit);
  // Reads what is not here yet, in one call.
  Status Preload(std::vector<std::string> keys);

  // One record's changes: from Begin to Commit or Rollback.
  void Begin();
  void Commit();
  void Rollback();

  // The digest's change from the batch's beginning to here; an index for DigestChange after
  // Resolve.
  size_t Mark();
  Status Resolve();
  uint64_t DigestChange(size_t mark) const { return marks_[mark]; }

  // The batch's changes; then, once they are written, Written begins the next batch.
  void WriteTo(store::Batch& batch) const;
  void Written();

  bool failed() const { return failed_; }
  size_t cached_bytes() const { return cached_bytes_; }

 private:
  // What is known of what a row added to the digest at the last mark.
  enum class Base : uint8_t { kUnread, kUnhashed, kHashed };
  struct Row {
    std::string key;
    std::string value;       // when it exists
    uint64_t hash = 0;       // of the key
    uint64_t base_hash = 0;  // kHashed only
    uint64_t saved_by = 0;   // the record that saved it last
    Base base = Base::kUnread;
    bool exists = false;   // there is such a row
    bool loaded = false;   // `value` is the row's; else only the store knows it
    bool dirty = false;    // to be written
    bool listed = false;   // in dirty_
    bool changed = false;  // in changed_
  };
  // A row before the record under way.
  struct Saved {
    Row* row = nullptr;
    std::string value;
    bool exists = false;
    bool loaded = false;
    bool dirty = false;
  };

  static uint64_t HashOf(const Row& row);
  void Set(std::string_view key, std::optional<std::string_view> value);
  void Save(Row& row);
  Row* Known(std::string_view key) const;
  Row& Find(std::string_view key);
  void Load(Row& row, std::optional<std::string> value);
  void EndRecord();
  void Spare(Row& row);
  void Index();

  const store::Reader& store_;
  const size_t max_cached_bytes_;
  std::deque<Row> rows_;  // all, in use or spare
  std::vector<Row*> spare_;
  size_t spare_bytes_ = 0;
  RowIndex<Row> kept_;     // rows that stay
  RowIndex<Row> passing_;  // those of tables that are seldom read again: of this batch only
  std::vector<Row*> passing_rows_;
  std::vector<Row*> dirty_;  // in the order they were first changed; some are clean again
  std::set<std::string_view> ordered_;  // keys of the first ordered_count_ of dirty_
  size_t ordered_count_ = 0;
  std::vector<Saved> undo_;  // the first undo_size_; the others are kept for their memory
  size_t undo_size_ = 0;
  bool open_ = false;
  uint64_t record_ = 0;
  std::vector<Row*> changed_;  // since the last mark
  std::vector<uint64_t> marks_;
  std::vector<std::pair<Row*, size_t>>
      unresolved_;  // overwritten unread, and the first mark it counts in
  uint64_t change_ = 0;
  size_t cached_bytes_ = 0;
  bool failed_ = false;
};

}  // namespace hilo::fold
