#include <algorithm>
#include <utility>

#include "ops/base/kill_point.h"
#include "state/store/keys.h"
#include "streams/fold/partition_impl.h"

namespace hilo::fold {
namespace {

using store::KeyBuilder;
using store::Table;

// Openings without progress until records are folded one by one.
constexpr uint32_t kOpeningsTillCareful = 2;
// Tries of one record that end the process.
constexpr uint32_t kTriesOfARecord = 3;

std::string MetaKey() { return KeyBuilder(Table::kMeta).Raw("position").Build(); }

Hash16 ToHash(std::string_view bytes) {
  Hash16 hash{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), hash.size()), hash.begin());
  return hash;
}

StateMark ToMark(const store::v1::MarkRow& row) {
  return {.position = row.position(),
          .record_hash = row.record_hash(),
          .state_digest = row.state_digest()};
}

}  // namespace

StatusOr<std::unique_ptr<Partition>> Partition::Open(Options options, log::Log& log,
                                                     store::Store& store, Fold& fold,
                                                     Progress& progress, Listener& listener) {
  auto partition =
      std::make_unique<PartitionImpl>(std::move(options), log, store, fold, progress, listener);
  HILO_RETURN_IF_ERROR(partition->Open());
  return std::unique_ptr<Partition>(std::move(partition));
}

Status PartitionImpl::Open() {
  HILO_RETURN_IF_ERROR(LoadMeta());
  HILO_RETURN_IF_ERROR(CheckTopics());
  HILO_RETURN_IF_ERROR(CheckLog());
  HILO_RETURN_IF_ERROR(VerifyWritten());
  HILO_RETURN_IF_ERROR(LoadLanes());
  HILO_RETURN_IF_ERROR(CountOpening());
  KillPoint("while_opening");
  HILO_ASSIGN_OR_RETURN(cursor_, log_.OpenCursor(options_.of, position_));
  if (options_.owner) PublishAccepted();
  Publish();
  return OkStatus();
}

Status PartitionImpl::LoadMeta() {
  HILO_ASSIGN_OR_RETURN(const auto meta, store_.Get(MetaKey()));
  if (meta) {
    store::v1::PartitionRow row;
    HILO_RETURN_IF_ERROR(fold::Decode(*meta, &row));
    position_ = row.position();
    record_hash_ = ToHash(row.record_hash());
    state_digest_ = row.state_digest();
    written_begin_ = ToMark(row.batch_begin());
    written_end_ = {.position = position_, .record_hash = row.record_hash()};
    for (const store::v1::MarkRow& mark : row.marks()) marks_.push_back(ToMark(mark));
    topics_.assign(row.topics().begin(), row.topics().end());
  }
  HILO_ASSIGN_OR_RETURN(const auto clock, staging_.Get(KeyBuilder(Table::kClock).Build()));
  store::v1::ClockRow row;
  if (clock) HILO_RETURN_IF_ERROR(fold::Decode(*clock, &row));
  if (row.fold_version() == 0) row.set_fold_version(1);
  if (row.fold_version() > options_.newest_version) {
    return Error(StatusCode::kFailedPrecondition, "version_too_new",
                 "the state was folded by a newer program; start that one");
  }
  clock_ = LogClock(std::move(row));
  return OkStatus();
}

// Buckets lie in partitions by their count: with another count, records and rows would not find
// each other.
Status PartitionImpl::CheckTopics() {
  std::vector<std::string> names = {options_.of.topic};
  for (const log::TopicPartition& target : options_.targets) names.push_back(target.topic);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) {
    const auto known =
        std::find_if(topics_.begin(), topics_.end(),
                     [&](const store::v1::TopicRow& row) { return row.topic() == name; });
    if (known == topics_.end()) {
      store::v1::TopicRow& row = topics_.emplace_back();
      row.set_topic(name);
      row.set_partitions(log_.PartitionCount(name));
    } else if (known->partitions() != log_.PartitionCount(name)) {
      return Error(
          StatusCode::kFailedPrecondition, "partition_count_changed",
          "topic \"" + name + "\" has another number of partitions than when this state began");
    }
  }
  return OkStatus();
}

Status PartitionImpl::CheckLog() {
  HILO_ASSIGN_OR_RETURN(const log::Offset start, log_.StartOffset(options_.of));
  HILO_ASSIGN_OR_RETURN(const log::Offset end, log_.EndOffset(options_.of));
  if (position_ >= start && position_ <= end) return OkStatus();
  return Error(StatusCode::kDataLoss, "offset_lost",
               position_ < start
                   ? "the log no longer holds the next record; restore a snapshot of the state"
                   : "the log ends before what is folded already; it was cut or restored");
}

Status PartitionImpl::LoadLanes() {
  for (const log::TopicPartition& target : options_.targets) Outbound(target);
  Outbound({.topic = "dead-letters"});
  const auto heads = store_.NewIterator(store::PrefixRange(KeyBuilder(Table::kLaneOut).Build()));
  for (; heads->Valid(); heads->Next()) {
    const auto target = ParseLanePlace(heads->Key().substr(1));
    if (!target)
      return Error(StatusCode::kDataLoss, "state_corrupt", "a lane's key is not of its form");
    HILO_RETURN_IF_ERROR(Outbound(*target).lane.Load(heads->Value()));
  }
  HILO_RETURN_IF_ERROR(heads->status());
  for (auto& [target, slot] : outbound_) HILO_RETURN_IF_ERROR(slot.lane.LoadOutbox(store_));

  const auto tails = store_.NewIterator(store::PrefixRange(KeyBuilder(Table::kLaneIn).Build()));
  for (; tails->Valid(); tails->Next()) {
    const auto source = ParseLanePlace(tails->Key().substr(1));
    store::v1::LaneInRow row;
    if (!source)
      return Error(StatusCode::kDataLoss, "state_corrupt", "a lane's key is not of its form");
    HILO_RETURN_IF_ERROR(fold::Decode(tails->Value(), &row));
    HILO_RETURN_IF_ERROR(inbound_[*source].lane.Load(std::move(row)));
  }
  HILO_RETURN_IF_ERROR(tails->status());
  const auto slots = store_.NewIterator(store::PrefixRange(KeyBuilder(Table::kLaneWindow).Build()));
  for (; slots->Valid(); slots->Next()) {
    const auto source = ParseLanePlace(slots->Key().substr(1));
    if (source && inbound_.contains(*source)) inbound_[*source].lane.LoadSlot(slots->Value());
  }
  return slots->status();
}

PartitionImpl::OutboundSlot& PartitionImpl::Outbound(const log::TopicPartition& to) {
  const auto found = outbound_.find(to);
  if (found != outbound_.end()) return found->second;
  const auto& durable = options_.durable_is_accepted;
  const bool durable_is_accepted =
      std::find(durable.begin(), durable.end(), to.topic) != durable.end();
  return outbound_
      .try_emplace(to, OutboundLane(options_.of, to, options_.owner, durable_is_accepted))
      .first->second;
}

// A log that was cut and has grown again holds other records from the cut on, so that what was
// folded last differs wherever below us the cut was.
Status PartitionImpl::VerifyWritten() {
  const log::Offset end = written_end_.position;
  HILO_ASSIGN_OR_RETURN(const log::Offset start, log_.StartOffset(options_.of));
  const auto usable = [&](const StateMark& mark) {
    return mark.position >= start && mark.position < end;
  };
  StateMark mark = written_begin_;
  for (auto older = marks_.rbegin(); older != marks_.rend() && !usable(mark); ++older)
    mark = *older;
  if (!usable(mark)) return OkStatus();  // trimmed up to here: nothing to compare
  Hash16 hash = ToHash(mark.record_hash);
  HILO_ASSIGN_OR_RETURN(const auto cursor, log_.OpenCursor(options_.of, mark.position));
  for (log::Offset at = mark.position; at < end;) {
    HILO_ASSIGN_OR_RETURN(const auto records,
                          cursor->Read(options_.max_batch_records, std::chrono::milliseconds(0)));
    if (records.empty())
      return Error(StatusCode::kDataLoss, "offset_lost", "the log ends before what is folded");
    for (const log::StoredRecord& record : records) {
      if (at++ < end) hash = RecordHash(hash, record);
    }
  }
  if (Bytes(hash) == written_end_.record_hash) return OkStatus();
  return Error(
      StatusCode::kDataLoss, "log_rewritten",
      "the log holds other records than those that were folded; restore a snapshot from below");
}

// A process that was started here before and got no further may have been ended by a record.
Status PartitionImpl::CountOpening() {
  HILO_ASSIGN_OR_RETURN(const uint32_t times, CountAttempt("opened", position_));
  if (times > kOpeningsTillCareful) {
    careful_until_ = position_ + static_cast<log::Offset>(options_.max_batch_records);
  }
  return OkStatus();
}

StatusOr<uint32_t> PartitionImpl::CountAttempt(std::string_view name, log::Offset offset) {
  const std::string key = KeyBuilder(Table::kLocal).Raw(name).Build();
  store::v1::AttemptRow row;
  HILO_ASSIGN_OR_RETURN(const auto bytes, store_.Get(key));
  if (bytes) HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &row));
  row.set_times(bytes && row.offset() == offset ? row.times() + 1 : 1);
  row.set_offset(offset);
  auto batch = store_.NewBatch();
  batch->Put(key, Encode(row));
  HILO_RETURN_IF_ERROR(store_.Write(std::move(batch)));
  return row.times();
}

// Before a record that may end the process. Each start by an operator gets as many tries again.
Status PartitionImpl::NoteTrying() {
  HILO_ASSIGN_OR_RETURN(const uint32_t times, CountAttempt("trying", position_));
  if (times % (kTriesOfARecord + 1) != 0 || options_.skipped.contains(position_)) return OkStatus();
  return Error(
      StatusCode::kFailedPrecondition, "record_crashes",
      "the process ended each time it folded the next record; start a program that is mended, or "
      "skip the record and start again");
}

}  // namespace hilo::fold
