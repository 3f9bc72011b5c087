#include "streams/log/embedded_files.h"

#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <optional>
#include <random>
#include <utility>

#include "ops/base/check.h"
#include "streams/log/embedded_blob.h"

namespace hilo::log::embedded {
namespace {

constexpr char kTopicsKey[] = {0};
constexpr char kStartTag = 1;
constexpr char kTopicsFormat = 1;
constexpr size_t kIdentityBytes = 16;
constexpr int kMemtables =
    4;  // of a partition: one being written, the others being flushed while commits go on
constexpr size_t kBuffersPerFamily =
    2;  // a partition may fill this part of all write buffers before it is flushed
constexpr size_t kBuffersPerWal =
    2;  // write-ahead logs larger than this many write buffers are flushed away
constexpr size_t kArenaBytes = 256
                               << 10;  // what a memtable grows by: many partitions are nearly idle
constexpr int kBackgroundJobs =
    2;  // with one, a stalled log can wait for ever for a compaction (RocksDB #10257)
constexpr int kOpenFiles = 256;                       // beyond it table readers are closed
constexpr size_t kTableFileBytes = size_t{64} << 20;  // the unit of DeleteFilesInRange
constexpr size_t kBlockBytes = 32 << 10;              // readers go through rows in order
constexpr size_t kInfoLogBytes = size_t{8} << 20;
constexpr size_t kInfoLogFiles = 3;

std::string_view FromSlice(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
rocksdb::Slice TopicsKey() { return {kTopicsKey, 1}; }

// The one place where RocksDB's errors become ours; its messages name files and offsets, never keys
// or values.
Status FromRocksDb(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return OkStatus();
  const std::string what = std::string(doing) + ": " + status.ToString();
  if (status.IsCorruption()) {
    return Error(StatusCode::kDataLoss, "log_corrupt",
                 what + "; restore the log from a backup or a replica");
  }
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit) {
    return Error(StatusCode::kResourceExhausted, "disk_full",
                 what + "; free space, then open the log again");
  }
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos) {
    return Error(StatusCode::kFailedPrecondition, "log_locked",
                 what + "; only one process may have a log open");
  }
  return Error(StatusCode::kInternal, "log_failed", what);
}

rocksdb::ColumnFamilyOptions FamilyOptions(const Files::Options& options) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  table.cache_index_and_filter_blocks = true;
  table.block_size = kBlockBytes;
  table.format_version = 5;

  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.write_buffer_size = options.write_buffer_bytes / kBuffersPerFamily;
  family.max_write_buffer_number = kMemtables;
  family.arena_block_size = kArenaBytes;
  family.compression = rocksdb::kLZ4Compression;
  family.compaction_style = rocksdb::kCompactionStyleLevel;
  family.level_compaction_dynamic_level_bytes = true;
  family.target_file_size_base = kTableFileBytes;
  family.force_consistency_checks = true;
  return family;
}

rocksdb::DBOptions DbOptions(const Files::Options& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  if (options.env != nullptr) db.env = options.env;
  db.db_write_buffer_size = options.write_buffer_bytes;
  db.max_total_wal_size = options.write_buffer_bytes * kBuffersPerWal;
  db.allow_concurrent_memtable_write = false;  // one thread commits
  db.max_background_jobs = kBackgroundJobs;
  db.max_open_files = kOpenFiles;
  db.paranoid_checks = true;
  db.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  // Not RocksDB's default, which drops everything from the first unreadable byte on without a word:
  // that byte may lie before acknowledged records.
  db.wal_recovery_mode = options.accept_unreadable_tail
                             ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                             : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.avoid_flush_during_shutdown = true;  // the write-ahead log is synced and has it all
  db.max_log_file_size = kInfoLogBytes;
  db.keep_log_file_num = kInfoLogFiles;
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

std::string StartKey(PartitionId of) {
  std::string key(1, kStartTag);
  AppendBigEndian(key, of.topic, 2);
  AppendBigEndian(key, of.partition, 4);
  return key;
}

rocksdb::WriteOptions Synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

// The family of a partition is called "0.3": topic id, partition.
std::string FamilyName(PartitionId of) {
  return std::to_string(of.topic) + "." + std::to_string(of.partition);
}

std::optional<PartitionId> PartitionOfFamily(const std::string& name) {
  const size_t dot = name.find('.');
  PartitionId of;
  if (dot == std::string::npos ||
      std::from_chars(name.data(), name.data() + dot, of.topic).ec != std::errc() ||
      std::from_chars(name.data() + dot + 1, name.data() + name.size(), of.partition).ec !=
          std::errc()) {
    return std::nullopt;
  }
  return of;
}

struct KnownTopic {
  std::string name;
  uint32_t partitions;
};

// format, identity, then per topic in the order of ids: partitions u32, length u16, name.
std::string EncodeTopics(const std::string& identity, const std::vector<KnownTopic>& topics) {
  std::string out(1, kTopicsFormat);
  out += identity;
  for (const KnownTopic& topic : topics) {
    AppendBigEndian(out, topic.partitions, 4);
    AppendBigEndian(out, topic.name.size(), 2);
    out += topic.name;
  }
  return out;
}

bool DecodeTopics(std::string_view in, std::string& identity, std::vector<KnownTopic>& topics) {
  if (in.size() < 1 + kIdentityBytes || in[0] != kTopicsFormat) return false;
  identity = in.substr(1, kIdentityBytes);
  in.remove_prefix(1 + kIdentityBytes);
  while (!in.empty()) {
    if (in.size() < 6) return false;
    const auto partitions = static_cast<uint32_t>(ReadBigEndian(in.substr(0, 4)));
    const size_t length = ReadBigEndian(in.substr(4, 2));
    if (in.size() < 6 + length) return false;
    topics.push_back({std::string(in.substr(6, length)), partitions});
    in.remove_prefix(6 + length);
  }
  return true;
}

std::string RandomIdentity() {
  std::random_device device;
  std::string identity;
  while (identity.size() < kIdentityBytes) AppendBigEndian(identity, device(), 4);
  return identity;
}

// Bounds for an iterator over one partition's rows.
struct RowRange {
  RowRange(PartitionId of, Offset from, Offset to)
      : lower(RowKey(of.topic, of.partition, from)),
        upper(RowKey(of.topic, of.partition, to)),
        lower_slice(lower),
        upper_slice(upper) {}
  const std::string lower, upper;
  const rocksdb::Slice lower_slice, upper_slice;  // see lower, upper

  rocksdb::ReadOptions Options() const {
    rocksdb::ReadOptions options;
    options.iterate_lower_bound = &lower_slice;
    options.iterate_upper_bound = &upper_slice;
    options.fill_cache = false;  // rows are read once
    return options;
  }
};

constexpr Offset kNoEnd = std::numeric_limits<Offset>::max();

}  // namespace

Files::Files() = default;

Files::~Files() {
  if (db_ == nullptr) return;
  for (const auto& [of, family] : families_) (void)db_->DestroyColumnFamilyHandle(family);
  // All that was acknowledged is synced; on an error of closing the next Open recovers it.
  (void)db_->Close();
}

StatusOr<std::unique_ptr<Files>> Files::Open(const Options& options) {
  std::error_code failed;
  std::filesystem::create_directories(options.directory, failed);
  if (failed) {
    return Error(StatusCode::kFailedPrecondition, "log_failed",
                 "cannot make the directory '" + options.directory + "': " + failed.message());
  }
  const rocksdb::DBOptions db_options = DbOptions(options);
  std::vector<std::string> names;
  if (!rocksdb::DB::ListColumnFamilies(db_options, options.directory, &names).ok()) {
    names = {rocksdb::kDefaultColumnFamilyName};  // a new log, or one that Open says more about
  }
  std::unique_ptr<Files> files(new Files());
  files->family_options_ = std::make_unique<rocksdb::ColumnFamilyOptions>(FamilyOptions(options));
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (const std::string& name : names) descriptors.emplace_back(name, *files->family_options_);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::Open(db_options, options.directory, descriptors, &handles, &db);
  HILO_RETURN_IF_ERROR(FromRocksDb(status, "opening '" + options.directory + "'"));
  files->db_.reset(db);
  for (rocksdb::ColumnFamilyHandle* handle : handles) {
    if (const auto of = PartitionOfFamily(handle->GetName())) {
      files->families_[*of] = handle;
    } else {
      (void)db->DestroyColumnFamilyHandle(handle);  // the default one, which RocksDB holds itself
    }
  }
  return files;
}

Status Files::MakeFamilies(std::span<const PartitionId> partitions) {
  std::vector<PartitionId> missing;
  std::vector<std::string> names;
  for (const PartitionId& of : partitions) {
    if (families_.contains(of)) continue;
    missing.push_back(of);
    names.push_back(FamilyName(of));
  }
  if (missing.empty()) return OkStatus();
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status status = db_->CreateColumnFamilies(*family_options_, names, &handles);
  for (size_t i = 0; i < handles.size(); ++i) families_[missing[i]] = handles[i];
  return FromRocksDb(status, "making partitions");
}

rocksdb::ColumnFamilyHandle* Files::FamilyOf(PartitionId of) const {
  const auto found = families_.find(of);
  HILO_CHECK(found != families_.end(), "OpenTopics made a family for each partition of the topics");
  return found->second;
}

StatusOr<std::string> Files::Get(const std::string& key) const {
  std::string value;
  const rocksdb::Status status = db_->Get(rocksdb::ReadOptions(), key, &value);
  if (status.IsNotFound()) return std::string();
  HILO_RETURN_IF_ERROR(FromRocksDb(status, "reading the log's topics"));
  return value;
}

StatusOr<Files::Topics> Files::OpenTopics(std::span<const TopicSpec> topics,
                                          const std::string& expected_identity) {
  HILO_ASSIGN_OR_RETURN(const std::string stored, Get(TopicsKey().ToString()));
  std::string identity;
  std::vector<KnownTopic> known;
  if (stored.empty()) {
    identity = RandomIdentity();
  } else if (!DecodeTopics(stored, identity, known)) {
    return Error(StatusCode::kDataLoss, "log_corrupt",
                 "the row of the log's topics cannot be read");
  }
  if (!expected_identity.empty() && expected_identity != identity) {
    return Error(
        StatusCode::kFailedPrecondition, "topic_identity_changed",
        "the directory holds another log than the one that was folded from; restore the right one");
  }

  const size_t known_before = known.size();
  for (const TopicSpec& topic : topics) {
    const auto same = [&](const KnownTopic& other) { return other.name == topic.name; };
    const auto found = std::find_if(known.begin(), known.end(), same);
    if (found == known.end()) {
      known.push_back({topic.name, topic.partitions});
    } else if (found->partitions != topic.partitions) {
      return Error(StatusCode::kFailedPrecondition, "partition_count_changed",
                   "topic '" + topic.name + "' was made with " + std::to_string(found->partitions) +
                       " partitions and is asked for with " + std::to_string(topic.partitions) +
                       "; the count of a topic never changes");
    }
  }
  std::vector<PartitionId> partitions;
  for (size_t id = 0; id < known.size(); ++id) {
    for (uint32_t p = 0; p < known[id].partitions; ++p)
      partitions.push_back({static_cast<uint16_t>(id), p});
  }
  HILO_RETURN_IF_ERROR(MakeFamilies(partitions));
  if (stored.empty() || known.size() > known_before) {
    const rocksdb::Status status = db_->Put(Synced(), TopicsKey(), EncodeTopics(identity, known));
    HILO_RETURN_IF_ERROR(FromRocksDb(status, "writing the log's topics"));
  }
  Topics result{.identity = identity, .ids = {}};
  for (size_t id = 0; id < known.size(); ++id)
    result.ids[known[id].name] = static_cast<uint16_t>(id);
  return result;
}

StatusOr<Bounds> Files::LoadBounds(PartitionId of) const {
  Bounds bounds;
  HILO_ASSIGN_OR_RETURN(const std::string start, Get(StartKey(of)));
  if (start.size() == 16) {
    bounds.start = static_cast<Offset>(ReadBigEndian(std::string_view(start).substr(0, 8)));
    bounds.start_row = static_cast<Offset>(ReadBigEndian(std::string_view(start).substr(8)));
  }
  bounds.end = bounds.start;
  const RowRange range(of, bounds.start_row, kNoEnd);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(range.Options(), FamilyOf(of)));
  it->SeekToLast();
  HILO_RETURN_IF_ERROR(FromRocksDb(it->status(), "finding the end of a partition"));
  if (it->Valid()) {
    const std::string_view key = FromSlice(it->key());
    HILO_ASSIGN_OR_RETURN(
        const RowReader last,
        RowReader::Open(key, std::make_shared<std::string>(it->value().ToString()),
                        /*verify=*/true));
    bounds.end = std::max(bounds.end, last.end());
  }
  return bounds;
}

Status Files::Commit(std::span<const Row> rows) {
  constexpr size_t kBytesOverhead = 32;  // of one row in a batch, about
  size_t bytes = kBytesOverhead;
  for (const Row& row : rows) bytes += row.key.size() + row.value->size() + kBytesOverhead;
  rocksdb::WriteBatch batch(bytes);
  for (const Row& row : rows) {
    rocksdb::ColumnFamilyHandle* const family = FamilyOf({TopicOf(row.key), PartitionOf(row.key)});
    HILO_RETURN_IF_ERROR(FromRocksDb(batch.Put(family, row.key, *row.value), "gathering a commit"));
  }
  return FromRocksDb(db_->Write(Synced(), &batch), "committing");
}

StatusOr<std::vector<Row>> Files::Read(PartitionId of, Offset at, Offset low_row, Offset end,
                                       size_t max_bytes) const {
  const RowRange range(of, low_row, end);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(range.Options(), FamilyOf(of)));
  std::vector<Row> rows;
  size_t bytes = 0;
  for (it->SeekForPrev(RowKey(of.topic, of.partition, at)); it->Valid() && bytes < max_bytes;
       it->Next()) {
    Row row{it->key().ToString(), std::make_shared<std::string>(it->value().ToString())};
    HILO_RETURN_IF_ERROR(RowReader::Open(row.key, row.value, /*verify=*/true).status());
    bytes += row.value->size();
    rows.push_back(std::move(row));
  }
  HILO_RETURN_IF_ERROR(FromRocksDb(it->status(), "reading"));
  return rows;
}

StatusOr<Offset> Files::RowHolding(PartitionId of, Offset at, Offset low_row) const {
  const RowRange range(of, low_row, kNoEnd);
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(range.Options(), FamilyOf(of)));
  it->SeekForPrev(RowKey(of.topic, of.partition, at));
  HILO_RETURN_IF_ERROR(FromRocksDb(it->status(), "finding a row"));
  return it->Valid() ? FirstOffsetOf(FromSlice(it->key())) : low_row;
}

Status Files::SaveStart(PartitionId of, Offset start, Offset start_row) {
  std::string value;
  AppendBigEndian(value, static_cast<uint64_t>(start), 8);
  AppendBigEndian(value, static_cast<uint64_t>(start_row), 8);
  return FromRocksDb(db_->Put(Synced(), StartKey(of), value), "trimming");
}

Status Files::Drop(PartitionId of, Offset row) {
  const std::string begin = RowKey(of.topic, of.partition, 0);
  const std::string end = RowKey(of.topic, of.partition, row);
  const rocksdb::Slice begin_slice(begin), end_slice(end);
  rocksdb::Status status =
      rocksdb::DeleteFilesInRange(db_.get(), FamilyOf(of), &begin_slice, &end_slice,
                                  /*include_end=*/false);
  if (status.ok()) {
    status = db_->DeleteRange(rocksdb::WriteOptions(), FamilyOf(of), begin_slice, end_slice);
  }
  return FromRocksDb(status, "trimming");
}

Status Files::Checkpoint(const std::string& directory) {
  rocksdb::Checkpoint* raw = nullptr;
  HILO_RETURN_IF_ERROR(
      FromRocksDb(rocksdb::Checkpoint::Create(db_.get(), &raw), "making a checkpoint"));
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(raw);
  std::error_code failed;
  std::filesystem::create_directories(std::filesystem::path(directory).parent_path(), failed);
  return FromRocksDb(checkpoint->CreateCheckpoint(directory),
                     "making a checkpoint in '" + directory + "'");
}

}  // namespace hilo::log::embedded
