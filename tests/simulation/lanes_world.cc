#include "tests/simulation/lanes_world.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "ops/base/check.h"
#include "state/store/keys.h"
#include "state/store/map_store.h"
#include "streams/fold/lane.h"
#include "tests/simulation/sim_fold.h"

namespace hilo::simulation {
namespace {

using Place = log::TopicPartition;

const std::vector<Place> kSources = {{"sources", 0}, {"sources", 1}};
const std::vector<Place> kTargets = {{"targets", 0}, {"targets", 1}};
constexpr int kSourceNodes = 3;
constexpr int kTargetNodes = 2;
constexpr size_t kMaxSnapshots = 64;

std::string NameOf(const Place& place) {
  return place.topic + "/" + std::to_string(place.partition);
}
std::string NameOf(const Place& source, const Place& target) {
  return NameOf(source) + "→" + NameOf(target);
}

bool OfRewrittenLog(const Status& status) {
  return Reason(status) == "offset_lost" || Reason(status) == "log_rewritten";
}

}  // namespace

// A node that folds one partition. Without a partition it is down, or stands on a history that is
// gone.
struct LanesWorld::Node {
  Node(Place place, const Clock& truth) : of(std::move(place)), clock(truth) {}

  struct Snapshot {
    log::Offset position;
    UnsyncedStore::Rows rows;
  };

  const Place of;
  NodeClock clock;
  UnsyncedStore store;
  SimFold fold;
  std::unique_ptr<fold::Partition> partition;
  std::unique_ptr<fold::Ticker> ticker;
  bool owner = false;
  bool beyond = false;       // stands on records that were cut away
  log::Offset position = 0;  // that the store stands at, as far as the world knows
  log::Offset common = 0;    // beyond: what its history shares with the log
  std::deque<Snapshot> snapshots;

  bool source() const { return of.topic == "sources"; }
  // Of its store, also when it is down.
  log::Offset StoredPosition() const {
    store::v1::PartitionRow row;
    const auto bytes = store.Get(store::KeyBuilder(store::Table::kMeta).Raw("position").Build());
    if (!bytes.ok() || !*bytes || !fold::Decode(**bytes, &row).ok()) return 0;
    return row.position();
  }
  fold::LaneView Lane(const Place& other, bool incoming) const {
    if (partition == nullptr) return {};
    for (const fold::LaneView& lane : partition->View().lanes) {
      if (lane.incoming == incoming && (incoming ? lane.lane.source : lane.lane.target) == other)
        return lane;
    }
    return {};
  }
};

// A lane as one end has it: chain and entry by sequence; [0] is the empty lane.
struct LanesWorld::LaneHistory {
  struct Item {
    std::string chain;
    std::string entry;
  };
  std::vector<Item> items = {{std::string(16, '\0'), ""}};
};

LanesWorld::LanesWorld(uint64_t seed, bool story)
    : story_(story), random_(seed), clock_(WallTime(std::chrono::hours(24 * 20'000))) {
  const log::MemoryLogFaults faults{
      .delay = 60, .reorder = 30, .lose = 40, .lose_answer = 40, .arrive_late = 40, .repeat = 30};
  log_ = std::make_unique<log::MemoryLog>(
      std::vector<log::TopicSpec>{{"sources", 2}, {"targets", 2}, {"dead-letters", 1}}, clock_,
      log::MemoryLog::Options{
          .mode = log::MemoryLog::Mode::kManual, .seed = random_(), .faults = faults});
  progress_ = fold::NewLocalProgress();
  for (const Place& of : kSources) {
    for (int i = 0; i < kSourceNodes; ++i) nodes_.push_back(std::make_unique<Node>(of, clock_));
  }
  for (const Place& of : kTargets) {
    for (int i = 0; i < kTargetNodes; ++i) nodes_.push_back(std::make_unique<Node>(of, clock_));
  }
  for (const auto& node : nodes_) {
    const bool first = std::none_of(nodes_.begin(), nodes_.end(), [&](const auto& other) {
      return other->owner && other->of == node->of;
    });
    node->owner = first;
    HILO_CHECK(Open(*node).ok(), "an empty store over an empty log opens");
  }
  cuts_left_ = Choose(std::vector<int>{0, 1, 1, 2, 3});
}

LanesWorld::~LanesWorld() = default;

void LanesWorld::Violate(const std::string& what) {
  if (violation_.empty()) violation_ = what;
}

void LanesWorld::Say(const std::string& what) const {
  if (story_) std::printf("%5d %s\n", steps_, what.c_str());
}

LanesWorld::Node& LanesWorld::AnyNode() { return *nodes_[Below(nodes_.size())]; }

LanesWorld::Node& LanesWorld::AnyNode(std::string_view topic) {
  while (true) {
    Node& node = AnyNode();
    if (node.of.topic == topic) return node;
  }
}

Status LanesWorld::Open(Node& node) {
  node.ticker.reset();
  node.partition.reset();
  fold::Partition::Options options;
  options.of = node.of;
  options.owner = node.owner;
  options.max_batch_records = Choose(std::vector<size_t>{1, 2, 7, 1'000});
  if (node.source()) options.targets = kTargets;
  HILO_ASSIGN_OR_RETURN(node.partition, fold::Partition::Open(options, *log_, node.store, node.fold,
                                                              *progress_, deaf_));
  if (node.owner) {
    node.ticker =
        fold::Ticker::Create(node.of, ++incarnations_, *log_, node.clock, *node.partition);
  }
  return OkStatus();
}

std::string LanesWorld::Run() {
  const int steps = Choose(std::vector<int>{60, 250, 600});
  for (; steps_ < steps && violation_.empty(); ++steps_) Step();
  if (violation_.empty()) Drain();
  if (violation_.empty()) Judge();
  return violation_;
}

void LanesWorld::Step() {
  clock_.Advance(std::chrono::microseconds(1));  // no two records of one place are alike
  const uint64_t what = Below(1'000);
  if (what < 180) {
    AppendEvent();
  } else if (what < 340) {
    Fold(AnyNode("sources"));
  } else if (what < 480) {
    Node& node = AnyNode();
    if (node.partition != nullptr) node.partition->Send();
  } else if (what < 620) {
    log_->Pump(1 + Below(4));
  } else if (what < 720) {
    Fold(AnyNode("targets"));
  } else if (what < 790) {
    Node& node = AnyNode();
    if (node.partition != nullptr) (void)node.partition->Trim(Chance(500));
  } else if (what < 850) {
    clock_.Advance(std::chrono::milliseconds(700));
    for (const auto& node : nodes_) {
      if (node->ticker != nullptr) node->ticker->Beat();
    }
  } else if (what < 890) {
    Kill(AnyNode());
  } else if (what < 930) {
    ChangeOwner();
  } else if (what < 940) {
    JumpClock();
  } else if (what < 955) {
    log_->BreakConnection();
  } else if (what < 970) {
    if (cuts_left_ > 0) CutLog();
  } else if (what < 985) {
    NoticeRewritten(/*everyone=*/false);
  } else {
    Operate(/*also_unaccepted=*/false);
  }
}

void LanesWorld::AppendEvent() {
  const uint64_t id = ++events_;
  std::vector<log::Record> records;
  records.push_back({.payload = fold::Encode(SimFold::Event(id, static_cast<uint32_t>(Below(2))))});
  log_->Append(Choose(kSources), std::move(records), [](const StatusOr<log::Offset>&) {});
}

void LanesWorld::Fold(Node& node) {
  if (node.partition == nullptr) return;
  const auto folded = node.partition->Step(std::chrono::milliseconds(0));
  if (!folded.ok()) {
    Violate(NameOf(node.of) + " stopped: " + Describe(folded.status()));
    return;
  }
  if (*folded == 0) return;
  node.position = node.partition->View().position;
  CheckDigest(node);
  if (Chance(100)) {
    node.snapshots.push_back({node.position, node.store.rows()});
    if (node.snapshots.size() > kMaxSnapshots) node.snapshots.pop_front();
  }
}

void LanesWorld::FoldAll(Node& node) {
  for (log::Offset before = -1; before != node.position && violation_.empty();) {
    before = node.position;
    Fold(node);
  }
}

void LanesWorld::CheckDigest(const Node& node) {
  const fold::PartitionView view = node.partition->View();
  const auto [known, fresh] =
      digests_.try_emplace({node.of, history_[node.of], view.position}, view.state_digest);
  if (!fresh && known->second != view.state_digest) {
    Violate("digest: two nodes of " + NameOf(node.of) + " differ at " +
            std::to_string(view.position));
  }
}

// kill -9 loses memory; a power cut also the last batches. What it had in flight may arrive yet.
void LanesWorld::Kill(Node& node) {
  ++kills_;
  node.partition.reset();
  node.ticker.reset();
  node.store.PowerCut(Choose(std::vector<size_t>{0, 0, 1, 2}));
  node.position = node.StoredPosition();
  if (node.beyond) return;
  if (const Status opened = Open(node); !opened.ok()) {
    Violate(NameOf(node.of) + " does not open after a kill: " + Describe(opened));
  }
}

void LanesWorld::ChangeOwner() {
  const Place of = Choose(Chance(700) ? kSources : kTargets);
  std::vector<Node*> nodes;
  for (const auto& node : nodes_) {
    if (node->of == of) nodes.push_back(node.get());
  }
  Node* const chosen = Choose(nodes);
  for (Node* node : nodes) {
    const bool owner =
        node == chosen || (node->owner && Chance(400));  // the others go on as zombies
    if (owner == node->owner) continue;
    node->owner = owner;
    if (node->beyond) continue;
    if (const Status opened = Open(*node); !opened.ok()) {
      Violate(NameOf(node->of) + " does not open as owner: " + Describe(opened));
    }
  }
}

void LanesWorld::JumpClock() {
  Node& node = AnyNode();
  node.clock.wrong_by = Choose(
      std::vector<std::chrono::microseconds>{std::chrono::hours(0), std::chrono::hours(48),
                                             -std::chrono::hours(48), std::chrono::seconds(7)});
}

// An unclean election: the tail of a log is gone, and it grows again with other records.
void LanesWorld::CutLog() {
  const Place of = Choose(Chance(670) ? kSources : kTargets);
  const auto end = log_->EndOffset(of);
  if (!end.ok() || *end < 6) return;
  --cuts_left_;
  ++cuts_;
  const auto depth = Choose(std::vector<log::Offset>{1, 2, 5, 30});
  const log::Offset keep = std::max<log::Offset>(1, *end - depth);
  Say("cut " + NameOf(of) + " from " + std::to_string(*end) + " to " + std::to_string(keep));
  log_->Cut(of, keep);
  ++history_[of];
  target_cut_ = target_cut_ || of.topic == "targets";
  for (const auto& node : nodes_) {
    if (node->of != of) continue;
    node->common = node->beyond ? std::min(node->common, keep) : keep;
    std::erase_if(node->snapshots,
                  [&](const Node::Snapshot& snapshot) { return snapshot.position > node->common; });
    if (node->position <= keep) continue;
    node->beyond = true;
    node->partition.reset();
    node->ticker.reset();
  }
}

// A node that stands on a history that is gone must notice, whatever the log has grown to since;
// then it is restored.
void LanesWorld::NoticeRewritten(bool everyone) {
  for (const auto& node : nodes_) {
    if (!node->beyond || (!everyone && Chance(500))) continue;
    if (node->position > node->common) {
      const Status opened = Open(*node);
      if (!OfRewrittenLog(opened)) {
        Violate(NameOf(node->of) + " stands at " + std::to_string(node->position) +
                " of a log that was cut at " + std::to_string(node->common) +
                " and opened: " + Describe(opened));
        return;
      }
    }
    Restore(*node);
  }
}

void LanesWorld::Restore(Node& node) {
  while (!node.snapshots.empty() && node.snapshots.back().position > node.common)
    node.snapshots.pop_back();
  node.store.Restore(node.snapshots.empty() ? UnsyncedStore::Rows() : node.snapshots.back().rows);
  node.position = node.StoredPosition();
  node.beyond = false;
  Say("restore a node of " + NameOf(node.of) + " at " + std::to_string(node.position));
  if (const Status opened = Open(node); !opened.ok()) {
    Violate(NameOf(node.of) + " does not open from a snapshot below the cut: " + Describe(opened));
  }
}

std::vector<log::StoredRecord> LanesWorld::Read(const Place& of) {
  auto cursor = log_->OpenCursor(of, 0);
  HILO_CHECK(cursor.ok(), "nothing is trimmed here");
  std::vector<log::StoredRecord> all;
  while (true) {
    auto some = (*cursor)->Read(1'024, std::chrono::milliseconds(0));
    HILO_CHECK(some.ok(), "a log in memory can be read");
    if (some->empty()) return all;
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
}

// ---------------------------------------------------------------- the operator's tool

void LanesWorld::Operate(bool also_unaccepted) {
  // A reset is worked out from all that the target has accepted.
  for (const auto& node : nodes_) {
    if (!node->source()) FoldAll(*node);
  }
  for (const Place& source : kSources) {
    for (const Place& target : kTargets) {
      Node& receiver = BestOf(target);
      if (receiver.partition == nullptr) continue;
      const bool stopped = receiver.Lane(source, /*incoming=*/true).diverged;
      if (stopped || (also_unaccepted && Unaccepted(source, target))) ResetLane(source, target);
    }
  }
}

LanesWorld::Node& LanesWorld::BestOf(const Place& of) {
  Node* best = nullptr;
  for (const auto& node : nodes_) {
    if (node->of != of) continue;
    if (best == nullptr ||
        std::make_tuple(node->partition != nullptr, node->position, node->owner) >
            std::make_tuple(best->partition != nullptr, best->position, best->owner)) {
      best = node.get();
    }
  }
  return *best;
}

bool LanesWorld::Unaccepted(const Place& source, const Place& target) {
  return LowestInOutbox(BestOf(source), target) ||
         BestOf(source).Lane(target, false).sequence != BestOf(target).Lane(source, true).sequence;
}

std::optional<uint64_t> LanesWorld::LowestInOutbox(const Node& node, const Place& target) {
  const std::string prefix =
      store::KeyBuilder(store::Table::kOutbox).Raw(fold::LanePlace(target)).Build();
  const auto rows = node.store.NewIterator(store::PrefixRange(prefix));
  if (!rows->Valid()) return std::nullopt;
  uint64_t lowest = 0;
  for (char byte : rows->Key().substr(prefix.size()))
    lowest = lowest << 8 | static_cast<uint8_t>(byte);
  return lowest;
}

// What the source's log makes of the lane, from its beginning: a fold that is never trimmed keeps
// all of it.
LanesWorld::LaneHistory LanesWorld::Emitted(const Place& source, const Place& target,
                                            uint64_t upto) {
  store::MapStore store;
  SimFold fold;
  const auto progress = fold::NewLocalProgress();
  auto again = fold::Partition::Open({.of = source, .targets = kTargets, .owner = false}, *log_,
                                     store, fold, *progress, deaf_);
  HILO_CHECK(again.ok(), "an empty store opens");
  while (true) {
    const auto folded = (*again)->Step(std::chrono::milliseconds(0));
    if (!folded.ok())
      Violate("the operator cannot fold " + NameOf(source) + ": " + Describe(folded.status()));
    if (!folded.ok() || *folded == 0) break;
  }
  LaneHistory history;
  const std::string prefix =
      store::KeyBuilder(store::Table::kOutbox).Raw(fold::LanePlace(target)).Build();
  const auto rows = store.NewIterator(store::PrefixRange(prefix));
  for (; rows->Valid(); rows->Next()) {
    store::v1::OutboxRow row;
    if (!fold::Decode(rows->Value(), &row).ok()) continue;
    for (const store::v1::OutboxRecordRow& emitted : row.records()) {
      store::v1::RecordHeader header;
      store::v1::Record record;
      header.ParseFromString(emitted.header());
      if (!fold::Decode(emitted.payload(), &record).ok() || header.sequence() > upto) continue;
      history.items.push_back({header.chain(), SimFold::EntryOf(record, 0, target)});
    }
  }
  return history;
}

// What the target has accepted, by the lane contract alone.
LanesWorld::LaneHistory LanesWorld::Accepted(const Place& source, const Place& target,
                                             log::Offset upto) {
  LaneHistory history;
  fold::InboundLane lane;
  for (const log::StoredRecord& stored : Read(target)) {
    if (stored.offset >= upto) break;
    store::v1::RecordHeader header;
    store::v1::Record record;
    header.ParseFromString(stored.record.header);
    const bool readable = fold::Decode(stored.record.payload, &record).ok();
    if (readable && record.has_lane_reset()) {
      const store::v1::LaneReset& reset = record.lane_reset();
      if (reset.source_partition() != source.partition ||
          reset.target_partition() != target.partition)
        continue;
      if (!lane.Reset(reset)) continue;
      history.items.resize(std::min<size_t>(history.items.size(), reset.from() + 1));
      while (history.items.size() <= reset.from()) history.items.push_back({"lost", ""});
      history.items.back().chain = reset.chain();
    } else if (header.source_topic() == source.topic &&
               header.source_partition() == source.partition &&
               lane.Offer(header, stored.record.payload, 0) == fold::Verdict::kAccepted) {
      history.items.push_back({header.chain(), SimFold::EntryOf(record, 0, target)});
    }
  }
  return history;
}

// `from` is the last sequence at which both histories agree. What the target applied of a history
// that is gone is orphaned, what neither it nor any outbox holds is lost. Target first, then
// source.
void LanesWorld::ResetLane(const Place& source, const Place& target) {
  Node& sender = BestOf(source);
  Node& receiver = BestOf(target);
  if (sender.partition == nullptr) return;
  const fold::LaneView out = sender.Lane(target, false);
  const fold::LaneView in = receiver.Lane(source, true);
  const LaneHistory ours = Emitted(source, target, out.sequence);
  const LaneHistory theirs = Accepted(source, target, receiver.position);
  size_t common = 0;
  while (common + 1 < std::min(ours.items.size(), theirs.items.size()) &&
         ours.items[common + 1].chain == theirs.items[common + 1].chain) {
    ++common;
  }
  const uint64_t lowest = LowestInOutbox(sender, target).value_or(out.sequence + 1);
  const uint64_t base = std::max<uint64_t>(common, lowest - 1);
  if (base >= ours.items.size()) return Violate("the operator finds an outbox beyond its lane");
  store::v1::Record record;
  store::v1::LaneReset& reset = *record.mutable_lane_reset();
  reset.set_source_topic(source.topic);
  reset.set_source_partition(source.partition);
  reset.set_target_topic(target.topic);
  reset.set_target_partition(target.partition);
  reset.set_epoch(std::max({out.epoch, in.epoch, 1u}) + 1);
  reset.set_from(base);
  reset.set_chain(ours.items[base].chain);
  for (uint64_t s = common + 1; s <= base; ++s) {
    lost_[{source, target}].insert(ours.items[s].entry);
    reset.add_lost(s);
  }
  for (uint64_t s = common + 1; s < theirs.items.size(); ++s) {
    orphans_[{source, target}].insert(theirs.items[s].entry);
    reset.add_orphaned(s);
  }
  ++resets_;
  Say("reset " + NameOf(source, target) + " to epoch " + std::to_string(reset.epoch()) + " from " +
      std::to_string(base) + ", orphaned " + std::to_string(reset.orphaned_size()) + ", lost " +
      std::to_string(reset.lost_size()));
  AppendNow(target, record);
  for (const auto& node : nodes_) {
    if (node->of == target) FoldAll(*node);
  }
  AppendNow(source, record);
}

void LanesWorld::AppendNow(const Place& to, const store::v1::Record& record) {
  std::vector<log::Record> records;
  records.push_back({.payload = fold::Encode(record)});
  log_->Append(to, std::move(records), [](const StatusOr<log::Offset>&) {});
  log_->Settle();
}

// ---------------------------------------------------------------- the end of a run

// Faults end; every partition has one owner; everything must arrive.
void LanesWorld::Drain() {
  Say("drain");
  log_->SetFaults({});
  log_->Settle();
  NoticeRewritten(/*everyone=*/true);
  for (const auto& node : nodes_) node->owner = false;
  for (const std::vector<Place>& places : {kSources, kTargets}) {
    for (const Place& of : places) {
      while (true) {
        Node& node = AnyNode(of.topic);
        if (node.of != of) continue;
        node.owner = true;
        break;
      }
    }
  }
  for (const auto& node : nodes_) {
    if (!violation_.empty()) return;
    node->clock.wrong_by = {};
    if (const Status opened = Open(*node); !opened.ok()) {
      Violate("a node does not open: " + Describe(opened));
    }
  }
  for (int round = 0; round < 14 && violation_.empty(); ++round) {
    clock_.Advance(std::chrono::seconds(1));
    for (const auto& node : nodes_) {
      if (node->ticker != nullptr) node->ticker->Beat();
    }
    log_->Settle();
    for (int turn = 0; turn < 4; ++turn) {
      for (const auto& node : nodes_) {
        FoldAll(*node);
        if (node->partition == nullptr) continue;
        node->partition->Send();
        log_->Settle();
        (void)node->partition->Trim(/*now=*/true);
      }
    }
    bool stopped = false;
    for (const Place& source : kSources) {
      for (const Place& target : kTargets)
        stopped = stopped || BestOf(target).Lane(source, true).diverged;
    }
    if (round == 3 || round == 6 || stopped) Operate(/*also_unaccepted=*/cuts_ > 0);
  }
}

void LanesWorld::Judge() {
  for (const Place& source : kSources) {
    for (const Place& target : kTargets) JudgeLane(source, target);
  }
  if (cuts_ == 0 && resets_ > 0) Violate("an operator was needed though no log was cut");
  if (cuts_ == 0) JudgeDeadLetters();
  for (const auto& node : nodes_) {
    const fold::PartitionView view = node->partition->View();
    const fold::PartitionView best = BestOf(node->of).partition->View();
    if (view.position != view.end) Violate(NameOf(node->of) + " is not at the end of its log");
    if (view.state_digest != best.state_digest)
      Violate("digest: replicas of " + NameOf(node->of) + " differ");
    if (!node->partition->OutboxEmpty()) Violate("outbox row left at " + NameOf(node->of));
    if (view.closed) Violate(NameOf(node->of) + " is closed though all clocks agree");
  }
}

void LanesWorld::JudgeLane(const Place& source, const Place& target) {
  const std::string lane = NameOf(source, target);
  std::vector<std::string> want;
  for (const log::StoredRecord& stored : Read(source)) {
    store::v1::Record record;
    if (!fold::Decode(stored.record.payload, &record).ok()) continue;
    const std::string entry = SimFold::EntryOf(record, stored.offset, target);
    if (!entry.empty() && !SimFold::Refuses(std::stoull(entry))) want.push_back(entry);
  }
  const std::set<std::string> wanted(want.begin(), want.end());
  const std::set<std::string>& orphans = orphans_[{source, target}];
  const std::set<std::string>& lost = lost_[{source, target}];
  std::vector<std::string> got = SimFold::Applied(BestOf(target).store, source);
  if (std::set<std::string>(got.begin(), got.end()).size() != got.size())
    Violate("applied twice on " + lane);
  std::erase_if(got, [&](const std::string& entry) {
    return orphans.contains(entry) && !wanted.contains(entry);
  });
  if (!lost.empty() && !target_cut_)
    Violate("lost on " + lane + " though the target's log was never cut");
  const std::set<std::string> applied(got.begin(), got.end());
  for (const std::string& entry : want) {
    if (!applied.contains(entry) && !lost.contains(entry))
      Violate("lost silently on " + lane + ": " + entry);
  }
  for (const std::string& entry : got) {
    if (!wanted.contains(entry)) Violate("applied without a cause on " + lane + ": " + entry);
  }
  std::erase_if(want, [&](const std::string& entry) { return !applied.contains(entry); });
  if (violation_.empty() && want != got) Violate("order on " + lane);
  if (BestOf(target).Lane(source, true).diverged) Violate(lane + " still stopped");
}

// Every refused record is told once, apart from repeats on the wire.
void LanesWorld::JudgeDeadLetters() {
  std::set<std::string> told;
  std::map<Place, fold::InboundLane> lanes;
  for (const log::StoredRecord& stored : Read({"dead-letters", 0})) {
    store::v1::RecordHeader header;
    store::v1::Record letter;
    store::v1::Record refused;
    header.ParseFromString(stored.record.header);
    const Place from{header.source_topic(), header.source_partition()};
    if (lanes[from].Offer(header, stored.record.payload, 0) != fold::Verdict::kAccepted) continue;
    if (!fold::Decode(stored.record.payload, &letter).ok() ||
        !fold::Decode(letter.dead_letter().payload(), &refused).ok()) {
      return Violate("a dead letter cannot be read");
    }
    if (!told.insert(SimFold::EntryOf(refused, 0, from)).second)
      return Violate("a dead letter was sent twice");
  }
  std::set<std::string> expected;
  for (const Place& source : kSources) {
    for (const log::StoredRecord& stored : Read(source)) {
      store::v1::Record record;
      if (!fold::Decode(stored.record.payload, &record).ok() || !record.has_event()) continue;
      for (const Place& target : kTargets) {
        const std::string entry = SimFold::EntryOf(record, stored.offset, target);
        if (!entry.empty() && SimFold::Refuses(std::stoull(entry))) expected.insert(entry);
      }
    }
  }
  if (told != expected) Violate("dead letters are not exactly what was refused");
}

}  // namespace hilo::simulation
