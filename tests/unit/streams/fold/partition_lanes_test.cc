// Outbox, sending, trimming and resets, on a log that answers when told to.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "streams/fold/outbox.h"
#include "tests/unit/streams/fold/partition_bench.h"

namespace hilo::fold {
namespace {

using driver::LedgerEvent;
using driver::LedgerFold;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const log::TopicPartition kEvents{"events", 0};
const log::TopicPartition kCustomers{"customers", 0};

std::vector<uint64_t> SequencesIn(PartitionBench& bench, const log::TopicPartition& of) {
  std::vector<uint64_t> sequences;
  for (const log::StoredRecord& stored : bench.Read(of)) {
    store::v1::RecordHeader header;
    EXPECT_TRUE(header.ParseFromString(stored.record.header));
    sequences.push_back(header.sequence());
  }
  return sequences;
}

// A source with `count` events folded for customers/0.
std::unique_ptr<PartitionBench> Source(uint64_t count, bool owner = true) {
  auto bench = std::make_unique<PartitionBench>(kEvents, log::MemoryLog::Mode::kManual);
  bench->options.owner = owner;
  EXPECT_TRUE(bench->Open().ok());
  for (uint64_t id = 1; id <= count; ++id) bench->Append(LedgerEvent(id, 0));
  EXPECT_TRUE(bench->FoldAll().ok());
  return bench;
}

Accepted AcceptedAt(PartitionBench& bench, uint64_t sequence, uint32_t epoch = 1) {
  for (const log::StoredRecord& stored : bench.Read(kCustomers)) {
    store::v1::RecordHeader header;
    EXPECT_TRUE(header.ParseFromString(stored.record.header));
    if (header.sequence() == sequence)
      return {.epoch = epoch, .sequence = sequence, .chain = header.chain()};
  }
  ADD_FAILURE() << "sequence " << sequence << " was not sent";
  return {};
}

TEST(Outbox, KeepsWhatIsDurableUntilItIsAccepted) {
  const auto bench = Source(3);
  bench->partition->Send();
  bench->log.Settle();
  ASSERT_TRUE(bench->partition->Trim(true).ok());
  EXPECT_FALSE(bench->partition->OutboxEmpty());

  bench->progress->Publish({kEvents, kCustomers}, AcceptedAt(*bench, 3));
  ASSERT_TRUE(bench->partition->Trim(true).ok());

  EXPECT_TRUE(bench->partition->OutboxEmpty());
  EXPECT_EQ(bench->partition->View().outbox_bytes, 0);
}

TEST(Outbox, IsTrimmedByBoundedNumbersOfRows) {
  const auto bench = Source(0);
  const uint64_t batches = OutboundLane::kMaxTrimmedRows + 1;
  for (uint64_t id = 1; id <= batches; ++id) {
    bench->Append(LedgerEvent(id, 0));
    ASSERT_TRUE(bench->FoldAll().ok());
  }
  bench->partition->Send();
  bench->log.Settle();
  bench->progress->Publish({kEvents, kCustomers}, AcceptedAt(*bench, batches));

  ASSERT_TRUE(bench->partition->Trim(false).ok());
  EXPECT_FALSE(bench->partition->OutboxEmpty());
  ASSERT_TRUE(bench->partition->Trim(false).ok());
  EXPECT_TRUE(bench->partition->OutboxEmpty()) << "the rest goes without another acceptance";
}

TEST(Outbox, IsNotTrimmedWhereTheTargetsChainIsNotOurs) {
  const auto bench = Source(3);
  bench->partition->Send();
  bench->log.Settle();
  Accepted other = AcceptedAt(*bench, 3);
  other.chain[0] ^= 1;

  bench->progress->Publish({kEvents, kCustomers}, other);
  ASSERT_TRUE(bench->partition->Trim(true).ok());

  EXPECT_FALSE(bench->partition->OutboxEmpty());
  EXPECT_TRUE(bench->LaneTo(kCustomers).diverged);
}

TEST(Outbox, ReplicasKeepItAndSendItWhenTheyBecomeOwner) {
  const auto bench = Source(3, /*owner=*/false);
  bench->partition->Send();
  bench->log.Settle();
  EXPECT_THAT(bench->Read(kCustomers), IsEmpty());

  bench->options.owner = true;
  ASSERT_TRUE(bench->Open().ok());
  bench->partition->Send();
  bench->log.Settle();

  EXPECT_THAT(SequencesIn(*bench, kCustomers), ElementsAre(1, 2, 3));
}

TEST(Outbox, ANewOwnerDoesNotSendWhatIsAcceptedAlready) {
  const auto bench = Source(3);
  bench->partition->Send();
  bench->log.Settle();
  bench->progress->Publish({kEvents, kCustomers}, AcceptedAt(*bench, 2));

  ASSERT_TRUE(bench->Open().ok());
  ASSERT_TRUE(bench->partition->Trim(true).ok());
  bench->partition->Send();
  bench->log.Settle();

  EXPECT_THAT(SequencesIn(*bench, kCustomers), ElementsAre(1, 2, 3, 3));
}

TEST(Outbox, GoesBackToTheAcknowledgedPrefixAfterAFailure) {
  auto bench = Source(2);
  bench->partition->Send();
  bench->log.Settle();
  bench->Append(LedgerEvent(3, 0));
  ASSERT_TRUE(bench->FoldAll().ok());
  bench->log.SetFaults({.lose = 1'000});
  bench->partition->Send();
  bench->log.Pump();
  bench->log.SetFaults({});

  bench->partition->Send();
  bench->log.Settle();

  EXPECT_THAT(SequencesIn(*bench, kCustomers), ElementsAre(1, 2, 3));
}

TEST(Outbox, SendsAgainWhatALostAnswerLeftUnknown) {
  auto bench = Source(2);
  bench->log.SetFaults({.lose_answer = 1'000});
  bench->partition->Send();
  bench->log.Pump();
  bench->log.SetFaults({});

  bench->partition->Send();
  bench->log.Settle();

  EXPECT_THAT(SequencesIn(*bench, kCustomers), ElementsAre(1, 2, 1, 2));
}

TEST(Outbox, DeadLettersGoWhenTheyAreDurable) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(LedgerEvent(1, 0, driver::LedgerWish::kRefuse));
  ASSERT_TRUE(bench.FoldAll().ok());
  ASSERT_THAT(bench.DeadLetterReasons(), SizeIs(1));

  ASSERT_TRUE(bench.partition->Trim(true).ok());

  EXPECT_TRUE(bench.partition->OutboxEmpty());
}

TEST(Outbox, ReplicasTrimDeadLettersByWhatTheOwnerKnowsToBeDurable) {
  PartitionBench bench(kEvents);
  FailingStore replicas_store;
  ASSERT_TRUE(bench.Open().ok());
  Partition::Options options = bench.options;
  options.owner = false;
  driver::LedgerFold fold;
  const auto replica =
      Partition::Open(options, bench.log, replicas_store, fold, *bench.progress, bench.listener);
  ASSERT_TRUE(replica.ok());
  bench.Append(LedgerEvent(1, 0, driver::LedgerWish::kRefuse));
  ASSERT_TRUE(bench.FoldAll().ok());
  ASSERT_TRUE((*replica)->Step(std::chrono::milliseconds(0)).ok());
  ASSERT_TRUE((*replica)->Trim(true).ok());
  EXPECT_FALSE((*replica)->OutboxEmpty());

  bench.partition->Send();
  ASSERT_TRUE(bench.partition->Trim(true).ok());
  ASSERT_TRUE((*replica)->Trim(true).ok());

  EXPECT_TRUE((*replica)->OutboxEmpty());
}

TEST(Outbox, FullMeansThatIntakeMustSlow) {
  auto bench = Source(1);
  bench->options.max_outbox_bytes = 1'000;
  ASSERT_TRUE(bench->Open().ok());
  EXPECT_FALSE(bench->partition->OutboxFull());
  for (uint64_t id = 1; id <= 20; ++id) bench->Append(LedgerEvent(id, 0));

  ASSERT_TRUE(bench->FoldAll().ok()) << "the fold goes on";

  EXPECT_TRUE(bench->partition->OutboxFull());
}

TEST(Outbox, HoldsOnlyAWindowInFlight) {
  auto bench = Source(0);
  constexpr uint64_t kEventsCount = 12'000;
  std::vector<log::Record> records;
  for (uint64_t id = 1; id <= kEventsCount; ++id)
    records.push_back({.payload = Encode(LedgerEvent(id, 0))});
  bench->log.Append(kEvents, std::move(records), [](const StatusOr<log::Offset>&) {});
  bench->log.Settle();
  ASSERT_TRUE(bench->FoldAll().ok());

  bench->partition->Send();
  EXPECT_LE(bench->log.PendingAppends(), 8'192 / 512 + 1u);
  for (int i = 0; i < 10; ++i) {
    bench->log.Settle();
    bench->partition->Send();
  }
  EXPECT_THAT(SequencesIn(*bench, kCustomers), SizeIs(kEventsCount));
}

TEST(Outbox, AnAlarmTellsOfWhatIsDurableAndNotAccepted) {
  auto bench = Source(1);
  bench->partition->Send();
  bench->log.Settle();
  for (uint64_t count = 1; count <= 70; ++count) {
    bench->clock.Advance(std::chrono::seconds(1));
    store::v1::Record tick;
    tick.mutable_tick()->set_incarnation(1);
    tick.mutable_tick()->set_count(count);
    tick.mutable_tick()->set_wall_micros(bench->clock.Wall().time_since_epoch().count());
    tick.mutable_tick()->set_elapsed_micros(count == 1 ? 0 : 1'000'000);
    bench->Append(tick);
    ASSERT_TRUE(bench->FoldAll().ok());
    ASSERT_TRUE(bench->partition->Trim(false).ok());
  }
  EXPECT_GE(bench->LaneTo(kCustomers).unaccepted_ticks, kAlarmTicks);

  bench->progress->Publish({kEvents, kCustomers}, AcceptedAt(*bench, 1));
  ASSERT_TRUE(bench->partition->Trim(true).ok());
  EXPECT_EQ(bench->LaneTo(kCustomers).unaccepted_ticks, 0u);
}

store::v1::Record Reset(uint32_t epoch, uint64_t from, const std::string& chain) {
  store::v1::Record record;
  store::v1::LaneReset& reset = *record.mutable_lane_reset();
  reset.set_source_topic("events");
  reset.set_target_topic("customers");
  reset.set_epoch(epoch);
  reset.set_from(from);
  reset.set_chain(chain);
  return record;
}

TEST(LaneReset, TheSourceSendsEverythingAboveItAgainInTheNewEpoch) {
  auto bench = Source(4);
  bench->partition->Send();
  bench->log.Settle();
  const std::string chain = AcceptedAt(*bench, 2).chain;

  bench->Append(Reset(2, 2, chain));
  ASSERT_TRUE(bench->FoldAll().ok());
  bench->partition->Send();
  bench->log.Settle();

  EXPECT_THAT(SequencesIn(*bench, kCustomers), ElementsAre(1, 2, 3, 4, 3, 4));
  store::v1::RecordHeader header;
  ASSERT_TRUE(header.ParseFromString(bench->Read(kCustomers).back().record.header));
  EXPECT_EQ(header.epoch(), 2u);
  EXPECT_EQ(bench->LaneTo(kCustomers).epoch, 2u);

  bench->progress->Publish({kEvents, kCustomers}, AcceptedAt(*bench, 4, /*epoch=*/1));
  ASSERT_TRUE(bench->partition->Trim(true).ok());
  EXPECT_FALSE(bench->partition->OutboxEmpty())
      << "what was accepted in a history that was given up proves nothing";
  bench->progress->Publish({kEvents, kCustomers}, AcceptedAt(*bench, 4, /*epoch=*/2));
  ASSERT_TRUE(bench->partition->Trim(true).ok());
  EXPECT_TRUE(bench->partition->OutboxEmpty());
}

TEST(LaneReset, WhatItPassesIsTrimmedWhenTheTargetHasIt) {
  auto bench = Source(1);
  bench->partition->Send();
  bench->log.Settle();
  const Accepted accepted = AcceptedAt(*bench, 1, /*epoch=*/2);
  bench->Append(Reset(2, 1, accepted.chain));
  ASSERT_TRUE(bench->FoldAll().ok());

  bench->progress->Publish({kEvents, kCustomers}, accepted);
  ASSERT_TRUE(bench->partition->Trim(true).ok());

  EXPECT_TRUE(bench->partition->OutboxEmpty());
}

TEST(LaneReset, TheTargetContinuesADivergedLane) {
  PartitionBench bench(kCustomers);
  ASSERT_TRUE(bench.Open().ok());
  LaneSender sender(kEvents);
  bench.Append(sender.Next(1));
  const std::string chain = sender.Chain();
  LaneSender rewritten = sender;
  bench.Append(sender.Next(2));
  bench.Append(rewritten.Next(22));
  ASSERT_TRUE(bench.FoldAll().ok());
  ASSERT_TRUE(bench.LaneFrom(kEvents).diverged);

  bench.Append(Reset(2, 1, chain));
  LaneSender again(kEvents);
  again.Next(1);
  again.epoch = 2;
  bench.Append(again.Next(22));
  bench.Append(again.Next(3));
  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_FALSE(bench.LaneFrom(kEvents).diverged);
  EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1", "2", "22", "3"));
}

TEST(LaneReset, OfAStrangersLaneIsADeadLetter) {
  PartitionBench bench({"customers", 1});
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(Reset(2, 1, std::string(16, 'c')));
  ASSERT_TRUE(bench.FoldAll().ok());
  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("lane_unknown"));
}

TEST(Lanes, ADivergedLaneStopsNoOther) {
  PartitionBench bench(kCustomers);
  ASSERT_TRUE(bench.Open().ok());
  LaneSender broken(kEvents);
  log::Record forged = broken.Next(1);
  forged.payload.back() ^= 1;
  bench.Append(forged);
  LaneSender other({"customers", 1});
  bench.Append(other.Next(2));
  bench.Append(broken.Next(3));

  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_TRUE(bench.LaneFrom(kEvents).diverged);
  EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("2"));
}

}  // namespace
}  // namespace hilo::fold
