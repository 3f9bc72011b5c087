#include "streams/fold/outbox.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ops/base/check.h"
#include "ops/base/fault.h"
#include "ops/base/kill_point.h"
#include "state/store/keys.h"
#include "streams/fold/fold.h"

namespace hilo::fold {
namespace {

using store::KeyBuilder;
using store::Table;

Status Corrupt(std::string_view what) {
  return Error(StatusCode::kDataLoss, "state_corrupt", what);
}

}  // namespace

OutboundLane::OutboundLane(log::TopicPartition source, log::TopicPartition target, bool owner,
                           bool durable_is_accepted)
    : source_(std::move(source)),
      target_(std::move(target)),
      place_(LanePlace(target_)),
      owner_(owner),
      durable_is_accepted_(durable_is_accepted),
      attempt_(std::make_shared<Attempt>()) {}

std::string OutboundLane::RowKey(uint64_t first) const {
  return KeyBuilder(Table::kOutbox).Raw(place_).U64(first).Build();
}

Status OutboundLane::Load(std::string_view head_row) {
  store::v1::LaneOutRow row;
  HILO_RETURN_IF_ERROR(Decode(head_row, &row));
  if (row.chain().size() != chain_.size()) return Corrupt("a lane's chain has not 16 bytes");
  epoch_ = row.epoch();
  sequence_ = written_ = row.sequence();
  std::memcpy(chain_.data(), row.chain().data(), chain_.size());
  written_chain_ = chain_;
  return OkStatus();
}

Status OutboundLane::LoadOutbox(const store::Store& store) {
  const std::string prefix = KeyBuilder(Table::kOutbox).Raw(place_).Build();
  const auto rows = store.NewIterator(store::PrefixRange(prefix));
  store::v1::OutboxRow row;
  for (; rows->Valid(); rows->Next()) {
    std::string_view rest = rows->Key().substr(prefix.size());
    if (rest.size() != 8) return Corrupt("a key of the outbox is not of its form");
    HILO_RETURN_IF_ERROR(Decode(rows->Value(), &row));
    uint64_t first = 0;
    for (char byte : rest) first = first << 8 | static_cast<uint8_t>(byte);
    rows_.push_back({first, static_cast<uint32_t>(row.records_size()),
                     static_cast<uint32_t>(rows->Value().size())});
    outbox_bytes_ += rows_.back().bytes;
  }
  HILO_RETURN_IF_ERROR(rows->status());
  accepted_ = rows_.empty() ? written_ : rows_.front().first - 1;
  BeginAttempt(accepted_);
  return OkStatus();
}

void OutboundLane::Emit(store::v1::RecordHeader& header, std::string payload) {
  const Hash16 chain = Hash(Bytes(chain_), payload);
  header.set_source_topic(source_.topic);
  header.set_source_partition(source_.partition);
  header.set_epoch(epoch_);
  header.set_sequence(sequence_ + 1);
  header.set_chain(chain.data(), chain.size());
  if (staged_.empty() || staged_.back().bytes >= kMaxRowBytes ||
      staged_.back().row.epoch() != epoch_) {
    staged_.push_back({.first = sequence_ + 1});
    staged_.back().row.set_epoch(epoch_);
  }
  store::v1::OutboxRecordRow& record = *staged_.back().row.add_records();
  header.SerializeToString(record.mutable_header());
  staged_.back().bytes += record.header().size() + payload.size();
  record.set_payload(std::move(payload));
  ++sequence_;
  chain_ = chain;
}

bool OutboundLane::Reset(const store::v1::LaneReset& reset) {
  if (reset.epoch() <= epoch_) return false;
  epoch_ = reset.epoch();
  reset_to_ = reset.from();
  return true;
}

std::string OutboundLane::HeadRow() const {
  store::v1::LaneOutRow row;
  row.set_epoch(epoch_);
  row.set_sequence(sequence_);
  row.set_chain(chain_.data(), chain_.size());
  return Encode(row);
}

void OutboundLane::WriteOutbox(store::Batch& batch) {
  for (StagedRow& staged : staged_) {
    const std::string bytes = Encode(staged.row);
    staged.bytes = bytes.size();
    if (fault::Enabled("owner_only_outbox") && !owner_) continue;
    batch.Put(RowKey(staged.first), bytes);
  }
}

void OutboundLane::Written() {
  for (StagedRow& staged : staged_) {
    if (fault::Enabled("owner_only_outbox") && !owner_) continue;
    const auto count = static_cast<uint32_t>(staged.row.records_size());
    rows_.push_back({staged.first, count, static_cast<uint32_t>(staged.bytes)});
    outbox_bytes_ += rows_.back().bytes;
    const bool follows = sent_ + ready_.size() + 1 == staged.first && !reset_to_;
    if (!owner_ || !follows || ready_bytes_ + staged.bytes > kMaxReadyBytes) continue;
    for (store::v1::OutboxRecordRow& record : *staged.row.mutable_records()) {
      ready_bytes_ += record.header().size() + record.payload().size();
      ready_.push_back({.header = std::move(*record.mutable_header()),
                        .payload = std::move(*record.mutable_payload())});
    }
  }
  staged_.clear();
  written_ = sequence_;
  written_chain_ = chain_;
  if (!reset_to_) return;
  // What is above it is sent again, in the new epoch; what the outbox no longer has cannot be.
  accepted_ = rows_.empty() ? written_ : std::max(*reset_to_, rows_.front().first - 1);
  reset_to_.reset();
  verified_ = 0;
  BeginAttempt(accepted_);
}

void OutboundLane::BeginAttempt(uint64_t from) {
  attempt_ = std::make_shared<Attempt>();
  MutexLock lock(attempt_->mutex);
  attempt_->acknowledged = from;
  sent_ = from;
  ready_.clear();
  ready_bytes_ = 0;
}

uint64_t OutboundLane::Acknowledged() const {
  MutexLock lock(attempt_->mutex);
  return attempt_->acknowledged;
}

bool OutboundLane::Unsent() const {
  if (!owner_ || sent_ >= written_) return false;
  MutexLock lock(attempt_->mutex);
  return !attempt_->failed;
}

Status OutboundLane::Send(log::Log& log, const store::Store& store) {
  if (!owner_) return OkStatus();
  {
    const std::shared_ptr<Attempt> attempt = attempt_;
    MutexLock lock(attempt->mutex);
    // With nothing in flight and something not acknowledged, an acknowledgement came out of order.
    if (attempt->failed || (attempt->in_flight == 0 && attempt->acknowledged < sent_)) {
      const uint64_t from = attempt->acknowledged;
      attempt->failed = true;
      BeginAttempt(from);
    }
  }
  if (sent_ < accepted_) BeginAttempt(accepted_);  // another owner has sent it
  while (sent_ < written_) {
    {
      MutexLock lock(attempt_->mutex);
      if (attempt_->failed || attempt_->in_flight >= kMaxInFlight) break;
    }
    if (ready_.empty()) HILO_RETURN_IF_ERROR(FillReady(sent_ + 1, store));
    size_t records = 0;
    for (size_t bytes = 0; records < ready_.size() && records < kMaxAppendRecords; ++records) {
      bytes += ready_[records].header.size() + ready_[records].payload.size();
      if (records > 0 && bytes > kMaxAppendBytes) break;
    }
    AppendReady(log, records);
  }
  return OkStatus();
}

void OutboundLane::AppendReady(log::Log& log, size_t records) {
  std::vector<log::Record> appended;
  appended.reserve(records);
  for (size_t i = 0; i < records; ++i) {
    ready_bytes_ -= ready_.front().header.size() + ready_.front().payload.size();
    appended.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  const uint64_t first = sent_ + 1;
  sent_ += records;
  {
    MutexLock lock(attempt_->mutex);
    attempt_->in_flight += records;
  }
  auto done = [attempt = attempt_, first, records](const StatusOr<log::Offset>& appended_at) {
    KillPoint("before_report");
    MutexLock lock(attempt->mutex);
    attempt->in_flight -= records;
    if (appended_at.ok() && !attempt->failed && first == attempt->acknowledged + 1) {
      attempt->acknowledged += records;
    } else {
      attempt->failed = true;
    }
  };
  if (fault::Enabled("lost_lane_tail") && sent_ == written_) {
    appended.pop_back();
    if (appended.empty()) return done(0);
  }
  log.Append(target_, std::move(appended), std::move(done));
  KillPoint("after_send");
}

const OutboundLane::RowRef* OutboundLane::RowWith(uint64_t sequence) const {
  const auto after =
      std::upper_bound(rows_.begin(), rows_.end(), sequence,
                       [](uint64_t value, const RowRef& row) { return value < row.first; });
  if (after == rows_.begin()) return nullptr;
  const RowRef& row = *std::prev(after);
  return sequence < row.end() ? &row : nullptr;
}

StatusOr<store::v1::OutboxRow> OutboundLane::ReadRow(const RowRef& row,
                                                     const store::Store& store) const {
  HILO_ASSIGN_OR_RETURN(const auto bytes, store.Get(RowKey(row.first)));
  if (!bytes) return Corrupt("a row of the outbox is missing");
  store::v1::OutboxRow outbox;
  HILO_RETURN_IF_ERROR(Decode(*bytes, &outbox));
  return outbox;
}

Status OutboundLane::FillReady(uint64_t next, const store::Store& store) {
  const RowRef* row = RowWith(next);
  if (row == nullptr) return Corrupt("the outbox has a hole");
  HILO_ASSIGN_OR_RETURN(auto outbox, ReadRow(*row, store));
  for (auto i = static_cast<int>(next - row->first); i < outbox.records_size(); ++i) {
    store::v1::OutboxRecordRow& record = *outbox.mutable_records(i);
    if (outbox.epoch() != epoch_) {
      store::v1::RecordHeader header;
      if (!header.ParseFromString(record.header()))
        return Corrupt("a header in the outbox cannot be read");
      header.set_epoch(epoch_);
      header.SerializeToString(record.mutable_header());
    }
    if (fault::Enabled("same_sequence_other_bytes") && record.payload().size() > 1)
      record.mutable_payload()->back() ^= 1;
    ready_bytes_ += record.header().size() + record.payload().size();
    ready_.push_back({.header = std::move(*record.mutable_header()),
                      .payload = std::move(*record.mutable_payload())});
  }
  return OkStatus();
}

StatusOr<std::string> OutboundLane::ChainAt(uint64_t sequence, const store::Store& store) const {
  if (sequence == written_) return std::string(Bytes(written_chain_));
  const RowRef* row = RowWith(sequence);
  if (row == nullptr) return Corrupt("the outbox has a hole");
  HILO_ASSIGN_OR_RETURN(const auto outbox, ReadRow(*row, store));
  store::v1::RecordHeader header;
  if (!header.ParseFromString(outbox.records(static_cast<int>(sequence - row->first)).header())) {
    return Corrupt("a header in the outbox cannot be read");
  }
  return header.chain();
}

StatusOr<bool> OutboundLane::Trim(const std::optional<Accepted>& published,
                                  const store::Store& store, size_t max_rows, store::Batch& batch) {
  const bool by_durability =
      (durable_is_accepted_ || fault::Enabled("trim_when_durable")) && owner_;
  // Of an epoch that was given up it says nothing about what the target has now.
  if (!by_durability && (!published || published->epoch < epoch_)) return true;
  const uint64_t upto = by_durability ? Acknowledged() : published->sequence;
  // Beyond what we have emitted: we stand behind, and look again when we are there.
  if (rows_.empty() || upto < rows_.front().first || upto > written_) return true;
  if (upto > verified_) {
    HILO_ASSIGN_OR_RETURN(std::string chain, ChainAt(upto, store));
    if (!by_durability && chain != published->chain && !fault::Enabled("trim_without_chain"))
      return false;
    verified_ = upto;
    accepted_ = std::max(accepted_, upto);
    accepted_chain_ = std::move(chain);
  }
  // What an earlier call has compared and left goes now.
  for (size_t n = 0; n < max_rows && !rows_.empty() && rows_.front().end() - 1 <= verified_; ++n) {
    batch.Delete(RowKey(rows_.front().first));
    outbox_bytes_ -= rows_.front().bytes;
    rows_.pop_front();
  }
  return true;
}

}  // namespace hilo::fold
