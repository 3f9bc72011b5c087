#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "state/types/bucket.h"
#include "state/types/hash.h"
#include "streams/command/command.h"

namespace hilo::command {
namespace {

// Errors of the log that say for sure that nothing was appended.
bool SurelyNotAppended(const Status& status) {
  const std::string reason = Reason(status);
  return reason == "record_too_large" || reason == "disk_full" || reason == "log_overloaded" ||
         reason == "log_stopped" || reason == "not_found";
}

Status OutcomeUnknown() {
  return Error(StatusCode::kDeadlineExceeded, "outcome_unknown",
               "no outcome within the deadline; ask again with the same request id to learn it");
}

// Callers that wait: for the answer to a command, or for a position. Shared with the log's
// callbacks.
class Waiters {
 public:
  using Id = uint64_t;
  struct Command {
    std::string key;  // caller, request id
    log::TopicPartition of;
    AnswerDone done;
  };
  struct Position {
    log::TopicPartition of;
    log::Offset position;
    std::function<void(Status)> done;
  };

  explicit Waiters(Gauge* gauge) : gauge_(gauge) {}

  // nullopt when there are too many.
  std::optional<Id> Add(Command command, MonotonicTime deadline) {
    MutexLock lock(mutex_);
    if (deadlines_.size() >= Commands::kMaxWaiters) return std::nullopt;
    const Id id = ++last_id_;
    by_key_.emplace(command.key, id);
    commands_.try_emplace(id, std::move(command), deadline);
    deadlines_.emplace(deadline, id);
    Count();
    return id;
  }

  std::optional<Id> Add(Position position, MonotonicTime deadline) {
    MutexLock lock(mutex_);
    if (deadlines_.size() >= Commands::kMaxWaiters) return std::nullopt;
    const Id id = ++last_id_;
    by_position_[position.of].emplace(position.position, id);
    positions_.try_emplace(id, std::move(position), deadline);
    deadlines_.emplace(deadline, id);
    Count();
    return id;
  }

  std::optional<Command> TakeCommand(Id id) {
    MutexLock lock(mutex_);
    return RemoveCommand(id);
  }

  std::vector<Command> TakeByKey(const std::string& key) {
    MutexLock lock(mutex_);
    std::vector<Id> ids;
    for (auto [at, end] = by_key_.equal_range(key); at != end; ++at) ids.push_back(at->second);
    std::vector<Command> taken;
    for (const Id id : ids) taken.push_back(*RemoveCommand(id));
    return taken;
  }

  // Notes how far `of` is folded; whoever waits for no more.
  std::vector<Position> TakeReached(const log::TopicPartition& of, log::Offset position) {
    MutexLock lock(mutex_);
    log::Offset& folded = folded_[of];
    folded = std::max(folded, position);
    std::vector<Position> taken;
    const auto waiting = by_position_.find(of);
    if (waiting == by_position_.end()) return taken;
    std::vector<Id> ids;
    for (const auto& [wanted, id] : waiting->second) {
      if (wanted > folded) break;
      ids.push_back(id);
    }
    for (const Id id : ids) taken.push_back(*RemovePosition(id));
    return taken;
  }

  // How far `of` is folded; nullopt for a partition that is not folded here.
  std::optional<log::Offset> Folded(const log::TopicPartition& of) {
    MutexLock lock(mutex_);
    const auto found = folded_.find(of);
    return found == folded_.end() ? std::nullopt : std::optional(found->second);
  }

  void TakeExpired(MonotonicTime now, std::vector<Command>& commands,
                   std::vector<Position>& positions) {
    MutexLock lock(mutex_);
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      const Id id = deadlines_.begin()->second;
      if (auto command = RemoveCommand(id)) {
        commands.push_back(*std::move(command));
      } else {
        positions.push_back(*RemovePosition(id));
      }
    }
  }

 private:
  template <typename Waiter>
  struct Waiting {
    Waiting(Waiter w, MonotonicTime d) : waiter(std::move(w)), deadline(d) {}
    Waiter waiter;
    MonotonicTime deadline;
  };

  void Count() HILO_REQUIRES(mutex_) {
    if (gauge_ != nullptr) gauge_->Set(static_cast<double>(deadlines_.size()));
  }

  std::optional<Command> RemoveCommand(Id id) HILO_REQUIRES(mutex_) {
    const auto found = commands_.find(id);
    if (found == commands_.end()) return std::nullopt;
    Command command = std::move(found->second.waiter);
    deadlines_.erase({found->second.deadline, id});
    for (auto [at, end] = by_key_.equal_range(command.key); at != end; ++at) {
      if (at->second != id) continue;
      by_key_.erase(at);
      break;
    }
    commands_.erase(found);
    Count();
    return command;
  }

  std::optional<Position> RemovePosition(Id id) HILO_REQUIRES(mutex_) {
    const auto found = positions_.find(id);
    if (found == positions_.end()) return std::nullopt;
    Position position = std::move(found->second.waiter);
    deadlines_.erase({found->second.deadline, id});
    by_position_[position.of].erase({position.position, id});
    positions_.erase(found);
    Count();
    return position;
  }

  Gauge* const gauge_;
  Mutex mutex_;
  Id last_id_ HILO_GUARDED_BY(mutex_) = 0;
  std::unordered_map<Id, Waiting<Command>> commands_ HILO_GUARDED_BY(mutex_);
  std::unordered_multimap<std::string, Id> by_key_ HILO_GUARDED_BY(mutex_);
  std::unordered_map<Id, Waiting<Position>> positions_ HILO_GUARDED_BY(mutex_);
  std::map<log::TopicPartition, std::set<std::pair<log::Offset, Id>>> by_position_
      HILO_GUARDED_BY(mutex_);
  std::set<std::pair<MonotonicTime, Id>> deadlines_ HILO_GUARDED_BY(mutex_);
  std::map<log::TopicPartition, log::Offset> folded_ HILO_GUARDED_BY(mutex_);
};

class LogCommands final : public Commands {
 public:
  LogCommands(Options options, log::Log& log, const Clock& clock,
              std::function<fold::PartitionView(uint32_t partition)> view)
      : options_(std::move(options)),
        log_(log),
        clock_(clock),
        view_(std::move(view)),
        waiters_(std::make_shared<Waiters>(
            options_.registry == nullptr ? nullptr
                                         : &options_.registry->Get(metric::kCommandWaiters))) {}

  void Send(store::v1::Command command, MonotonicTime deadline, AnswerDone done) override {
    const auto member = CustomerId::FromBytes(command.member());
    if (Status checked = Check(command, member); !checked.ok()) {
      if (Reason(checked) == "request_id_expired") Count("expired");
      return done(std::move(checked));
    }
    const log::TopicPartition of{options_.topic, PartitionOf(*member, options_.partitions)};
    const MonotonicTime now = clock_.Monotonic();
    if (Status lag = CheckLag(of, deadline - now); !lag.ok()) return done(std::move(lag));
    if (command.not_after_micros() == 0) {
      const auto left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - now);
      command.set_not_after_micros((clock_.Wall() + left).time_since_epoch().count());
    }
    store::v1::Record record;
    std::string key = command.caller() + command.request_id();
    log::Record appended{.key = command.customer()};
    *record.mutable_command() = std::move(command);
    appended.payload = fold::Encode(record);
    const auto id =
        waiters_->Add(Waiters::Command{.key = std::move(key), .of = of, .done = done}, deadline);
    if (!id) {
      return done(Error(StatusCode::kResourceExhausted, "waiters_full",
                        "too many callers wait; try again"));
    }
    std::vector<log::Record> records;
    records.push_back(std::move(appended));
    log_.Append(of, std::move(records),
                [waiters = waiters_, id = *id](const StatusOr<log::Offset>& offset) {
                  KillPoint("command_appended");
                  // When nobody knows, it may be in the log: the fold's answer or the deadline ends
                  // the wait.
                  if (offset.ok() || !SurelyNotAppended(offset.status())) return;
                  if (auto waiter = waiters->TakeCommand(id)) waiter->done(offset.status());
                });
  }

  void Expire() override {
    std::vector<Waiters::Command> commands;
    std::vector<Waiters::Position> positions;
    waiters_->TakeExpired(clock_.Monotonic(), commands, positions);
    for (Waiters::Command& command : commands) {
      Count("outcome_unknown");
      command.done(OutcomeUnknown());
    }
    for (Waiters::Position& position : positions) position.done(NotUpToBound());
  }

  void WaitFor(const PositionToken& token, MonotonicTime deadline,
               std::function<void(Status)> done) override {
    const bool ours = token.of.topic == options_.topic && token.of.partition < options_.partitions;
    const std::optional<log::Offset> folded =
        ours ? view_(token.of.partition).position : waiters_->Folded(token.of);
    // Tokens come from outside: nothing is remembered of a partition that only a token names.
    if (!folded) return done(NotUpToBound());
    // Registered before it is looked at: what is folded in between is not missed.
    if (!waiters_->Add(Waiters::Position{.of = token.of, .position = token.position, .done = done},
                       deadline)) {
      return done(Error(StatusCode::kResourceExhausted, "waiters_full",
                        "too many callers wait; try again"));
    }
    OnFolded(token.of,
             ours ? view_(token.of.partition).position : waiters_->Folded(token.of).value_or(0));
  }

  void OnAnswer(std::string_view caller, RequestId request,
                const store::v1::AnswerRow& answer) override {
    KillPoint("before_answer");
    std::string key(caller);
    key += request.Bytes();
    for (Waiters::Command& waiter : waiters_->TakeByKey(key)) {
      const bool again = answer.reason() == "moved" || answer.reason() == "not_yet";
      Count(answer.code() == 0 ? "applied" : again ? std::string_view(answer.reason()) : "refused");
      waiter.done(
          Answered{.answer = answer, .token = {.of = waiter.of, .position = answer.offset() + 1}});
    }
  }

  void OnFolded(const log::TopicPartition& of, log::Offset position) override {
    for (Waiters::Position& waiter : waiters_->TakeReached(of, position)) waiter.done(OkStatus());
  }

 private:
  static Status NotUpToBound() {
    return Error(
        StatusCode::kUnavailable, "not_up_to_bound",
        "this node has not folded up to the position asked for; try again or ask for less");
  }

  Status Check(const store::v1::Command& command, const std::optional<CustomerId>& member) const {
    const auto request = RequestId::FromBytes(command.request_id());
    const auto issued = request ? IssueTime(*request) : std::nullopt;
    if (!issued) {
      return Error(StatusCode::kInvalidArgument, "request_id_malformed",
                   "the request id is no UUID of version 7");
    }
    if (!member || command.caller().size() != Hash16().size()) {
      return Error(StatusCode::kInvalidArgument, "command_malformed",
                   "its member or caller has not 16 bytes");
    }
    const WallTime now = clock_.Wall();
    if (*issued < now - kMaxRequestAge || *issued > now + kMaxRequestAhead) {
      return Error(
          StatusCode::kInvalidArgument, "request_id_expired",
          "the request id was issued more than 24 hours ago or in the future; take a new one");
    }
    return OkStatus();
  }

  // What is appended will happen, however late: a caller who would give up before it does is
  // refused now.
  Status CheckLag(const log::TopicPartition& of, MonotonicTime::duration left) const {
    if (left <= MonotonicTime::duration::zero()) {
      return Error(StatusCode::kDeadlineExceeded, "deadline_exceeded",
                   "the deadline had passed before the command was sent");
    }
    const fold::PartitionView view = view_(of.partition);
    if (!view.stopped_reason.empty()) {
      return Error(StatusCode::kUnavailable, "partition_stopped",
                   "the customer's partition is stopped for an operator");
    }
    if (view.end - view.position <= kNoLagRecords) return OkStatus();
    const WallTime folded_until{Micros(view.last_append_micros)};
    if (clock_.Wall() - folded_until <= left) return OkStatus();
    return Error(StatusCode::kUnavailable, "partition_lagging",
                 "the customer's partition is further behind than the deadline allows; try again");
  }

  void Count(std::string_view outcome) {
    if (options_.registry != nullptr)
      options_.registry->Get(metric::kCommandOutcomes, {outcome}).Increment();
  }

  const Options options_;
  log::Log& log_;
  const Clock& clock_;
  const std::function<fold::PartitionView(uint32_t)> view_;
  const std::shared_ptr<Waiters> waiters_;
};

}  // namespace

std::unique_ptr<Commands> Commands::Create(
    Options options, log::Log& log, const Clock& clock,
    std::function<fold::PartitionView(uint32_t partition)> view) {
  return std::make_unique<LogCommands>(std::move(options), log, clock, std::move(view));
}

}  // namespace hilo::command
