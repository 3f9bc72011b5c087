#include "streams/command/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "state/store/keys.h"
#include "state/store/map_store.h"
#include "state/types/hash.h"
#include "streams/log/memory_log.h"

namespace hilo::command {
namespace {

const MemberId kMember = *MemberId::FromHex("40000000000000000000000000000001");
const std::string kCaller(16, 'c');

// Counts the commands it has applied; every answer is a note.
class CountingFold final : public fold::Fold {
 public:
  fold::Outcome Apply(const fold::FoldRecord& record, fold::Context& context) override {
    const store::v1::Command& command = record.record.command();
    const auto found = AnswerBook::Find(record, command, context);
    if (!found.ok()) return fold::Outcome::Failed(found.status());
    if (*found) return fold::Outcome::Ok();
    const std::string key = store::KeyBuilder(store::Table::kMember).Raw("applied").Build();
    const auto count = context.Get(key);
    if (!count.ok()) return fold::Outcome::Failed(count.status());
    context.Put(key, count->value_or("") + "x");
    AnswerBook::Store(record, command, {}, context);
    return fold::Outcome::Ok();
  }
  fold::Outcome Ticked(fold::Context& context) override {
    const Status forgotten = AnswerBook::ForgetOld(context, 3);
    return forgotten.ok() ? fold::Outcome::Ok() : fold::Outcome::Failed(forgotten);
  }
};

// One partition of customers with its callers.
class CommandTest : public testing::Test {
 protected:
  CommandTest()
      : log_({{"customers", 1}, {"dead-letters", 1}}, clock_,
             {.mode = log::MemoryLog::Mode::kManual}) {
    commands_ = Commands::Create({.partitions = 1}, log_, clock_,
                                 [this](uint32_t) { return partition_->View(); });
    Open();
    ticker_ = fold::Ticker::Create(kOf, 1, log_, clock_, *partition_);
    Tick();
  }

  void Open() {
    auto opened = fold::Partition::Open({.of = kOf}, log_, store_, fold_, *progress_, *commands_);
    ASSERT_TRUE(opened.ok()) << Describe(opened.status());
    partition_ = *std::move(opened);
  }
  void FoldAll() {
    log_.Settle();
    while (true) {
      const auto folded = partition_->Step(std::chrono::milliseconds(0));
      ASSERT_TRUE(folded.ok()) << Describe(folded.status());
      if (*folded == 0) return;
    }
  }
  void Tick() {
    ticker_->Beat();
    FoldAll();
  }

  store::v1::Command Note(RequestId request, std::string content = "hello") {
    store::v1::Command command;
    command.set_customer(std::string(kMember.Bytes()));
    command.set_member(std::string(kMember.Bytes()));
    command.set_caller(kCaller);
    command.set_request_id(std::string(request.Bytes()));
    command.set_content_hash(std::string(Bytes(Hash(content))));
    command.mutable_add_note()->set_sealed_text(content);
    return command;
  }
  RequestId NewId() { return NewRequestId(clock_.Wall()); }

  // Sends with a deadline of a second; the outcome comes later.
  std::shared_ptr<std::optional<StatusOr<Answered>>> Send(store::v1::Command command) {
    auto outcome = std::make_shared<std::optional<StatusOr<Answered>>>();
    commands_->Send(std::move(command), clock_.Monotonic() + std::chrono::seconds(1),
                    [outcome](auto answered) {
                      EXPECT_FALSE(outcome->has_value()) << "a caller is answered once";
                      outcome->emplace(std::move(answered));
                    });
    return outcome;
  }
  std::string ReasonOf(const std::shared_ptr<std::optional<StatusOr<Answered>>>& outcome) {
    if (!outcome->has_value()) return "waits";
    if (!(*outcome)->ok()) return Reason((*outcome)->status());
    return (**outcome)->answer.reason();
  }
  size_t Applied() {
    const auto row = store_.Get(store::KeyBuilder(store::Table::kMember).Raw("applied").Build());
    return (*row).value_or("").size();
  }
  size_t RowsOf(store::Table table) {
    size_t rows = 0;
    for (const auto& [key, value] : *store_.AllRows())
      rows += key[0] == static_cast<char>(table) && key.size() > 1;
    return rows;
  }

  const log::TopicPartition kOf{"customers", 0};
  ManualClock clock_{WallTime(std::chrono::hours(24 * 20'000))};
  log::MemoryLog log_;
  store::MapStore store_;
  CountingFold fold_;
  std::unique_ptr<fold::Progress> progress_ = fold::NewLocalProgress();
  std::unique_ptr<Commands> commands_;
  std::unique_ptr<fold::Partition> partition_;
  std::unique_ptr<fold::Ticker> ticker_;
};

TEST_F(CommandTest, AnswersWithWhatTheFoldReturned) {
  const auto outcome = Send(Note(NewId()));
  log_.Settle();
  EXPECT_EQ(ReasonOf(outcome), "waits") << "durable is not applied";

  FoldAll();

  ASSERT_EQ(ReasonOf(outcome), "");
  EXPECT_EQ((**outcome)->token.of, kOf);
  EXPECT_EQ((**outcome)->token.position, partition_->View().position);
}

TEST_F(CommandTest, ARetryHasOneEffectAndTheSameAnswer) {
  const RequestId id = NewId();
  const auto first = Send(Note(id));
  FoldAll();
  const auto again = Send(Note(id));
  FoldAll();

  EXPECT_EQ(Applied(), 1u);
  ASSERT_EQ(ReasonOf(again), "");
  EXPECT_EQ((**again)->answer.SerializeAsString(), (**first)->answer.SerializeAsString());
}

TEST_F(CommandTest, TwoCallersOfOneRequestAreBothAnswered) {
  const RequestId id = NewId();
  const auto first = Send(Note(id));
  const auto second = Send(Note(id));
  FoldAll();

  EXPECT_EQ(ReasonOf(first), "");
  EXPECT_EQ(ReasonOf(second), "");
  EXPECT_EQ(Applied(), 1u);
}

TEST_F(CommandTest, OneIdForOtherContentIsAConflict) {
  const RequestId id = NewId();
  Send(Note(id, "hello"));
  FoldAll();
  const auto other = Send(Note(id, "other"));
  FoldAll();

  EXPECT_EQ(ReasonOf(other), "request_id_conflict");
  EXPECT_EQ((**other)->answer.code(), static_cast<uint32_t>(StatusCode::kAlreadyExists));
  EXPECT_EQ(Applied(), 1u);
}

TEST_F(CommandTest, OneIdOfTwoCallersIsNoConflict) {
  const RequestId id = NewId();
  Send(Note(id, "hello"));
  store::v1::Command others = Note(id, "other");
  others.set_caller(std::string(16, 'd'));
  Send(others);
  FoldAll();
  EXPECT_EQ(Applied(), 2u);
}

TEST_F(CommandTest, RefusesIdsThatAreOldOrFromTheFuture) {
  const auto issued_before = [&](std::chrono::seconds age) {
    return NewRequestId(clock_.Wall() - age);
  };
  EXPECT_EQ(ReasonOf(Send(Note(issued_before(std::chrono::hours(24) + std::chrono::seconds(1))))),
            "request_id_expired");
  EXPECT_EQ(ReasonOf(Send(Note(issued_before(-std::chrono::minutes(5) - std::chrono::seconds(1))))),
            "request_id_expired");
  EXPECT_EQ(ReasonOf(Send(Note(issued_before(std::chrono::hours(23))))), "waits");
  EXPECT_EQ(ReasonOf(Send(Note(*RequestId::FromHex("0123456789abcdef0123456789abcdef")))),
            "request_id_malformed");
}

TEST_F(CommandTest, SaysOutcomeUnknownAtTheDeadlineAndTheRetryLearnsIt) {
  const RequestId id = NewId();
  const auto outcome = Send(Note(id));
  log_.Settle();
  clock_.Advance(std::chrono::seconds(1));
  commands_->Expire();
  EXPECT_EQ(ReasonOf(outcome), "outcome_unknown");

  FoldAll();
  EXPECT_EQ(Applied(), 1u) << "it happens all the same";
  const auto again = Send(Note(id));
  FoldAll();
  EXPECT_EQ(ReasonOf(again), "");
  EXPECT_EQ(Applied(), 1u);
}

TEST_F(CommandTest, WaitsOnWhenTheLogDoesNotKnow) {
  log_.SetFaults({.lose_answer = 1'000});
  const auto outcome = Send(Note(NewId()));
  log_.Pump();
  log_.SetFaults({});
  EXPECT_EQ(ReasonOf(outcome), "waits");
  FoldAll();
  EXPECT_EQ(ReasonOf(outcome), "");
}

TEST_F(CommandTest, EndsAtOnceWhenTheLogSurelyDidNotTakeIt) {
  log_.RefuseAppends(Error(StatusCode::kResourceExhausted, "disk_full", "planted"));
  EXPECT_EQ(ReasonOf(Send(Note(NewId()))), "disk_full");
}

TEST_F(CommandTest, HasNoEffectWhenItReachesTheLogTooLate) {
  const auto outcome = Send(Note(NewId()));
  clock_.Advance(std::chrono::seconds(5));  // it lands after its not_after
  FoldAll();
  EXPECT_EQ(ReasonOf(outcome), "too_late");
  EXPECT_EQ(Applied(), 0u);
}

TEST_F(CommandTest, ALaterTryOfWhatCameTooLateIsApplied) {
  const RequestId id = NewId();
  Send(Note(id));
  clock_.Advance(std::chrono::seconds(5));
  FoldAll();
  const auto again = Send(Note(id));
  FoldAll();
  EXPECT_EQ(ReasonOf(again), "");
  EXPECT_EQ(Applied(), 1u);
}

TEST_F(CommandTest, RefusesBeforeTheAppendWhileThePartitionLags) {
  std::vector<log::Record> backlog(2'000, {.payload = fold::Encode(store::v1::Record())});
  log_.Append(kOf, std::move(backlog), [](const StatusOr<log::Offset>&) {});
  log_.Settle();
  clock_.Advance(std::chrono::seconds(10));
  const auto end = log_.EndOffset(kOf);

  EXPECT_EQ(ReasonOf(Send(Note(NewId()))), "partition_lagging");

  log_.Settle();
  EXPECT_EQ(*log_.EndOffset(kOf), *end) << "nothing was appended";
}

TEST_F(CommandTest, RefusesWhatHasNoTimeLeft) {
  std::string reason;
  commands_->Send(Note(NewId()), clock_.Monotonic(),
                  [&](auto answered) { reason = Reason(answered.status()); });
  EXPECT_EQ(reason, "deadline_exceeded");
  EXPECT_EQ(log_.PendingAppends(), 0u);
}

TEST_F(CommandTest, WaitsForAPosition) {
  const auto outcome = Send(Note(NewId()));
  log_.Settle();
  const PositionToken token{.of = kOf, .position = *log_.EndOffset(kOf)};
  std::vector<std::string> reached;
  commands_->WaitFor(token, clock_.Monotonic() + std::chrono::seconds(1),
                     [&](const Status& status) { reached.push_back(Reason(status)); });
  EXPECT_TRUE(reached.empty());
  FoldAll();
  EXPECT_THAT(reached, testing::ElementsAre(""));

  commands_->WaitFor(token, clock_.Monotonic(),
                     [&](const Status& status) { reached.push_back(Reason(status)); });
  EXPECT_THAT(reached, testing::ElementsAre("", "")) << "it has been folded";

  commands_->WaitFor({.of = kOf, .position = token.position + 1},
                     clock_.Monotonic() + std::chrono::seconds(1),
                     [&](const Status& status) { reached.push_back(Reason(status)); });
  clock_.Advance(std::chrono::seconds(2));
  commands_->Expire();
  EXPECT_THAT(reached, testing::ElementsAre("", "", "not_up_to_bound"));
}

TEST_F(CommandTest, RemembersNothingOfAPartitionThatOnlyATokenNames) {
  for (const log::TopicPartition& of :
       {log::TopicPartition{.topic = "anything", .partition = 0},
        log::TopicPartition{.topic = kOf.topic, .partition = 4'000'000}}) {
    std::string reason;
    // Neither time passes nor does Expire run: the answer comes at once.
    commands_->WaitFor({.of = of, .position = 1}, clock_.Monotonic() + std::chrono::seconds(1),
                       [&](const Status& status) { reason = Reason(status); });
    EXPECT_EQ(reason, "not_up_to_bound") << of.topic;
  }
}

TEST_F(CommandTest, ForgetsAnswersAfterADayAndNotBefore) {
  for (int i = 0; i < 10; ++i) Send(Note(NewId()));
  FoldAll();
  const auto pass = [&](std::chrono::hours time) {
    for (auto left = std::chrono::seconds(time); left.count() > 0;
         left -= std::chrono::seconds(10)) {
      clock_.Advance(std::chrono::seconds(10));
      Tick();
    }
  };
  pass(std::chrono::hours(25));
  EXPECT_EQ(RowsOf(store::Table::kAnswer), 10u);
  pass(std::chrono::hours(2));
  EXPECT_EQ(RowsOf(store::Table::kAnswer), 0u);
  EXPECT_EQ(RowsOf(store::Table::kAnswerHour), 0u);
}

TEST_F(CommandTest, AnAnswerSurvivesARestart) {
  const RequestId id = NewId();
  Send(Note(id));
  FoldAll();
  Open();
  const auto again = Send(Note(id));
  FoldAll();
  EXPECT_EQ(ReasonOf(again), "");
  EXPECT_EQ(Applied(), 1u);
}

TEST(PositionToken, IsReadBack) {
  const PositionToken token{.of = {"outbound.sms", 3}, .position = 1'042};
  const auto parsed = PositionToken::Parse(token.ToString());
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->of, token.of);
  EXPECT_EQ(parsed->position, token.position);
}

TEST(PositionToken, RefusesWhatItDidNotWrite) {
  for (const char* text :
       {"", "c1", "c1.", "c1.customers", "c1.customers.2", "c1..2.3", "c2.customers.2.3",
        "c1.customers.x.3", "c1.customers.2.-3", "c1.customers.2.3x", "c1.customers.2."}) {
    EXPECT_FALSE(PositionToken::Parse(text).has_value()) << text;
  }
}

TEST(RequestId, CarriesItsIssueTime) {
  const WallTime now{std::chrono::milliseconds(1'700'000'000'123)};
  EXPECT_EQ(IssueTime(NewRequestId(now)), now);
  EXPECT_NE(NewRequestId(now), NewRequestId(now));
  EXPECT_EQ(IssueTime(*RequestId::FromHex("01890a5d-ac96-774b-bcce-b302099a8057")),
            WallTime(std::chrono::milliseconds(0x01890a5dac96)));
  EXPECT_FALSE(IssueTime(*RequestId::FromHex("01890a5d-ac96-474b-bcce-b302099a8057")).has_value());
}

TEST(RequestId, OfWhatFollowsIsTheSameEachTimeAndAsOld) {
  const WallTime now(std::chrono::milliseconds(1'795'000'000'123));
  const RequestId first = NewRequestId(now);
  const RequestId following = FollowingRequestId(first, "decide");
  EXPECT_EQ(IssueTime(following), now);
  EXPECT_EQ(following, FollowingRequestId(first, "decide"));
  EXPECT_NE(following, first);
  EXPECT_NE(following, FollowingRequestId(first, "other"));
  EXPECT_NE(following, FollowingRequestId(NewRequestId(now), "decide"));
}

}  // namespace
}  // namespace hilo::command
