#include "streams/log/embedded_log.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "ops/base/check.h"
#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"
#include "streams/log/embedded_blob.h"
#include "streams/log/embedded_files.h"

namespace hilo::log {
namespace {

using embedded::Bounds;
using embedded::Files;
using embedded::PartitionId;
using embedded::Row;
using embedded::RowReader;

constexpr size_t kRowOverheadBytes = 192;  // of one row in the tail cache beside its value, about

double FreeShareOf(const std::string& directory) {
  std::error_code failed;
  const auto space = std::filesystem::space(directory, failed);
  if (failed || space.capacity == 0) return 1.0;  // a file system that cannot say is not full
  return static_cast<double>(space.available) / static_cast<double>(space.capacity);
}

Status DiskFull(std::string_view what) {
  return Error(StatusCode::kResourceExhausted, "disk_full",
               std::string(what) + "; free space on the disk of the log, or trim it");
}

Status OutcomeUnknown(const Status& cause) {
  return Error(StatusCode::kUnavailable, "outcome_unknown",
               "the records may be in the log when it is opened again: " + Describe(cause));
}

}  // namespace

// All of the log; EmbeddedLog is its door.
class EmbeddedLog::Engine {
 public:
  struct TailRow {
    Offset first;
    Offset end;
    Row row;
  };

  struct Partition {
    PartitionId id;
    std::string name;           // for messages
    Bounds bounds;              // guarded by mutex_; `end` is what readers may see
    std::deque<TailRow> tail;   // guarded by mutex_; contiguous, up to bounds.end
    ConditionVariable changed;  // with mutex_: bounds moved, or a cursor is interrupted
    Offset assigned = 0;  // confined to the committing thread: the end with what is being committed

    Status CheckReadable(Offset offset) const {
      if (offset >= bounds.start && offset <= bounds.end) return OkStatus();
      return Error(StatusCode::kDataLoss, "offset_lost",
                   "offset " + std::to_string(offset) + " of " + name +
                       " is outside of what the log holds, [" + std::to_string(bounds.start) +
                       ", " + std::to_string(bounds.end) + ")");
    }
  };

  struct Pending {
    Partition* partition;
    std::string value;
    uint32_t records;
    AppendDone done;
  };

  static StatusOr<std::unique_ptr<Engine>> Open(const Options& options);
  ~Engine() { Stop(); }

  StatusOr<Partition*> Find(const TopicPartition& of) const;
  void Append(const TopicPartition& to, std::vector<Record> records, AppendDone done);
  Status Trim(const TopicPartition& of, Offset before);
  Status CheckIntake();
  void Stop();

  // Rows from the one that holds `at` on, below the end. Never empty when `at` is below the end.
  StatusOr<std::vector<Row>> ReadRows(const Partition& partition, Offset at);

  const std::unique_ptr<Files> files_;
  const Options options_;
  std::string identity_;
  std::map<TopicPartition, std::unique_ptr<Partition>> partitions_;  // fixed after Open
  std::map<std::string, uint32_t> counts_;                           // fixed after Open

  mutable Mutex mutex_;
  ConditionVariable work_;  // pending_ or stopping_ changed
  std::deque<Pending> pending_ HILO_GUARDED_BY(mutex_);
  bool stopping_ HILO_GUARDED_BY(mutex_) = false;
  Status failure_ HILO_GUARDED_BY(mutex_);  // why appends are refused for good
  bool intake_closed_ HILO_GUARDED_BY(mutex_) = false;
  // The cached rows of all partitions, oldest first: (partition, first offset).
  std::deque<std::pair<Partition*, Offset>> tail_order_ HILO_GUARDED_BY(mutex_);
  Figures figures_ HILO_GUARDED_BY(mutex_);

  Mutex trim_mutex_;  // one Trim at a time; taken before mutex_

 private:
  explicit Engine(std::unique_ptr<Files> files, const Options& options)
      : files_(std::move(files)), options_(options) {}
  Status Load();

  // The committing thread.
  void Run();
  std::vector<Pending> TakePending();
  void Commit(std::vector<Pending> appends);
  void Publish(const std::vector<Pending>& appends, const std::vector<Row>& rows,
               const std::vector<Offset>& firsts);
  void Fail(std::vector<Pending> appends, const Status& cause);
  void CountRefused(const Status& refused, uint64_t appends = 1);
  Status CommitMeasured(const std::vector<Row>& rows);
  double FreeShare() const {
    return options_.free_share ? options_.free_share() : FreeShareOf(options_.directory);
  }
  void Evict() HILO_REQUIRES(mutex_);

  std::mutex stop_mutex_;  // one Stop at a time
  std::jthread committer_;
};

StatusOr<std::unique_ptr<EmbeddedLog::Engine>> EmbeddedLog::Engine::Open(const Options& options) {
  HILO_ASSIGN_OR_RETURN(auto files,
                        Files::Open({.directory = options.directory,
                                     .write_buffer_bytes = options.write_buffer_bytes,
                                     .block_cache_bytes = options.block_cache_bytes,
                                     .accept_unreadable_tail = options.accept_unreadable_tail,
                                     .env = options.env}));
  std::unique_ptr<Engine> engine(new Engine(std::move(files), options));
  HILO_RETURN_IF_ERROR(engine->Load());
  engine->committer_ =
      StartThread("hilo-log", [log = engine.get()](std::stop_token) { log->Run(); });
  return engine;
}

Status EmbeddedLog::Engine::Load() {
  HILO_ASSIGN_OR_RETURN(const Files::Topics topics,
                        files_->OpenTopics(options_.topics, options_.expected_identity));
  identity_ = topics.identity;
  for (const TopicSpec& topic : options_.topics) {
    counts_[topic.name] = topic.partitions;
    for (uint32_t i = 0; i < topic.partitions; ++i) {
      auto partition = std::make_unique<Partition>();
      partition->id = {.topic = topics.ids.at(topic.name), .partition = i};
      partition->name = topic.name + "/" + std::to_string(i);
      HILO_ASSIGN_OR_RETURN(partition->bounds, files_->LoadBounds(partition->id));
      partition->assigned = partition->bounds.end;
      partitions_.emplace(TopicPartition{topic.name, i}, std::move(partition));
    }
  }
  return OkStatus();
}

StatusOr<EmbeddedLog::Engine::Partition*> EmbeddedLog::Engine::Find(
    const TopicPartition& of) const {
  const auto found = partitions_.find(of);
  if (found != partitions_.end()) return found->second.get();
  return Error(StatusCode::kNotFound, "not_found",
               "the log has no partition " + of.topic + "/" + std::to_string(of.partition));
}

void EmbeddedLog::Engine::Append(const TopicPartition& to, std::vector<Record> records,
                                 AppendDone done) {
  const auto partition = Find(to);
  Status refused = partition.ok() ? CheckAppend(records) : partition.status();
  if (refused.ok()) {
    Pending append{*partition, embedded::EncodeBody(records), static_cast<uint32_t>(records.size()),
                   std::move(done)};
    MutexLock lock(mutex_);
    if (!failure_.ok()) {
      refused = failure_;
    } else if (stopping_) {
      refused = Error(StatusCode::kUnavailable, "log_stopped", "the log is being closed");
    } else if (figures_.pending_bytes + append.value.size() > kMaxPendingBytes) {
      refused = Error(StatusCode::kResourceExhausted, "log_overloaded",
                      "more is waiting for the disk than the log holds; append again later");
    } else {
      figures_.pending_bytes += append.value.size();
      pending_.push_back(std::move(append));
      if (pending_.size() == 1) work_.notify_one();
      return;
    }
    done = std::move(append.done);
  }
  CountRefused(refused);
  done(std::move(refused));
}

void EmbeddedLog::Engine::CountRefused(const Status& refused, uint64_t appends) {
  if (options_.metrics == nullptr) return;
  options_.metrics->Get(metric::kLogAppendsRefused, {Reason(refused)}).Increment(appends);
}

void EmbeddedLog::Engine::Run() {
  PreferShortWaits();
  for (;;) {
    std::vector<Pending> appends = TakePending();
    if (appends.empty()) return;
    Commit(std::move(appends));
  }
}

// Waits for work; empty when there will be none.
std::vector<EmbeddedLog::Engine::Pending> EmbeddedLog::Engine::TakePending() {
  MutexLock lock(mutex_);
  work_.wait(mutex_, [this]() HILO_REQUIRES(mutex_) { return !pending_.empty() || stopping_; });
  std::vector<Pending> appends;
  for (size_t bytes = 0; !pending_.empty() && bytes < kMaxCommitBytes;) {
    bytes += pending_.front().value.size();
    appends.push_back(std::move(pending_.front()));
    pending_.pop_front();
  }
  return appends;
}

void EmbeddedLog::Engine::Commit(std::vector<Pending> appends) {
  if (FreeShare() < kStopAppendsBelow) {
    size_t bytes = 0;
    for (const Pending& append : appends) bytes += append.value.size();
    {
      MutexLock lock(mutex_);
      figures_.pending_bytes -= bytes;
    }
    const Status refused = DiskFull("the disk is full and nothing of this was written");
    CountRefused(refused, appends.size());
    for (Pending& append : appends) append.done(refused);
    return;
  }
  const WallTime now = options_.clock.Wall();
  std::vector<Row> rows;
  std::vector<Offset> firsts;
  rows.reserve(appends.size());
  firsts.reserve(appends.size());
  for (Pending& append : appends) {
    Partition& partition = *append.partition;
    const Offset first = std::exchange(partition.assigned, partition.assigned + append.records);
    std::string key = embedded::RowKey(partition.id.topic, partition.id.partition, first);
    embedded::Seal(append.value, key, append.records, now);
    rows.push_back({std::move(key), std::make_shared<const std::string>(std::move(append.value))});
    firsts.push_back(first);
  }
#if HILO_PLANTED_FAULTS
  if (options_.publish_before_sync) {
    Publish(appends, rows, firsts);
    if (const Status late = CommitMeasured(rows); !late.ok())
      Fail(std::move(appends), late);
    else
      for (size_t i = 0; i < appends.size(); ++i) appends[i].done(firsts[i]);
    return;
  }
#endif
  KillPoint("log_before_sync");
  if (const Status written = CommitMeasured(rows); !written.ok()) {
    size_t bytes = 0;
    for (const Row& row : rows) bytes += row.value->size();
    {
      MutexLock lock(mutex_);
      figures_.pending_bytes -= bytes;
    }
    Fail(std::move(appends), written);
    return;
  }
  KillPoint("log_after_sync");
  Publish(appends, rows, firsts);
  KillPoint("log_before_answer");
  for (size_t i = 0; i < appends.size(); ++i) appends[i].done(firsts[i]);
}

Status EmbeddedLog::Engine::CommitMeasured(const std::vector<Row>& rows) {
  const MonotonicTime began = options_.clock.Monotonic();
  Status written = files_->Commit(rows);
  if (options_.metrics != nullptr) {
    options_.metrics->Get(metric::kLogCommitSeconds).Observe(options_.clock.Monotonic() - began);
  }
  return written;
}

void EmbeddedLog::Engine::Publish(const std::vector<Pending>& appends, const std::vector<Row>& rows,
                                  const std::vector<Offset>& firsts) {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < appends.size(); ++i) {
    Partition& partition = *appends[i].partition;
    partition.bounds.end = firsts[i] + appends[i].records;
    partition.tail.push_back({firsts[i], partition.bounds.end, rows[i]});
    tail_order_.emplace_back(&partition, firsts[i]);
    figures_.pending_bytes -= rows[i].value->size();
    figures_.tail_cache_bytes += rows[i].value->size() + kRowOverheadBytes;
    figures_.committed_records += appends[i].records;
    figures_.committed_bytes += rows[i].value->size();
    partition.changed.notify_all();
  }
  figures_.committed_appends += appends.size();
  ++figures_.commits;
  Evict();
  if (options_.metrics != nullptr) {
    uint64_t records = 0;
    for (const Pending& append : appends) records += append.records;
    options_.metrics->Get(metric::kLogRecords).Increment(records);
    options_.metrics->Get(metric::kLogPendingBytes)
        .Set(static_cast<double>(figures_.pending_bytes));
    options_.metrics->Get(metric::kLogTailCacheBytes)
        .Set(static_cast<double>(figures_.tail_cache_bytes));
  }
}

void EmbeddedLog::Engine::Evict() {
  while (figures_.tail_cache_bytes > options_.tail_cache_bytes) {
    Partition& partition = *tail_order_.front().first;  // each cached row stands in tail_order_
    figures_.tail_cache_bytes -= partition.tail.front().row.value->size() + kRowOverheadBytes;
    partition.tail.pop_front();
    tail_order_.pop_front();
  }
}

// The outcome of `appends` is unknown, what is pending was not written, and nothing will be.
void EmbeddedLog::Engine::Fail(std::vector<Pending> appends, const Status& cause) {
  const Status refusal =
      Error(StatusCode::kFailedPrecondition, "log_stopped",
            "the log takes nothing until it is opened again: " + Describe(cause));
  std::deque<Pending> behind;
  CountRefused(OutcomeUnknown(cause), appends.size());
  {
    MutexLock lock(mutex_);
    failure_ = refusal;
    behind.swap(pending_);
    for (const Pending& append : behind) figures_.pending_bytes -= append.value.size();
  }
  for (Pending& append : appends) {
    append.done(OutcomeUnknown(cause));
  }
  for (Pending& append : behind) append.done(refusal);
}

void EmbeddedLog::Engine::Stop() {
  std::lock_guard once(stop_mutex_);
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    work_.notify_all();
  }
  if (committer_.joinable()) committer_.join();
}

Status EmbeddedLog::Engine::CheckIntake() {
  const double share = FreeShare();
  MutexLock lock(mutex_);
  if (share < kCloseIntakeBelow) intake_closed_ = true;
  if (share >= kReopenIntakeAt) intake_closed_ = false;
  if (!failure_.ok()) return failure_;
  return intake_closed_ ? DiskFull("the disk is nearly full and nothing new is taken in")
                        : OkStatus();
}

Status EmbeddedLog::Engine::Trim(const TopicPartition& of, Offset before) {
  HILO_ASSIGN_OR_RETURN(Partition * partition, Find(of));
  MutexLock one_at_a_time(trim_mutex_);
  Bounds bounds;
  {
    MutexLock lock(mutex_);
    bounds = partition->bounds;
  }
  if (before > bounds.end) {
    return Error(
        StatusCode::kOutOfRange, "out_of_range",
        "cannot trim " + partition->name + " beyond its end " + std::to_string(bounds.end));
  }
  if (before <= bounds.start) return OkStatus();
  // At the end the next row begins; elsewhere a row holds `before` and stays until all of it is
  // trimmed.
  Offset row = before;
  if (before < bounds.end) {
    HILO_ASSIGN_OR_RETURN(row, files_->RowHolding(partition->id, before, bounds.start_row));
  }
  HILO_RETURN_IF_ERROR(files_->SaveStart(partition->id, before, row));
  {
    MutexLock lock(mutex_);
    partition->bounds.start = before;
    partition->bounds.start_row = row;
    while (!partition->tail.empty() && partition->tail.front().end <= before) {
      figures_.tail_cache_bytes -= partition->tail.front().row.value->size() + kRowOverheadBytes;
      partition->tail.pop_front();
    }
    std::erase_if(tail_order_, [&](const auto& cached) {
      return cached.first == partition && cached.second < row;
    });
    partition->changed.notify_all();
  }
  return files_->Drop(partition->id, row);
}

StatusOr<std::vector<Row>> EmbeddedLog::Engine::ReadRows(const Partition& partition, Offset at) {
  Bounds bounds;
  {
    MutexLock lock(mutex_);
    HILO_RETURN_IF_ERROR(partition.CheckReadable(at));
    bounds = partition.bounds;
    auto cached =
        std::upper_bound(partition.tail.begin(), partition.tail.end(), at,
                         [](Offset offset, const TailRow& row) { return offset < row.first; });
    if (cached != partition.tail.begin()) {
      std::vector<Row> rows;
      size_t bytes = 0;
      for (--cached; cached != partition.tail.end() && bytes < kMaxReadBytes; ++cached) {
        bytes += cached->row.value->size();
        rows.push_back(cached->row);
      }
      return rows;
    }
    ++figures_.disk_reads;
  }
  if (options_.metrics != nullptr) options_.metrics->Get(metric::kLogDiskReads).Increment();
  auto rows = files_->Read(partition.id, at, bounds.start_row, bounds.end, kMaxReadBytes);
  const bool begins =
      rows.ok() && !rows->empty() && embedded::FirstOffsetOf(rows->front().key) <= at &&
      at < embedded::FirstOffsetOf(rows->front().key) + embedded::RecordCount(*rows->front().value);
  if (begins) return rows;
  {  // It may have been trimmed while we looked.
    MutexLock lock(mutex_);
    HILO_RETURN_IF_ERROR(partition.CheckReadable(at));
  }
  if (!rows.ok()) return rows.status();
  return Error(StatusCode::kDataLoss, "log_corrupt",
               partition.name + " has no row for offset " + std::to_string(at) +
                   "; restore the log from a backup");
}

class EmbeddedLog::EmbeddedCursor final : public Cursor {
 public:
  EmbeddedCursor(Engine& log, Engine::Partition& partition, Offset from)
      : log_(log), partition_(partition), next_(from) {}

  StatusOr<std::vector<StoredRecord>> Read(size_t max_records,
                                           std::chrono::milliseconds wait) override {
    HILO_CHECK(max_records >= 1, "a reader asks for at least one record");
    HILO_RETURN_IF_ERROR(failed_);
    auto batch = ReadBatch(max_records, wait);
    if (!batch.ok()) failed_ = batch.status();
    return batch;
  }

  void Interrupt() override {
    MutexLock lock(log_.mutex_);
    interrupted_ = true;
    partition_.changed.notify_all();
  }

 private:
  // The end, when there is something to read, or time is up, or it was interrupted.
  StatusOr<Offset> WaitForEnd(std::chrono::milliseconds wait) {
    std::unique_lock lock(log_.mutex_);
    const Bounds& bounds = partition_.bounds;
    const auto something = [&] {
      return interrupted_ || bounds.end != next_ || bounds.start > next_;
    };
    const auto bounded = std::min<std::chrono::milliseconds>(wait, kMaxReadWait);
    if (wait.count() > 0) partition_.changed.wait_for(lock, bounded, something);
    interrupted_ = false;
    HILO_RETURN_IF_ERROR(partition_.CheckReadable(next_));
    return bounds.end;
  }

  // Makes row_ the one that holds next_.
  Status OpenRow() {
    if (upcoming_.empty()) {
      HILO_ASSIGN_OR_RETURN(std::vector<Row> rows, log_.ReadRows(partition_, next_));
      upcoming_.assign(std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
    }
    const Row row = std::move(upcoming_.front());
    upcoming_.pop_front();
    // Rows from memory were made here; those from the disk were checked when they were read.
    HILO_ASSIGN_OR_RETURN(row_, RowReader::Open(row.key, row.value, /*verify=*/false));
    if (row_->next() > next_ || row_->end() <= next_) {
      return Error(StatusCode::kDataLoss, "log_corrupt",
                   partition_.name + " has a hole at offset " + std::to_string(next_) +
                       "; restore the log from a backup");
    }
    return row_->SkipTo(next_);
  }

  StatusOr<std::vector<StoredRecord>> ReadBatch(size_t max_records,
                                                std::chrono::milliseconds wait) {
    HILO_ASSIGN_OR_RETURN(const Offset end, WaitForEnd(wait));
    std::vector<StoredRecord> batch;
    batch.reserve(std::min(max_records, static_cast<size_t>(end - next_)));
    for (size_t bytes = 0; batch.size() < max_records && next_ < end && bytes < kMaxReadBytes;) {
      if (!row_ || row_->next() == row_->end()) HILO_RETURN_IF_ERROR(OpenRow());
      HILO_ASSIGN_OR_RETURN(StoredRecord stored, row_->Take());
      ++next_;
      bytes += RecordBytes(stored.record);
      batch.push_back(std::move(stored));
    }
    return batch;
  }

  Engine& log_;
  Engine::Partition& partition_;
  bool interrupted_ = false;  // guarded by log_.mutex_
  Offset next_;
  std::optional<RowReader> row_;  // where next_ is or was last
  std::deque<Row> upcoming_;      // contiguous behind row_; one ReadRows at most
  Status failed_;
};

EmbeddedLog::EmbeddedLog(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}
EmbeddedLog::~EmbeddedLog() = default;

StatusOr<std::unique_ptr<EmbeddedLog>> EmbeddedLog::Open(const Options& options) {
  HILO_ASSIGN_OR_RETURN(auto engine, Engine::Open(options));
  return std::unique_ptr<EmbeddedLog>(new EmbeddedLog(std::move(engine)));
}

void EmbeddedLog::Append(const TopicPartition& to, std::vector<Record> records, AppendDone done) {
  engine_->Append(to, std::move(records), std::move(done));
}

StatusOr<std::unique_ptr<Cursor>> EmbeddedLog::OpenCursor(const TopicPartition& of, Offset from) {
  HILO_ASSIGN_OR_RETURN(Engine::Partition * partition, engine_->Find(of));
  MutexLock lock(engine_->mutex_);
  HILO_RETURN_IF_ERROR(partition->CheckReadable(from));
  return std::unique_ptr<Cursor>(new EmbeddedCursor(*engine_, *partition, from));
}

StatusOr<Offset> EmbeddedLog::StartOffset(const TopicPartition& of) const {
  HILO_ASSIGN_OR_RETURN(const Engine::Partition* partition, engine_->Find(of));
  MutexLock lock(engine_->mutex_);
  return partition->bounds.start;
}

StatusOr<Offset> EmbeddedLog::EndOffset(const TopicPartition& of) const {
  HILO_ASSIGN_OR_RETURN(const Engine::Partition* partition, engine_->Find(of));
  MutexLock lock(engine_->mutex_);
  return partition->bounds.end;
}

Status EmbeddedLog::Trim(const TopicPartition& of, Offset before) {
  return engine_->Trim(of, before);
}

uint32_t EmbeddedLog::PartitionCount(const std::string& topic) const {
  const auto found = engine_->counts_.find(topic);
  return found == engine_->counts_.end() ? 0 : found->second;
}

Status EmbeddedLog::CheckIntake() const { return engine_->CheckIntake(); }

void EmbeddedLog::Stop() { engine_->Stop(); }

Status EmbeddedLog::Failure() const {
  MutexLock lock(engine_->mutex_);
  return engine_->failure_;
}

std::string EmbeddedLog::Identity() const { return engine_->identity_; }

Status EmbeddedLog::Checkpoint(const std::string& directory) {
  return engine_->files_->Checkpoint(directory);
}

EmbeddedLog::Figures EmbeddedLog::CurrentFigures() const {
  MutexLock lock(engine_->mutex_);
  return engine_->figures_;
}

}  // namespace hilo::log
