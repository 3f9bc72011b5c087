// The hostile world of log time, against a whole partition.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "state/store/keys.h"
#include "state/store/map_store.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"
#include "tests/unit/streams/fold/log_time_world.h"

namespace hilo::fold {
namespace {

constexpr int64_t kDay = 24 * 600 * int64_t{1'000'000};
const log::TopicPartition kOf{"customers", 0};

// Sets the timers it is given, and sends to a customer while the cap allows.
class SendingFold final : public Fold {
 public:
  Outcome Apply(const FoldRecord&, Context& context) override {
    for (const Timer& timer : timers) context.SetTimer(timer);
    timers.clear();
    return Outcome::Ok();
  }
  Outcome Fire(const Timer& timer, Context& context) override {
    const int64_t now = context.Now().micros;
    const int customer = std::stoi(timer.payload);
    std::vector<int64_t>& sent = sent_[customer];
    std::erase_if(sent, [now](int64_t at) { return at <= now - kDay; });
    const bool sends = sent.size() < static_cast<size_t>(TimeSubject::kCap);
    if (sends) sent.push_back(now);
    fired.push_back({timer.due.micros, std::stoi(timer.name), customer, timer.catch_up, sends});
    return Outcome::Ok();
  }

  std::vector<Timer> timers;
  std::vector<Fired> fired;

 private:
  std::map<int, std::vector<int64_t>> sent_;
};

class PartitionSubject final : public TimeSubject {
 public:
  void SetTimer(int64_t due, int name, int customer, CatchUp policy, int64_t period) override {
    fold_.timers.push_back({.name = std::to_string(name),
                            .due = {due},
                            .payload = std::to_string(customer),
                            .catch_up = policy,
                            .period = Micros(period),
                            .fixed = name % 2 == 1});
  }
  std::vector<Fired> Tick(const store::v1::Tick& tick, int64_t append_micros) override {
    clock_.Advance(Micros(append_micros - clock_.Wall().time_since_epoch().count()));
    if (partition_ == nullptr) Begin();
    store::v1::Record record;
    *record.mutable_tick() = tick;
    return Append(record);
  }
  std::vector<Fired> Accept(const store::v1::AcceptTime& accept) override {
    store::v1::Record record;
    *record.mutable_accept_time() = accept;
    return Append(record);
  }
  int64_t Now() const override { return partition_->View().log_time.micros; }
  bool Closed() const override { return partition_->View().closed; }
  bool GapSilent() const override { return partition_->View().gap_silent; }
  log::Offset Gap() const override { return partition_->View().gap; }
  size_t Gaps() const override {
    store::v1::ClockRow row;
    const auto bytes = store_.Get(store::KeyBuilder(store::Table::kClock).Build());
    EXPECT_TRUE(Decode(**bytes, &row).ok());
    return static_cast<size_t>(row.gaps_size());
  }
  std::optional<int64_t> LowestDue() const override {
    const auto rows =
        store_.NewIterator(store::PrefixRange(store::KeyBuilder(store::Table::kTimer).Build()));
    if (!rows->Valid()) return std::nullopt;
    uint64_t bits = 0;
    for (char byte : rows->Key().substr(1, 8)) bits = bits << 8 | static_cast<uint8_t>(byte);
    return static_cast<int64_t>(bits ^ (uint64_t{1} << 63));
  }

 private:
  void Begin() {
    auto opened = Partition::Open({.of = kOf}, log_, store_, fold_, *progress_, listener_);
    ASSERT_TRUE(opened.ok());
    partition_ = *std::move(opened);
    store::v1::Record parameters;
    parameters.mutable_parameters()->set_timers_per_tick(kFire);
    Append(parameters);
    store::v1::Record event;
    event.set_event("set the timers");
    Append(event);
  }
  std::vector<Fired> Append(const store::v1::Record& record) {
    EXPECT_TRUE(AppendAndWait(log_, kOf, {{.payload = Encode(record)}}).ok());
    const auto folded = partition_->Step(std::chrono::milliseconds(0));
    EXPECT_TRUE(folded.ok()) << Describe(folded.status());
    return std::exchange(fold_.fired, {});
  }

  ManualClock clock_{WallTime(std::chrono::hours(24 * 2'000))};
  log::MemoryLog log_{{{"customers", 1}, {"dead-letters", 1}}, clock_};
  store::MapStore store_;
  SendingFold fold_;
  Listener listener_;
  std::unique_ptr<Progress> progress_ = NewLocalProgress();
  std::unique_ptr<Partition> partition_;
};

TEST(TimersWorld, APartitionKeepsItsPromises) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    PartitionSubject subject;
    ASSERT_EQ(LogTimeWorld(seed, subject).Run(), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace hilo::fold
