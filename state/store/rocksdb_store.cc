#include "state/store/rocksdb_store.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <rocksdb/write_buffer_manager.h>

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "ops/base/check.h"
#include "ops/base/mutex.h"

namespace hilo::store {

struct SharedResources::Parts {
  rocksdb::Env* env;
  std::shared_ptr<rocksdb::Cache> cache;
  std::shared_ptr<rocksdb::WriteBufferManager> write_buffers;
};

namespace {

constexpr size_t kMemtableBytes = size_t{64} << 20;
constexpr int kMemtables = 2;  // one being written, one being flushed
constexpr int kBackgroundJobs =
    2;  // with one, a stalled store can wait for ever for a compaction (RocksDB #10257)
constexpr int kOpenFiles = 256;  // of one store; beyond it table readers are closed
constexpr double kBloomBitsPerKey = 10;
constexpr double kHighPriorityShare =
    0.3;  // of the cache: indexes and filters, which every read needs
constexpr double kMemtableBloomShare = 0.02;          // of a memtable: its filter on whole keys
constexpr size_t kSpareBatchBytes = size_t{4} << 20;  // a larger batch gives its memory back
constexpr size_t kTagBytes = 1;                       // the table's tag, at the head of each key
constexpr size_t kInfoLogBytes = size_t{8} << 20;
constexpr size_t kInfoLogFiles = 3;

std::string_view FromSlice(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }

// The one place where RocksDB's errors become ours. Its messages name files and offsets, never keys
// or values (allow_data_in_errors stays off).
Status FromRocksDb(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return OkStatus();
  const std::string what = std::string(doing) + ": " + status.ToString();
  if (status.IsCorruption()) {
    return Error(StatusCode::kDataLoss, "state_corrupt",
                 what + "; rebuild this partition from a replica, a snapshot or the log");
  }
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return Error(StatusCode::kResourceExhausted, "disk_full",
                 what + "; free space, then close and reopen the store");
  }
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos) {
    return Error(StatusCode::kFailedPrecondition, "store_locked",
                 what + "; only one process may have a store open");
  }
  return Error(StatusCode::kInternal, "store_failed", what);
}

rocksdb::Options DbOptions(const SharedResources::Parts& shared) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = shared.cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  table.whole_key_filtering = true;
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_top_level_index_and_filter = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;

  rocksdb::Options options;
  options.create_if_missing = true;
  if (shared.env != nullptr) options.env = shared.env;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_manager = shared.write_buffers;
  options.write_buffer_size = kMemtableBytes;
  options.max_write_buffer_number = kMemtables;
  options.memtable_whole_key_filtering = true;
  options.memtable_prefix_bloom_size_ratio = kMemtableBloomShare;
  options.allow_concurrent_memtable_write = false;  // there is one writer
  // A batch comes in the order of keys: each row of a table is looked for from the one before it.
  options.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kTagBytes));
  // What was just flushed is soon compacted, and much of it is sealed: it is not worth the work.
  options.compression = rocksdb::kLZ4Compression;
  options.compression_per_level = {rocksdb::kNoCompression, rocksdb::kLZ4Compression};
  options.compaction_style = rocksdb::kCompactionStyleLevel;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_background_jobs = kBackgroundJobs;
  options.max_open_files = kOpenFiles;
  options.paranoid_checks = true;
  options.force_consistency_checks = true;
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  options.wal_recovery_mode =
      rocksdb::WALRecoveryMode::kPointInTimeRecovery;  // a prefix of the writes, no hole
  options.max_log_file_size = kInfoLogBytes;
  options.keep_log_file_num = kInfoLogFiles;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  return options;
}

class RocksDbBatch final : public Batch {
 public:
  void Put(std::string_view key, std::string_view value) override {
    Keep(batch_.Put(ToSlice(key), ToSlice(value)));
  }
  void Delete(std::string_view key) override { Keep(batch_.Delete(ToSlice(key))); }

  rocksdb::WriteBatch& batch() { return batch_; }
  const rocksdb::Status& status() const { return status_; }
  void Clear() {
    batch_.Clear();
    status_ = rocksdb::Status::OK();
  }

 private:
  void Keep(const rocksdb::Status& status) {
    if (status_.ok()) status_ = status;
  }
  rocksdb::WriteBatch batch_;
  rocksdb::Status status_;  // the first error of building it; told by Write
};

class RocksDbIterator final : public Iterator {
 public:
  RocksDbIterator(rocksdb::DB& db, const rocksdb::Snapshot* snapshot, KeyRange range)
      : range_(std::move(range)), begin_(range_.begin), end_(range_.end) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_lower_bound = &begin_;
    if (!range_.end.empty()) options.iterate_upper_bound = &end_;
    iterator_.reset(db.NewIterator(options));
    iterator_->Seek(begin_);
  }

  bool Valid() const override { return iterator_->Valid(); }
  void Next() override { iterator_->Next(); }
  void Seek(std::string_view key) override {
    iterator_->Seek(ToSlice(std::max(key, std::string_view(range_.begin))));
  }
  std::string_view Key() const override { return FromSlice(iterator_->key()); }
  std::string_view Value() const override { return FromSlice(iterator_->value()); }
  Status status() const override { return FromRocksDb(iterator_->status(), "iterating"); }

 private:
  const KeyRange range_;
  const rocksdb::Slice begin_, end_;  // see range_
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

StatusOr<std::optional<std::string>> Answer(const rocksdb::Status& status,
                                            const rocksdb::Slice& value) {
  if (status.ok()) return std::make_optional<std::string>(value.data(), value.size());
  if (status.IsNotFound()) return std::optional<std::string>();
  return FromRocksDb(status, "reading a row");
}

StatusOr<std::optional<std::string>> GetFrom(rocksdb::DB& db, const rocksdb::Snapshot* snapshot,
                                             std::string_view key) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  rocksdb::PinnableSlice value;
  const rocksdb::Status status = db.Get(options, db.DefaultColumnFamily(), ToSlice(key), &value);
  return Answer(status, value);
}

// The first eight bytes as a number that is ordered as they are.
uint64_t Begin8(std::string_view key) {
  uint64_t begin = 0;
  for (size_t i = 0; i < 8; ++i) {
    begin = begin << 8 | (i < key.size() ? static_cast<uint8_t>(key[i]) : 0);
  }
  return begin;
}

std::vector<StatusOr<std::optional<std::string>>> MultiGetFrom(rocksdb::DB& db,
                                                               const rocksdb::Snapshot* snapshot,
                                                               std::span<const std::string> keys) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot;
  // RocksDB would order them by looking at each key anew for each comparison.
  std::vector<std::pair<uint64_t, size_t>> order(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) order[i] = {Begin8(keys[i]), i};
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : keys[a.second] < keys[b.second];
  });
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const auto& [begin, i] : order) slices.push_back(ToSlice(keys[i]));
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db.MultiGet(options, db.DefaultColumnFamily(), keys.size(), slices.data(), values.data(),
              statuses.data(), /*sorted_input=*/true);
  std::vector<StatusOr<std::optional<std::string>>> answers(keys.size(),
                                                            std::optional<std::string>());
  for (size_t at = 0; at < order.size(); ++at) {
    answers[order[at].second] = Answer(statuses[at], values[at]);
  }
  return answers;
}

class RocksDbView final : public View {
 public:
  explicit RocksDbView(rocksdb::DB& db) : db_(db), snapshot_(db.GetSnapshot()) {}
  ~RocksDbView() override { db_.ReleaseSnapshot(snapshot_); }

  StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    return GetFrom(db_, snapshot_, key);
  }
  std::vector<StatusOr<std::optional<std::string>>> MultiGet(
      std::span<const std::string> keys) const override {
    return MultiGetFrom(db_, snapshot_, keys);
  }
  std::unique_ptr<Iterator> NewIterator(const KeyRange& range) const override {
    return std::make_unique<RocksDbIterator>(db_, snapshot_, range);
  }

 private:
  rocksdb::DB& db_;
  const rocksdb::Snapshot* const snapshot_;
};

}  // namespace

SharedResources::SharedResources(const Options& options) : parts_(std::make_unique<Parts>()) {
  parts_->env = options.env;
  parts_->cache = rocksdb::NewLRUCache(options.cache_bytes, /*num_shard_bits=*/-1,
                                       /*strict_capacity_limit=*/false, kHighPriorityShare);
  parts_->write_buffers =
      std::make_shared<rocksdb::WriteBufferManager>(options.write_buffer_bytes, parts_->cache);
}

SharedResources::~SharedResources() = default;

size_t SharedResources::CacheBytes() const { return parts_->cache->GetUsage(); }

struct RocksDbStore::Db {
  std::unique_ptr<rocksdb::DB> rocksdb;
  Mutex mutex;
  Status failed HILO_GUARDED_BY(mutex);  // the first error of Write
  // A batch that was written, empty again, for the memory it has; null while there is none.
  std::unique_ptr<RocksDbBatch> spare HILO_GUARDED_BY(mutex);
};

RocksDbStore::RocksDbStore(std::unique_ptr<Db> db) : db_(std::move(db)) {}

RocksDbStore::~RocksDbStore() {
  // Written rows are in the write-ahead log already; nothing to do on an error, the next Open
  // recovers from it.
  (void)db_->rocksdb->Close();
}

StatusOr<std::unique_ptr<RocksDbStore>> RocksDbStore::Open(const Options& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.directory, failed);
  if (failed) {
    return Error(StatusCode::kFailedPrecondition, "store_failed",
                 "cannot make the directory '" + options.directory + "': " + failed.message());
  }
  rocksdb::DB* raw = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(DbOptions(options.resources.parts()), options.directory, &raw);
  HILO_RETURN_IF_ERROR(FromRocksDb(status, "opening '" + options.directory + "'"));
  auto db = std::make_unique<Db>();
  db->rocksdb.reset(raw);
  return std::unique_ptr<RocksDbStore>(new RocksDbStore(std::move(db)));
}

StatusOr<std::optional<std::string>> RocksDbStore::Get(std::string_view key) const {
  return GetFrom(*db_->rocksdb, nullptr, key);
}

std::vector<StatusOr<std::optional<std::string>>> RocksDbStore::MultiGet(
    std::span<const std::string> keys) const {
  return MultiGetFrom(*db_->rocksdb, nullptr, keys);
}

std::unique_ptr<Iterator> RocksDbStore::NewIterator(const KeyRange& range) const {
  return std::make_unique<RocksDbIterator>(*db_->rocksdb, nullptr, range);
}

std::unique_ptr<Batch> RocksDbStore::NewBatch() {
  MutexLock lock(db_->mutex);
  if (db_->spare != nullptr) return std::move(db_->spare);
  return std::make_unique<RocksDbBatch>();
}

Status RocksDbStore::Write(std::unique_ptr<Batch> batch) {
  auto* changes = dynamic_cast<RocksDbBatch*>(batch.get());
  HILO_CHECK(changes != nullptr, "a batch is written to the store that made it");
  MutexLock lock(db_->mutex);
  HILO_RETURN_IF_ERROR(db_->failed);
  rocksdb::Status status = changes->status();
  if (status.ok()) {
    rocksdb::WriteOptions options;
    options.sync = false;
    status = db_->rocksdb->Write(options, &changes->batch());
  }
  db_->failed = FromRocksDb(status, "writing a batch");
  if (db_->failed.ok() && changes->batch().GetDataSize() <= kSpareBatchBytes) {
    batch.release();  // it is `changes`
    db_->spare.reset(changes);
    changes->Clear();
  }
  return db_->failed;
}

std::unique_ptr<View> RocksDbStore::NewView() const {
  return std::make_unique<RocksDbView>(*db_->rocksdb);
}

Status RocksDbStore::Flush() { return FromRocksDb(db_->rocksdb->SyncWAL(), "syncing"); }

Status RocksDbStore::Checkpoint(const std::string& directory) {
  rocksdb::Checkpoint* raw = nullptr;
  HILO_RETURN_IF_ERROR(
      FromRocksDb(rocksdb::Checkpoint::Create(db_->rocksdb.get(), &raw), "making a checkpoint"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), failed);
  return FromRocksDb(checkpoint->CreateCheckpoint(directory),
                     "making a checkpoint in '" + directory + "'");
}

RocksDbStore::Figures RocksDbStore::CurrentFigures() const {
  const auto property = [this](const std::string& name) {
    uint64_t value = 0;
    return db_->rocksdb->GetIntProperty(name, &value) ? value : 0;
  };
  std::string level0 = "0";
  db_->rocksdb->GetProperty("rocksdb.num-files-at-level0", &level0);
  return {
      .live_file_bytes = property(rocksdb::DB::Properties::kLiveSstFilesSize),
      .memtable_bytes = property(rocksdb::DB::Properties::kCurSizeAllMemTables),
      .level0_files = std::strtoull(level0.c_str(), nullptr, 10),
      .pending_compaction_bytes =
          property(rocksdb::DB::Properties::kEstimatePendingCompactionBytes),
      .delayed_write_bytes_per_second = property(rocksdb::DB::Properties::kActualDelayedWriteRate),
      .writes_stopped = property(rocksdb::DB::Properties::kIsWriteStopped) != 0};
}

}  // namespace hilo::store
