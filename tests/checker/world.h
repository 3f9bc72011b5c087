#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/clock.h"
#include "ops/base/status.h"
#include "state/store/map_store.h"
#include "streams/fold/fold.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"

namespace hilo::checker {

// A small hub in one thread, on a hostile log, with senders who keep a ledger of what they sent and
// what they were told: it makes what the checker checks.
//
// Senders send events of a few customers, one after the other for each (source, identifier), and
// again until they are told that it is durable; some give up and begin anew. Callers write notes.
// Somebody writes poison into the logs. Meanwhile the log delays, repeats, reorders, loses and
// breaks, writes to stores fail, and partitions are killed and opened again. At the end everything
// comes to rest.
//
// **Guarantees**: a run is a function of the options. **Threads**: confined to one.
// **Cost**: about 30 ms for 300 events.
class World final : public fold::Listener {
 public:
  struct Options {
    uint64_t seed = 1;
    int events = 300;
    std::string ledger_path;
    std::string fold_fault;      // faulty_fold.h
    bool stale_restore = false;  // a partition that opens again may find older rows at its position
    bool forget_unsent = false;  // a sender is told that it is durable when it is sent
  };
  explicit World(Options options);
  ~World() override;

  void Run();
  // Logs as they are, rows as the stores have them, and why partitions stopped.
  Status Dump(const std::string& path);
  // The same logs folded again from their beginnings, as another node does; rows only.
  Status DumpRefolded(const std::string& path);

  void OnAnswer(std::string_view caller, RequestId request,
                const store::v1::AnswerRow& answer) override;
  void OnNotice(const log::TopicPartition& of, const fold::Notice& notice) override;

 private:
  class Node;
  class DyingStore;

  // Something that is sent until it is known to be there.
  struct Sending {
    std::string id;
    log::TopicPartition to;
    log::Record record;
    bool in_flight = false;
    bool done = false;
    uint64_t attempt = 0;
    uint64_t sent_at = 0;  // step
  };
  // Who sends for one identifier, one event after the other.
  struct Sender {
    std::string source;
    int identifier = 0;
    uint64_t sequence = 0;
    std::string chain;
    std::shared_ptr<Sending> current;
  };

  // A dispatcher, one record after the other; it dies now and then and begins again somewhere.
  struct Courier {
    uint64_t incarnation = 1;
    log::Offset position = 0;
    store::v1::OutboundMessage message;
    std::string request;  // waits for its answer; empty: for nothing
    bool reports = false;
  };

  std::unique_ptr<fold::Fold> MakeFold(const log::TopicPartition& of) const;
  uint64_t Draw(uint64_t below) { return random_() % below; }
  void Ledger(const std::string& line);
  void Step();
  void Send(const std::shared_ptr<Sending>& sending);
  void SendNext(Sender& sender);
  void SendCommand();
  void SendPoison();
  // Owners that decide for what is due, and a dispatcher for each partition that takes one step.
  void AddJourney(store::v1::Event& event, store::v1::EventBody& body, const std::string& address);
  void DecideDue();
  void Dispatch();
  void Ask(Courier& courier, uint32_t partition);
  void SendConflict(const store::v1::Event& event, const std::string& id);
  store::v1::Event MakeEvent(const Sender& sender, const std::string& id, std::string* invoke);
  void Resend();
  void Rest();

  const Options options_;
  std::mt19937_64 random_;
  ManualClock clock_;
  log::MemoryLog log_;
  std::unique_ptr<fold::Progress> progress_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::FILE* ledger_ = nullptr;
  uint64_t step_ = 0;
  int made_ = 0;
  int attempts_ = 0;
  std::vector<Sender> senders_;
  std::map<std::string, std::shared_ptr<Sending>> waiting_;  // by id, for callers' answers
  std::vector<std::shared_ptr<Sending>> open_;
  std::vector<std::pair<std::string, std::string>> known_;  // customer, member
  bool refusing_ = false;

  std::vector<Courier> couriers_;
  std::map<std::string, store::v1::AnswerRow> told_;  // answers to couriers, by request id
};

}  // namespace hilo::checker
