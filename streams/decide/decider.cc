#include "streams/decide/decider.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "ops/base/kill_point.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"
#include "streams/customer/outbound_reader.h"
#include "streams/customer/reader.h"

namespace hilo::decide {
namespace {

class OwnerDecider final : public Decider {
 public:
  explicit OwnerDecider(const Parts& parts) : parts_(parts), appended_(parts.partitions) {}
  ~OwnerDecider() override { Stop(); }

  void OnNotice(const log::TopicPartition&, const fold::Notice& notice) override {
    if (notice.kind != fold::Notice::Kind::kDue) return;
    MutexLock lock(mutex_);
    told_ = true;
    wake_.notify_one();
  }

  void Start() override {
    thread_ = StartThread("decide", [this](const std::stop_token& stop) { Run(stop); });
  }
  void Stop() override {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    {
      MutexLock lock(mutex_);
      told_ = true;
      wake_.notify_one();
    }
    thread_.join();
  }

 private:
  // A run and the turn it is due for.
  using Turn = std::pair<std::string, uint32_t>;

  void Run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      bool all = true;
      for (uint32_t partition = 0; partition < parts_.partitions; ++partition) {
        const auto more = DecidePartition(partition);
        if (!more.ok()) {
          parts_.logger.Warning("nothing decided for now",
                                {{"partition", partition}, {"cause", more.status()}});
        } else if (*more) {
          all = false;
        }
      }
      MutexLock lock(mutex_);
      if (all && !told_) wake_.wait_for(mutex_, kLook);
      told_ = false;
    }
  }

  // True when more is due than was looked at.
  StatusOr<bool> DecidePartition(uint32_t partition) {
    const auto view = parts_.store(partition).NewView();
    HILO_ASSIGN_OR_RETURN(const customer::DuePage page, customer::ReadDue(*view, kMaxAtOnce));
    std::set<Turn> still_due;
    std::vector<log::Record> records;
    std::vector<Turn> turns;
    const LogTime now = parts_.view(partition).log_time;
    for (const customer::DueRun& due : page.runs) {
      Turn turn(due.run, due.turn);
      still_due.insert(turn);
      if (appended_[partition].contains(turn)) continue;
      HILO_ASSIGN_OR_RETURN(store::v1::Decided decided, DecideOne(*view, due, now));
      store::v1::Record record;
      *record.mutable_decided() = std::move(decided);
      records.push_back({"", store::v1::RecordHeader().SerializeAsString(), fold::Encode(record)});
      turns.push_back(std::move(turn));
    }
    // What the fold has taken is due no more.
    std::erase_if(appended_[partition],
                  [&](const Turn& turn) { return !still_due.contains(turn); });
    if (records.empty()) return false;
    KillPoint("decide_before_append");
    // An error may mean that it is in the log all the same; then the second one is dropped.
    HILO_RETURN_IF_ERROR(
        log::AppendAndWait(parts_.log, {"customers", partition}, std::move(records)).status());
    KillPoint("decide_after_append");
    appended_[partition].insert(turns.begin(), turns.end());
    return !page.next.empty();
  }

  StatusOr<store::v1::Decided> DecideOne(const store::Reader& view, const customer::DueRun& due,
                                         LogTime now) {
    store::v1::Decided decided;
    HILO_ASSIGN_OR_RETURN(const auto row, customer::ReadCustomer(view, due.customer));
    const store::v1::JourneyRow* run = nullptr;
    if (row.has_value()) {
      for (const auto& candidate : row->journeys()) {
        if (candidate.run() == due.run) run = &candidate;
      }
    }
    if (run == nullptr) {
      decided.set_reason("run_gone");
    } else {
      const auto catalogue = parts_.catalogue();
      const auto* journey = catalogue->FindJourney(run->journey());
      decided = DecideRun(
          {.customer = *row,
           .run = *run,
           .catalogue = *catalogue,
           .now = now,
           .seed = parts_.seed(),
           .posterior = parts_.propensities.For(journey == nullptr ? "" : journey->channel, now)});
    }
    parts_.registry.Get(metric::kDecisionsDue, {decided.has_order() ? "send" : decided.reason()})
        .Increment();
    decided.set_customer(std::string(due.customer.Bytes()));
    decided.set_member(std::string(due.member.Bytes()));
    decided.set_run(due.run);
    decided.set_turn(due.turn);
    return decided;
  }

  const Parts parts_;
  // Of the thread: what lies in the log and may not be folded yet, by partition.
  std::vector<std::set<Turn>> appended_;

  Mutex mutex_;
  ConditionVariable wake_;
  bool told_ HILO_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Decider> Decider::Create(const Parts& parts) {
  return std::make_unique<OwnerDecider>(parts);
}

}  // namespace hilo::decide
