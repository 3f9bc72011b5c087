#include "streams/fold/lane.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "state/store/keys.h"
#include "state/store/map_store.h"
#include "streams/fold/fold.h"

namespace hilo::fold {
namespace {

// A sender's history: what it would put on the wire.
class History {
 public:
  struct Sent {
    store::v1::RecordHeader header;
    std::string payload;
  };
  explicit History(uint32_t epoch = 1) : epoch_(epoch) {}

  const Sent& Add(std::string payload) {
    chain_ = Hash(Bytes(chain_), payload);
    Sent& sent = sent_.emplace_back();
    sent.header.set_epoch(epoch_);
    sent.header.set_sequence(sent_.size());
    sent.header.set_chain(chain_.data(), chain_.size());
    sent.payload = std::move(payload);
    return sent;
  }
  const Sent& operator[](uint64_t sequence) const { return sent_[sequence - 1]; }

 private:
  uint32_t epoch_;
  Hash16 chain_ = kChainBegin;
  std::vector<Sent> sent_;
};

Verdict Offer(InboundLane& lane, const History::Sent& sent, uint64_t tick = 0) {
  return lane.Offer(sent.header, sent.payload, tick);
}

History Letters(int count) {
  History history;
  for (int i = 0; i < count; ++i) history.Add("payload " + std::to_string(i));
  return history;
}

TEST(InboundLane, AcceptsExactlyTheNext) {
  const History history = Letters(5);
  InboundLane lane;

  EXPECT_EQ(Offer(lane, history[1]), Verdict::kAccepted);
  EXPECT_EQ(Offer(lane, history[3]), Verdict::kHole);
  EXPECT_EQ(Offer(lane, history[1]), Verdict::kDuplicate);
  EXPECT_EQ(Offer(lane, history[2]), Verdict::kAccepted);
  EXPECT_EQ(Offer(lane, history[3]), Verdict::kAccepted);
  EXPECT_EQ(lane.sequence(), 3u);
  EXPECT_EQ(lane.Chain(), history[3].header.chain());
}

TEST(InboundLane, WaitsForAHoleWithoutStopping) {
  const History history = Letters(4);
  InboundLane lane;
  Offer(lane, history[1], 10);
  Offer(lane, history[3], 10);

  EXPECT_EQ(lane.HoleTicks(10), 0u);
  EXPECT_EQ(lane.HoleTicks(75), 65u);

  EXPECT_EQ(Offer(lane, history[2], 80), Verdict::kAccepted);
  EXPECT_EQ(lane.HoleTicks(90), 0u);
}

TEST(InboundLane, StopsWhenTheNextHasAnotherChain) {
  History history = Letters(1);
  InboundLane lane;
  Offer(lane, history[1]);
  History other = Letters(1);
  other.Add("another payload");
  History::Sent forged = other[2];
  forged.payload = "changed on the way";

  EXPECT_EQ(Offer(lane, forged), Verdict::kStopped);
  EXPECT_TRUE(lane.diverged());
  EXPECT_EQ(Offer(lane, other[2]), Verdict::kStopped) << "only a reset continues it";
}

TEST(InboundLane, StopsWhenADuplicateHasOtherBytes) {
  const History history = Letters(3);
  InboundLane lane;
  for (uint64_t i = 1; i <= 3; ++i) Offer(lane, history[i]);
  History rewritten = Letters(1);
  rewritten.Add("what the log grew again with");

  EXPECT_EQ(Offer(lane, rewritten[1]), Verdict::kDuplicate);
  EXPECT_EQ(Offer(lane, rewritten[2]), Verdict::kStopped);
}

TEST(InboundLane, ForgetsChainsBelowItsWindow) {
  constexpr int kCount = static_cast<int>(InboundLane::kWindow) + 10;
  const History history = Letters(kCount);
  InboundLane lane;
  for (uint64_t i = 1; i <= kCount; ++i) ASSERT_EQ(Offer(lane, history[i]), Verdict::kAccepted);
  History::Sent old = history[10];
  old.header.set_chain(std::string(16, 'x'));
  History::Sent kept = history[11];
  kept.header.set_chain(std::string(16, 'x'));

  EXPECT_EQ(Offer(lane, old), Verdict::kDuplicate);
  EXPECT_EQ(Offer(lane, kept), Verdict::kStopped);
}

TEST(InboundLane, DropsOtherEpochs) {
  History before = Letters(2);
  History after(2);
  after.Add("payload 0");
  InboundLane lane;
  Offer(lane, before[1]);

  EXPECT_EQ(Offer(lane, after[1]), Verdict::kOtherEpoch);
  EXPECT_EQ(Offer(lane, before[2]), Verdict::kAccepted);
}

store::v1::LaneReset Reset(uint32_t epoch, uint64_t from, const std::string& chain) {
  store::v1::LaneReset reset;
  reset.set_epoch(epoch);
  reset.set_from(from);
  reset.set_chain(chain);
  return reset;
}

TEST(InboundLane, ResetContinuesInTheNewEpochOnce) {
  const History history = Letters(3);
  InboundLane lane;
  for (uint64_t i = 1; i <= 3; ++i) Offer(lane, history[i]);
  History::Sent forged = history[3];
  forged.header.set_chain(std::string(16, 'x'));
  Offer(lane, forged);
  ASSERT_TRUE(lane.diverged());

  EXPECT_TRUE(lane.Reset(Reset(2, 1, history[1].header.chain())));

  History again(2);
  for (int i = 0; i < 3; ++i) again.Add("payload " + std::to_string(i));
  EXPECT_EQ(Offer(lane, again[1]), Verdict::kDuplicate);
  EXPECT_EQ(Offer(lane, again[2]), Verdict::kAccepted);
  EXPECT_FALSE(lane.Reset(Reset(2, 1, history[1].header.chain())))
      << "an order written twice acts once";
  EXPECT_EQ(lane.sequence(), 2u);
}

// Closes the lane into rows and opens it from them.
InboundLane Reopen(InboundLane& lane, store::MapStore& store) {
  auto batch = store.NewBatch();
  lane.WriteWindow("place", *batch);
  EXPECT_TRUE(store.Write(std::move(batch)).ok());
  store::v1::LaneInRow row;
  EXPECT_TRUE(Decode(lane.HeadRow(), &row).ok());
  InboundLane opened;
  EXPECT_TRUE(opened.Load(row).ok());
  const auto slots = store.NewIterator({});
  for (; slots->Valid(); slots->Next()) opened.LoadSlot(slots->Value());
  return opened;
}

TEST(InboundLane, KeepsItsWindowInRows) {
  constexpr uint64_t kCount = 2 * InboundLane::kWindow + 77;
  const History history = Letters(kCount);
  store::MapStore store;
  InboundLane lane;
  for (uint64_t i = 1; i <= kCount; ++i) {
    ASSERT_EQ(Offer(lane, history[i]), Verdict::kAccepted);
    if (i % 41 == 0) lane = Reopen(lane, store);
  }
  lane = Reopen(lane, store);

  for (uint64_t i = 1; i <= kCount; ++i)
    ASSERT_EQ(Offer(lane, history[i]), Verdict::kDuplicate) << i;
  for (const uint64_t i : {kCount - InboundLane::kWindow + 1, kCount - 500, kCount}) {
    InboundLane copy = lane;
    History::Sent forged = history[i];
    forged.header.set_chain(std::string(16, 'x'));
    EXPECT_EQ(Offer(copy, forged), Verdict::kStopped) << i;
  }
  EXPECT_LE(store.AllRows()->size(), InboundLane::kWindow / InboundLane::kSlot + 1);
}

TEST(InboundLane, RemembersAResetInRows) {
  const History history = Letters(100);
  store::MapStore store;
  InboundLane lane;
  for (uint64_t i = 1; i <= 100; ++i) Offer(lane, history[i]);
  lane = Reopen(lane, store);
  ASSERT_TRUE(lane.Reset(Reset(2, 50, history[50].header.chain())));
  lane = Reopen(lane, store);

  History again(2);
  for (int i = 0; i < 50; ++i) again.Add("payload " + std::to_string(i));
  EXPECT_EQ(Offer(lane, again.Add("another 51")), Verdict::kAccepted);
  EXPECT_EQ(Offer(lane, again[30]), Verdict::kDuplicate)
      << "what it knew before the reset is forgotten";
}

TEST(LanePlace, IsReadBack) {
  const log::TopicPartition other{"customers", 0x01020304};
  EXPECT_EQ(ParseLanePlace(LanePlace(other)), other);
  EXPECT_EQ(ParseLanePlace(""), std::nullopt);
  EXPECT_EQ(ParseLanePlace(LanePlace(other).substr(0, 5)), std::nullopt);
}

}  // namespace
}  // namespace hilo::fold
