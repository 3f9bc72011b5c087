#include <algorithm>
#include <limits>
#include <utility>

#include "ops/base/fault.h"
#include "ops/base/kill_point.h"
#include "streams/fold/partition_impl.h"

namespace hilo::fold {

void PartitionImpl::Send() {
  if (broken_) return;
  unsent_ = false;
  for (auto& [target, slot] : outbound_) {
    if (Status sent = slot.lane.Send(log_, store_); !sent.ok()) {
      broken_ = true;
      stopped_ = std::move(sent);
      Publish();
      return;
    }
    unsent_ = unsent_ || slot.lane.Unsent();
    if (fault::Enabled("progress_before_durable") && options_.owner) {
      progress_.Publish({options_.of, target}, {.epoch = slot.lane.epoch(),
                                                .sequence = slot.lane.sequence(),
                                                .chain = std::string(slot.lane.Chain())});
    }
  }
}

Status PartitionImpl::Trim(bool now) {
  if (broken_) return stopped_;
  auto batch = store_.NewBatch();
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
  for (auto& [target, slot] : outbound_) {
    bytes_before += slot.lane.outbox_bytes();
    const auto accepted =
        slot.lane.Empty() ? std::nullopt : progress_.Latest({options_.of, target});
    auto same = slot.lane.Trim(
        accepted, store_, now ? std::numeric_limits<size_t>::max() : OutboundLane::kMaxTrimmedRows,
        *batch);
    if (!same.ok()) {
      broken_ = true;
      return Stop(same.status());
    }
    slot.diverged = !*same;
    bytes_after += slot.lane.outbox_bytes();
    const bool durable = slot.lane.durable_is_accepted() || fault::Enabled("trim_when_durable");
    if (!durable || !options_.owner) continue;
    if (const auto trimmed = slot.lane.Trimmed())
      progress_.Publish({options_.of, target}, *trimmed);
  }
  if (bytes_after != bytes_before) {
    KillPoint("before_trim");
    if (Status written = store_.Write(std::move(batch)); !written.ok()) {
      broken_ = true;
      return Stop(std::move(written));
    }
  }
  WatchUnaccepted();
  if (options_.owner && (now || published_tick_ != clock_.Ticks())) PublishAccepted();
  Publish();
  return OkStatus();
}

void PartitionImpl::PublishAccepted() {
  KillPoint("before_progress");
  published_tick_ = clock_.Ticks();
  for (const auto& [source, slot] : inbound_) {
    progress_.Publish({source, options_.of}, {.epoch = slot.lane.epoch(),
                                              .sequence = slot.lane.sequence(),
                                              .chain = std::string(slot.lane.Chain())});
  }
}

// The last record of a quiet lane has no successor that would show its loss to the receiver; the
// sender sees it.
void PartitionImpl::WatchUnaccepted() {
  for (auto& [target, slot] : outbound_) {
    const uint64_t accepted = slot.lane.accepted();
    if (slot.lane.Acknowledged() <= accepted) {
      slot.waiting_since_tick = 0;
    } else if (slot.waiting_since_tick == 0 || slot.waiting_from != accepted) {
      slot.waiting_since_tick = clock_.Ticks() + 1;
      slot.waiting_from = accepted;
    }
  }
}

void PartitionImpl::Publish() {
  int64_t outbox_bytes = 0;
  bool outbox_empty = true;
  MutexLock lock(view_mutex_);
  view_.of = options_.of;
  view_.position = position_;
  view_.log_time = clock_.Now();
  view_.closed = clock_.Closed();
  view_.gap = clock_.Closed() ? clock_.Gap() : 0;
  view_.gap_silent = clock_.GapSilent();
  view_.record_hash.assign(Bytes(record_hash_));
  view_.state_digest = state_digest_;
  view_.ticks = clock_.Ticks();
  view_.last_tick = last_tick_;
  view_.foreign_ticks = foreign_ticks_;
  view_.mark = marks_.empty() ? StateMark() : marks_.back();
  view_.last_append_micros = last_append_micros_;
  view_.stopped_reason = Reason(stopped_);
  view_.lanes.resize(outbound_.size() + inbound_.size());
  auto lane = view_.lanes.begin();
  for (const auto& [target, slot] : outbound_) {
    outbox_bytes += slot.lane.outbox_bytes();
    outbox_empty = outbox_empty && slot.lane.Empty();
    LaneView& view = *lane++;
    view.lane.source = options_.of;
    view.lane.target = target;
    view.incoming = false;
    view.epoch = slot.lane.epoch();
    view.sequence = slot.lane.sequence();
    view.chain.assign(slot.lane.Chain());
    view.diverged = slot.diverged;
    view.hole_ticks = 0;
    view.unaccepted_ticks =
        slot.waiting_since_tick == 0 ? 0 : clock_.Ticks() + 1 - slot.waiting_since_tick;
  }
  for (const auto& [source, slot] : inbound_) {
    LaneView& view = *lane++;
    view.lane.source = source;
    view.lane.target = options_.of;
    view.incoming = true;
    view.epoch = slot.lane.epoch();
    view.sequence = slot.lane.sequence();
    view.chain.assign(slot.lane.Chain());
    view.diverged = slot.lane.diverged();
    view.hole_ticks = slot.lane.HoleTicks(clock_.Ticks());
    view.unaccepted_ticks = 0;
  }
  view_.outbox_bytes = outbox_bytes;
  outbox_bytes_ = outbox_bytes;
  outbox_empty_ = outbox_empty;
}

PartitionView PartitionImpl::View() const {
  const auto start = log_.StartOffset(options_.of);
  const auto end = log_.EndOffset(options_.of);
  MutexLock lock(view_mutex_);
  PartitionView view = view_;
  view.start = start.value_or(0);
  view.end = end.value_or(view.position);
  return view;
}

Standing PartitionImpl::Standing() const {
  const auto end = log_.EndOffset(options_.of);
  MutexLock lock(view_mutex_);
  return {options_.of, view_.position, end.value_or(view_.position), view_.log_time,
          view_.last_append_micros};
}

}  // namespace hilo::fold
