#include <algorithm>
#include <utility>

#include "ops/base/fault.h"
#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "state/store/keys.h"
#include "streams/fold/digest.h"
#include "streams/fold/partition_impl.h"

namespace hilo::fold {
namespace {

using store::KeyBuilder;
using store::Table;

constexpr size_t kPersistentMarks = 8;
constexpr size_t kMarksInMemory = 64;
constexpr std::chrono::milliseconds kWaitWithUnsent{1};

void SetMark(const StateMark& mark, store::v1::MarkRow& row) {
  row.set_position(mark.position);
  row.set_record_hash(mark.record_hash);
  row.set_state_digest(mark.state_digest);
}

}  // namespace

Hash16 RecordHash(const Hash16& before, const log::StoredRecord& stored) {
  // Lengths keep apart what is joined; the append time is part of what a fold sees.
  const std::string head = KeyBuilder(Table::kMeta)
                               .Time(stored.append_time.time_since_epoch().count())
                               .U32(static_cast<uint32_t>(stored.record.key.size()))
                               .U32(static_cast<uint32_t>(stored.record.header.size()))
                               .Raw(stored.record.key)
                               .Raw(stored.record.header)
                               .Build();
  return RunningHash(before, std::string_view(head).substr(1), stored.record.payload);
}

PartitionImpl::PartitionImpl(Options options, log::Log& log, store::Store& store, Fold& fold,
                             Progress& progress, Listener& listener)
    : options_(std::move(options)),
      log_(log),
      store_(store),
      fold_(fold),
      progress_(progress),
      listener_(listener),
      staging_(store, options_.max_cached_bytes),
      timers_(staging_),
      context_(staging_, timers_, clock_) {
  if (options_.registry == nullptr) return;
  counters_ = {.registry = options_.registry,
               .duplicates = &options_.registry->Get(metric::kFoldLaneDuplicates),
               .out_of_order = &options_.registry->Get(metric::kFoldLaneOutOfOrder),
               .timers_fired = &options_.registry->Get(metric::kFoldTimersFired)};
}

PartitionImpl::~PartitionImpl() = default;

Status PartitionImpl::Stop(Status why) {
  stopped_ = std::move(why);
  Publish();
  return stopped_;
}

void PartitionImpl::Interrupt() { cursor_->Interrupt(); }

StatusOr<size_t> PartitionImpl::Step(std::chrono::milliseconds wait) {
  if (!stopped_.ok()) return stopped_;
  // Acknowledgements do not end a wait: with more to send it is a short one.
  if (unsent_) wait = std::min(wait, kWaitWithUnsent);
  auto records = Read(wait);
  if (!records.ok()) return Stop(records.status());
  if (records->empty()) return 0;
  if (position_ < careful_until_) {
    if (Status tried = NoteTrying(); !tried.ok()) return Stop(std::move(tried));
  }
  KillPoint("after_read");
  const log::Offset before = position_;
  if (Status folded = FoldBatch(*records); !folded.ok()) {
    broken_ = true;
    fold_.Forget();
    return Stop(std::move(folded));
  }
  TellListener();
  Publish();
  const auto count = static_cast<size_t>(position_ - before);
  if (count == 0 && !stopped_.ok()) return stopped_;
  return count;
}

// A hole or a damaged record is read once more from our own position before it is believed.
StatusOr<std::vector<log::StoredRecord>> PartitionImpl::Read(std::chrono::milliseconds wait) {
  while (true) {
    const size_t most = position_ < careful_until_ ? 1 : options_.max_batch_records;
    auto records = cursor_->Read(most, wait);
    const Status read = records.ok() ? CheckContiguous(*records) : records.status();
    if (read.ok()) {
      if (!records->empty()) reopened_ = false;
      return records;
    }
    if (reopened_ || (Reason(read) != "log_hole" && Reason(read) != "log_corrupt")) return read;
    reopened_ = true;
    HILO_ASSIGN_OR_RETURN(cursor_, log_.OpenCursor(options_.of, position_));
  }
}

Status PartitionImpl::CheckContiguous(std::vector<log::StoredRecord>& records) const {
  std::erase_if(records,
                [this](const log::StoredRecord& record) { return record.offset < position_; });
  log::Offset expected = position_;
  for (const log::StoredRecord& record : records) {
    if (record.offset != expected++) {
      return Error(StatusCode::kDataLoss, "log_hole", "an offset is missing in the log");
    }
  }
  return OkStatus();
}

Status PartitionImpl::FoldBatch(const std::vector<log::StoredRecord>& records) {
  const StateMark begin = {.position = position_,
                           .record_hash = std::string(Bytes(record_hash_)),
                           .state_digest = state_digest_};
  Decode(records);
  HILO_RETURN_IF_ERROR(Prefetch());
  for (const Decoded& decoded : batch_) {
    // What this program cannot fold stays for one that can; what came before it counts.
    if (Status stop = VersionStop(decoded); !stop.ok()) {
      stopped_ = std::move(stop);
      break;
    }
    record_hash_ = RecordHash(record_hash_, *decoded.stored);
    position_ = decoded.stored->offset + 1;
    last_append_micros_ = decoded.stored->append_time.time_since_epoch().count();
    HILO_RETURN_IF_ERROR(FoldOne(decoded));
  }
  return WriteBatch(begin);
}

void PartitionImpl::Decode(const std::vector<log::StoredRecord>& records) {
  batch_.clear();
  arena_.Reset();
  batch_.reserve(records.size());
  for (const log::StoredRecord& stored : records) {
    Decoded decoded{
        .stored = &stored,
        .header = google::protobuf::Arena::CreateMessage<store::v1::RecordHeader>(&arena_),
        .record = google::protobuf::Arena::CreateMessage<store::v1::Record>(&arena_)};
    const log::Record& record = stored.record;
    decoded.header_readable = decoded.header->ParseFromString(record.header);
    if (options_.skipped.contains(stored.offset)) {
      decoded.payload =
          Error(StatusCode::kInvalidArgument, "record_skipped",
                "an operator had it skipped, as it ended each process that folded it");
    } else if (record.payload.empty()) {
      decoded.payload = Error(StatusCode::kInvalidArgument, "null_record", "it has no payload");
    } else if (record.key.size() + record.header.size() + record.payload.size() >
               log::Log::kMaxRecordBytes) {
      decoded.payload = Error(StatusCode::kInvalidArgument, "record_too_large",
                              "it is larger than a record may be");
    } else {
      decoded.payload = fold::Decode(record.payload, decoded.record);
      if (decoded.payload.ok() && decoded.record->kind_case() == store::v1::Record::KIND_NOT_SET) {
        decoded.payload = Error(StatusCode::kInvalidArgument, "schema_unknown",
                                "its kind is unknown to this version");
      }
    }
    batch_.push_back(std::move(decoded));
  }
}

Status PartitionImpl::Prefetch() {
  std::vector<std::string> keys;
  for (const Decoded& decoded : batch_) {
    if (!decoded.header_readable || !decoded.payload.ok()) continue;
    fold_.Prefetch({.from = options_.of,
                    .offset = decoded.stored->offset,
                    .append_micros = decoded.stored->append_time.time_since_epoch().count(),
                    .header = *decoded.header,
                    .record = *decoded.record},
                   keys);
  }
  return keys.empty() ? OkStatus() : staging_.Preload(keys);
}

Status PartitionImpl::FoldOne(const Decoded& decoded) {
  if (clock_.Now().micros == 0) {
    clock_.Begin(last_append_micros_);
    clock_dirty_ = true;
  }
  if (!decoded.header_readable) {
    DeadLetter(
        decoded,
        Error(StatusCode::kInvalidArgument, "header_undecodable", "its header cannot be read"),
        decoded.stored->record.payload);
    return OkStatus();
  }
  if (!decoded.header->source_topic().empty()) {
    switch (OfferToLane(decoded)) {
      case Verdict::kAccepted:
        break;
      case Verdict::kDuplicate:
        if (counters_.duplicates != nullptr) counters_.duplicates->Increment();
        return OkStatus();
      case Verdict::kHole:
        if (counters_.out_of_order != nullptr) counters_.out_of_order->Increment();
        return OkStatus();
      case Verdict::kOtherEpoch:
      case Verdict::kStopped:
        return OkStatus();
    }
  }
  if (!decoded.payload.ok()) {
    DeadLetter(decoded, decoded.payload, decoded.stored->record.payload);
    return OkStatus();
  }
  return Dispatch(decoded);
}

// Lanes and the clock change with nearly every record or tick: their rows are made when somebody
// looks.
void PartitionImpl::StageRuntimeRows() {
  staging_.Begin();
  for (auto& [source, slot] : inbound_) {
    if (!std::exchange(slot.dirty, false)) continue;
    staging_.Put(KeyBuilder(Table::kLaneIn).Raw(LanePlace(source)).Build(), slot.lane.HeadRow());
  }
  for (auto& [target, slot] : outbound_) {
    if (!std::exchange(slot.dirty, false)) continue;
    staging_.Put(KeyBuilder(Table::kLaneOut).Raw(LanePlace(target)).Build(), slot.lane.HeadRow());
  }
  if (std::exchange(clock_dirty_, false)) {
    staging_.Put(KeyBuilder(Table::kClock).Build(), Encode(clock_.row()));
  }
  staging_.Commit();
}

void PartitionImpl::AddMark() {
  StageRuntimeRows();
  staged_marks_.push_back({staging_.Mark(), position_, std::string(Bytes(record_hash_))});
}

Status PartitionImpl::WriteBatch(const StateMark& begin) {
  AddMark();
  HILO_RETURN_IF_ERROR(staging_.Resolve());
  std::vector<StateMark> marks;
  for (StagedMark& staged : staged_marks_) {
    marks.push_back({.position = staged.position,
                     .record_hash = std::move(staged.record_hash),
                     .state_digest = state_digest_ + staging_.DigestChange(staged.staging_mark)});
  }
  staged_marks_.clear();
  state_digest_ = marks.back().state_digest;
  marks.pop_back();  // the batch's end, not a tick's
  HILO_RETURN_IF_ERROR(CheckClaims(marks));
  std::move(marks.begin(), marks.end(), std::back_inserter(marks_));
  while (marks_.size() > kMarksInMemory) marks_.pop_front();

  store::v1::PartitionRow row;
  row.set_position(position_);
  if (fault::Enabled("position_off_by_one")) row.set_position(position_ - 1);
  row.set_record_hash(Bytes(record_hash_).data(), record_hash_.size());
  row.set_state_digest(state_digest_);
  SetMark(begin, *row.mutable_batch_begin());
  for (size_t i = marks_.size() - std::min(marks_.size(), kPersistentMarks); i < marks_.size();
       ++i) {
    SetMark(marks_[i], *row.add_marks());
  }
  row.mutable_topics()->Assign(topics_.begin(), topics_.end());

  auto batch = store_.NewBatch();
  KillPoint("before_batch");
  staging_.WriteTo(*batch);
  batch->Put(KeyBuilder(Table::kMeta).Raw("position").Build(), Encode(row));
  for (auto& [source, slot] : inbound_) slot.lane.WriteWindow(LanePlace(source), *batch);
  if (fault::Enabled("outbox_not_in_batch")) {
    HILO_RETURN_IF_ERROR(store_.Write(std::move(batch)));
    batch = store_.NewBatch();
  }
  for (auto& [target, slot] : outbound_) slot.lane.WriteOutbox(*batch);
  HILO_RETURN_IF_ERROR(store_.Write(std::move(batch)));
  KillPoint("after_batch");
  staging_.Written();
  written_begin_ = begin;
  written_end_ = {.position = position_, .record_hash = std::string(Bytes(record_hash_))};
  for (auto& [target, slot] : outbound_) slot.lane.Written();
  return OkStatus();
}

// An owner says in each tick what it stood at behind its tick before. Whoever stood there too must
// have stood at the same.
Status PartitionImpl::CheckClaims(const std::vector<StateMark>& marks) {
  for (const StateMark& claim : claims_) {
    const auto at = [&](const StateMark& mark) { return mark.position == claim.position; };
    const StateMark* mine = nullptr;
    if (const auto found = std::find_if(marks.begin(), marks.end(), at); found != marks.end()) {
      mine = &*found;
    }
    if (const auto found = std::find_if(marks_.begin(), marks_.end(), at); found != marks_.end()) {
      mine = &*found;
    }
    const log::Offset oldest = !marks_.empty()  ? marks_.front().position
                               : !marks.empty() ? marks.front().position
                                                : position_;
    if (mine == nullptr && claim.position < oldest) continue;  // before what we remember
    if (mine == nullptr || mine->record_hash != claim.record_hash) {
      // One of us folded another history. When ours is the log's, the tick is of an owner who has
      // not noticed yet.
      HILO_RETURN_IF_ERROR(VerifyWritten());
      ++foreign_ticks_;
      continue;
    }
    if (mine->state_digest != claim.state_digest) {
      return Error(StatusCode::kDataLoss, "state_diverged",
                   "a tick's owner came to another state from the same records; rebuild this one "
                   "from a snapshot");
    }
  }
  return OkStatus();
}

void PartitionImpl::TellListener() {
  claims_.clear();
  for (const ApplyContext::Answered& answered : context_.TakeAnswers()) {
    listener_.OnAnswer(answered.caller, answered.request, answered.answer);
  }
  for (const Notice& notice : context_.TakeNotices()) listener_.OnNotice(options_.of, notice);
  listener_.OnFolded(options_.of, position_);
}

}  // namespace hilo::fold
