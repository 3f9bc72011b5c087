#include "ops/hilod/local_node.h"

#include <algorithm>
#include <random>
#include <utility>

#include "ops/base/check.h"
#include "ops/base/metric_names.h"
#include "ops/base/thread.h"
#include "streams/customer/customer_fold.h"
#include "streams/customer/outbound.h"
#include "streams/identity/identity_fold.h"

namespace hilo::hilod {
namespace {

constexpr std::string_view kEvents = "events";
constexpr std::string_view kCustomers = "customers";
constexpr std::string_view kDeadLetters = "dead-letters";

using OpenedStore = StatusOr<std::unique_ptr<store::RocksDbStore>>;

// At once: what each has to recover after a crash is work for a core of its own.
std::vector<OpenedStore> OpenStores(const std::string& directory,
                                    const std::vector<log::TopicPartition>& all,
                                    store::SharedResources& resources) {
  std::vector<OpenedStore> opened(all.size());
  {
    std::vector<std::jthread> openers;
    for (size_t i = 0; i < all.size(); ++i) {
      openers.emplace_back([&, i] {
        opened[i] = store::RocksDbStore::Open(
            {directory + "/" + all[i].topic + "-" + std::to_string(all[i].partition), resources});
      });
    }
  }
  return opened;
}

}  // namespace

void Listeners::OnAnswer(std::string_view caller, RequestId request,
                         const store::v1::AnswerRow& answer) {
  for (fold::Listener* listener : listeners_) listener->OnAnswer(caller, request, answer);
}

void Listeners::OnNotice(const log::TopicPartition& of, const fold::Notice& notice) {
  if (notice.kind == fold::Notice::Kind::kCatalogue && catalogue_) catalogue_(of);
  for (fold::Listener* listener : listeners_) listener->OnNotice(of, notice);
}

void Listeners::OnFolded(const log::TopicPartition& of, log::Offset position) {
  for (fold::Listener* listener : listeners_) listener->OnFolded(of, position);
}

std::vector<log::TopicSpec> LocalNode::Topics() {
  std::vector<log::TopicSpec> topics = customer::OutboundTopics(kCustomerPartitions);
  topics.push_back({std::string(kEvents), 1});
  topics.push_back({std::string(kCustomers), kCustomerPartitions});
  topics.push_back({std::string(kDeadLetters), 1});
  topics.push_back({std::string(fold::kControlTopic), 1});
  return topics;
}

StatusOr<std::unique_ptr<LocalNode>> LocalNode::Open(const Options& options, log::Log& log,
                                                     fold::Listener& listener, const Clock& clock,
                                                     Registry& registry, Logger logger) {
  std::unique_ptr<LocalNode> node(new LocalNode(clock, registry, logger));
  node->resources_ = std::make_unique<store::SharedResources>(store::SharedResources::Options{
      .cache_bytes = options.cache_bytes, .write_buffer_bytes = options.cache_bytes / 2});
  node->progress_ = fold::NewLocalProgress();
  std::vector<log::TopicPartition> customers;
  for (uint32_t partition = 0; partition < kCustomerPartitions; ++partition)
    customers.push_back({std::string(kCustomers), partition});
  const log::TopicPartition dead_letters{std::string(kDeadLetters), 0};

  std::vector<log::TopicPartition> all = {{std::string(kEvents), 0}};
  all.insert(all.end(), customers.begin(), customers.end());
  std::random_device random;
  HILO_ASSIGN_OR_RETURN(auto skips, fold::ReadSkips(log));
  auto stores = OpenStores(options.directory, all, *node->resources_);
  for (size_t i = 0; i < all.size(); ++i) {
    const log::TopicPartition& of = all[i];
    auto unit = std::make_unique<Unit>();
    unit->of = of;
    HILO_ASSIGN_OR_RETURN(unit->store, std::move(stores[i]));
    fold::Partition::Options partition_options;
    partition_options.of = of;
    partition_options.registry = &registry;
    partition_options.max_cached_bytes = options.staging_bytes / all.size();
    partition_options.targets = {dead_letters};
    partition_options.skipped = std::move(skips[of]);
    if (of.topic == kEvents) {
      partition_options.targets.insert(partition_options.targets.end(), customers.begin(),
                                       customers.end());
      identity::Options identity_options;
      identity_options.customer_partitions = kCustomerPartitions;
      identity_options.id_key = options.id_key;
      identity_options.metrics = &registry;
      unit->fold = identity::NewIdentityFold(identity_options);
    } else {
      for (log::TopicPartition& to : customer::OutboundTargets(of.partition))
        partition_options.targets.push_back(std::move(to));
      for (std::string& topic : customer::OutboundTopicNames())
        partition_options.durable_is_accepted.push_back(std::move(topic));
      unit->fold =
          customer::NewCustomerFold({.partition = of.partition, .partitions = kCustomerPartitions});
    }
    HILO_ASSIGN_OR_RETURN(unit->partition,
                          fold::Partition::Open(partition_options, log, *unit->store, *unit->fold,
                                                *node->progress_, listener));
    const uint64_t incarnation = (uint64_t{random()} << 32) | random();
    unit->ticker = fold::Ticker::Create(of, incarnation, log, clock, *unit->partition);
    node->units_.push_back(std::move(unit));
  }
  return node;
}

LocalNode::~LocalNode() { Stop(); }

void LocalNode::Start() {
  for (const auto& unit : units_) {
    unit->thread =
        StartThread(unit->of.topic + "-" + std::to_string(unit->of.partition),
                    [this, &unit = *unit](const std::stop_token& stop) { Run(unit, stop); });
  }
}

void LocalNode::Run(Unit& unit, const std::stop_token& stop) {
  PreferShortWaits();
  const std::stop_callback interrupt(stop, [&unit] { unit.partition->Interrupt(); });
  while (!stop.stop_requested()) {
    unit.ticker->Beat();
    const auto until_tick = std::chrono::duration_cast<std::chrono::milliseconds>(
        unit.ticker->Due() - clock_.Monotonic());
    const auto folded =
        unit.partition->Step(std::clamp(until_tick, std::chrono::milliseconds(0), kWait));
    if (!folded.ok()) {
      logger_.Error(
          "partition stopped",
          {{"topic", unit.of.topic}, {"partition", unit.of.partition}, {"cause", folded.status()}});
      return;
    }
    // Before it sends: after a start the outbox still holds what its targets have accepted.
    if (Status trimmed = unit.partition->Trim(false); !trimmed.ok()) {
      logger_.Error(
          "partition stopped",
          {{"topic", unit.of.topic}, {"partition", unit.of.partition}, {"cause", trimmed}});
      return;
    }
    unit.partition->Send();
  }
}

void LocalNode::Stop() {
  for (const auto& unit : units_) unit->thread.request_stop();
  for (const auto& unit : units_) {
    if (unit->thread.joinable()) unit->thread.join();
    if (Status flushed = unit->store->Flush(); !flushed.ok()) {
      logger_.Warning(
          "state not flushed",
          {{"topic", unit->of.topic}, {"partition", unit->of.partition}, {"cause", flushed}});
    }
  }
}

const LocalNode::Unit& LocalNode::UnitOf(const log::TopicPartition& of) const {
  for (const auto& unit : units_) {
    if (unit->of == of) return *unit;
  }
  HILO_CHECK(false, "only folded partitions are asked for");
  __builtin_unreachable();
}

const store::Store& LocalNode::CustomersStore(uint32_t partition) const {
  return *units_[1 + partition]->store;
}
const store::Store& LocalNode::IdentityStore() const { return *units_[0]->store; }
fold::PartitionView LocalNode::View(const log::TopicPartition& of) const {
  return UnitOf(of).partition->View();
}

fold::Standing LocalNode::StandingOf(const log::TopicPartition& of) const {
  return UnitOf(of).partition->Standing();
}

std::vector<log::TopicPartition> LocalNode::Folded() const {
  std::vector<log::TopicPartition> all;
  for (const auto& unit : units_) all.push_back(unit->of);
  return all;
}

std::string LocalNode::NotReadyReason(int64_t lag) const {
  for (const auto& unit : units_) {
    const fold::PartitionView view = unit->partition->View();
    const std::string name = unit->of.topic + "/" + std::to_string(unit->of.partition);
    if (!view.stopped_reason.empty()) return name + " stopped: " + view.stopped_reason;
    if (view.end - view.position > lag)
      return name + " is " + std::to_string(view.end - view.position) + " records behind";
  }
  return "";
}

bool LocalNode::OutboxFull() const {
  return std::any_of(units_.begin(), units_.end(),
                     [](const auto& unit) { return unit->partition->OutboxFull(); });
}

void LocalNode::UpdateGauges() {
  size_t closed = 0;
  size_t lanes_stopped = 0;
  const int64_t wall = clock_.Wall().time_since_epoch().count();
  for (const auto& unit : units_) {
    const fold::PartitionView view = unit->partition->View();
    const std::string partition = std::to_string(unit->of.partition);
    const int64_t lag = std::max<int64_t>(0, view.end - view.position);
    const auto set = [&](const GaugeMetric& metric, double value) {
      registry_.Get(metric, {unit->of.topic, partition}).Set(value);
    };
    set(metric::kFoldPosition, static_cast<double>(view.position));
    set(metric::kFoldLagRecords, static_cast<double>(lag));
    set(metric::kFoldLagSeconds,
        lag > 0 && view.last_append_micros > 0 ? (wall - view.last_append_micros) / 1e6 : 0);
    set(metric::kFoldOutboxBytes, static_cast<double>(view.outbox_bytes));
    set(metric::kFoldLogTimeBehind,
        view.log_time.micros > 0 ? (wall - view.log_time.micros) / 1e6 : 0);
    closed += view.closed ? 1 : 0;
    for (const fold::LaneView& lane : view.lanes) lanes_stopped += lane.diverged ? 1 : 0;
  }
  registry_.Get(metric::kFoldClosedPartitions).Set(static_cast<double>(closed));
  registry_.Get(metric::kFoldLanesStopped).Set(static_cast<double>(lanes_stopped));
}

}  // namespace hilo::hilod
