#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/clock.h"
#include "streams/customer/customer_fold.h"
#include "streams/fold/partition.h"
#include "streams/log/memory_log.h"
#include "tests/simulation/unsynced_store.h"

namespace hilo::simulation {

// The real customer fold, with owners who decide and dispatchers who send, in a hostile world, from
// one seed.
//
// Two nodes fold one partition of customers; both may believe that they own it and decide for what
// is due. Three dispatchers read what goes out, ask permits, send and report, and die between any
// two steps, to come back as another incarnation that reads again what was read. Appends are lost,
// late, reordered and repeated; answers get lost; nodes are killed and lose their last batches; a
// wall clock jumps and closes the partition. Customers leave baskets, buy, complain, opt out and
// in. What reached a customer is written down at the sink; at the end everything must be settled,
// and an oracle that looks only at the log, at the permits that were handed out and at the sink
// judges.
class OutboundWorld {
 public:
  // Mistakes that a dispatcher could make: the world must find them.
  enum class Mistake : uint8_t {
    kNone,
    kPermitIdFromMessage,  // asks under an id that another incarnation asks under too
    kLostAnswerIsNotSent,  // takes a connection that broke after the final dot for a failure
    kSendsBeforeItAsks
  };
  explicit OutboundWorld(uint64_t seed, bool story = false, Mistake mistake = Mistake::kNone);
  ~OutboundWorld();
  // "" or what was violated.
  std::string Run();

  int sent() const { return static_cast<int>(sink_.size()); }
  int repeated() const { return repeated_; }
  int unknown() const { return unknown_; }
  int refused() const { return refused_; }
  int deaths() const { return deaths_; }

 private:
  struct Node;
  struct Dispatcher;
  class Ear;
  using Record = store::v1::Record;

  // A message that reached a customer.
  struct Arrival {
    std::string message;
    std::string customer;
    uint32_t order_class = 0;
    int64_t at_micros = 0;  // of true time
  };
  // A permit that was handed out: by request id.
  struct Grant {
    std::string message;
    uint32_t attempt = 0;
    std::string customer;
    uint32_t order_class = 0;
    log::Offset offset = 0;
  };
  struct Asked {
    std::string message;
    uint32_t attempt = 0;
    std::string customer;
    uint32_t order_class = 0;
  };

  uint64_t Below(uint64_t bound) { return random_() % bound; }
  bool Chance(uint64_t thousandths) { return Below(1'000) < thousandths; }
  template <typename T>
  const T& Choose(const std::vector<T>& from) {
    return from[Below(from.size())];
  }
  int64_t NowMicros() const;
  std::string RandomId();
  void Violate(const std::string& what);
  void Say(const std::string& what) const;
  void Append(const Record& record);
  Record CommandFor(const std::string& customer, const std::string& request);

  // What may happen.
  void Step();
  void Introduce();
  void Happen();
  void Consent(const std::string& customer, bool granted, bool by_command);
  void CloseACase(const std::string& customer);
  void Decide(Node& node);
  store::v1::MessageOrder Order(std::string_view journey);
  void Move(Dispatcher& dispatcher);
  void Take(Dispatcher& dispatcher);
  void Ask(Dispatcher& dispatcher, bool first);
  void OnPermit(Dispatcher& dispatcher, const store::v1::PermitResult& permit);
  void Deliver(Dispatcher& dispatcher);
  void Report(Dispatcher& dispatcher);
  void Settle(Dispatcher& dispatcher);
  void Die(Dispatcher& dispatcher);
  void Fold(Node& node);
  void Kill(Node& node);
  Status Open(Node& node);
  void Beat();
  void AcceptTime();
  void Drain();
  void OnAnswer(std::string_view request, const store::v1::AnswerRow& answer);

  // The oracle.
  void Judge();
  void JudgeSink(const std::map<std::string, store::v1::MessageRow>& rows);
  void JudgePermits();
  void JudgeLimits();
  void JudgeMember(const store::v1::MemberRow& row);
  bool ConsentAt(const std::string& customer, log::Offset offset) const;
  std::vector<log::StoredRecord> Read(const log::TopicPartition& of) const;

  const bool story_;
  const Mistake mistake_;
  std::mt19937_64 random_;
  ManualClock clock_;
  std::unique_ptr<log::MemoryLog> log_;
  std::unique_ptr<fold::Progress> progress_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<std::unique_ptr<Dispatcher>> dispatchers_;
  std::map<log::Offset, uint64_t> digests_;
  std::map<std::string, Asked> asked_;                 // by request id
  std::map<std::string, store::v1::AnswerRow> heard_;  // answers on their way, by request id
  std::map<std::string, Grant> grants_;                // by request id
  std::vector<Arrival> sink_;
  uint32_t limit_ = 1;
  bool calm_ = false;  // the faults have ended
  uint64_t names_ = 0;
  uint64_t incarnations_ = 0;
  int steps_ = 0;
  int repeated_ = 0;
  int unknown_ = 0;
  int refused_ = 0;
  int deaths_ = 0;
  std::string violation_;
};

}  // namespace hilo::simulation
