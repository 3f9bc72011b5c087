#include "connectors/callcenter/routing.h"

#include <algorithm>
#include <set>

#include "connectors/callcenter/caller.h"
#include "connectors/kit/text.h"

namespace hilo::callcenter {
namespace {

constexpr int kProvisionalMillis = 5'000;  // until an agent's telephone answers at all

bool IsPlain(std::string_view text) {
  return text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.';
         });
}

Status Invalid(std::string_view message) {
  return Error(StatusCode::kFailedPrecondition, "config_invalid", message);
}

std::string Digits(std::string_view number) {
  std::string digits;
  for (char c : NumberOf(number)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return digits;
}

}  // namespace

Status CheckRouting(const std::vector<Agent>& agents, const std::vector<Queue>& queues) {
  std::set<std::string_view> names;
  for (const Agent& agent : agents) {
    if (agent.name.empty() || !names.insert(agent.name).second)
      return Invalid("each agent needs a name of their own");
    if (kit::HasControl(agent.name) || kit::HasControl(agent.uri))
      return Invalid("an agent's name and uri hold no control characters");
  }
  names.clear();
  for (const Queue& queue : queues) {
    if (queue.name.empty() || !names.insert(queue.name).second)
      return Invalid("each queue needs a name of its own");
    if (!IsPlain(queue.name) || !IsPlain(queue.skill)) {
      return Invalid("a queue's name and skill have letters, digits, \"_\", \"-\" and \".\" only");
    }
  }
  return OkStatus();
}

Routing::Routing(std::vector<Agent> agents, std::vector<Queue> queues,
                 std::chrono::milliseconds ring_time)
    : agents_(std::move(agents)), queues_(std::move(queues)), ring_time_(ring_time) {
  if (queues_.empty()) queues_.push_back({.name = "default", .numbers = {"*"}});
}

bool Routing::KnowsAgent(std::string_view name) const {
  return agents_.empty() || std::any_of(agents_.begin(), agents_.end(),
                                        [&](const Agent& agent) { return agent.name == name; });
}

const Queue& Routing::QueueFor(std::string_view dialled) const {
  const std::string digits = Digits(dialled);
  const Queue* any = &queues_.front();
  for (const Queue& queue : queues_) {
    for (const std::string& number : queue.numbers) {
      if (number == "*") any = &queue;
      if (!digits.empty() && Digits(number) == digits) return queue;
    }
  }
  return *any;
}

Route Routing::Decide(std::string_view dialled, const CallTable& calls) const {
  const Queue& queue = QueueFor(dialled);
  Route route{.queue = queue.name, .skill = queue.skill, .priority = queue.priority};
  bool skilled = false;
  for (const Agent& agent : agents_) {
    if (!queue.skill.empty() &&
        std::find(agent.skills.begin(), agent.skills.end(), queue.skill) == agent.skills.end())
      continue;
    if (agent.uri.empty()) continue;
    skilled = true;
    if (calls.CallsOf(agent.name) == 0) route.agents.push_back(agent);
  }
  // Whoever had no call yet has been free longest.
  std::stable_sort(route.agents.begin(), route.agents.end(), [&](const Agent& a, const Agent& b) {
    return calls.LastFreed(a.name) < calls.LastFreed(b.name);
  });
  if (route.agents.size() > CallCenter::kMaxRoutes) route.agents.resize(CallCenter::kMaxRoutes);
  route.reason = !route.agents.empty() ? "agent_free"
                 : skilled             ? "all_agents_busy"
                                       : "no_agent_has_the_skill";
  return route;
}

std::string Routing::ToJson(const Route& route, std::string_view decision_id) const {
  // The parts are plain by CheckRouting. Switches' readers know \r\n better than \u000d\u000a.
  const std::string headers = "\"X-Hilo-Decision: " + std::string(decision_id) +
                              R"(\r\nX-Hilo-Queue: )" + route.queue + R"(\r\nX-Hilo-Skill: )" +
                              route.skill + R"(\r\nX-Hilo-Priority: )" +
                              std::to_string(route.priority) + R"(\r\n")";
  std::string routes;
  std::string names;
  for (const Agent& agent : route.agents) {
    if (!routes.empty()) {
      routes += ',';
      names += ',';
    }
    routes += R"({"uri":)" + kit::JsonString(agent.uri) + R"(,"headers":{"extra":)" + headers +
              R"(},"fr_timer":)" + std::to_string(kProvisionalMillis) + R"(,"fr_inv_timer":)" +
              std::to_string(ring_time_.count()) + "}";
    names += kit::JsonString(agent.name);
  }
  return R"({"version":"1.0","routing":"serial","routes":[)" + routes + R"(],"decision_id":)" +
         kit::JsonString(decision_id) + R"(,"queue":)" + kit::JsonString(route.queue) +
         R"(,"skill":)" + kit::JsonString(route.skill) + R"(,"priority":)" +
         std::to_string(route.priority) + R"(,"reason":)" + kit::JsonString(route.reason) +
         R"(,"agents":[)" + names + "]}";
}

}  // namespace hilo::callcenter
