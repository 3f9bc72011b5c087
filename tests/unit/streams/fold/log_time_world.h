#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "streams/fold/fold.h"
#include "streams/fold/log_clock.h"

namespace hilo::fold {

// A timer that fired.
struct Fired {
  int64_t due;
  int name;
  int customer;
  CatchUp policy;
  bool sent;  // within the customer's cap
};

// What lives in the world: log time and timers, and nothing that knows true time.
class TimeSubject {
 public:
  static constexpr int kCap = 3;         // sends to a customer in a day
  static constexpr uint32_t kFire = 20;  // timers fired by one record
  virtual ~TimeSubject() = default;
  virtual void SetTimer(int64_t due, int name, int customer, CatchUp policy, int64_t period) = 0;
  virtual std::vector<Fired> Tick(const store::v1::Tick& tick, int64_t append_micros) = 0;
  virtual std::vector<Fired> Accept(const store::v1::AcceptTime& accept) = 0;
  virtual int64_t Now() const = 0;
  virtual bool Closed() const = 0;
  virtual bool GapSilent() const = 0;
  virtual log::Offset Gap() const = 0;
  virtual size_t Gaps() const = 0;
  // The lowest timer that is still set.
  virtual std::optional<int64_t> LowestDue() const = 0;
};

// A day and a quarter in the life of a partition, in a world where an hour has ten minutes, so that
// ticks of a second keep their proportion. Owners come and go, two may tick at once, a node's wall
// clock jumps by two days either way and is set right, the log is away for eight hours, appends are
// slow. Only this oracle knows true time.
class LogTimeWorld {
 public:
  LogTimeWorld(uint64_t seed, TimeSubject& subject);
  // "" or what was violated.
  std::string Run();

 private:
  struct Owner {
    uint64_t incarnation;
    int node;
    std::optional<int64_t> last;
    uint64_t count;
    int64_t ready;
  };
  struct Trouble {
    int64_t at;
    int what;
    int node;
    int64_t amount;
    auto Key() const { return std::tie(at, what, node, amount); }
  };

  int64_t Below(int64_t bound) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(bound));
  }
  int64_t Choose(std::initializer_list<int64_t> from);
  void MakePlan();
  void StartOwner(int node);
  void Make(const Trouble& trouble);
  store::v1::Tick Measure(Owner& owner);
  void Append(const store::v1::Tick& tick);
  void Record(const std::vector<Fired>& fired);
  void Observe();
  void Judge();
  void Violate(const std::string& what) {
    if (violation_.empty()) violation_ = what;
  }

  std::mt19937_64 random_;
  TimeSubject& subject_;
  int64_t t_;
  int64_t begin_;
  log::Offset offset_ = 0;
  uint64_t incarnations_ = 0;
  int64_t wrong_[3] = {0, 0, 0};  // by how much each node's wall clock is wrong
  std::vector<Owner> owners_;
  struct Flying {
    int64_t at;
    store::v1::Tick tick;
    uint64_t incarnation;
  };
  std::vector<Flying> flying_;
  std::optional<int64_t> outage_;
  std::deque<Trouble> plan_;
  std::vector<std::pair<int64_t, int64_t>> history_;
  std::vector<std::pair<int64_t, int>> sends_;
  std::vector<int64_t> accepts_;
  std::vector<std::tuple<int64_t, int64_t, int, CatchUp>> fired_;
  std::optional<int64_t> calm_since_;
  std::optional<int64_t> same_since_;
  std::string violation_;
};

}  // namespace hilo::fold
