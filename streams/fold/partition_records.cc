#include <algorithm>
#include <utility>

#include "ops/base/check.h"
#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "streams/fold/partition_impl.h"

namespace hilo::fold {
namespace {

// Lanes that come in: topics times partitions are far fewer.
constexpr size_t kMaxInboundLanes = 4'096;
constexpr uint32_t kDefaultTimersPerTick = 1'000;
// Of timers that are due, those that their catch-up policy skips cost a look each.
constexpr uint32_t kSkippedPerFired = 10;
// Header, position and reason of a dead letter, beside what it quotes.
constexpr size_t kDeadLetterReserve = 4'096;

}  // namespace

Verdict PartitionImpl::OfferToLane(const Decoded& decoded) {
  log::TopicPartition source{decoded.header->source_topic(), decoded.header->source_partition()};
  auto found = inbound_.find(source);
  if (found == inbound_.end()) {
    if (inbound_.size() >= kMaxInboundLanes) return Verdict::kStopped;
    found = inbound_.try_emplace(std::move(source)).first;
  }
  // A duplicate may have found that the chains differ, and a hole is noted: both are state.
  found->second.dirty = true;
  return found->second.lane.Offer(*decoded.header, decoded.stored->record.payload, clock_.Ticks());
}

Status PartitionImpl::VersionStop(const Decoded& decoded) const {
  const uint32_t newest = options_.newest_version;
  const bool by_header = decoded.header_readable && decoded.header->fold_version() > newest;
  const bool by_record = decoded.payload.ok() && decoded.record->has_activate_version() &&
                         decoded.record->activate_version().version() > newest;
  if (!by_header && !by_record) return OkStatus();
  return Error(StatusCode::kFailedPrecondition, "version_too_new",
               "the next record needs a newer program; start that one, it goes on from here");
}

Status PartitionImpl::Dispatch(const Decoded& decoded) {
  switch (decoded.record->kind_case()) {
    case store::v1::Record::kTick:
      return ApplyTick(decoded);
    case store::v1::Record::kAcceptTime:
      return ApplyAcceptTime(decoded);
    case store::v1::Record::kLaneReset:
      return ApplyLaneReset(decoded);
    case store::v1::Record::kActivateVersion: {
      store::v1::ClockRow& row = clock_.row();
      row.set_fold_version(
          std::max(row.fold_version(), decoded.record->activate_version().version()));
      clock_dirty_ = true;
      return OkStatus();
    }
    case store::v1::Record::kParameters: {
      store::v1::Parameters& parameters = *clock_.row().mutable_parameters();
      // Of proto3's merge exactly what we promise: 0 keeps what is in force.
      parameters.MergeFrom(decoded.record->parameters());
      clock_dirty_ = true;
      return OkStatus();
    }
    case store::v1::Record::kDeadLetter:
      DeadLetter(
          decoded,
          Error(StatusCode::kInvalidArgument, "unexpected_record", "dead letters are not folded"),
          decoded.stored->record.payload);
      return OkStatus();
    default:
      return ApplyFold(decoded);
  }
}

Status PartitionImpl::ApplyTick(const Decoded& decoded) {
  const store::v1::Tick& tick = decoded.record->tick();
  if (!clock_.OnTick(tick, decoded.stored->offset, last_append_micros_)) return OkStatus();
  clock_dirty_ = true;
  last_tick_ = {.incarnation = tick.incarnation(),
                .count = tick.count(),
                .wall_micros = tick.wall_micros(),
                .append_micros = last_append_micros_};
  if (tick.position() > 0) {
    claims_.push_back({.position = tick.position(),
                       .record_hash = tick.record_hash(),
                       .state_digest = tick.state_digest()});
  }
  HILO_RETURN_IF_ERROR(FireDue(decoded));
  context_.Begin(decoded.header->hops());
  HILO_RETURN_IF_ERROR(Settle(decoded, fold_.Ticked(context_), {}));
  AddMark();
  return OkStatus();
}

Status PartitionImpl::ApplyAcceptTime(const Decoded& decoded) {
  if (!clock_.OnAcceptTime(decoded.record->accept_time())) return OkStatus();
  clock_dirty_ = true;
  return FireDue(decoded);
}

Status PartitionImpl::ApplyLaneReset(const Decoded& decoded) {
  const store::v1::LaneReset& reset = decoded.record->lane_reset();
  const log::TopicPartition source{reset.source_topic(), reset.source_partition()};
  const log::TopicPartition target{reset.target_topic(), reset.target_partition()};
  const auto outbound = outbound_.find(target);
  const bool to_us = target == options_.of;
  const bool from_us = source == options_.of && outbound != outbound_.end();
  if ((!to_us && !from_us) || reset.chain().size() != kChainBegin.size()) {
    DeadLetter(
        decoded,
        Error(StatusCode::kInvalidArgument, "lane_unknown", "it resets no lane of this partition"),
        decoded.stored->record.payload);
    return OkStatus();
  }
  if (to_us) {
    InboundSlot& slot = inbound_[source];
    slot.dirty = slot.lane.Reset(reset) || slot.dirty;
  }
  if (from_us)
    outbound->second.dirty = outbound->second.lane.Reset(reset) || outbound->second.dirty;
  return OkStatus();
}

Status PartitionImpl::ApplyFold(const Decoded& decoded) {
  context_.Begin(decoded.header->hops());
  KillPoint("before_apply");
  const Outcome outcome = fold_.Apply({.from = options_.of,
                                       .offset = decoded.stored->offset,
                                       .append_micros = last_append_micros_,
                                       .header = *decoded.header,
                                       .record = *decoded.record},
                                      context_);
  return Settle(decoded, outcome, decoded.stored->record.payload);
}

Status PartitionImpl::FireDue(const Decoded& decoded) {
  const uint32_t parameter = clock_.row().parameters().timers_per_tick();
  const uint32_t limit = parameter == 0 ? kDefaultTimersPerTick : parameter;
  uint32_t fired = 0;
  for (uint32_t looked_at = 0; fired < limit && looked_at < kSkippedPerFired * limit; ++looked_at) {
    if (clock_.Closed()) break;
    HILO_ASSIGN_OR_RETURN(const auto timer, timers_.Lowest(clock_.Now()));
    if (!timer) break;
    bool this_one = false;
    HILO_RETURN_IF_ERROR(FireOne(decoded, *timer, &this_one));
    fired += this_one ? 1 : 0;
  }
  if (counters_.timers_fired != nullptr) counters_.timers_fired->Increment(fired);
  return OkStatus();
}

Status PartitionImpl::FireOne(const Decoded& decoded, const Timer& timer, bool* fired) {
  // The timer goes, or moves to its next turn, even if the fold then refuses what it does.
  const Occurrence occurrence = clock_.Resolve(timer);
  context_.Begin(decoded.header->hops());
  context_.RemoveTimer(timer);
  if (occurrence.again) {
    Timer next = timer;
    next.due = *occurrence.again;
    context_.SetTimer(next);
  }
  HILO_RETURN_IF_ERROR(Settle(decoded, Outcome::Ok(), {}));
  *fired = occurrence.fires;
  if (!occurrence.fires) return OkStatus();
  Timer due = timer;
  due.due = occurrence.due;
  context_.Begin(decoded.header->hops());
  return Settle(decoded, fold_.Fire(due, context_), timer.payload);
}

Status PartitionImpl::Settle(const Decoded& decoded, const Outcome& said,
                             std::string_view payload) {
  const Outcome outcome = context_.Judge(said);
  kept_ = outcome.ok();
  if (kept_) {
    for (ApplyContext::Emission& emission : context_.Commit()) {
      EmitOn(decoded, emission.to, std::move(emission.payload));
    }
    return OkStatus();
  }
  context_.Rollback();
  // The fold took the record for applied; what it remembers of it is not so.
  if (said.ok()) fold_.Forget();
  if (!outcome.refused()) return outcome.status();
  DeadLetter(decoded, outcome.status(), payload);
  return OkStatus();
}

void PartitionImpl::DeadLetter(const Decoded& decoded, const Status& why,
                               std::string_view payload) {
  store::v1::Record record;
  store::v1::DeadLetter& letter = *record.mutable_dead_letter();
  letter.mutable_position()->set_topic(options_.of.topic);
  letter.mutable_position()->set_partition(options_.of.partition);
  letter.mutable_position()->set_offset(decoded.stored->offset);
  letter.set_append_micros(last_append_micros_);
  letter.set_reason(Reason(why));
  letter.set_message(std::string(why.message()));
  letter.set_fold_version(clock_.row().fold_version());
  // What no log takes a second time is found at its position.
  const std::string& header = decoded.stored->record.header;
  if (header.size() + payload.size() + kDeadLetterReserve <= log::Log::kMaxRecordBytes) {
    letter.set_header(header);
    letter.set_payload(payload.data(), payload.size());
  }
  if (counters_.registry != nullptr) {
    counters_.registry->Get(metric::kFoldDeadLetters, {letter.reason()}).Increment();
  }
  EmitOn(decoded, {.topic = "dead-letters"}, Encode(record));
}

void PartitionImpl::EmitOn(const Decoded& decoded, const log::TopicPartition& to,
                           std::string payload) {
  const auto found = outbound_.find(to);
  HILO_CHECK(found != outbound_.end(), "a fold emits to the targets of its Options only");
  store::v1::RecordHeader header;
  header.set_fold_version(clock_.row().fold_version());
  header.set_hops(decoded.header->hops() + 1);
  header.mutable_cause()->set_topic(options_.of.topic);
  header.mutable_cause()->set_partition(options_.of.partition);
  header.mutable_cause()->set_offset(decoded.stored->offset);
  found->second.lane.Emit(header, std::move(payload));
  found->second.dirty = true;
}

}  // namespace hilo::fold
