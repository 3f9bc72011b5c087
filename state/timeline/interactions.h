#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/types/ids.h"
#include "state/types/time.h"

// Contacts with a beginning and an end. Pure rules over a member's row.
//
// The steps of a call come from switches, late and out of order. Each has a rank:
//
//   1 offered, routed, queued        4 answered, held, resumed, transferred     9 wrapup_started
//   2 agent_ringing, agent_failed    8 abandoned, ended                        10 disposition
//
// A step of a call that is not over moves its state
//  - with a higher rank whatever its time, so that a hang-up that overtook the ringing stands;
//  - with the same rank when its event time is not earlier;
//  - with a lower rank when its event time is later: queued again after nobody answered;
//  - from before the last transfer only when it ends the call: a transfer begins a new leg.
// Once over (8 and more) a call never comes back; it may still be wrapped up and get its
// disposition. Every step stands on the timeline, whether it moved anything or not. Ringing while
// somebody talks (a consultation, one call at two agents) adds a ringing agent and leaves the talk
// alone. Steps are compared by the switch's own time only among themselves, so a switch whose clock
// is an hour off still works.
namespace hilo::timeline {

inline constexpr int kMaxEndedInteractions = 20;
// Above it the one that was silent longest is ended.
inline constexpr int kMaxOpenInteractions = 64;
inline constexpr int kMaxRinging = 16;
// In force until parameters say otherwise.
inline constexpr int64_t kDefaultVisitIdleMicros = int64_t{30} * 60 * 1'000'000;
inline constexpr int64_t kDefaultCallIdleMicros = int64_t{2} * 3'600 * 1'000'000;
// Disposition of a call whose end never came.
inline constexpr std::string_view kLostDisposition = "lost";
inline constexpr std::string_view kAbandonedDisposition = "abandoned";

InteractionId CallInteraction(MemberId member, std::string_view call);

// What an event tells an interaction, beside the step.
struct Touch {
  uint32_t channel = 0;
  // By the channel: never more than matched, for calls never more than claimed.
  uint32_t assurance = 0;
  int64_t event_micros = 0;
  LogTime now;
  bool known_before = false;
};

// What a step or a timer came to.
struct Moved {
  InteractionId interaction;
  bool created = false;
  bool state_changed = false;
};

// Applies a step of a call. A step of a call so old that it may have fallen out already makes no
// new interaction: `interaction` is then its id and nothing else happens.
Moved ApplyCallStep(store::v1::MemberRow& row, MemberId member, const store::v1::CallStep& step,
                    const Touch& touch);

// Applies an event of a web visit: to the visit within whose idle time it falls, else to a new one
// (`fresh` names it). A new visit ends an older one that is still open; one that is itself older
// than the newest, or than the idle time, has ended already.
Moved ApplyVisit(store::v1::MemberRow& row, const std::function<InteractionId()>& fresh,
                 int64_t idle_micros, const Touch& touch);

// The interaction with this id; null when there is none (any more).
store::v1::InteractionRow* Find(store::v1::MemberRow& row, std::string_view id);
const store::v1::InteractionRow* Find(const store::v1::MemberRow& row, std::string_view id);

bool IsOpen(const store::v1::InteractionRow& interaction);

// An agent whom an interaction is with now.
struct AgentPlace {
  std::string agent;
  std::string interaction;  // 16 bytes
  uint32_t state = 0;       // hilo.v1.InteractionState
  bool rings = false;       // it rings at this agent; otherwise the agent talks or writes up
  friend auto operator<=>(const AgentPlace&, const AgentPlace&) = default;
};
// All of a member's, sorted, without doubles.
std::vector<AgentPlace> AgentPlaces(const store::v1::MemberRow& row);

// Begins one by hand. **Errors**: `assurance_needs_verification` (invalid_argument) for more than
// matched.
StatusOr<InteractionId> Start(store::v1::MemberRow& row, InteractionId fresh, const Touch& touch);
// **Errors**: `interaction_not_found`, `interaction_ended` (failed_precondition).
Status Verify(store::v1::MemberRow& row, std::string_view id);
// Selling goes on in it although a complaint is open. **Errors**: as Verify's.
Status Release(store::v1::MemberRow& row, std::string_view id);
// Ends it; a second end only adds a disposition that was missing. **Errors**:
// `interaction_not_found`.
Status End(store::v1::MemberRow& row, std::string_view id, std::string_view disposition,
           int64_t event_micros);

// Ends an interaction that was silent for `idle_micros` of log time. Returns the log time at which
// to look again, or nullopt when it is over or gone.
std::optional<LogTime> EndIfSilent(store::v1::MemberRow& row, std::string_view id,
                                   int64_t idle_micros, LogTime now);

// Something of an open interaction was folded: its silence begins anew.
void Touched(store::v1::MemberRow& row, std::string_view id, LogTime now);

// Keeps to the limits; what falls out is counted. From whoever adds an interaction.
void Trim(store::v1::MemberRow& row);
// Makes room: lets the interaction that ended longest ago go; false when none has ended.
bool DropOldestEnded(store::v1::MemberRow& row);

// Order in which they are kept: oldest first.
bool Before(const store::v1::InteractionRow& a, const store::v1::InteractionRow& b);

}  // namespace hilo::timeline
