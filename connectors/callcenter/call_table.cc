#include "connectors/callcenter/call_table.h"

namespace hilo::callcenter {
namespace {

// Agents remembered for how long they have been free.
constexpr size_t kMaxFreed = 10'000;

bool MayFollowTheEnd(std::string_view step) {
  return step == "ended" || step == "abandoned" || step == "wrapup_started" ||
         step == "disposition" || step == "transcript";
}

}  // namespace

CallTable::Call* CallTable::Find(const std::string& key) {
  const auto found = calls_.find(key);
  return found == calls_.end() ? nullptr : &found->second.call;
}

CallTable::Call& CallTable::Begin(const std::string& key,
                                  std::vector<kit::RawIdentifier> identifiers, MonotonicTime now) {
  if (calls_.size() >= limit_) Drop(order_.front());
  order_.push_back(key);
  Entry& entry = calls_[key];
  entry.place = std::prev(order_.end());
  entry.call.identifiers = std::move(identifiers);
  entry.call.last = now;
  return entry.call;
}

Status CallTable::Check(const Call& call, std::string_view step) {
  if (!call.over || MayFollowTheEnd(step)) return OkStatus();
  return Error(StatusCode::kInvalidArgument, "cti_out_of_order",
               "the call is over; send its events in order");
}

void CallTable::Touch(Entry& entry, MonotonicTime now) {
  entry.call.last = now;
  order_.splice(order_.end(), order_, entry.place);
}

void CallTable::Free(const std::string& key, Call& call, const std::string& agent,
                     MonotonicTime now) {
  if (call.agents.erase(agent) == 0) return;
  const auto found = by_agent_.find(agent);
  found->second.erase(key);
  if (found->second.empty()) by_agent_.erase(found);
  if (freed_.size() < kMaxFreed || freed_.contains(agent)) freed_[agent] = now;
}

void CallTable::FreeAll(const std::string& key, Call& call, MonotonicTime now) {
  while (!call.agents.empty()) Free(key, call, std::string(*call.agents.begin()), now);
}

void CallTable::Apply(const std::string& key, const Step& step, MonotonicTime now) {
  const auto found = calls_.find(key);
  if (found == calls_.end()) return;
  Entry& entry = found->second;
  Touch(entry, now);
  Call& call = entry.call;
  const auto take = [&](const std::string& agent) {
    if (agent.empty()) return;
    call.agents.insert(agent);
    by_agent_[agent].insert(key);
  };
  if (step.name == "agent_ringing" || step.name == "wrapup_started") {
    take(step.agent);
  } else if (step.name == "agent_failed" || step.name == "disposition") {
    Free(key, call, step.agent, now);
    if (step.agent.empty()) FreeAll(key, call, now);
  } else if (step.name == "answered") {
    // The others' telephones stop ringing.
    if (!step.agent.empty()) FreeAll(key, call, now);
    take(step.agent);
  } else if (step.name == "transferred") {
    Free(key, call, step.agent, now);
    take(step.to_agent);
  } else if (step.name == "ended" || step.name == "abandoned") {
    call.over = true;
    FreeAll(key, call, now);
  }
}

void CallTable::Drop(const std::string& key) {
  const auto found = calls_.find(key);
  FreeAll(key, found->second.call, found->second.call.last);
  order_.erase(found->second.place);
  calls_.erase(found);
}

void CallTable::Forget(MonotonicTime now) {
  while (!order_.empty() && now - calls_.at(order_.front()).call.last > lifetime_)
    Drop(std::string(order_.front()));
}

size_t CallTable::CallsOf(const std::string& agent) const {
  const auto found = by_agent_.find(agent);
  return found == by_agent_.end() ? 0 : found->second.size();
}

std::optional<MonotonicTime> CallTable::LastFreed(const std::string& agent) const {
  const auto found = freed_.find(agent);
  return found == freed_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace hilo::callcenter
