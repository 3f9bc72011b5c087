#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "state/store/store.h"

namespace rocksdb {
class Env;
}

namespace hilo::store {

// The memory that all stores of a process share: one block cache, which also pays for memtables,
// index and filter blocks.
// **Threads**: thread-safe. **Lifetime**: may go before the stores that were opened with it.
class SharedResources {
 public:
  struct Options {
    size_t cache_bytes = size_t{256} << 20;  // blocks, indexes, filters and memtables together
    size_t write_buffer_bytes = size_t{128}
                                << 20;  // memtables of all stores: beyond it the fullest is flushed
    rocksdb::Env* env = nullptr;  // where files are; null: the machine's. Outlives the stores.
  };
  explicit SharedResources(const Options& options);
  ~SharedResources();
  SharedResources(const SharedResources&) = delete;
  SharedResources& operator=(const SharedResources&) = delete;

  // What the cache holds now, for the metric.
  size_t CacheBytes() const;

  struct Parts;  // RocksDB's types stay in the .cc
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

// A store in a directory of RocksDB files, for production.
//
// **Guarantees**: those of Store. Each Write is one RocksDB batch in a write-ahead log that is
// handed to the system but not synced: after a power cut a prefix of the writes is there. Checksums
// are verified on every read and compaction.
// **Errors**: `state_corrupt` (the message names the file where RocksDB knows it; rebuild the
// partition), `disk_full`, `store_locked` (another process has it open), `store_failed` (others of
// the disk). An error of Write is final: every later Write answers it too, until the store is
// closed and opened again. **Threads**: thread-safe; one writer at a time.
// **Lifetime**: outlives its views and iterators. **Cost**: up to two memtables of 64 MiB, within
// the shared budget.
// **Source**: RocksDB 7.8, level compaction with dynamic level bytes; bloom filter of 10 bits on
// whole keys.
class RocksDbStore final : public Store {
 public:
  struct Options {
    std::string directory;  // made, with its parents, when absent
    SharedResources& resources;
  };
  static StatusOr<std::unique_ptr<RocksDbStore>> Open(const Options& options);
  ~RocksDbStore() override;

  StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  std::vector<StatusOr<std::optional<std::string>>> MultiGet(
      std::span<const std::string> keys) const override;
  std::unique_ptr<Iterator> NewIterator(const KeyRange& range) const override;
  std::unique_ptr<Batch> NewBatch() override;
  Status Write(std::unique_ptr<Batch> batch) override;
  std::unique_ptr<View> NewView() const override;
  Status Flush() override;
  // Hard links where the file system allows: costs by files, not bytes.
  Status Checkpoint(const std::string& directory) override;

  // For metrics and for slowing intake before RocksDB stalls. Estimates: nothing a fold may read.
  struct Figures {
    uint64_t live_file_bytes = 0;
    uint64_t memtable_bytes = 0;
    uint64_t level0_files = 0;
    uint64_t pending_compaction_bytes = 0;
    uint64_t delayed_write_bytes_per_second = 0;  // 0: not delayed
    bool writes_stopped = false;
  };
  Figures CurrentFigures() const;

 private:
  struct Db;
  explicit RocksDbStore(std::unique_ptr<Db> db);

  const std::unique_ptr<Db> db_;
};

}  // namespace hilo::store
