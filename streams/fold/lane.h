#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "state/types/hash.h"
#include "streams/fold/partition.h"

namespace hilo::fold {

// The chain before a lane's first record: 16 zero bytes. The chain of a record is Hash(chain before
// ‖ payload).
inline constexpr Hash16 kChainBegin{};

// Keys of a lane's rows, by the other end: length of the topic, topic, partition.
std::string LanePlace(const log::TopicPartition& other);
std::optional<log::TopicPartition> ParseLanePlace(std::string_view place);

// What a receiver does with a record of a lane.
enum class Verdict {
  kAccepted,    // exactly the next
  kDuplicate,   // accepted before, and the same
  kHole,        // something before it is missing; it comes again behind what is missing
  kOtherEpoch,  // of a history that was given up, or of one whose reset is not here yet
  kStopped,     // nothing on this lane until a LaneReset: the chains differ, now or before
};

// The receiving end of a lane: accepts exactly the next record of its epoch, recognises what came
// before, and stops when the sender's history is not the one it has seen.
//
// **Guarantees**: every sequence is accepted once, in order, whatever is lost, repeated, late or
// reordered on the way. Chains are compared for the next record and for duplicates within the last
// kWindow.
// **Threads**: thread-compatible. **Cost**: one hash of the payload; 16 KiB of memory.
class InboundLane {
 public:
  static constexpr uint64_t kWindow = 1'024;
  static constexpr uint64_t kSlot = 32;  // chains in one row of the window
  static constexpr uint64_t kFirstEpoch = 1;

  InboundLane() : chains_(kWindow) { row_.set_epoch(kFirstEpoch); }
  // From state: the head, then each slot of the window.
  Status Load(store::v1::LaneInRow row);
  void LoadSlot(std::string_view value);

  // `tick`: how many ticks the partition has folded.
  Verdict Offer(const store::v1::RecordHeader& header, std::string_view payload, uint64_t tick);
  // False when the lane is in this epoch or a later one already.
  bool Reset(const store::v1::LaneReset& reset);

  uint64_t sequence() const { return row_.sequence(); }
  uint32_t epoch() const { return row_.epoch(); }
  bool diverged() const { return row_.diverged(); }
  std::string_view Chain() const { return Bytes(head_); }
  // How many ticks a hole has been open; 0: none is.
  uint64_t HoleTicks(uint64_t tick) const;

  // The head, as its row is written; and the window's slots that changed since the last call.
  std::string HeadRow() const;
  void WriteWindow(std::string_view lane_place, store::Batch& batch);

 private:
  bool Known(uint64_t sequence) const {
    return sequence <= row_.sequence() && sequence >= row_.window_begin() &&
           sequence + kWindow > row_.sequence();
  }
  Hash16& ChainAt(uint64_t sequence) { return chains_[sequence % kWindow]; }
  void Keep(uint64_t sequence, const Hash16& chain);

  store::v1::LaneInRow row_;  // its chain is in head_
  Hash16 head_ = kChainBegin;
  std::vector<Hash16> chains_;   // of the last kWindow sequences
  uint64_t unwritten_from_ = 0;  // lowest sequence whose slot is not written
  bool window_changed_ = false;
};

}  // namespace hilo::fold
