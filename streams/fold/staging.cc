#include "streams/fold/staging.h"

#include <algorithm>
#include <utility>

#include "ops/base/check.h"
#include "state/store/tables.h"
#include "streams/fold/digest.h"

namespace hilo::fold {
namespace {

// A row, its place in the index and the allocations around it, roughly.
constexpr size_t kRowOverheadBytes = 160;
// Of what a record saves to be taken back: more of it gives its memory back at the record's end.
constexpr size_t kKeptUndo = 64;
constexpr size_t kKeptUndoBytes = 16 << 10;

bool Counts(std::string_view key) { return store::InDigest(static_cast<store::Table>(key[0])); }

// The first eight bytes as a number that is ordered as they are.
uint64_t Begin8(std::string_view key) {
  uint64_t begin = 0;
  for (size_t i = 0; i < 8; ++i) {
    begin = begin << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0);
  }
  return begin;
}

bool Passes(std::string_view key) {
  return store::SeldomReadAgain(static_cast<store::Table>(key[0]));
}

size_t SizeOf(const std::optional<std::string_view>& value) { return value ? value->size() : 0; }

}  // namespace

uint64_t Staging::HashOf(const Row& row) { return row.exists ? RowHash(row.key, row.value) : 0; }

Staging::Row* Staging::Known(std::string_view key) const {
  return (Passes(key) ? passing_ : kept_).Find(RowIndex<Row>::HashOf(key), key);
}

Staging::Row& Staging::Find(std::string_view key) {
  const bool passes = Passes(key);
  RowIndex<Row>& index = passes ? passing_ : kept_;
  const uint64_t hash = RowIndex<Row>::HashOf(key);
  if (Row* known = index.Find(hash, key)) return *known;
  Row* row;
  if (spare_.empty()) {
    row = &rows_.emplace_back();
  } else {
    row = spare_.back();
    spare_.pop_back();
    spare_bytes_ -= row->value.capacity();
  }
  row->key.assign(key);
  row->hash = hash;
  index.Insert(row);
  if (passes) passing_rows_.push_back(row);
  cached_bytes_ += key.size() + kRowOverheadBytes;
  return *row;
}

// Leaves the row, which nothing names any more, to the next one.
void Staging::Spare(Row& row) {
  std::string value = std::move(row.value);
  std::string key = std::move(row.key);
  row = Row();
  row.key.swap(key);
  if (spare_bytes_ + value.capacity() <= kMaxSpareBytes) row.value.swap(value);
  spare_bytes_ += row.value.capacity();
  spare_.push_back(&row);
}

void Staging::Load(Row& row, std::optional<std::string> value) {
  cached_bytes_ += SizeOf(value);
  row.exists = value.has_value();
  if (value) row.value = *std::move(value);
  row.loaded = true;
  if (row.base == Base::kUnread) row.base = Base::kUnhashed;
}

StatusOr<std::optional<std::string_view>> Staging::Get(std::string_view key) {
  Row& row = Find(key);
  if (!row.loaded) {
    auto read = store_.Get(key);
    if (!read.ok()) {
      failed_ = true;
      return read.status();
    }
    Load(row, *std::move(read));
  }
  if (!row.exists) return std::optional<std::string_view>();
  return std::optional<std::string_view>(row.value);
}

Status Staging::Preload(std::vector<std::string> keys) {
  std::vector<std::string> missing;
  std::vector<Row*> rows;
  for (std::string& key : keys) {
    Row& row = Find(key);
    if (row.loaded) continue;
    rows.push_back(&row);
    missing.push_back(std::move(key));
  }
  if (missing.empty()) return OkStatus();
  auto values = store_.MultiGet(missing);
  for (size_t i = 0; i < missing.size(); ++i) {
    if (!values[i].ok()) {
      failed_ = true;
      return values[i].status();
    }
    if (!rows[i]->loaded) Load(*rows[i], *std::move(values[i]));
  }
  return OkStatus();
}

void Staging::Save(Row& row) {
  row.saved_by = record_;
  if (undo_size_ == undo_.size()) undo_.emplace_back();
  Saved& saved = undo_[undo_size_++];
  saved.row = &row;
  saved.value.swap(row.value);
  saved.exists = row.exists;
  saved.loaded = row.loaded;
  saved.dirty = row.dirty;
}

// `value` is not a view of the row.
void Staging::Set(std::string_view key, std::optional<std::string_view> value) {
  HILO_CHECK(open_, "state changes only while a record is applied");
  Row& row = Find(key);
  if (row.base == Base::kUnhashed && Counts(key)) {
    row.base_hash = HashOf(row);
    row.base = Base::kHashed;
  }
  cached_bytes_ += SizeOf(value) - (row.exists ? row.value.size() : 0);
  if (row.saved_by != record_) Save(row);
  row.exists = value.has_value();
  row.value.assign(value.value_or(std::string_view()));
  row.loaded = true;
  row.dirty = true;
  if (!row.listed) {
    row.listed = true;
    dirty_.push_back(&row);
  }
}

void Staging::Insert(std::string_view key, std::string_view value) {
  Row& row = Find(key);
  if (!row.loaded) Load(row, std::nullopt);
  Set(key, value);
}

void Staging::Begin() {
  HILO_CHECK(!open_, "records are applied one after the other");
  open_ = true;
  ++record_;
}

void Staging::Commit() {
  for (size_t i = 0; i < undo_size_; ++i) {
    Row& row = *undo_[i].row;
    if (row.changed || !Counts(row.key)) continue;
    row.changed = true;
    changed_.push_back(&row);
  }
  EndRecord();
}

void Staging::Rollback() {
  for (size_t i = 0; i < undo_size_; ++i) {
    Saved& saved = undo_[i];
    Row& row = *saved.row;
    cached_bytes_ -= row.exists ? row.value.size() : 0;
    row.value.swap(saved.value);
    row.exists = saved.exists;
    row.loaded = saved.loaded;
    row.dirty = saved.dirty;
    cached_bytes_ += row.exists ? row.value.size() : 0;
  }
  EndRecord();
}

void Staging::EndRecord() {
  for (size_t i = 0; i < undo_size_; ++i) {
    if (undo_[i].value.capacity() > kKeptUndoBytes) std::string().swap(undo_[i].value);
  }
  if (undo_.size() > kKeptUndo) undo_.resize(kKeptUndo);
  undo_size_ = 0;
  open_ = false;
}

void Staging::Index() {
  for (; ordered_count_ < dirty_.size(); ++ordered_count_)
    ordered_.insert(dirty_[ordered_count_]->key);
}

Status Staging::Scan(
    const store::KeyRange& range,
    const std::function<bool(std::string_view key, std::string_view value)>& visit) {
  Index();
  const auto stored = store_.NewIterator(range);
  auto staged = ordered_.lower_bound(range.begin);
  const auto more = [&] {
    return staged != ordered_.end() && (range.end.empty() || *staged < range.end);
  };
  while (stored->Valid() || more()) {
    if (more() && (!stored->Valid() || *staged <= stored->Key())) {
      const Row& row = *Known(*staged);
      if (row.dirty) {
        if (stored->Valid() && stored->Key() == *staged) stored->Next();
        if (row.exists && !visit(*staged, row.value)) return OkStatus();
      }
      // A change that was taken back: the store has the row, if there is one.
      ++staged;
      continue;
    }
    if (!visit(stored->Key(), stored->Value())) return OkStatus();
    stored->Next();
  }
  const Status status = stored->status();
  failed_ = failed_ || !status.ok();
  return status;
}

size_t Staging::Mark() {
  for (Row* row : changed_) {
    const uint64_t now = HashOf(*row);
    change_ += now;
    if (row->base == Base::kHashed) {
      change_ -= row->base_hash;
    } else {
      unresolved_.emplace_back(row, marks_.size());
    }
    row->base_hash = now;
    row->base = Base::kHashed;
    row->changed = false;
  }
  changed_.clear();
  marks_.push_back(change_);
  return marks_.size() - 1;
}

Status Staging::Resolve() {
  if (unresolved_.empty()) return OkStatus();
  std::vector<std::string> keys;
  keys.reserve(unresolved_.size());
  for (const auto& [row, mark] : unresolved_) keys.push_back(row->key);
  auto values = store_.MultiGet(keys);
  std::vector<uint64_t> less(marks_.size(), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!values[i].ok()) {
      failed_ = true;
      return values[i].status();
    }
    if (*values[i]) less[unresolved_[i].second] += RowHash(keys[i], **values[i]);
  }
  uint64_t sum = 0;
  for (size_t mark = 0; mark < marks_.size(); ++mark) {
    sum += less[mark];
    marks_[mark] -= sum;
  }
  change_ -= sum;
  unresolved_.clear();
  return OkStatus();
}

void Staging::WriteTo(store::Batch& batch) const {
  // In order of keys: a store inserts the next row where it stands, instead of looking for the
  // place.
  std::vector<std::pair<uint64_t, const Row*>> in_order;
  in_order.reserve(dirty_.size());
  for (const Row* row : dirty_) {
    if (row->dirty) in_order.emplace_back(Begin8(row->key), row);
  }
  std::sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->key < b.second->key;
  });
  for (const auto& [begin, row] : in_order) {
    if (row->exists) {
      batch.Put(row->key, row->value);
    } else {
      batch.Delete(row->key);
    }
  }
}

void Staging::Written() {
  HILO_CHECK(!open_ && changed_.empty() && unresolved_.empty(),
             "a batch ends with a mark that is resolved");
  ordered_.clear();  // before the keys that it sees
  for (Row* row : dirty_) {
    row->dirty = false;
    row->listed = false;
  }
  dirty_.clear();
  ordered_count_ = 0;
  marks_.clear();
  change_ = 0;
  passing_.ClearOf(passing_rows_);
  for (Row* row : passing_rows_) {
    cached_bytes_ -= row->key.size() + kRowOverheadBytes + (row->exists ? row->value.size() : 0);
    Spare(*row);
  }
  passing_rows_.clear();
  if (cached_bytes_ <= max_cached_bytes_) return;
  kept_.Clear();
  spare_.clear();
  spare_bytes_ = 0;
  rows_.clear();
  cached_bytes_ = 0;
}

}  // namespace hilo::fold
