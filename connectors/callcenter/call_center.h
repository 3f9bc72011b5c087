#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "connectors/http/router.h"
#include "connectors/kit/intake.h"
#include "connectors/kit/source_keys.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/status.h"

namespace hilo::callcenter {

// An agent whom calls can be offered to.
struct Agent {
  std::string name;  // as call events and the desk name them
  std::string uri;   // where the switch rings: "sip:marta@pbx.example"
  std::vector<std::string> skills;
};

// Calls to certain numbers, and who answers them.
struct Queue {
  std::string name;
  std::vector<std::string> numbers;  // dialled numbers; "*": every number that no other queue has
  std::string skill;                 // what an agent needs; "": nothing
  int priority = 0;                  // shown to the switch; higher first
};

struct CallCenterOptions {
  // Switches that may send. Their region reads callers' numbers without country code.
  std::vector<kit::KeyedSource> sources;
  // Empty: any agent's name is taken, and no call is routed.
  std::vector<Agent> agents;
  // Empty: one queue for every number, without a skill.
  std::vector<Queue> queues;
  // How long an event waits for the beginning of its call.
  std::chrono::milliseconds patience{5'000};
  // After how much silence a call is taken for lost, and its agent for free.
  std::chrono::minutes call_lifetime{120};
  // How long each agent's telephone rings before the next one's.
  std::chrono::milliseconds ring_time{20'000};
};

// Calls from a telephone switch: their events, and the question whom to offer a call to.
//
//   POST /v1/calls/events            CloudEvents `call.*`; data {call_id, from, to, agent, queue,
//   …} POST /v1/route                   {call_id, from, to}: the agents to try, as Kamailio's
//   rtjson POST /v1/calls/{id}/disposition  {code, notes, wrapup_ms, agent}
//
// A caller's number is an identifier of kind phone, with assurance `claimed` and never more. A
// caller who withholds it, or whose number cannot be dialled from abroad (a short code, an
// extension), is known by the call alone: a device_id "call:<switch>:<call id>", so that the call
// has a customer all the same and links to nobody. `from` may be left out after the first event of
// a call, as long as this process remembers the call; a switch that sends it always depends on
// nothing.
//
// Times are the switch's where they agree with ours within kMaxClockError, else those of arrival.
// **Guarantees**: events are answered when they are durable. A route is answered at once, from
// memory: the call goes on also when the log does not, and the same call gets the same answer.
// **Errors**: those of kit::Intake and of CloudEvents; 422 `cti_out_of_order` (an event of an
// unknown call whose beginning did not come within `patience`, or of one that is over),
// `cti_agent_unknown`, `cti_transfer_to_self`, `cti_call_id`; 401 `bad_key`.
// **Threads**: thread-safe; answers may come from Expire. **Lifetime**: outlives the server whose
// router holds its routes; intake, clock and registry outlive it.
class CallCenter {
 public:
  static constexpr size_t kMaxCalls = 50'000;  // remembered; the one silent longest goes
  static constexpr size_t kMaxParked = 1'000;  // events that wait for the beginning of their call
  static constexpr size_t kMaxRoutes = 5;      // agents named in one answer
  static constexpr std::chrono::minutes kMaxClockError{5};

  static StatusOr<std::shared_ptr<CallCenter>> Create(CallCenterOptions options,
                                                      kit::Intake& intake, const Clock& clock,
                                                      Registry& registry);
  virtual ~CallCenter() = default;

  virtual void AddRoutes(http::Router& router) = 0;
  // Refuses what has waited too long and forgets lost calls. Call it at least every half second.
  virtual void Expire() = 0;
};

}  // namespace hilo::callcenter
