#include "streams/fold/lane.h"

#include <algorithm>
#include <cstring>

#include "ops/base/fault.h"
#include "state/store/keys.h"
#include "streams/fold/fold.h"

namespace hilo::fold {
namespace {

using store::KeyBuilder;
using store::Table;

constexpr uint64_t kSlotsInRing = InboundLane::kWindow / InboundLane::kSlot + 1;

Hash16 ToHash(std::string_view bytes) {
  Hash16 hash{};
  std::memcpy(hash.data(), bytes.data(), std::min(bytes.size(), hash.size()));
  return hash;
}

}  // namespace

std::string LanePlace(const log::TopicPartition& other) {
  std::string place;
  place += static_cast<char>(other.topic.size());
  place += other.topic;
  for (int shift = 24; shift >= 0; shift -= 8) place += static_cast<char>(other.partition >> shift);
  return place;
}

std::optional<log::TopicPartition> ParseLanePlace(std::string_view place) {
  if (place.empty()) return std::nullopt;
  const size_t length = static_cast<uint8_t>(place[0]);
  if (place.size() < 1 + length + 4) return std::nullopt;
  log::TopicPartition other{.topic = std::string(place.substr(1, length))};
  for (size_t i = 0; i < 4; ++i)
    other.partition = other.partition << 8 | static_cast<uint8_t>(place[1 + length + i]);
  return other;
}

Status InboundLane::Load(store::v1::LaneInRow row) {
  if (row.chain().size() != head_.size()) {
    return Error(StatusCode::kDataLoss, "state_corrupt", "a lane's chain has not 16 bytes");
  }
  head_ = ToHash(row.chain());
  row_ = std::move(row);
  row_.clear_chain();
  if (Known(row_.sequence())) ChainAt(row_.sequence()) = head_;
  unwritten_from_ = row_.sequence() + 1;
  return OkStatus();
}

void InboundLane::LoadSlot(std::string_view value) {
  if (value.size() < 8) return;
  uint64_t sequence = 0;
  for (size_t i = 0; i < 8; ++i) sequence = sequence << 8 | static_cast<uint8_t>(value[i]);
  sequence *= kSlot;
  for (value.remove_prefix(8); value.size() >= head_.size();
       value.remove_prefix(head_.size()), ++sequence) {
    if (Known(sequence)) ChainAt(sequence) = ToHash(value);
  }
}

Verdict InboundLane::Offer(const store::v1::RecordHeader& header, std::string_view payload,
                           uint64_t tick) {
  if (row_.diverged()) return Verdict::kStopped;
  if (header.epoch() != row_.epoch() && !fault::Enabled("epoch_ignored"))
    return Verdict::kOtherEpoch;
  const uint64_t sequence = header.sequence();
  const bool compare = !fault::Enabled("chain_not_compared");
  if (sequence <= row_.sequence() && !(fault::Enabled("duplicate_accepted") && sequence > 0)) {
    if (compare && sequence > 0 && Known(sequence) && Bytes(ChainAt(sequence)) != header.chain()) {
      row_.set_diverged(true);
      return Verdict::kStopped;
    }
    return Verdict::kDuplicate;
  }
  if (sequence > row_.sequence() + 1 && !fault::Enabled("gap_accepted")) {
    if (row_.hole_since_tick() == 0) row_.set_hole_since_tick(tick + 1);
    return Verdict::kHole;
  }
  const Hash16 chain = Hash(Bytes(head_), payload);
  if (compare && sequence == row_.sequence() + 1 && Bytes(chain) != header.chain()) {
    row_.set_diverged(true);
    return Verdict::kStopped;
  }
  row_.clear_hole_since_tick();
  Keep(std::max(sequence, row_.sequence()), chain);
  return Verdict::kAccepted;
}

void InboundLane::Keep(uint64_t sequence, const Hash16& chain) {
  row_.set_sequence(sequence);
  head_ = chain;
  ChainAt(sequence) = chain;
  unwritten_from_ = window_changed_ ? std::min(unwritten_from_, sequence) : sequence;
  window_changed_ = true;
}

bool InboundLane::Reset(const store::v1::LaneReset& reset) {
  if (reset.epoch() <= row_.epoch()) return false;
  row_.Clear();
  row_.set_epoch(reset.epoch());
  row_.set_window_begin(reset.from());
  Keep(reset.from(), ToHash(reset.chain()));
  return true;
}

uint64_t InboundLane::HoleTicks(uint64_t tick) const {
  return row_.hole_since_tick() == 0 ? 0 : tick + 1 - row_.hole_since_tick();
}

std::string InboundLane::HeadRow() const {
  store::v1::LaneInRow row = row_;
  row.set_chain(head_.data(), head_.size());
  return Encode(row);
}

void InboundLane::WriteWindow(std::string_view lane_place, store::Batch& batch) {
  if (!window_changed_) return;
  window_changed_ = false;
  // Slots below the window have nothing that is still known.
  const uint64_t lowest = row_.sequence() >= kWindow ? row_.sequence() - kWindow + 1 : 0;
  for (uint64_t slot = std::max(unwritten_from_, lowest) / kSlot; slot <= row_.sequence() / kSlot;
       ++slot) {
    std::string value = KeyBuilder(Table::kLaneWindow).U64(slot).Build().substr(1);
    const uint64_t end = std::min((slot + 1) * kSlot, row_.sequence() + 1);
    for (uint64_t sequence = slot * kSlot; sequence < end; ++sequence)
      value += Bytes(ChainAt(sequence));
    batch.Put(KeyBuilder(Table::kLaneWindow)
                  .Raw(lane_place)
                  .U8(static_cast<uint8_t>(slot % kSlotsInRing))
                  .Build(),
              value);
  }
  unwritten_from_ = row_.sequence() + 1;
}

}  // namespace hilo::fold
