#include "connectors/dispatch/dispatcher.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <vector>

#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "state/store/map_store.h"
#include "streams/fold/fold.h"
#include "streams/log/memory_log.h"

namespace hilo::dispatch {
namespace {

using command::AnswerDone;
using command::Answered;
using store::v1::Command;
using store::v1::OutboundMessage;
using store::v1::ReportMessage;

constexpr uint32_t kEmail = 2;

// Plays the fold: answers as the test has laid down, and keeps what was asked.
class ScriptedCommands final : public command::Commands {
 public:
  using Script = std::function<StatusOr<store::v1::AnswerRow>(const Command&)>;
  explicit ScriptedCommands(Script script) : script_(std::move(script)) {}

  void Send(Command command, MonotonicTime, AnswerDone done) override {
    StatusOr<store::v1::AnswerRow> answer = script_(command);
    {
      MutexLock lock(mutex_);
      asked_.push_back(command);
      changed_.notify_all();
    }
    if (!answer.ok()) return done(answer.status());
    done(Answered{*answer, {}});
  }
  void Expire() override {}
  void WaitFor(const command::PositionToken&, MonotonicTime, std::function<void(Status)>) override {
  }

  // The first `count` commands, once there are so many.
  std::vector<Command> Asked(size_t count) {
    MutexLock lock(mutex_);
    while (asked_.size() < count) changed_.wait(mutex_);
    return asked_;
  }
  // The same while time goes on.
  std::vector<Command> Asked(size_t count, ManualClock& clock) {
    MutexLock lock(mutex_);
    while (asked_.size() < count) {
      clock.Advance(std::chrono::milliseconds(100));
      changed_.wait_for(mutex_, std::chrono::milliseconds(1));
    }
    return asked_;
  }

 private:
  const Script script_;
  Mutex mutex_;
  ConditionVariable changed_;
  std::vector<Command> asked_ HILO_GUARDED_BY(mutex_);
};

store::v1::AnswerRow Granted(Micros valid = std::chrono::minutes(1)) {
  store::v1::AnswerRow answer;
  auto* permit = answer.mutable_result()->mutable_permit();
  permit->set_granted(true);
  permit->set_valid_micros(valid.count());
  return answer;
}

store::v1::AnswerRow Refused(const std::string& reason, bool settled) {
  store::v1::AnswerRow answer;
  auto* permit = answer.mutable_result()->mutable_permit();
  permit->set_reason(reason);
  permit->set_settled(settled);
  return answer;
}

store::v1::AnswerRow Reported() {
  store::v1::AnswerRow answer;
  answer.mutable_result()->mutable_message();
  return answer;
}

class FakeCarrier final : public Carrier {
 public:
  Delivery delivery{.result = ReportMessage::RESULT_SENT, .code = 250};
  std::function<void()> before_asking;

  void Send(Outgoing message, std::function<bool()> may_still_send, Done done) override {
    if (before_asking) before_asking();
    if (!may_still_send()) return done({.result = ReportMessage::RESULT_NOT_SENT});
    {
      MutexLock lock(mutex_);
      sent_.push_back(std::move(message));
    }
    done(delivery);
  }
  std::vector<Outgoing> Sent() {
    MutexLock lock(mutex_);
    return sent_;
  }

 private:
  Mutex mutex_;
  std::vector<Outgoing> sent_ HILO_GUARDED_BY(mutex_);
};

class FakePreparation final : public Preparation {
 public:
  Status failure;
  StatusOr<Outgoing> Prepare(const OutboundMessage& message) const override {
    if (!failure.ok()) return failure;
    Outgoing outgoing;
    outgoing.message = message.message();
    outgoing.attempt = message.attempt();
    outgoing.address = "ana@example.com";
    return outgoing;
  }
};

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest()
      : clock_(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 3 / 2) +
                        std::chrono::hours(12))),
        log_({{"outbound.email", 1}, {"suppression", 1}}, clock_, {}),
        sink_(2),
        output_({.format = LogOutput::Format::kText}, sink_, clock_, registry_) {}

  static std::string Id(char fill) { return std::string(16, fill); }

  void Append(const std::string& topic, const store::v1::Record& record) {
    ASSERT_TRUE(log::AppendAndWait(log_, {topic, 0}, {{"", "", fold::Encode(record)}}).ok());
  }
  void AppendMessage(char id, uint32_t attempt = 1) {
    store::v1::Record record;
    OutboundMessage* message = record.mutable_message();
    message->set_message(Id(id));
    message->set_customer(Id('c'));
    message->set_member(Id('c'));
    message->set_attempt(attempt);
    message->mutable_address()->set_kind(2);
    message->mutable_address()->set_hash(Id('a'));
    message->mutable_order()->set_channel(kEmail);
    Append("outbound.email", record);
  }

  // What plays the fold lives as long as the fixture: the dispatcher may still speak to it.
  ScriptedCommands& Script(ScriptedCommands::Script script) {
    return *scripts_.emplace_back(std::make_unique<ScriptedCommands>(std::move(script)));
  }
  void Start(ScriptedCommands& commands, uint64_t incarnation = 1) {
    auto suppressions = Suppressions::Open(log_);
    ASSERT_TRUE(suppressions.ok());
    suppressions_ = *std::move(suppressions);
    auto created = Dispatcher::Create(
        {.channel = "email", .channel_number = kEmail, .partitions = 1, .incarnation = incarnation},
        {.log = log_,
         .commands = commands,
         .preparation = preparation_,
         .carrier = carrier_,
         .suppressions = *suppressions_,
         .positions = positions_,
         .clock = clock_,
         .registry = registry_,
         .logger = Logger(output_, "connectors/dispatch")});
    ASSERT_TRUE(created.ok()) << created.status();
    dispatcher_ = *std::move(created);
    dispatcher_->Start();
  }

  ManualClock clock_;
  log::MemoryLog log_;
  store::MapStore positions_;
  Registry registry_;
  DescriptorSink sink_;
  LogOutput output_;
  FakePreparation preparation_;
  FakeCarrier carrier_;
  std::atomic<int> times_ = 0;  // for scripts that answer otherwise the first time
  std::vector<std::unique_ptr<ScriptedCommands>> scripts_;
  std::unique_ptr<Suppressions> suppressions_;
  std::unique_ptr<Dispatcher> dispatcher_;
};

StatusOr<store::v1::AnswerRow> GrantAll(const Command& command) {
  return command.has_request_permit() ? Granted() : Reported();
}

TEST_F(DispatcherTest, SendsUnderAPermitAndReportsWhatCameOfIt) {
  AppendMessage('m', 3);
  ScriptedCommands& commands = Script(GrantAll);
  Start(commands);
  const auto asked = commands.Asked(2);
  ASSERT_TRUE(asked[0].has_request_permit());
  EXPECT_EQ(asked[0].request_permit().message(), Id('m'));
  EXPECT_EQ(asked[0].request_permit().attempt(), 3u);
  EXPECT_EQ(asked[0].request_permit().incarnation(), 1u);
  ASSERT_TRUE(asked[1].has_report_message());
  EXPECT_EQ(asked[1].report_message().result(), ReportMessage::RESULT_SENT);
  EXPECT_EQ(asked[1].report_message().code(), 250u);
  ASSERT_EQ(carrier_.Sent().size(), 1u);
  EXPECT_EQ(carrier_.Sent()[0].message, Id('m'));
}

TEST_F(DispatcherTest, SendsNothingThatIsRefused) {
  AppendMessage('1');
  AppendMessage('2');
  ScriptedCommands& commands = Script([](const Command& command) -> StatusOr<store::v1::AnswerRow> {
    if (!command.has_request_permit()) return Reported();
    return command.request_permit().message() == Id('1') ? Refused("opted_out", true) : Granted();
  });
  Start(commands);
  commands.Asked(3);
  ASSERT_EQ(carrier_.Sent().size(), 1u);
  EXPECT_EQ(carrier_.Sent()[0].message, Id('2'));
  EXPECT_EQ(registry_.Get(metric::kDispatchRefused, {"email", "opted_out"}).Value(), 1u);
}

TEST_F(DispatcherTest, PutsTheSameQuestionAgainWhenTheAnswerIsLost) {
  AppendMessage('m');
  ScriptedCommands& commands =
      Script([this](const Command& command) -> StatusOr<store::v1::AnswerRow> {
        if (command.has_request_permit() && times_++ == 0) {
          return Error(StatusCode::kDeadlineExceeded, "outcome_unknown", "lost");
        }
        return GrantAll(command);
      });
  Start(commands);
  const auto asked = commands.Asked(2, clock_);
  EXPECT_EQ(asked[0].request_id(), asked[1].request_id());
  EXPECT_EQ(asked[0].content_hash(), asked[1].content_hash());
}

TEST_F(DispatcherTest, AsksAnewWhenTheFoldCannotSayYet) {
  AppendMessage('m');
  ScriptedCommands& commands =
      Script([this](const Command& command) -> StatusOr<store::v1::AnswerRow> {
        if (command.has_request_permit() && times_++ == 0) return Refused("closed", false);
        return GrantAll(command);
      });
  Start(commands);
  const auto asked = commands.Asked(2, clock_);
  EXPECT_NE(asked[0].request_id(), asked[1].request_id());
}

TEST_F(DispatcherTest, HandsNothingOverOnceItsPermitHasRunOut) {
  AppendMessage('m');
  carrier_.before_asking = [this] { clock_.Advance(std::chrono::minutes(2)); };
  ScriptedCommands& commands = Script(GrantAll);
  Start(commands);
  const auto asked = commands.Asked(2);
  EXPECT_EQ(asked[1].report_message().result(), ReportMessage::RESULT_NOT_SENT);
  EXPECT_TRUE(carrier_.Sent().empty());
}

TEST_F(DispatcherTest, RepeatsAReportUntilItIsAnswered) {
  AppendMessage('m');
  ScriptedCommands& commands =
      Script([this](const Command& command) -> StatusOr<store::v1::AnswerRow> {
        if (command.has_report_message() && times_++ == 0) {
          return Error(StatusCode::kUnavailable, "log_overloaded", "later");
        }
        return GrantAll(command);
      });
  Start(commands);
  const auto asked = commands.Asked(3, clock_);
  EXPECT_EQ(asked[1].request_id(), asked[2].request_id());
  EXPECT_EQ(carrier_.Sent().size(), 1u);
}

TEST_F(DispatcherTest, TellsTheFoldWhatIsSuppressedOrCannotBeSent) {
  store::v1::Record record;
  auto* suppression = record.mutable_suppression();
  suppression->mutable_address()->set_kind(2);
  suppression->mutable_address()->set_hash(Id('a'));
  suppression->set_channel(kEmail);
  Append("suppression", record);
  preparation_.failure = Error(StatusCode::kNotFound, "address_unreadable", "its key is gone");
  AppendMessage('m');
  ScriptedCommands& commands = Script(
      [](const Command&) -> StatusOr<store::v1::AnswerRow> { return Refused("suppressed", true); });
  Start(commands);
  const auto asked = commands.Asked(1);
  EXPECT_TRUE(asked[0].request_permit().suppressed());
  EXPECT_EQ(asked[0].request_permit().unsendable(), "address_unreadable");
}

TEST_F(DispatcherTest, LearnsASuppressionThatComesWhileItRuns) {
  AppendMessage('1');
  ScriptedCommands& commands = Script(GrantAll);
  Start(commands);
  EXPECT_FALSE(commands.Asked(2)[0].request_permit().suppressed());
  store::v1::Record record;
  auto* suppression = record.mutable_suppression();
  suppression->mutable_address()->set_hash(Id('a'));
  suppression->set_channel(kEmail);
  Append("suppression", record);
  AppendMessage('2');
  EXPECT_TRUE(commands.Asked(3)[2].request_permit().suppressed());
  suppression->set_lifted(true);
  Append("suppression", record);
  AppendMessage('3');
  EXPECT_FALSE(commands.Asked(5)[4].request_permit().suppressed());
}

TEST_F(DispatcherTest, AsksAgainAfterARestartForWhatWasNotSettledWithAnotherRequestId) {
  AppendMessage('1');
  AppendMessage('2');
  // The first one is never answered: its process dies before.
  ScriptedCommands& first = Script([](const Command& command) -> StatusOr<store::v1::AnswerRow> {
    if (command.has_request_permit() && command.request_permit().message() == Id('1')) {
      return Error(StatusCode::kDeadlineExceeded, "outcome_unknown", "lost");
    }
    return GrantAll(command);
  });
  Start(first, 1);
  std::string request;
  for (const Command& command : first.Asked(3)) {
    if (command.request_permit().message() == Id('1')) request = command.request_id();
  }
  dispatcher_->Stop();
  dispatcher_.reset();

  ScriptedCommands& second = Script(GrantAll);
  Start(second, 2);
  const auto asked = second.Asked(2);
  EXPECT_EQ(asked[0].request_permit().message(), Id('1'));
  EXPECT_EQ(asked[0].request_permit().incarnation(), 2u);
  EXPECT_NE(asked[0].request_id(), request);
}

TEST_F(DispatcherTest, GoesOnBehindWhatItHasSettled) {
  AppendMessage('1');
  ScriptedCommands& first = Script(GrantAll);
  Start(first, 1);
  first.Asked(2);
  dispatcher_->Stop();
  dispatcher_.reset();
  AppendMessage('2');
  ScriptedCommands& second = Script(GrantAll);
  Start(second, 2);
  EXPECT_EQ(second.Asked(1)[0].request_permit().message(), Id('2'));
}

TEST_F(DispatcherTest, RefusesAPositionThatCannotBeRead) {
  auto batch = positions_.NewBatch();
  batch->Put(std::string(1, 7) + "dispatch.email.0", "nonsense");
  ASSERT_TRUE(positions_.Write(std::move(batch)).ok());
  ScriptedCommands& commands = Script(GrantAll);
  suppressions_ = *Suppressions::Open(log_);
  const auto created = Dispatcher::Create(
      {.channel = "email", .channel_number = kEmail, .partitions = 1, .incarnation = 1},
      {.log = log_,
       .commands = commands,
       .preparation = preparation_,
       .carrier = carrier_,
       .suppressions = *suppressions_,
       .positions = positions_,
       .clock = clock_,
       .registry = registry_,
       .logger = Logger(output_, "connectors/dispatch")});
  EXPECT_EQ(Reason(created.status()), "state_corrupt");
}

}  // namespace
}  // namespace hilo::dispatch
