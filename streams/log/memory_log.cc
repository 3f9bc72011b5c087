#include "streams/log/memory_log.h"

#include <algorithm>
#include <set>
#include <utility>

#include "ops/base/check.h"

namespace hilo::log {
namespace {

constexpr uint64_t kThousand = 1'000;
constexpr size_t kMaxLateAppends = 1'024;  // beyond it all of them arrive at the next Pump

Status OutcomeUnknown() {
  return Error(StatusCode::kUnavailable, "outcome_unknown",
               "the log did not answer; the records may be in it");
}

}  // namespace

struct MemoryLog::Partition {
  std::string name;  // for messages
  Offset start = 0;
  std::deque<StoredRecord> records;  // from start on

  Offset End() const { return start + static_cast<Offset>(records.size()); }
  Status CheckReadable(Offset offset) const {
    if (offset >= start && offset <= End()) return OkStatus();
    return Error(StatusCode::kDataLoss, "offset_lost",
                 "offset " + std::to_string(offset) + " of " + name +
                     " is outside of what the log holds, [" + std::to_string(start) + ", " +
                     std::to_string(End()) + ")");
  }
};

class MemoryLog::MemoryCursor final : public Cursor {
 public:
  MemoryCursor(MemoryLog& log, const Partition& partition, Offset from)
      : log_(log), partition_(partition), next_(from) {}

  StatusOr<std::vector<StoredRecord>> Read(size_t max_records,
                                           std::chrono::milliseconds wait) override {
    HILO_CHECK(max_records >= 1, "a reader asks for at least one record");
    std::unique_lock lock(log_.mutex_);
    HILO_RETURN_IF_ERROR(failed_);
    const auto something = [this] {
      return interrupted_ || partition_.End() != next_ || partition_.start > next_;
    };
    const auto bounded = std::min<std::chrono::milliseconds>(wait, kMaxReadWait);
    if (wait.count() > 0) log_.grown_.wait_for(lock, bounded, something);
    interrupted_ = false;
    failed_ = partition_.CheckReadable(next_);
    HILO_RETURN_IF_ERROR(failed_);

    std::vector<StoredRecord> batch;
    size_t bytes = 0;
    for (; batch.size() < max_records && next_ < partition_.End() && bytes < kMaxReadBytes;
         ++next_) {
      batch.push_back(partition_.records[static_cast<size_t>(next_ - partition_.start)]);
      bytes += RecordBytes(batch.back().record);
    }
    return batch;
  }

  void Interrupt() override {
    MutexLock lock(log_.mutex_);
    interrupted_ = true;
    log_.grown_.notify_all();
  }

 private:
  MemoryLog& log_;
  const Partition& partition_;  // read under log_.mutex_
  Offset next_;
  bool interrupted_ = false;  // under log_.mutex_
  Status failed_;
};

MemoryLog::MemoryLog(std::vector<TopicSpec> topics, Clock& clock, const Options& options)
    : clock_(clock), mode_(options.mode), random_(options.seed), faults_(options.faults) {
  for (const TopicSpec& topic : topics) {
    counts_[topic.name] = topic.partitions;
    for (uint32_t i = 0; i < topic.partitions; ++i) {
      auto partition = std::make_unique<Partition>();
      partition->name = topic.name + "/" + std::to_string(i);
      partitions_.emplace(TopicPartition{topic.name, i}, std::move(partition));
    }
  }
}

MemoryLog::~MemoryLog() = default;

StatusOr<MemoryLog::Partition*> MemoryLog::Find(const TopicPartition& of) const {
  const auto found = partitions_.find(of);
  if (found != partitions_.end()) return found->second.get();
  return Error(StatusCode::kNotFound, "not_found",
               "the log has no partition " + of.topic + "/" + std::to_string(of.partition));
}

Offset MemoryLog::Land(Partition& partition, std::vector<Record> records) {
  const Offset first = partition.End();
  const WallTime now = clock_.Wall();
  for (Record& record : records) {
    partition.records.push_back(
        {.offset = partition.End(), .append_time = now, .record = std::move(record)});
  }
  grown_.notify_all();
  return first;
}

void MemoryLog::Append(const TopicPartition& to, std::vector<Record> records, AppendDone done) {
  StatusOr<Offset> answer = OutcomeUnknown();
  {
    MutexLock lock(mutex_);
    const auto partition = Find(to);
    Status refused = partition.ok() ? CheckAppend(records) : partition.status();
    if (refused.ok()) refused = refusal_;
    size_t bytes = 0;
    for (const Record& record : records) bytes += RecordBytes(record);
    if (refused.ok() && mode_ == Mode::kManual && pending_bytes_ + bytes > kMaxPendingBytes) {
      refused = Error(StatusCode::kResourceExhausted, "log_overloaded",
                      "too much is waiting to become durable; append again later");
    }
    if (!refused.ok()) {
      answer = std::move(refused);
    } else if (mode_ == Mode::kImmediate) {
      answer = Land(**partition, std::move(records));
    } else {
      pending_bytes_ += bytes;
      pending_.push_back({*partition, std::move(records), std::move(done), bytes});
      return;
    }
  }
  done(std::move(answer));
}

bool MemoryLog::SettleOne(std::deque<Pending>::iterator at, std::vector<Answer>& answers) {
  uint64_t fate = Draw(kThousand);
  const auto happens = [&fate](uint32_t thousandths) {
    if (fate < thousandths) return true;
    fate -= thousandths;
    return false;
  };
  if (happens(faults_.delay)) return false;
  if (happens(faults_.reorder)) {
    std::vector<std::deque<Pending>::iterator> behind;
    for (auto it = at + 1; it != pending_.end(); ++it) {
      if (it->partition == at->partition) behind.push_back(it);
    }
    if (!behind.empty()) at = behind[Draw(behind.size())];
  }
  Pending append = std::move(*at);
  pending_.erase(at);
  pending_bytes_ -= append.bytes;

  Partition& partition = *append.partition;
  StatusOr<Offset> result = OutcomeUnknown();
  if (happens(faults_.lose)) {
    // Nothing lands.
  } else if (happens(faults_.lose_answer)) {
    Land(partition, std::move(append.records));
  } else if (happens(faults_.arrive_late)) {
    late_.push_back({&partition, std::move(append.records), nullptr, append.bytes});
  } else if (happens(faults_.repeat)) {
    late_.push_back({&partition, append.records, nullptr, append.bytes});
    result = Land(partition, std::move(append.records));
  } else {
    result = Land(partition, std::move(append.records));
  }
  answers.push_back({std::move(append.done), std::move(result)});
  return true;
}

void MemoryLog::DeliverLate(bool all) {
  for (size_t left = late_.size(); left > 0; --left) {
    Pending late = std::move(late_.front());
    late_.pop_front();
    if (all || Draw(2) == 0) {
      Land(*late.partition, std::move(late.records));
    } else {
      late_.push_back(std::move(late));
    }
  }
}

size_t MemoryLog::Pump(size_t max_appends) {
  std::vector<Answer> answers;
  {
    MutexLock lock(mutex_);
    DeliverLate(/*all=*/late_.size() > kMaxLateAppends);
    std::set<Partition*> delayed;
    while (answers.size() < max_appends) {
      const auto next = std::find_if(pending_.begin(), pending_.end(), [&](const Pending& append) {
        return !delayed.contains(append.partition);
      });
      if (next == pending_.end()) break;
      Partition* const partition = next->partition;
      if (!SettleOne(next, answers)) delayed.insert(partition);
    }
  }
  for (Answer& answer : answers) answer.done(std::move(answer.result));
  return answers.size();
}

void MemoryLog::Settle() {
  MemoryLogFaults faults;
  {
    MutexLock lock(mutex_);
    faults = std::exchange(faults_, {});
    DeliverLate(/*all=*/true);
  }
  while (Pump() > 0) {  // callbacks may append again
  }
  SetFaults(faults);
}

size_t MemoryLog::PendingAppends() const {
  MutexLock lock(mutex_);
  return pending_.size();
}

void MemoryLog::SetFaults(const MemoryLogFaults& faults) {
  MutexLock lock(mutex_);
  faults_ = faults;
}

void MemoryLog::PowerCut() {
  std::deque<Pending> gone;  // callbacks are destroyed outside of the lock
  MutexLock lock(mutex_);
  gone.swap(pending_);
  late_.clear();
  pending_bytes_ = 0;
}

void MemoryLog::BreakConnection() {
  std::vector<Answer> answers;
  {
    MutexLock lock(mutex_);
    while (!pending_.empty()) {
      Pending append = std::move(pending_.front());
      pending_.pop_front();
      if (Draw(2) == 0) Land(*append.partition, std::move(append.records));
      answers.push_back({std::move(append.done), OutcomeUnknown()});
    }
    pending_bytes_ = 0;
  }
  for (Answer& answer : answers) answer.done(std::move(answer.result));
}

void MemoryLog::Cut(const TopicPartition& of, Offset end) {
  MutexLock lock(mutex_);
  const auto partition = Find(of);
  HILO_CHECK(partition.ok(), "a simulation cuts a partition that it has made");
  HILO_CHECK(end >= (*partition)->start, "a cut takes the tail; the head is trimmed");
  while ((*partition)->End() > end) (*partition)->records.pop_back();
  grown_.notify_all();
}

void MemoryLog::RefuseAppends(Status refusal) {
  MutexLock lock(mutex_);
  refusal_ = std::move(refusal);
}

void MemoryLog::RefuseIntake(Status refusal) {
  MutexLock lock(mutex_);
  intake_refusal_ = std::move(refusal);
}

Status MemoryLog::CheckIntake() const {
  MutexLock lock(mutex_);
  return intake_refusal_;
}

StatusOr<std::unique_ptr<Cursor>> MemoryLog::OpenCursor(const TopicPartition& of, Offset from) {
  HILO_ASSIGN_OR_RETURN(const Partition* partition, Find(of));
  MutexLock lock(mutex_);
  HILO_RETURN_IF_ERROR(partition->CheckReadable(from));
  return std::unique_ptr<Cursor>(new MemoryCursor(*this, *partition, from));
}

StatusOr<Offset> MemoryLog::StartOffset(const TopicPartition& of) const {
  HILO_ASSIGN_OR_RETURN(const Partition* partition, Find(of));
  MutexLock lock(mutex_);
  return partition->start;
}

StatusOr<Offset> MemoryLog::EndOffset(const TopicPartition& of) const {
  HILO_ASSIGN_OR_RETURN(const Partition* partition, Find(of));
  MutexLock lock(mutex_);
  return partition->End();
}

Status MemoryLog::Trim(const TopicPartition& of, Offset before) {
  HILO_ASSIGN_OR_RETURN(Partition * partition, Find(of));
  MutexLock lock(mutex_);
  if (before > partition->End()) {
    return Error(
        StatusCode::kOutOfRange, "out_of_range",
        "cannot trim " + partition->name + " beyond its end " + std::to_string(partition->End()));
  }
  for (; partition->start < before; ++partition->start) partition->records.pop_front();
  grown_.notify_all();
  return OkStatus();
}

uint32_t MemoryLog::PartitionCount(const std::string& topic) const {
  const auto found = counts_.find(topic);
  return found == counts_.end() ? 0 : found->second;
}

}  // namespace hilo::log
