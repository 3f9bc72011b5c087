#pragma once

#include <chrono>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "ops/base/clock.h"
#include "ops/base/status.h"

namespace hilo::callcenter {

// One step of a call, as the switch tells it.
struct Step {
  std::string name;  // "agent_ringing"
  std::string call_id;
  std::string agent;
  std::string to_agent;  // of a transfer
};

// The calls under way, as far as this process has seen them: who calls, and which agents are busy.
// A memory, not a truth: the folds keep the interactions. Losing it costs nothing but the leave to
// omit `from`.
// **Threads**: thread-compatible.
class CallTable {
 public:
  struct Call {
    std::vector<kit::RawIdentifier> identifiers;
    std::set<std::string> agents;  // with whom it rings, talks or is written up
    bool over = false;
    std::string
        route_answer;  // what was answered to the routing question; "" when it was not asked
    MonotonicTime last;
  };

  CallTable(size_t limit, std::chrono::minutes lifetime) : limit_(limit), lifetime_(lifetime) {}

  Call* Find(const std::string& key);
  Call& Begin(const std::string& key, std::vector<kit::RawIdentifier> identifiers,
              MonotonicTime now);
  // `cti_out_of_order` when the call is over and the step belongs before that.
  static Status Check(const Call& call, std::string_view step);
  void Apply(const std::string& key, const Step& step, MonotonicTime now);
  void Forget(MonotonicTime now);

  size_t CallsOf(const std::string& agent) const;
  // When the agent's last call ended; nullopt for one who had none.
  std::optional<MonotonicTime> LastFreed(const std::string& agent) const;
  size_t size() const { return calls_.size(); }

 private:
  struct Entry {
    Call call;
    std::list<std::string>::iterator place;  // in order_
  };
  void Touch(Entry& entry, MonotonicTime now);
  void Free(const std::string& key, Call& call, const std::string& agent, MonotonicTime now);
  void FreeAll(const std::string& key, Call& call, MonotonicTime now);
  void Drop(const std::string& key);

  const size_t limit_;
  const std::chrono::minutes lifetime_;
  std::unordered_map<std::string, Entry> calls_;
  std::list<std::string> order_;  // the one silent longest first
  std::map<std::string, std::set<std::string>> by_agent_;
  std::map<std::string, MonotonicTime>
      freed_;  // agents are those of the configuration, or bounded by calls
};

}  // namespace hilo::callcenter
