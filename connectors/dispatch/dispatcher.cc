#include "connectors/dispatch/dispatcher.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "connectors/dispatch/quiet_hours.h"
#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"
#include "state/store/tables.h"
#include "state/types/hash.h"
#include "streams/fold/fold.h"

namespace hilo::dispatch {
namespace {

using store::v1::Command;
using store::v1::OutboundMessage;
using store::v1::ReportMessage;

// How long a thread waits for records before it looks at its tasks again.
constexpr std::chrono::milliseconds kWait{20};
constexpr size_t kReadRecords = 64;

std::string_view ResultWord(ReportMessage::Result result) {
  switch (result) {
    case ReportMessage::RESULT_SENT:
      return "sent";
    case ReportMessage::RESULT_TRANSIENT:
      return "transient";
    case ReportMessage::RESULT_PERMANENT:
      return "permanent";
    case ReportMessage::RESULT_NOT_SENT:
      return "not_sent";
    default:
      return "unknown";
  }
}

// Tasks for one thread, now or later. **Threads**: Post from any, the rest from that thread.
class Tasks {
 public:
  using Task = std::function<void()>;
  void Post(Task task) {
    MutexLock lock(mutex_);
    posted_.push_back(std::move(task));
    wake_.notify_one();
  }
  // Until one is posted, at most so long.
  void Wait(std::chrono::milliseconds at_most) {
    MutexLock lock(mutex_);
    if (posted_.empty()) wake_.wait_for(mutex_, at_most);
  }
  void After(MonotonicTime due, Task task) { later_.emplace(due, std::move(task)); }
  void Run(MonotonicTime now) {
    while (!later_.empty() && later_.begin()->first <= now) {
      Task task = std::move(later_.begin()->second);
      later_.erase(later_.begin());
      task();
    }
    std::vector<Task> posted;
    {
      MutexLock lock(mutex_);
      posted.swap(posted_);
    }
    for (const Task& task : posted) task();
  }

 private:
  std::multimap<MonotonicTime, Task> later_;
  Mutex mutex_;
  ConditionVariable wake_;
  std::vector<Task> posted_ HILO_GUARDED_BY(mutex_);
};

// One partition of the channel, on its own thread.
//
// **Lifetime**: callbacks hold it; they may come after Stop, and then only leave a task that nobody
// runs.
class Line : public std::enable_shared_from_this<Line> {
 public:
  Line(const Dispatcher::Options& options, const Dispatcher::Parts& parts, uint32_t partition,
       std::unique_ptr<log::Cursor> cursor, log::Offset position)
      : options_(options),
        parts_(parts),
        partition_(partition),
        cursor_(std::move(cursor)),
        next_(position),
        stored_(position) {}

  static std::string PositionKey(const std::string& channel, uint32_t partition) {
    return std::string(1, static_cast<char>(store::Table::kLocal)) + "dispatch." + channel + "." +
           std::to_string(partition);
  }

  void Start() {
    thread_ = StartThread("dispatch-" + std::to_string(partition_),
                          [this](const std::stop_token& stop) { Run(stop); });
  }
  void AskToStop() {
    thread_.request_stop();
    cursor_->Interrupt();
  }
  void Join() {
    if (thread_.joinable()) thread_.join();
  }

  Status Failure() const {
    MutexLock lock(mutex_);
    return failure_;
  }
  int64_t Lag() const {
    const auto end = parts_.log.EndOffset({"outbound." + options_.channel, partition_});
    MutexLock lock(mutex_);
    return end.ok() ? std::max<int64_t>(0, *end - stored_) : 0;
  }

 private:
  // A message on its way.
  struct Parcel {
    log::Offset offset = 0;
    OutboundMessage message;
    Outgoing outgoing;
    RequestId permit_request;
    RequestId report_request;
    ReportMessage report;
    MonotonicTime asked;  // when the permit was first asked for: it holds from then
    std::chrono::milliseconds pause = Dispatcher::kFirstPause;
  };
  using ParcelPointer = std::shared_ptr<Parcel>;

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested() && Failure().ok()) {
      tasks_.Run(parts_.clock.Monotonic());
      if (under_way_.size() >= Dispatcher::kMaxUnderWay) {
        tasks_.Wait(kWait);
        continue;
      }
      auto records = cursor_->Read(
          std::min(kReadRecords, Dispatcher::kMaxUnderWay - under_way_.size()), kWait);
      if (!records.ok()) return Fail(records.status());
      for (const log::StoredRecord& stored : *records) Begin(stored);
    }
    stopping_ = true;
    const MonotonicTime until = parts_.clock.Monotonic() + Dispatcher::kStopWait;
    while (with_carrier_ > 0 && parts_.clock.Monotonic() < until) {
      tasks_.Run(parts_.clock.Monotonic());
      tasks_.Wait(kWait);
    }
    StorePosition();
  }

  void Fail(const Status& status) {
    parts_.logger.Error(
        "dispatch stopped",
        {{"channel", options_.channel}, {"partition", partition_}, {"cause", status}});
    MutexLock lock(mutex_);
    failure_ = status;
  }

  void Begin(const log::StoredRecord& stored) {
    const auto parcel = std::make_shared<Parcel>();
    parcel->offset = stored.offset;
    next_ = stored.offset + 1;
    under_way_.insert(stored.offset);
    store::v1::Record record;
    if (const Status decoded = fold::Decode(stored.record.payload, &record);
        !decoded.ok() || !record.has_message()) {
      // Only our folds write here: nobody else can be asked about it.
      parts_.logger.Error(
          "outbound record not understood",
          {{"channel", options_.channel}, {"partition", partition_}, {"offset", stored.offset}});
      return Settle(*parcel, "malformed");
    }
    parcel->message = std::move(*record.mutable_message());
    Prepare(parcel);
  }

  void Prepare(const ParcelPointer& parcel) {
    if (stopping_) return;
    auto outgoing = parts_.preparation.Prepare(parcel->message);
    if (!outgoing.ok() && outgoing.status().code() == StatusCode::kUnavailable) {
      return Later(parcel, [this, parcel] { Prepare(parcel); });
    }
    if (const Status caught_up = parts_.suppressions.CatchUp(); !caught_up.ok()) {
      // Without the list nothing may leave.
      return Later(parcel, [this, parcel] { Prepare(parcel); });
    }
    std::string unsendable;
    if (outgoing.ok()) {
      parcel->outgoing = *std::move(outgoing);
    } else {
      unsendable = Reason(outgoing.status());
    }
    KillPoint("dispatch_before_permit");
    NewPermitRequest(*parcel);
    AskPermit(parcel, unsendable);
  }

  void NewPermitRequest(Parcel& parcel) {
    parcel.permit_request = command::NewRequestId(parts_.clock.Wall());
    parcel.asked = parts_.clock.Monotonic();
  }

  void AskPermit(const ParcelPointer& parcel, const std::string& unsendable) {
    if (stopping_) return;
    const OutboundMessage& message = parcel->message;
    Command command = CommandFor(message, parcel->permit_request);
    store::v1::RequestPermit* ask = command.mutable_request_permit();
    ask->set_message(message.message());
    ask->set_attempt(message.attempt());
    ask->set_incarnation(options_.incarnation);
    ask->set_unsendable(unsendable);
    const auto& order = message.order();
    const bool asks_consent = order.class_() != store::v1::MessageOrder::CLASS_TRANSACTIONAL;
    ask->set_suppressed(parts_.suppressions.Holds(message.address().hash(), options_.channel_number,
                                                  asks_consent ? order.purpose() : ""));
    const auto quiet =
        QuietUntil({.from_minute = order.quiet_from_minute(), .to_minute = order.quiet_to_minute()},
                   message.time_zone(), order.default_zone(), parts_.clock.Wall());
    if (quiet.has_value()) ask->set_hold_until_micros(quiet->time_since_epoch().count());
    // Not the whole request: a question put again an instant later is the same question.
    command.set_content_hash(
        std::string(Bytes(Hash(message.message(), std::to_string(message.attempt()) + "/permit"))));
    Send(std::move(command), [this, parcel, unsendable](StatusOr<command::Answered> answered) {
      OnPermit(parcel, unsendable, std::move(answered));
    });
  }

  void OnPermit(const ParcelPointer& parcel, const std::string& unsendable,
                StatusOr<command::Answered> answered) {
    if (stopping_) return;
    if (!answered.ok()) {
      // The answer is lost or was never made: the same question again gets it.
      return Later(parcel, [this, parcel, unsendable] { AskPermit(parcel, unsendable); });
    }
    const store::v1::AnswerRow& answer = answered->answer;
    if (answer.code() != 0) {
      const auto code = static_cast<StatusCode>(answer.code());
      if (code == StatusCode::kUnavailable || code == StatusCode::kAborted) {
        return Later(parcel, [this, parcel] { Prepare(parcel); });
      }
      return Settle(*parcel, answer.reason());
    }
    const store::v1::PermitResult& permit = answer.result().permit();
    if (permit.granted()) return HandOver(parcel, Micros(permit.valid_micros()));
    if (permit.settled()) return Settle(*parcel, permit.reason());
    // The partition's clocks disagree, or the like: later anew, since this answer is now stored
    // under its request id.
    Later(parcel, [this, parcel] { Prepare(parcel); });
  }

  void HandOver(const ParcelPointer& parcel, Micros valid) {
    KillPoint("dispatch_after_permit");
    ++with_carrier_;
    const MonotonicTime until = parcel->asked + valid;
    const Clock& clock = parts_.clock;
    const auto self = shared_from_this();
    parts_.carrier.Send(
        std::move(parcel->outgoing), [&clock, until] { return clock.Monotonic() < until; },
        [self, parcel](const Delivery& delivery) {
          KillPoint("dispatch_after_send");
          self->Post([self, parcel, delivery] { self->OnDelivery(parcel, delivery); });
        });
  }

  void OnDelivery(const ParcelPointer& parcel, const Delivery& delivery) {
    ReportMessage& report = parcel->report;
    report.set_message(parcel->message.message());
    report.set_attempt(parcel->message.attempt());
    report.set_incarnation(options_.incarnation);
    report.set_result(delivery.result);
    report.set_code(delivery.code);
    report.set_enhanced_code(delivery.enhanced_code);
    report.set_retry_after_micros(delivery.retry_after.count());
    parcel->report_request = command::NewRequestId(parts_.clock.Wall());
    parcel->pause = Dispatcher::kFirstPause;
    parts_.registry
        .Get(metric::kDispatchDeliveries, {options_.channel, ResultWord(delivery.result)})
        .Increment();
    Report(parcel);
  }

  void Report(const ParcelPointer& parcel) {
    Command command = CommandFor(parcel->message, parcel->report_request);
    *command.mutable_report_message() = parcel->report;
    command.set_content_hash(std::string(Bytes(Hash(parcel->report.SerializeAsString()))));
    Send(std::move(command), [this, parcel](StatusOr<command::Answered> answered) {
      if (!answered.ok() && Reason(answered.status()) != "request_id_expired") {
        return Later(parcel, [this, parcel] { Report(parcel); });
      }
      KillPoint("dispatch_after_report");
      --with_carrier_;
      Settle(*parcel, "");
    });
  }

  Command CommandFor(const OutboundMessage& message, RequestId request) const {
    Command command;
    command.set_customer(message.customer());
    command.set_member(message.member());
    command.set_caller(std::string(Bytes(Hash("hilo.dispatch.", options_.channel))));
    command.set_request_id(std::string(request.Bytes()));
    command.set_principal("dispatch." + options_.channel);
    command.set_channel(options_.channel_number);
    command.set_receive_micros(parts_.clock.Wall().time_since_epoch().count());
    return command;
  }

  // `done` runs on this line's thread.
  void Send(Command command, std::function<void(StatusOr<command::Answered>)> done) {
    const auto self = shared_from_this();
    parts_.commands.Send(std::move(command), parts_.clock.Monotonic() + Dispatcher::kAnswerWait,
                         [self, done = std::move(done)](StatusOr<command::Answered> answered) {
                           self->Post([done, answered = std::move(answered)] { done(answered); });
                         });
  }

  void Post(std::function<void()> task) {
    tasks_.Post(std::move(task));
    cursor_->Interrupt();
  }

  void Later(const ParcelPointer& parcel, std::function<void()> task) {
    tasks_.After(parts_.clock.Monotonic() + parcel->pause, std::move(task));
    parcel->pause = std::min(2 * parcel->pause, Dispatcher::kLongestPause);
  }

  // The fold has said its last word about this record. `refused` is why nothing was sent; empty
  // when something was, or was tried.
  void Settle(const Parcel& parcel, const std::string& refused) {
    if (!refused.empty()) {
      parts_.registry.Get(metric::kDispatchRefused, {options_.channel, refused}).Increment();
    }
    under_way_.erase(parcel.offset);
    StorePosition();
  }

  void StorePosition() {
    const log::Offset position = under_way_.empty() ? next_ : *under_way_.begin();
    {
      MutexLock lock(mutex_);
      if (position == stored_) return;
      stored_ = position;
    }
    auto batch = parts_.positions.NewBatch();
    batch->Put(PositionKey(options_.channel, partition_), std::to_string(position));
    if (const Status written = parts_.positions.Write(std::move(batch)); !written.ok()) {
      // Harmless but for what is asked again after a restart.
      parts_.logger.Warning("dispatch position not stored",
                            {{"channel", options_.channel}, {"cause", written}});
    }
  }

  const Dispatcher::Options options_;
  const Dispatcher::Parts parts_;
  const uint32_t partition_;
  Tasks tasks_;

  // Of the thread.
  std::unique_ptr<log::Cursor> cursor_;
  std::set<log::Offset> under_way_;
  log::Offset next_;
  int with_carrier_ = 0;
  bool stopping_ = false;

  mutable Mutex mutex_;
  log::Offset stored_ HILO_GUARDED_BY(mutex_);
  Status failure_ HILO_GUARDED_BY(mutex_);

  std::jthread thread_;
};

class PartitionedDispatcher final : public Dispatcher {
 public:
  explicit PartitionedDispatcher(std::vector<std::shared_ptr<Line>> lines)
      : lines_(std::move(lines)) {}
  ~PartitionedDispatcher() override { Stop(); }

  void Start() override {
    for (const auto& line : lines_) line->Start();
  }
  void Stop() override {
    for (const auto& line : lines_) line->AskToStop();
    for (const auto& line : lines_) line->Join();
  }
  Status Failure() const override {
    for (const auto& line : lines_) HILO_RETURN_IF_ERROR(line->Failure());
    return OkStatus();
  }
  int64_t Lag(uint32_t partition) const override { return lines_[partition]->Lag(); }

 private:
  const std::vector<std::shared_ptr<Line>> lines_;
};

}  // namespace

StatusOr<std::unique_ptr<Dispatcher>> Dispatcher::Create(const Options& options,
                                                         const Parts& parts) {
  std::vector<std::shared_ptr<Line>> lines;
  for (uint32_t partition = 0; partition < options.partitions; ++partition) {
    const log::TopicPartition of{"outbound." + options.channel, partition};
    HILO_ASSIGN_OR_RETURN(log::Offset position, parts.log.StartOffset(of));
    HILO_ASSIGN_OR_RETURN(const auto stored,
                          parts.positions.Get(Line::PositionKey(options.channel, partition)));
    if (stored.has_value()) {
      log::Offset at = 0;
      const auto [end, error] =
          std::from_chars(stored->data(), stored->data() + stored->size(), at);
      if (error != std::errc() || end != stored->data() + stored->size()) {
        return Error(StatusCode::kDataLoss, "state_corrupt",
                     "the dispatcher's position cannot be read; take its directory away to begin "
                     "at the start of the topic, where nothing is sent twice");
      }
      position = std::max(position, at);
    }
    HILO_ASSIGN_OR_RETURN(auto cursor, parts.log.OpenCursor(of, position));
    lines.push_back(std::make_shared<Line>(options, parts, partition, std::move(cursor), position));
  }
  return std::make_unique<PartitionedDispatcher>(std::move(lines));
}

}  // namespace hilo::dispatch
