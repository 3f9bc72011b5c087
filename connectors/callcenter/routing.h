#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/callcenter/call_center.h"
#include "connectors/callcenter/call_table.h"

namespace hilo::callcenter {

// Whom to offer a call to, and why.
struct Route {
  std::string queue;
  std::string skill;
  int priority = 0;
  std::string reason;         // "agent_free", "all_agents_busy", "no_agent_has_the_skill"
  std::vector<Agent> agents;  // to try, in this order
};

// Chooses the queue by the dialled number, and among its agents the free ones, whoever has been
// free longest first.
// **Threads**: immutable, thread-safe; `calls` is the caller's to protect.
class Routing {
 public:
  Routing(std::vector<Agent> agents, std::vector<Queue> queues,
          std::chrono::milliseconds ring_time);

  bool KnowsAgent(std::string_view name) const;
  Route Decide(std::string_view dialled, const CallTable& calls) const;
  // As Kamailio's rtjson reads it, with the decision beside it.
  std::string ToJson(const Route& route, std::string_view decision_id) const;

 private:
  const Queue& QueueFor(std::string_view dialled) const;

  const std::vector<Agent> agents_;
  std::vector<Queue> queues_;
  const std::chrono::milliseconds ring_time_;
};

// `config_invalid` for agents or queues without a name, with the same one, or with what may not
// stand in a SIP header.
Status CheckRouting(const std::vector<Agent>& agents, const std::vector<Queue>& queues);

}  // namespace hilo::callcenter
