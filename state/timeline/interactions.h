#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/types/ids.h"
#include "state/types/time.h"

// Contacts with a beginning and an end. Pure rules over a member's row.
//
// A call's steps come from switches, late and out of order. Each has a rank: offered, routed,
// queued 1; agent_ringing, agent_failed 2; answered, held, resumed, transferred 4; abandoned, ended
// 8; wrapup_started 9; disposition 10; an agent's end 11. A step moves the state
//  - once the call is over: only when its rank is higher than the last one's (ended → wrap-up →
//  disposition), never back into the call;
//  - with a higher rank: whatever its time, so that a hang-up that overtook the ringing stands;
//  - with the same rank: when its event time is not earlier;
//  - with a lower rank: when its event time is later (queued again after nobody answered) and the
//  call is not over;
//  - from before the last transfer: only when it ends the call.
// Every step stands on the timeline, whether it moved anything or not. An agent's ringing while
// somebody talks (a consultation, two agents at once) adds a ringing agent and leaves the talk
// alone. Order among steps is the switch's own time, so a switch whose clock is an hour off still
// works.
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

// Applies a step of a call.
Moved ApplyCallStep(store::v1::MemberRow& row, MemberId member, const store::v1::CallStep& step,
                    const Touch& touch);

// Applies an event of a web visit: the visit within whose idle time it falls, else a new one
// (`fresh` is its id). A new visit that is older than the newest one has ended already. A later
// visit ends an earlier one that is still open.
Moved ApplyVisit(store::v1::MemberRow& row, InteractionId fresh, int64_t idle_micros,
                 const Touch& touch);

// The interaction with this id; null when there is none (any more).
store::v1::InteractionRow* Find(store::v1::MemberRow& row, std::string_view id);
const store::v1::InteractionRow* Find(const store::v1::MemberRow& row, std::string_view id);

bool IsOpen(const store::v1::InteractionRow& interaction);

// Agents it is with now: who talks or writes up, and where it rings. Sorted, no doubles; empty when
// it is over.
std::vector<std::string> AgentsAt(const store::v1::InteractionRow& interaction);

// Begins one by hand. **Errors**: `assurance_needs_verification` (invalid_argument) for more than
// matched.
StatusOr<InteractionId> Start(store::v1::MemberRow& row, InteractionId fresh, const Touch& touch);
// **Errors**: `interaction_not_found`, `interaction_ended` (failed_precondition).
Status Verify(store::v1::MemberRow& row, std::string_view id);
// Ends it; a second end only adds a disposition that was missing. **Errors**:
// `interaction_not_found`.
Status End(store::v1::MemberRow& row, std::string_view id, std::string_view disposition,
           int64_t event_micros);

// Ends an interaction that was silent for `idle_micros` of log time. Returns the log time at which
// to look again, or 0 when it is over or gone.
int64_t EndIfSilent(store::v1::MemberRow& row, std::string_view id, int64_t idle_micros,
                    LogTime now);

// Oldest first, then kept to the limits; open ones stay.
void Trim(store::v1::MemberRow& row);
// Lets the interaction that ended longest ago go; false when none has ended.
bool DropOne(store::v1::MemberRow& row);

}  // namespace hilo::timeline
