#include "tests/driver/fold_driver.h"

#include <algorithm>
#include <utility>

#include "ops/base/check.h"
#include "state/store/tables.h"

namespace hilo::driver {
namespace {

constexpr int kMaxRounds = 1'000'000;  // of Settle: beyond it, folds keep each other busy for ever
constexpr std::chrono::seconds kFineTick{1};
constexpr std::chrono::seconds kCoarseTick{10};
constexpr std::chrono::minutes kFineUpTo{2};

std::vector<log::TopicSpec> WithDeadLetters(std::vector<log::TopicSpec> topics) {
  topics.push_back({"dead-letters", 1});
  return topics;
}

// Topics behind which no fold of this driver stands.
std::vector<std::string> DurableIsAccepted(const FoldDriver::Options& driver) {
  std::vector<std::string> topics = {"dead-letters"};
  for (const log::TopicSpec& topic : driver.topics) {
    const bool folded =
        std::any_of(driver.partitions.begin(), driver.partitions.end(),
                    [&](const PartitionSpec& spec) { return spec.of.topic == topic.name; });
    if (!folded) topics.push_back(topic.name);
  }
  return topics;
}

std::string NameOf(const log::TopicPartition& of) {
  return of.topic + "/" + std::to_string(of.partition);
}

}  // namespace

// A partition with its store. It stands in for its Partition, so that a ticker survives a restart.
class FoldDriver::Node final : public fold::Partition {
 public:
  Node(const PartitionSpec& spec, const FoldDriver::Options& driver, const Refolding& folding,
       bool owner, log::Log& log, fold::Progress& progress, fold::Listener& listener)
      : spec_(spec),
        options_({.of = spec.of,
                  .targets = spec.targets,
                  .durable_is_accepted = DurableIsAccepted(driver),
                  .owner = owner,
                  .max_batch_records = folding.batch,
                  .newest_version = driver.newest_version}),
        restart_(folding.restart_after_each_batch),
        log_(log),
        progress_(progress),
        listener_(listener) {}

  Status Open() {
    partition_.reset();
    fold_ = spec_.make_fold();
    auto opened = fold::Partition::Open(options_, log_, store_, *fold_, progress_, listener_);
    opened_ = opened.status();
    if (opened.ok()) partition_ = *std::move(opened);
    return opened_;
  }

  StatusOr<size_t> Step(std::chrono::milliseconds wait) override {
    HILO_RETURN_IF_ERROR(opened_);
    auto folded = partition_->Step(wait);
    if (restart_ && folded.ok() && *folded > 0) HILO_RETURN_IF_ERROR(Open());
    return folded;
  }
  void Send() override {
    if (partition_ != nullptr) partition_->Send();
  }
  Status Trim(bool now) override { return partition_ == nullptr ? opened_ : partition_->Trim(now); }
  bool OutboxEmpty() const override { return partition_ == nullptr || partition_->OutboxEmpty(); }
  bool OutboxFull() const override { return partition_ != nullptr && partition_->OutboxFull(); }
  fold::PartitionView View() const override {
    if (partition_ != nullptr) return partition_->View();
    return {.of = options_.of, .stopped_reason = Reason(opened_)};
  }
  void Interrupt() override {}

  fold::Fold& fold() { return *fold_; }
  store::MapStore& store() { return store_; }

 private:
  const PartitionSpec& spec_;
  const Options options_;
  const bool restart_;
  log::Log& log_;
  fold::Progress& progress_;
  fold::Listener& listener_;
  store::MapStore store_;
  std::unique_ptr<fold::Fold> fold_;
  std::unique_ptr<fold::Partition> partition_;
  Status opened_;

 public:
  std::unique_ptr<fold::Ticker> ticker;
};

FoldDriver::FoldDriver(Options options)
    : options_(std::move(options)),
      clock_(options_.start),
      log_(WithDeadLetters(options_.topics), clock_),
      progress_(fold::NewLocalProgress()) {
  uint64_t incarnation = 0;
  for (const PartitionSpec& spec : options_.partitions) {
    fold::Listener& listener = options_.listener == nullptr ? deaf_ : *options_.listener;
    auto node = std::make_unique<Node>(spec, options_, options_.folding, /*owner=*/true, log_,
                                       *progress_, listener);
    HILO_CHECK(node->Open().ok(), "an empty store over an empty log opens");
    node->ticker = fold::Ticker::Create(spec.of, ++incarnation, log_, clock_, *node);
    node->ticker->Beat();
    nodes_.emplace(spec.of, std::move(node));
  }
  HILO_CHECK(Settle().ok(), "first ticks fold");
}

FoldDriver::~FoldDriver() = default;

log::Offset FoldDriver::Append(const log::TopicPartition& to, const store::v1::Record& record) {
  return AppendRaw(to, {.payload = fold::Encode(record)});
}

log::Offset FoldDriver::AppendRaw(const log::TopicPartition& to, log::Record record) {
  std::vector<log::Record> records;
  records.push_back(std::move(record));
  const auto offset = AppendAndWait(log_, to, std::move(records));
  HILO_CHECK(offset.ok(), "a test appends to topics that it named, records that a log takes");
  return *offset;
}

Status FoldDriver::Settle() {
  Status first;
  for (int round = 0; round < kMaxRounds; ++round) {
    bool busy = false;
    for (auto& [of, node] : nodes_) {
      const auto folded = node->Step(std::chrono::milliseconds(0));
      if (!folded.ok() && first.ok()) first = folded.status();
      const int64_t outbox = node->View().outbox_bytes;
      node->Send();
      if (const Status trimmed = node->Trim(/*now=*/true); !trimmed.ok() && first.ok())
        first = trimmed;
      busy = busy || (folded.ok() && *folded > 0) || node->View().outbox_bytes != outbox;
    }
    if (!busy) return first;
  }
  return Error(StatusCode::kInternal, "never_settles", "the folds keep each other busy");
}

Status FoldDriver::Advance(std::chrono::microseconds time) {
  const std::chrono::microseconds step = time <= kFineUpTo ? kFineTick : kCoarseTick;
  while (time.count() > 0) {
    const auto now = std::min(step, time);
    clock_.Advance(now);
    time -= now;
    for (auto& [of, node] : nodes_) node->ticker->Beat();
    HILO_RETURN_IF_ERROR(Settle());
  }
  return OkStatus();
}

Status FoldDriver::Restart(const log::TopicPartition& of) { return nodes_.at(of)->Open(); }

Status FoldDriver::Refold(const Refolding& how) const {
  // Reading through a const driver: the log is shared, nothing is appended to it.
  auto& log = const_cast<log::MemoryLog&>(log_);
  const auto progress = fold::NewLocalProgress();
  for (const PartitionSpec& spec : options_.partitions) {
    fold::Listener deaf;
    Node again(spec, options_, how, /*owner=*/false, log, *progress, deaf);
    HILO_RETURN_IF_ERROR(again.Open());
    while (true) {
      HILO_ASSIGN_OR_RETURN(const size_t folded, again.Step(std::chrono::milliseconds(0)));
      if (folded == 0) break;
    }
    const fold::PartitionView here = View(spec.of);
    const fold::PartitionView there = again.View();
    const auto differs = [&](std::string_view what) {
      return Error(StatusCode::kInternal, "refold_differs",
                   NameOf(spec.of) + " differs in " + std::string(what));
    };
    if (there.position != here.position) return differs("position");
    if (there.record_hash != here.record_hash) return differs("record hash");
    if (there.state_digest != here.state_digest) return differs("state digest");
    std::map<std::string, std::string> rows;
    for (const auto& [key, value] : *again.store().AllRows()) {
      if (store::InDigest(static_cast<store::Table>(key[0]))) rows.emplace(key, value);
    }
    for (const auto& [key, value] : *nodes_.at(spec.of)->store().AllRows()) {
      if (!store::InDigest(static_cast<store::Table>(key[0]))) continue;
      const auto found = rows.find(key);
      if (found == rows.end() || found->second != value)
        return differs("a row of table " + std::to_string(key[0]));
      rows.erase(found);
    }
    if (!rows.empty()) return differs("a row of table " + std::to_string(rows.begin()->first[0]));
  }
  return OkStatus();
}

fold::Partition& FoldDriver::partition(const log::TopicPartition& of) { return *nodes_.at(of); }
fold::PartitionView FoldDriver::View(const log::TopicPartition& of) const {
  return nodes_.at(of)->View();
}
fold::Fold& FoldDriver::fold(const log::TopicPartition& of) { return nodes_.at(of)->fold(); }
store::MapStore& FoldDriver::store(const log::TopicPartition& of) { return nodes_.at(of)->store(); }

std::vector<store::v1::Record> FoldDriver::Records(const log::TopicPartition& of,
                                                   log::Offset from) const {
  auto& log = const_cast<log::MemoryLog&>(log_);
  std::vector<store::v1::Record> records;
  auto cursor = log.OpenCursor(of, from);
  HILO_CHECK(cursor.ok(), "a test reads what its log has");
  while (true) {
    auto batch = (*cursor)->Read(1'024, std::chrono::milliseconds(0));
    HILO_CHECK(batch.ok(), "a log in memory can be read");
    if (batch->empty()) return records;
    for (const log::StoredRecord& stored : *batch) {
      store::v1::Record record;
      if (!fold::Decode(stored.record.payload, &record).ok()) record.Clear();
      if (!record.has_tick()) records.push_back(std::move(record));
    }
  }
}

std::vector<store::v1::DeadLetter> FoldDriver::DeadLetters() const {
  std::vector<store::v1::DeadLetter> letters;
  for (const store::v1::Record& record : Records({"dead-letters", 0}))
    letters.push_back(record.dead_letter());
  return letters;
}

}  // namespace hilo::driver
