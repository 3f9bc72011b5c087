#include "ops/keys/stored_key_store.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "ops/base/metric_names.h"
#include "ops/keys/key_cache.h"
#include "ops/keys/key_errors.h"
#include "ops/keys/master_key.h"

// The rows, by the first byte of their key:
//
//   's' subject (16)  →  version ‖ generation (2, little-endian) ‖ wrapped key (72), or no wrapped
//   key once destroyed 'd' subject (16)  →  nothing: the subject's old bytes may still lie in a
//   file 'p' purpose       →  version ‖ wrapped key 'm'               →  version ‖ a wrapped
//   constant, by which another master key is noticed
//
// A wrapped key is bound to its row: its context is the row's key and what stands before it in the
// value.
namespace hilo::keys {
namespace {

constexpr uint8_t kRowVersion = 1;
constexpr size_t kSubjectHead = 3;
constexpr size_t kPurposeHead = 1;

rocksdb::Slice Slice(std::string_view text) { return {text.data(), text.size()}; }

Status Broken(std::string_view doing, const rocksdb::Status& status) {
  return Error(
      StatusCode::kUnavailable, "key_store_broken",
      fmt::format("cannot {}: {}; check the disk of the key store", doing, status.ToString()));
}

Status Malformed() {
  return Error(StatusCode::kDataLoss, "key_malformed",
               "a stored key does not open; restore the key store's files");
}

std::string SubjectRow(SubjectId subject) { return std::string("s").append(subject.Bytes()); }
std::string DestroyedRow(SubjectId subject) { return std::string("d").append(subject.Bytes()); }

// What the value of a subject's row says.
struct SubjectState {
  uint16_t generation = 0;
  // Not set once the key was destroyed.
  std::optional<Secret> secret;
};

// Context and wrapped bytes of a value whose head is `head` bytes.
std::vector<uint8_t> Context(std::string_view row, std::string_view head) {
  std::vector<uint8_t> context(row.begin(), row.end());
  context.insert(context.end(), head.begin(), head.end());
  return context;
}

std::string Head(uint16_t generation) {
  return {static_cast<char>(kRowVersion), static_cast<char>(generation & 0xff),
          static_cast<char>(generation >> 8)};
}

// The generation in a subject's row; 1 when the row is too damaged to say.
uint16_t GenerationOf(std::string_view value) {
  if (value.size() < kSubjectHead) return 1;
  return static_cast<uint16_t>(static_cast<uint8_t>(value[1]) | static_cast<uint8_t>(value[2])
                                                                    << 8);
}

class StoredKeyStore final : public KeyStore {
 public:
  StoredKeyStore(std::unique_ptr<rocksdb::DB> db, LockedMemory master,
                 std::unique_ptr<KeyCache> cache, Registry& registry)
      : db_(std::move(db)),
        master_(std::move(master)),
        cache_(std::move(cache)),
        created_(registry.Get(metric::kKeysCreated)),
        destroyed_(registry.Get(metric::kKeysDestroyed)),
        misses_(registry.Get(metric::kKeysCacheMisses)) {}

  // Notices another master key, and finishes destructions that a crash cut short.
  Status Begin();

  Status EnsureKeys(std::span<const SubjectId> subjects) override;
  StatusOr<SubjectKey> EnsureKey(SubjectId subject) override;
  StatusOr<SubjectKey> FindKey(SubjectId subject) override;
  Status DestroyKeys(std::span<const SubjectId> subjects) override;
  StatusOr<HashKey> PurposeKey(std::string_view purpose) override;

 private:
  // A caller of EnsureKeys that waits for its new keys.
  struct Creation {
    std::vector<SubjectId> subjects;
    bool done = false;
    Status status;
  };

  StatusOr<std::optional<std::string>> Get(std::string_view row);
  // Absent when the subject never had a key.
  StatusOr<std::optional<SubjectState>> Read(SubjectId subject);
  StatusOr<Secret> UnwrapValue(std::string_view row, std::string_view value, size_t head);
  std::string WrapValue(std::string_view row, std::string head, const Secret& secret);
  Status Create(std::vector<SubjectId> subjects);
  // Makes the keys of all these callers with one sync, and sets their statuses.
  void WriteKeys(std::span<Creation* const> creations);
  // Adds the subject's new key to `batch` and `fresh`, unless it has one.
  Status AddKey(SubjectId subject, rocksdb::WriteBatch& batch,
                std::vector<std::pair<SubjectId, SubjectKey>>& fresh);
  // Rewrites the files in which old bytes of these subjects lie, and waits until the old files are
  // gone.
  Status Purge(std::span<const SubjectId> subjects);

  const std::unique_ptr<rocksdb::DB> db_;
  const LockedMemory master_;
  const std::unique_ptr<KeyCache> cache_;
  Counter& created_;
  Counter& destroyed_;
  Counter& misses_;

  // Held while rows are read in order to be changed, and changed.
  Mutex write_mutex_;
  // Held by one destruction at a time, before write_mutex_.
  Mutex destroy_mutex_;

  // Callers that need new keys: the first becomes the one who writes for all that wait.
  Mutex creation_mutex_;
  ConditionVariable creation_done_;
  std::vector<Creation*> waiting_ HILO_GUARDED_BY(creation_mutex_);
  bool writing_ HILO_GUARDED_BY(creation_mutex_) = false;
};

rocksdb::WriteOptions Synced() {
  rocksdb::WriteOptions options;
  options.sync = true;
  return options;
}

StatusOr<std::optional<std::string>> StoredKeyStore::Get(std::string_view row) {
  std::string value;
  const rocksdb::Status status = db_->Get({}, Slice(row), &value);
  if (status.IsNotFound()) return std::optional<std::string>();
  if (!status.ok()) return Broken("read a key", status);
  return std::optional<std::string>(std::move(value));
}

StatusOr<Secret> StoredKeyStore::UnwrapValue(std::string_view row, std::string_view value,
                                             size_t head) {
  if (value.size() != head + kWrappedSize || static_cast<uint8_t>(value[0]) != kRowVersion)
    return Malformed();
  Secret secret;
  const std::span<const uint8_t, kWrappedSize> wrapped(
      reinterpret_cast<const uint8_t*>(value.data()) + head, kWrappedSize);
  if (!Unwrap(master_.get(), Context(row, value.substr(0, head)), wrapped, secret))
    return Malformed();
  return secret;
}

std::string StoredKeyStore::WrapValue(std::string_view row, std::string head,
                                      const Secret& secret) {
  const Wrapped wrapped = Wrap(master_.get(), Context(row, head), secret);
  head.append(reinterpret_cast<const char*>(wrapped.data()), wrapped.size());
  return head;
}

StatusOr<std::optional<SubjectState>> StoredKeyStore::Read(SubjectId subject) {
  const std::string row = SubjectRow(subject);
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> value, Get(row));
  if (!value) return std::optional<SubjectState>();
  if (value->size() < kSubjectHead || static_cast<uint8_t>((*value)[0]) != kRowVersion)
    return Malformed();
  SubjectState state;
  state.generation = GenerationOf(*value);
  if (value->size() > kSubjectHead) {
    HILO_ASSIGN_OR_RETURN(state.secret, UnwrapValue(row, *value, kSubjectHead));
  }
  return std::optional<SubjectState>(std::move(state));
}

Status StoredKeyStore::Begin() {
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> check, Get("m"));
  if (check) {
    if (!UnwrapValue("m", *check, kPurposeHead).ok()) {
      return Error(
          StatusCode::kFailedPrecondition, "master_key_mismatch",
          "the key store was written under another master key; give the file it was begun with");
    }
  } else {
    const std::string value = WrapValue("m", {static_cast<char>(kRowVersion)}, Secret());
    const rocksdb::Status status = db_->Put(Synced(), "m", value);
    if (!status.ok()) return Broken("begin", status);
  }
  std::vector<SubjectId> unfinished;
  const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}));
  for (rows->Seek("d"); rows->Valid() && rows->key().starts_with("d"); rows->Next()) {
    const std::optional<SubjectId> subject =
        SubjectId::FromBytes(rows->key().ToStringView().substr(1));
    if (subject) unfinished.push_back(*subject);
  }
  if (!rows->status().ok()) return Broken("read what was destroyed", rows->status());
  return unfinished.empty() ? OkStatus() : Purge(unfinished);
}

StatusOr<SubjectKey> StoredKeyStore::FindKey(SubjectId subject) {
  if (std::optional<SubjectKey> cached = cache_->Find(subject)) return *std::move(cached);
  misses_.Increment();
  const uint64_t epoch = cache_->Epoch();
  HILO_ASSIGN_OR_RETURN(const std::optional<SubjectState> state, Read(subject));
  if (!state) return KeyUnknown();
  if (!state->secret) return KeyDestroyed();
  SubjectKey key{state->generation, *state->secret};
  cache_->Put(subject, key, epoch);
  return key;
}

StatusOr<SubjectKey> StoredKeyStore::EnsureKey(SubjectId subject) {
  StatusOr<SubjectKey> key = FindKey(subject);
  if (key.ok() || key.status().code() != StatusCode::kNotFound) return key;
  HILO_RETURN_IF_ERROR(Create({subject}));
  return FindKey(subject);
}

Status StoredKeyStore::EnsureKeys(std::span<const SubjectId> subjects) {
  std::vector<SubjectId> missing;
  for (SubjectId subject : subjects) {
    const Status status = FindKey(subject).status();
    if (status.code() == StatusCode::kNotFound) {
      missing.push_back(subject);
    } else if (!status.ok()) {
      return status;
    }
  }
  return missing.empty() ? OkStatus() : Create(std::move(missing));
}

Status StoredKeyStore::Create(std::vector<SubjectId> subjects) {
  Creation mine{.subjects = std::move(subjects)};
  creation_mutex_.lock();
  waiting_.push_back(&mine);
  creation_done_.wait(creation_mutex_,
                      [&]() HILO_REQUIRES(creation_mutex_) { return mine.done || !writing_; });
  if (!mine.done) {
    writing_ = true;
    const std::vector<Creation*> batch = std::exchange(waiting_, {});
    creation_mutex_.unlock();
    WriteKeys(batch);
    creation_mutex_.lock();
    for (Creation* creation : batch) creation->done = true;
    writing_ = false;
    creation_done_.notify_all();
  }
  creation_mutex_.unlock();
  return mine.status;
}

Status StoredKeyStore::AddKey(SubjectId subject, rocksdb::WriteBatch& batch,
                              std::vector<std::pair<SubjectId, SubjectKey>>& fresh) {
  HILO_ASSIGN_OR_RETURN(const std::optional<SubjectState> state, Read(subject));
  if (state && state->secret) return OkStatus();
  const uint16_t before = state ? state->generation : 0;
  if (before == std::numeric_limits<uint16_t>::max()) return TooManyGenerations();
  SubjectKey key{static_cast<uint16_t>(before + 1), Secret::Random()};
  const std::string row = SubjectRow(subject);
  batch.Put(row, WrapValue(row, Head(key.generation), key.secret));
  fresh.emplace_back(subject, std::move(key));
  return OkStatus();
}

void StoredKeyStore::WriteKeys(std::span<Creation* const> creations) {
  const uint64_t epoch = cache_->Epoch();
  std::vector<std::pair<SubjectId, SubjectKey>> fresh;
  std::unordered_set<SubjectId> seen;
  MutexLock lock(write_mutex_);
  rocksdb::WriteBatch batch;
  for (Creation* creation : creations) {
    for (SubjectId subject : creation->subjects) {
      if (!seen.insert(subject).second) continue;
      // What is wrong with one caller's subject is not the others' affair.
      if (const Status status = AddKey(subject, batch, fresh); !status.ok())
        creation->status = status;
    }
  }
  if (fresh.empty()) return;
  if (const rocksdb::Status status = db_->Write(Synced(), &batch); !status.ok()) {
    for (Creation* creation : creations) creation->status = Broken("write a key", status);
    return;
  }
  created_.Increment(fresh.size());
  for (const auto& [subject, key] : fresh) cache_->Put(subject, key, epoch);
}

Status StoredKeyStore::DestroyKeys(std::span<const SubjectId> subjects) {
  MutexLock one_at_a_time(destroy_mutex_);
  std::vector<SubjectId> known;
  uint64_t keys = 0;
  {
    MutexLock lock(write_mutex_);
    rocksdb::WriteBatch batch;
    for (SubjectId subject : subjects) {
      // Nothing is opened here: a damaged key must go as well.
      HILO_ASSIGN_OR_RETURN(const std::optional<std::string> value, Get(SubjectRow(subject)));
      if (!value) continue;
      if (value->size() > kSubjectHead) ++keys;
      batch.Put(SubjectRow(subject), Head(GenerationOf(*value)));
      batch.Put(DestroyedRow(subject), "");
      known.push_back(subject);
    }
    if (known.empty()) return OkStatus();
    const rocksdb::Status status = db_->Write(Synced(), &batch);
    if (!status.ok()) return Broken("destroy a key", status);
    cache_->Erase(known);
  }
  // Before the files are purged, which takes long and may fail: nothing opens from here on.
  TellDestroyed(known);
  HILO_RETURN_IF_ERROR(Purge(known));
  destroyed_.Increment(keys);
  return OkStatus();
}

Status StoredKeyStore::Purge(std::span<const SubjectId> subjects) {
  // The rows' old values lie in the write-ahead log and in files. A flush ends the log, and
  // obsolete logs are deleted; a compaction of a row's range, down to the last level, writes the
  // files anew without what was overwritten.
  rocksdb::Status status = db_->Flush(rocksdb::FlushOptions());
  if (!status.ok()) return Broken("flush", status);
  rocksdb::CompactRangeOptions compact;
  compact.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  for (SubjectId subject : subjects) {
    const std::string row = SubjectRow(subject);
    const rocksdb::Slice bound = row;
    status = db_->CompactRange(compact, &bound, &bound);
    if (!status.ok()) return Broken("compact", status);
  }
  // Files are unlinked by a background thread, which may not have come to it. RocksDB waits for it
  // when it lists its logs while deletions are off.
  rocksdb::VectorLogPtr logs;
  status = db_->DisableFileDeletions();
  if (status.ok()) status = db_->GetSortedWalFiles(logs);
  const rocksdb::Status enabled = db_->EnableFileDeletions(/*force=*/false);
  if (status.ok()) status = enabled;
  if (!status.ok()) return Broken("delete old files", status);

  rocksdb::WriteBatch finished;
  for (SubjectId subject : subjects) finished.Delete(DestroyedRow(subject));
  status = db_->Write({}, &finished);
  return status.ok() ? OkStatus() : Broken("finish", status);
}

StatusOr<HashKey> StoredKeyStore::PurposeKey(std::string_view purpose) {
  if (!IsPurpose(purpose)) return BadPurpose();
  const std::string row = std::string("p").append(purpose);
  MutexLock lock(write_mutex_);
  HILO_ASSIGN_OR_RETURN(const std::optional<std::string> value, Get(row));
  Secret secret = Secret::Random();
  if (value) {
    HILO_ASSIGN_OR_RETURN(secret, UnwrapValue(row, *value, kPurposeHead));
  } else {
    const rocksdb::Status status =
        db_->Put(Synced(), row, WrapValue(row, {static_cast<char>(kRowVersion)}, secret));
    if (!status.ok()) return Broken("write a key", status);
  }
  HashKey key;
  std::copy_n(secret.data(), Secret::kSize, key.bytes.begin());
  return key;
}

rocksdb::Options StoreOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  // Small files: to destroy a key is to rewrite those that hold it.
  options.write_buffer_size = 4 << 20;
  options.target_file_size_base = 4 << 20;
  options.max_bytes_for_level_base = 32 << 20;
  options.max_open_files = 256;
  // Random bytes do not get shorter.
  options.compression = rocksdb::kNoCompression;
  // No log outlives its flush, neither archived nor recycled.
  options.WAL_ttl_seconds = 0;
  options.WAL_size_limit_MB = 0;
  options.recycle_log_file_num = 0;
  options.info_log_level = rocksdb::InfoLogLevel::ERROR_LEVEL;
  options.keep_log_file_num = 2;
  rocksdb::BlockBasedTableOptions table;
  // New subjects are looked up in vain.
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

StatusOr<std::unique_ptr<KeyStore>> OpenStoredKeyStore(StoredKeyStoreOptions options,
                                                       const Clock& clock, Registry& registry) {
  HILO_ASSIGN_OR_RETURN(const Secret master, ReadMasterKey(options.master_key_file));
  LockedMemory locked = AllocateLocked(Secret::kSize);
  std::unique_ptr<KeyCache> cache = KeyCache::Create(
      {.capacity = options.cached_keys, .age = options.cache_age}, clock, registry);
  if (locked == nullptr || cache == nullptr) {
    return Error(StatusCode::kResourceExhausted, "key_memory", "no memory for keys; cache fewer");
  }
  std::memcpy(locked.get(), master.data(), Secret::kSize);
  if (mkdir(options.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error(StatusCode::kUnavailable, "key_store_broken",
                 fmt::format("cannot make \"{}\": {}", options.directory, std::strerror(errno)));
  }
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(StoreOptions(), options.directory, &db);
  if (!status.ok()) return Broken(fmt::format("open \"{}\"", options.directory), status);
  auto store = std::make_unique<StoredKeyStore>(std::unique_ptr<rocksdb::DB>(db), std::move(locked),
                                                std::move(cache), registry);
  HILO_RETURN_IF_ERROR(store->Begin());
  return std::unique_ptr<KeyStore>(std::move(store));
}

}  // namespace hilo::keys
