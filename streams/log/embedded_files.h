#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "streams/log/log.h"

namespace rocksdb {
class ColumnFamilyHandle;
struct ColumnFamilyOptions;
class DB;
class Env;
}  // namespace rocksdb

namespace hilo::log::embedded {

// A partition as rows name it.
struct PartitionId {
  uint16_t topic = 0;
  uint32_t partition = 0;
  friend auto operator<=>(const PartitionId&, const PartitionId&) = default;
};

struct Row {
  std::string key;
  std::shared_ptr<const std::string> value;
};

// What a partition holds.
struct Bounds {
  Offset start = 0;  // the first offset that may be read
  Offset start_row =
      0;  // the first offset of the row that holds `start`: the lower bound of every seek
  Offset end = 0;
};

// The files of the embedded log: what is on the disk, in RocksDB, and nothing of threads or memory.
//
//   default family   tag 0: the log's identity, its topics, their ids and partition counts
//                    tag 1, topic, partition: start and start row of a trimmed partition
//   a family a       tag 2, …: its rows (embedded_blob.h). Offsets only grow, so the files of one
//   partition        partition never overlap: compaction moves them without rewriting, and trimming
//                    deletes whole files
//
// All families share one write-ahead log, so a commit is one batch and one sync whatever partitions
// it touches.
// **Errors**: `log_corrupt`, `log_locked`, `disk_full`, `log_failed`. **Threads**: thread-safe.
class Files {
 public:
  struct Options {
    std::string directory;
    size_t write_buffer_bytes = 0;
    size_t block_cache_bytes = 0;
    bool accept_unreadable_tail = false;
    rocksdb::Env* env = nullptr;
  };
  static StatusOr<std::unique_ptr<Files>> Open(const Options& options);
  ~Files();

  struct Topics {
    std::string identity;
    std::map<std::string, uint16_t> ids;
  };
  // The ids of the topics, new ones for new topics. Once, before all that is below.
  // **Errors**: `partition_count_changed`, `topic_identity_changed`.
  StatusOr<Topics> OpenTopics(std::span<const TopicSpec> topics,
                              const std::string& expected_identity);
  StatusOr<Bounds> LoadBounds(PartitionId of) const;

  // All rows or none; durable when it returns.
  Status Commit(std::span<const Row> rows);
  // Rows in order from the one that holds `at` on, about `max_bytes`, each checked; all below
  // `end`. Empty when there is none.
  StatusOr<std::vector<Row>> Read(PartitionId of, Offset at, Offset low_row, Offset end,
                                  size_t max_bytes) const;
  // The first offset of the row that holds `at`.
  StatusOr<Offset> RowHolding(PartitionId of, Offset at, Offset low_row) const;
  // Durable when it returns; the rows below stay until Drop.
  Status SaveStart(PartitionId of, Offset start, Offset start_row);
  // Gives the space of rows before `row` back, whole files at once and the rest by compaction.
  Status Drop(PartitionId of, Offset row);
  Status Checkpoint(const std::string& directory);

 private:
  Files();
  StatusOr<std::string> Get(const std::string& key) const;  // "" when absent
  // Makes the families of partitions that have none yet.
  Status MakeFamilies(std::span<const PartitionId> partitions);
  rocksdb::ColumnFamilyHandle* FamilyOf(PartitionId of) const;

  std::unique_ptr<rocksdb::DB> db_;
  std::map<PartitionId, rocksdb::ColumnFamilyHandle*>
      families_;  // fixed after OpenTopics; closed with db_
  std::unique_ptr<rocksdb::ColumnFamilyOptions> family_options_;
};

}  // namespace hilo::log::embedded
