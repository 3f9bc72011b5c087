// Rows 54 and 55 of the bad-input table: what cannot be folded, and what stops a partition.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/streams/fold/partition_bench.h"

namespace hilo::fold {
namespace {

using driver::LedgerEvent;
using driver::LedgerFold;
using driver::LedgerWish;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const log::TopicPartition kEvents{"events", 0};
const log::TopicPartition kCustomers{"customers", 0};

TEST(Refusals, ARefusedRecordLeavesNothingButADeadLetter) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(LedgerEvent(1, 0));
  bench.Append(LedgerEvent(2, 0, LedgerWish::kRefuse));
  bench.Append(LedgerEvent(3, 0));

  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1", "3"));
  EXPECT_EQ(bench.LaneTo(kCustomers).sequence, 2u) << "what it had emitted is taken back";
  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("planted"));
  EXPECT_EQ(bench.partition->View().position, 3);
}

TEST(Refusals, ADeadLetterHoldsPositionReasonAndTheRecordAsItWas) {
  PartitionBench bench(kCustomers);
  ASSERT_TRUE(bench.Open().ok());
  LaneSender sender(kEvents);
  const log::Record refused = sender.Next(7, LedgerWish::kRefuse);
  bench.Append(refused);
  ASSERT_TRUE(bench.FoldAll().ok());
  ASSERT_THAT(bench.DeadLetterReasons(), SizeIs(1));

  store::v1::Record record;
  const log::StoredRecord stored = bench.Read({"dead-letters", 0})[0];
  ASSERT_TRUE(Decode(stored.record.payload, &record).ok());
  const store::v1::DeadLetter& letter = record.dead_letter();

  EXPECT_EQ(letter.position().topic(), "customers");
  EXPECT_EQ(letter.position().offset(), 0);
  EXPECT_EQ(letter.header(), refused.header);
  EXPECT_EQ(letter.payload(), refused.payload);
  EXPECT_EQ(letter.append_micros(), bench.clock.Wall().time_since_epoch().count());
  store::v1::RecordHeader header;
  ASSERT_TRUE(header.ParseFromString(stored.record.header));
  EXPECT_EQ(header.source_topic(), "customers");
  EXPECT_EQ(header.cause().offset(), 0);
}

// Each row: a record as it lies in the log, and what becomes of it.
struct BadRecord {
  std::string name;
  std::string payload;
  std::string reason;
};

std::vector<BadRecord> BadRecords() {
  store::v1::Record event = LedgerEvent(1, 0);
  std::string other_format = Encode(event);
  other_format[0] = 9;
  store::v1::Record letter;
  letter.mutable_dead_letter()->set_reason("x");
  std::string unknown_kind = {1};
  unknown_kind += std::string("\xfa\x3f\x00", 3);  // field 1,023, no bytes
  return {{"no payload", "", "null_record"},
          {"another format", other_format, "schema_unknown"},
          {"a kind of the future", unknown_kind, "schema_unknown"},
          {"no kind", std::string(1, '\x01'), "schema_unknown"},
          {"cut bytes", Encode(event).substr(0, 4), "undecodable"},
          {"noise", "\x01\xff\xff\xff\xff", "undecodable"},
          {"a dead letter", Encode(letter), "unexpected_record"}};
}

TEST(Refusals, WhatCannotBeDecodedIsADeadLetterAndCountsOnItsLane) {
  for (const BadRecord& bad : BadRecords()) {
    SCOPED_TRACE(bad.name);
    PartitionBench bench(kCustomers);
    ASSERT_TRUE(bench.Open().ok());
    LaneSender sender(kEvents);
    bench.Append(sender.Next(bad.payload));
    bench.Append(sender.Next(5));

    ASSERT_TRUE(bench.FoldAll().ok());

    EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre(bad.reason));
    EXPECT_EQ(bench.LaneFrom(kEvents).sequence, 2u);
    EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("5"));
  }
}

TEST(Refusals, AHeaderThatCannotBeReadLeavesAHoleInItsLane) {
  PartitionBench bench(kCustomers);
  ASSERT_TRUE(bench.Open().ok());
  LaneSender sender(kEvents);
  log::Record broken = sender.Next(1);
  broken.header = "\xff\xff";
  bench.Append(broken);
  bench.Append(sender.Next(2));

  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("header_undecodable"));
  EXPECT_EQ(bench.LaneFrom(kEvents).sequence, 0u);
  EXPECT_THAT(LedgerFold::Read(bench.store), IsEmpty());
}

TEST(Refusals, EmissionsHaveLimits) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(LedgerEvent(1, 0, LedgerWish::kTooMany));

  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("too_many_emissions"));
  EXPECT_EQ(bench.LaneTo(kCustomers).sequence, 0u);
}

TEST(Refusals, AnEventAsLargeAsARecordIsRefusedForItsEmissionAndQuotedWithoutPayload) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  store::v1::Event event;
  event.set_body(std::string(log::Log::kMaxRecordBytes - 100, 'x'));
  store::v1::Record record;
  event.SerializeToString(record.mutable_event());
  bench.Append(record);

  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("emission_too_large"));
  store::v1::Record letter;
  ASSERT_TRUE(Decode(bench.Read({"dead-letters", 0})[0].record.payload, &letter).ok());
  EXPECT_EQ(letter.dead_letter().payload(), "");
  EXPECT_EQ(letter.dead_letter().position().offset(), 0);
}

TEST(Refusals, ALoopEndsAtTheHopLimit) {
  PartitionBench bench(kCustomers);
  bench.options.targets = {kCustomers};
  ASSERT_TRUE(bench.Open().ok());
  LaneSender sender(kEvents);
  bench.Append(sender.Next(1, LedgerWish::kEcho));

  for (int round = 0; round < 40; ++round) {
    ASSERT_TRUE(bench.FoldAll().ok());
    bench.partition->Send();
  }

  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("hop_limit"));
  EXPECT_THAT(LedgerFold::Read(bench.store), SizeIs(15)) << "hops 1 to 15; the 16th is refused";
}

TEST(Stops, AFailureWritesNothingOfItsBatch) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(LedgerEvent(1, 0));
  bench.Append(LedgerEvent(2, 0, LedgerWish::kFail));

  EXPECT_EQ(Reason(bench.FoldAll()), "planted_failure");

  EXPECT_THAT(LedgerFold::Read(bench.store), IsEmpty());
  EXPECT_EQ(bench.partition->View().stopped_reason, "planted_failure");
  EXPECT_EQ(Reason(bench.Step().status()), "planted_failure") << "it stays stopped";
  EXPECT_THAT(bench.DeadLetterReasons(), IsEmpty());
}

TEST(Stops, AStoreThatCannotReadOrWriteStopsAndGoesOnWhenOpenedAgain) {
  for (const bool reads : {true, false}) {
    PartitionBench bench(kEvents);
    ASSERT_TRUE(bench.Open().ok());
    bench.Append(LedgerEvent(1, 0));
    (reads ? bench.store.fail_reads : bench.store.fail_writes) = true;

    EXPECT_EQ(Reason(bench.FoldAll()), reads ? "disk_error" : "disk_full");
    bench.partition->Send();
    EXPECT_THAT(bench.Read(kCustomers), IsEmpty()) << "nothing is sent that is not in state";

    bench.store.fail_reads = bench.store.fail_writes = false;
    ASSERT_TRUE(bench.Open().ok());
    ASSERT_TRUE(bench.FoldAll().ok());
    EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1"));
  }
}

TEST(Stops, ANewerVersionStopsAtItsRecordAndGoesOnWithANewerProgram) {
  for (const bool by_header : {false, true}) {
    PartitionBench bench(kCustomers);
    ASSERT_TRUE(bench.Open().ok());
    LaneSender sender(kEvents);
    bench.Append(sender.Next(1));
    if (by_header) {
      sender.fold_version = 2;
      bench.Append(sender.Next(2));
    } else {
      store::v1::Record activate;
      activate.mutable_activate_version()->set_version(2);
      bench.Append(activate);
      bench.Append(sender.Next(2));
    }

    EXPECT_EQ(Reason(bench.FoldAll()), "version_too_new");
    EXPECT_EQ(bench.partition->View().position, 1);
    EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1"));

    bench.options.newest_version = 2;
    ASSERT_TRUE(bench.Open().ok());
    ASSERT_TRUE(bench.FoldAll().ok());
    EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1", "2"));
    bench.options.newest_version = 1;
    EXPECT_EQ(bench.Open().ok(), by_header) << "a state folded by version 2 needs version 2";
  }
}

TEST(Stops, ARecordThatEndsTheProcessIsFoundAndStopsForAnOperator) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(LedgerEvent(1, 0));
  bench.Append(LedgerEvent(2, 0));
  bench.Append(LedgerEvent(3, 0, LedgerWish::kFail));  // stands in for one that ends the process
  std::vector<std::string> reasons;
  for (int start = 0; start < 8; ++start) {
    ASSERT_TRUE(bench.Open().ok());
    reasons.push_back(Reason(bench.FoldAll()));
  }

  EXPECT_THAT(std::vector(reasons.begin(), reasons.begin() + 4), Each("planted_failure"));
  EXPECT_THAT(reasons, testing::Contains("record_crashes"));
  EXPECT_EQ(reasons.back(), "planted_failure") << "each start by an operator is a try";
  EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1", "2"))
      << "what lies before it is folded";
}

TEST(Stops, ARecordThatEndsTheProcessStopsAgainAfterAsManyTriesMore) {
  PartitionBench bench(kEvents);
  bench.Append(LedgerEvent(1, 0, LedgerWish::kFail));
  std::vector<std::string> reasons;
  for (int start = 0; start < 14; ++start) {
    ASSERT_TRUE(bench.Open().ok());
    reasons.push_back(Reason(bench.FoldAll()));
  }

  EXPECT_EQ(std::count(reasons.begin(), reasons.end(), "record_crashes"), 3)
      << "a supervisor that starts it again and again does not go round for ever";
}

TEST(Stops, ARecordThatAnOperatorSkippedBecomesADeadLetterAndCountsOnItsLane) {
  PartitionBench bench(kCustomers);
  ASSERT_TRUE(bench.Open().ok());
  LaneSender sender(kEvents);
  bench.Append(sender.Next(1));
  log::Record second = sender.Next(2);
  bench.Append(second);
  bench.Append(sender.Next(3));
  bench.options.skipped = {1};
  ASSERT_TRUE(bench.Open().ok());

  ASSERT_TRUE(bench.FoldAll().ok());

  EXPECT_THAT(LedgerFold::Read(bench.store), ElementsAre("1", "3"));
  EXPECT_THAT(bench.DeadLetterReasons(), ElementsAre("record_skipped"));
  store::v1::Record letter;
  ASSERT_TRUE(Decode(bench.Read({"dead-letters", 0}).front().record.payload, &letter).ok());
  EXPECT_EQ(letter.dead_letter().payload(), second.payload) << "to be mended and replayed";
}

TEST(Skips, AreReadFromTheLogOfDecisions) {
  ManualClock clock{WallTime(std::chrono::seconds(1'700'000'000))};
  log::MemoryLog log({{"control", 1}}, clock);
  EXPECT_TRUE(ReadSkips(log)->empty());
  for (const int64_t offset : {7, 3, 7}) {
    store::v1::Record record;
    store::v1::Cause& position = *record.mutable_dead_letter()->mutable_position();
    position.set_topic("customers");
    position.set_partition(2);
    position.set_offset(offset);
    ASSERT_TRUE(AppendAndWait(log, {"control", 0}, {{.payload = Encode(record)}}).ok());
  }

  const auto skips = ReadSkips(log);

  ASSERT_TRUE(skips.ok());
  EXPECT_THAT(*skips,
              ElementsAre(testing::Pair(log::TopicPartition{"customers", 2}, ElementsAre(3, 7))));
}

TEST(Stops, ALogThatWasTrimmedOrCutBeyondUs) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  for (uint64_t id = 1; id <= 9; ++id) bench.Append(LedgerEvent(id, 0));
  ASSERT_TRUE(bench.FoldAll().ok());

  bench.log.Cut(kEvents, 5);
  EXPECT_EQ(Reason(bench.Open()), "offset_lost");

  PartitionBench trimmed(kEvents);
  ASSERT_TRUE(trimmed.Open().ok());
  for (uint64_t id = 1; id <= 9; ++id) trimmed.Append(LedgerEvent(id, 0));
  ASSERT_TRUE(trimmed.log.Trim(kEvents, 5).ok());
  EXPECT_EQ(Reason(trimmed.Open()), "offset_lost");
}

TEST(Stops, ALogThatWasCutAndHasGrownAgain) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  for (uint64_t id = 1; id <= 9; ++id) bench.Append(LedgerEvent(id, 0));
  ASSERT_TRUE(bench.FoldAll().ok());

  bench.log.Cut(kEvents, 5);
  for (uint64_t id = 106; id <= 112; ++id) bench.Append(LedgerEvent(id, 0));

  EXPECT_EQ(Reason(bench.Open()), "log_rewritten");
}

TEST(Stops, AnotherCountOfPartitions) {
  PartitionBench bench(kEvents);
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(LedgerEvent(1, 0));
  ASSERT_TRUE(bench.FoldAll().ok());

  log::MemoryLog other({{"events", 1}, {"customers", 4}, {"dead-letters", 1}}, bench.clock);
  ASSERT_TRUE(AppendAndWait(other, kEvents, {{.payload = Encode(LedgerEvent(1, 0))}}).ok());
  const auto opened = Partition::Open(bench.options, other, bench.store, *bench.fold,
                                      *bench.progress, bench.listener);

  EXPECT_EQ(Reason(opened.status()), "partition_count_changed");
}

store::v1::Record TickOf(uint64_t incarnation, uint64_t count, const PartitionBench& bench,
                         const StateMark& mark) {
  store::v1::Record record;
  store::v1::Tick& tick = *record.mutable_tick();
  tick.set_incarnation(incarnation);
  tick.set_count(count);
  tick.set_wall_micros(bench.clock.Wall().time_since_epoch().count());
  tick.set_position(mark.position);
  tick.set_record_hash(mark.record_hash);
  tick.set_state_digest(mark.state_digest);
  return record;
}

// A partition that has folded a tick and an event, and then a tick that says `claim` of the first.
std::unique_ptr<PartitionBench> WithClaim(void (*change)(StateMark&)) {
  auto bench = std::make_unique<PartitionBench>(kEvents);
  bench->options.owner = false;
  EXPECT_TRUE(bench->Open().ok());
  bench->Append(TickOf(1, 1, *bench, {}));
  bench->Append(LedgerEvent(1, 0));
  EXPECT_TRUE(bench->FoldAll().ok());
  StateMark mark = bench->partition->View().mark;
  EXPECT_EQ(mark.position, 1);
  change(mark);
  bench->Append(LedgerEvent(2, 0));
  bench->Append(TickOf(1, 2, *bench, mark));
  return bench;
}

TEST(Claims, AnOwnerWithTheSameStateIsAgreedWith) {
  const auto bench = WithClaim([](StateMark&) {});
  EXPECT_TRUE(bench->FoldAll().ok());
  EXPECT_EQ(bench->partition->View().foreign_ticks, 0u);
}

TEST(Claims, AnOwnerWhoCameToAnotherStateFromTheSameRecordsStopsUs) {
  const auto bench = WithClaim([](StateMark& mark) { ++mark.state_digest; });
  EXPECT_EQ(Reason(bench->FoldAll()), "state_diverged");
}

TEST(Claims, AnOwnerOfAnotherHistoryIsPassedOverWhenOursIsTheLogs) {
  for (const auto change : {+[](StateMark& mark) { mark.record_hash[0] ^= 1; },
                            +[](StateMark& mark) { ++mark.position; },
                            +[](StateMark& mark) { mark.position += 100; }}) {
    const auto bench = WithClaim(change);
    EXPECT_TRUE(bench->FoldAll().ok());
    EXPECT_EQ(bench->partition->View().foreign_ticks, 1u);
  }
}

TEST(Claims, AnOwnerOfAnotherHistoryStopsUsWhenOursIsNotTheLogs) {
  PartitionBench bench(kEvents);
  bench.options.owner = false;
  ASSERT_TRUE(bench.Open().ok());
  bench.Append(TickOf(1, 1, bench, {}));
  for (uint64_t id = 1; id <= 3; ++id) bench.Append(LedgerEvent(id, 0));
  ASSERT_TRUE(bench.FoldAll().ok());
  StateMark mark = bench.partition->View().mark;
  mark.record_hash[0] ^= 1;

  bench.log.Cut(kEvents, 1);
  for (uint64_t id = 11; id <= 13; ++id) bench.Append(LedgerEvent(id, 0));
  bench.Append(TickOf(1, 2, bench, mark));

  EXPECT_EQ(Reason(bench.FoldAll()), "log_rewritten");
}

}  // namespace
}  // namespace hilo::fold
