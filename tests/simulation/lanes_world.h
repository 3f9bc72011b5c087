#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "ops/base/clock.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"
#include "tests/simulation/node_clock.h"
#include "tests/simulation/unsynced_store.h"

namespace hilo::simulation {

// The real runtime in a hostile world, from one seed.
//
// Two partitions of `sources` feed two of `targets`: four lanes. Three nodes fold each source, two
// each target, any number of them believing that they own it. Appends are lost, late, reordered and
// repeated; processes are killed; power cuts take the last batches from their stores; wall clocks
// jump; logs are cut and grow again with other records, and nodes are then restored from snapshots;
// an operator resets lanes. At the end the faults stop, everything drains, and an oracle that knows
// only what lies in the source logs judges what the targets have written down.
class LanesWorld {
 public:
  explicit LanesWorld(uint64_t seed, bool story = false);
  ~LanesWorld();
  // "" or what was violated.
  std::string Run();

  bool cut() const { return cuts_ > 0; }
  int resets() const { return resets_; }
  int kills() const { return kills_; }

 private:
  struct Node;
  struct LaneHistory;
  using Place = log::TopicPartition;

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(uint64_t thousandths) { return Below(1'000) < thousandths; }
  template <typename T>
  const T& Choose(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  Node& AnyNode();
  Node& AnyNode(std::string_view topic);
  void Violate(const std::string& what);
  void Say(const std::string& what) const;

  // What may happen.
  void Step();
  void AppendEvent();
  void Fold(Node& node);
  void FoldAll(Node& node);
  void Kill(Node& node);
  void ChangeOwner();
  void CutLog();
  void NoticeRewritten(bool everyone);
  void Restore(Node& node);
  void JumpClock();
  void Operate(bool also_unaccepted);
  void ResetLane(const Place& source, const Place& target);
  void Drain();

  Status Open(Node& node);
  void CheckDigest(const Node& node);
  void AppendNow(const Place& to, const store::v1::Record& record);
  std::vector<log::StoredRecord> Read(const Place& of);
  Node& BestOf(const Place& of);
  bool Unaccepted(const Place& source, const Place& target);
  static std::optional<uint64_t> LowestInOutbox(const Node& node, const Place& target);
  LaneHistory Emitted(const Place& source, const Place& target, uint64_t upto);
  LaneHistory Accepted(const Place& source, const Place& target, log::Offset upto);

  // The oracle.
  void Judge();
  void JudgeLane(const Place& source, const Place& target);
  void JudgeDeadLetters();

  const bool story_;
  std::mt19937_64 random_;
  ManualClock clock_;
  std::unique_ptr<log::MemoryLog> log_;
  std::unique_ptr<fold::Progress> progress_;
  fold::Listener deaf_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<Place, int> history_;  // how often a log was cut
  std::map<std::tuple<Place, int, log::Offset>, uint64_t> digests_;
  std::map<std::pair<Place, Place>, std::set<std::string>> orphans_;
  std::map<std::pair<Place, Place>, std::set<std::string>> lost_;
  bool target_cut_ = false;
  uint64_t events_ = 0;
  uint64_t incarnations_ = 0;
  int steps_ = 0;
  int cuts_left_;
  int cuts_ = 0;
  int resets_ = 0;
  int kills_ = 0;
  std::string violation_;
};

}  // namespace hilo::simulation
