#include "streams/fold/staging.h"

#include <algorithm>
#include <utility>

#include "ops/base/check.h"
#include "state/store/tables.h"
#include "streams/fold/digest.h"

namespace hilo::fold {
namespace {

// Map node, entry and allocations around a cached row, roughly.
constexpr size_t kRowOverheadBytes = 160;

bool Counts(std::string_view key) { return store::InDigest(static_cast<store::Table>(key[0])); }

uint64_t HashOf(std::string_view key, const std::optional<std::string>& value) {
  return value ? RowHash(key, *value) : 0;
}

// The first eight bytes as a number that is ordered as they are.
uint64_t Begin8(std::string_view key) {
  uint64_t begin = 0;
  for (size_t i = 0; i < 8; ++i) {
    begin = begin << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0);
  }
  return begin;
}

size_t SizeOf(const std::optional<std::string>& value) { return value ? value->size() : 0; }

}  // namespace

Staging::Row& Staging::Find(std::string_view key) {
  const auto found = rows_.find(key);
  if (found != rows_.end()) return *found;
  cached_bytes_ += key.size() + kRowOverheadBytes;
  return *rows_.try_emplace(std::string(key)).first;
}

void Staging::Load(Row& row, std::optional<std::string> value) {
  cached_bytes_ += SizeOf(value);
  row.second.value = std::move(value);
  row.second.loaded = true;
  if (row.second.base == Base::kUnread) row.second.base = Base::kUnhashed;
}

StatusOr<std::optional<std::string_view>> Staging::Get(std::string_view key) {
  Row& row = Find(key);
  if (!row.second.loaded) {
    auto read = store_.Get(key);
    if (!read.ok()) {
      failed_ = true;
      return read.status();
    }
    Load(row, *std::move(read));
  }
  if (!row.second.value) return std::optional<std::string_view>();
  return std::optional<std::string_view>(*row.second.value);
}

Status Staging::Preload(const std::vector<std::string>& keys) {
  std::vector<std::string> missing;
  for (const std::string& key : keys) {
    Row& row = Find(key);
    if (!row.second.loaded) missing.push_back(key);
  }
  if (missing.empty()) return OkStatus();
  auto values = store_.MultiGet(missing);
  for (size_t i = 0; i < missing.size(); ++i) {
    if (!values[i].ok()) {
      failed_ = true;
      return values[i].status();
    }
    Row& row = Find(missing[i]);
    if (!row.second.loaded) Load(row, *std::move(values[i]));
  }
  return OkStatus();
}

void Staging::Set(std::string_view key, std::optional<std::string> value) {
  HILO_CHECK(open_, "state changes only while a record is applied");
  Row& row = Find(key);
  Entry& entry = row.second;
  if (entry.base == Base::kUnhashed && Counts(key)) {
    entry.base_hash = HashOf(key, entry.value);
    entry.base = Base::kHashed;
  }
  cached_bytes_ += SizeOf(value) - SizeOf(entry.value);
  if (entry.saved_by != record_) {
    entry.saved_by = record_;
    undo_.push_back({&row, std::move(entry.value), entry.loaded, entry.dirty});
  }
  entry.value = std::move(value);
  entry.loaded = true;
  entry.dirty = true;
  if (!entry.listed) {
    entry.listed = true;
    dirty_.push_back(&row);
  }
}

void Staging::Begin() {
  HILO_CHECK(!open_, "records are applied one after the other");
  open_ = true;
  ++record_;
}

void Staging::Commit() {
  for (Saved& saved : undo_) {
    Entry& entry = saved.row->second;
    if (entry.changed || !Counts(saved.row->first)) continue;
    entry.changed = true;
    changed_.push_back(saved.row);
  }
  undo_.clear();
  open_ = false;
}

void Staging::Rollback() {
  for (Saved& saved : undo_) {
    Entry& entry = saved.row->second;
    cached_bytes_ += SizeOf(saved.value) - SizeOf(entry.value);
    entry.value = std::move(saved.value);
    entry.loaded = saved.loaded;
    entry.dirty = saved.dirty;
  }
  undo_.clear();
  open_ = false;
}

void Staging::Index() {
  for (; ordered_count_ < dirty_.size(); ++ordered_count_)
    ordered_.insert(dirty_[ordered_count_]->first);
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
      const Entry& entry = rows_.find(*staged)->second;
      if (entry.dirty) {
        if (stored->Valid() && stored->Key() == *staged) stored->Next();
        if (entry.value && !visit(*staged, *entry.value)) return OkStatus();
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
    Entry& entry = row->second;
    const uint64_t now = HashOf(row->first, entry.value);
    change_ += now;
    if (entry.base == Base::kHashed) {
      change_ -= entry.base_hash;
    } else {
      unresolved_.emplace_back(row, marks_.size());
    }
    entry.base_hash = now;
    entry.base = Base::kHashed;
    entry.changed = false;
  }
  changed_.clear();
  marks_.push_back(change_);
  return marks_.size() - 1;
}

Status Staging::Resolve() {
  if (unresolved_.empty()) return OkStatus();
  std::vector<std::string> keys;
  keys.reserve(unresolved_.size());
  for (const auto& [row, mark] : unresolved_) keys.push_back(row->first);
  auto values = store_.MultiGet(keys);
  std::vector<uint64_t> less(marks_.size(), 0);
  for (size_t i = 0; i < keys.size(); ++i) {
    if (!values[i].ok()) {
      failed_ = true;
      return values[i].status();
    }
    less[unresolved_[i].second] += HashOf(keys[i], *values[i]);
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
    if (row->second.dirty) in_order.emplace_back(Begin8(row->first), row);
  }
  std::sort(in_order.begin(), in_order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : a.second->first < b.second->first;
  });
  for (const auto& [begin, row] : in_order) {
    if (row->second.value) {
      batch.Put(row->first, *row->second.value);
    } else {
      batch.Delete(row->first);
    }
  }
}

void Staging::Written() {
  HILO_CHECK(!open_ && changed_.empty() && unresolved_.empty(),
             "a batch ends with a mark that is resolved");
  ordered_.clear();  // before the keys that it sees
  for (Row* row : dirty_) {
    row->second.dirty = false;
    row->second.listed = false;
    if (store::SeldomReadAgain(static_cast<store::Table>(row->first[0]))) {
      cached_bytes_ -= row->first.size() + kRowOverheadBytes + SizeOf(row->second.value);
      rows_.erase(row->first);
    }
  }
  dirty_.clear();
  ordered_count_ = 0;
  marks_.clear();
  change_ = 0;
  if (cached_bytes_ <= max_cached_bytes_) return;
  rows_.clear();
  cached_bytes_ = 0;
}

}  // namespace hilo::fold
