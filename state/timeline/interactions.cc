#include "state/timeline/interactions.h"

#include <algorithm>
#include <utility>

#include "hilo/v1/customer.pb.h"
#include "state/types/hash.h"
#include "state/types/ordered_list.h"

namespace hilo::timeline {
namespace {

using store::v1::CallStep;
using store::v1::InteractionRow;
using store::v1::MemberRow;

enum class Step {
  kOther,
  kQueued,  // also offered and routed
  kRinging,
  kFailed,
  kAnswered,
  kHeld,
  kResumed,
  kTransferred,
  kAbandoned,
  kEnded,
  kWrapUp,
  kDisposition
};

struct StepRule {
  std::string_view name;
  Step step;
  uint32_t rank;
};

constexpr uint32_t kQueuedRank = 1;
constexpr uint32_t kRingingRank = 2;
constexpr uint32_t kTalkRank = 4;
constexpr uint32_t kEndedRank = 8;
constexpr uint32_t kWrapUpRank = 9;
constexpr uint32_t kDispositionRank = 10;

constexpr StepRule kSteps[] = {
    {"offered", Step::kQueued, kQueuedRank},
    {"routed", Step::kQueued, kQueuedRank},
    {"queued", Step::kQueued, kQueuedRank},
    {"agent_ringing", Step::kRinging, kRingingRank},
    {"agent_failed", Step::kFailed, kRingingRank},
    {"answered", Step::kAnswered, kTalkRank},
    {"held", Step::kHeld, kTalkRank},
    {"resumed", Step::kResumed, kTalkRank},
    {"transferred", Step::kTransferred, kTalkRank},
    {"abandoned", Step::kAbandoned, kEndedRank},
    {"ended", Step::kEnded, kEndedRank},
    {"wrapup_started", Step::kWrapUp, kWrapUpRank},
    {"disposition", Step::kDisposition, kDispositionRank},
};

StepRule RuleOf(std::string_view name) {
  for (const StepRule& rule : kSteps) {
    if (rule.name == name) return rule;
  }
  return {name, Step::kOther, 0};
}

bool IsOver(const InteractionRow& call) {
  return call.state() == v1::INTERACTION_STATE_WRAP_UP ||
         call.state() == v1::INTERACTION_STATE_ENDED;
}

bool Talks(const InteractionRow& call) {
  return call.state() == v1::INTERACTION_STATE_ACTIVE || call.state() == v1::INTERACTION_STATE_HELD;
}

// The rule of the header, for calls that are not over and steps that do not end them.
bool Moves(const InteractionRow& call, uint32_t rank, int64_t event_micros) {
  if (call.transfer_micros() != 0 && event_micros < call.transfer_micros()) return false;
  if (rank != call.step_rank()) {
    return rank > call.step_rank() || event_micros > call.step_micros();
  }
  return event_micros >= call.step_micros();
}

void MoveTo(InteractionRow& call, v1::InteractionState state, uint32_t rank, int64_t event_micros) {
  call.set_state(state);
  call.set_step_rank(rank);
  call.set_step_micros(event_micros);
}

void StartRinging(InteractionRow& call, const std::string& agent) {
  if (agent.empty()) return;
  for (const std::string& ringing : call.ringing()) {
    if (ringing == agent) return;
  }
  if (call.ringing_size() < kMaxRinging) call.add_ringing(agent);
}

// Whether it rang there.
bool StopRinging(InteractionRow& call, const std::string& agent) {
  for (int i = 0; i < call.ringing_size(); ++i) {
    if (call.ringing(i) != agent) continue;
    EraseAt(*call.mutable_ringing(), i);
    return true;
  }
  return false;
}

void Ring(InteractionRow& call, const CallStep& step, int64_t event_micros) {
  if (Talks(call)) {
    const bool later = event_micros > call.step_micros() && event_micros >= call.transfer_micros();
    if (later && step.agent() != call.agent()) StartRinging(call, step.agent());
    return;
  }
  if (!Moves(call, kRingingRank, event_micros)) return;
  StartRinging(call, step.agent());
  call.set_agent(step.agent());
  MoveTo(call, v1::INTERACTION_STATE_RINGING, kRingingRank, event_micros);
}

void Fail(InteractionRow& call, const CallStep& step, int64_t event_micros) {
  if (Talks(call)) {
    StopRinging(call, step.agent());
    return;
  }
  if (!Moves(call, kRingingRank, event_micros)) return;
  const bool nobody = call.ringing_size() == 0;
  // A failure at an agent where it does not ring says nothing about the others.
  if (!StopRinging(call, step.agent()) && !nobody) return;
  const bool rings_on = call.ringing_size() > 0;
  call.set_agent(rings_on ? call.ringing(call.ringing_size() - 1) : "");
  MoveTo(call, rings_on ? v1::INTERACTION_STATE_RINGING : v1::INTERACTION_STATE_WAITING,
         kRingingRank, event_micros);
}

void Talk(InteractionRow& call, const CallStep& step, Step kind, int64_t event_micros) {
  if (!Moves(call, kTalkRank, event_micros)) {
    if (Talks(call) && call.agent().empty()) call.set_agent(step.agent());
    return;
  }
  const bool answers = kind == Step::kAnswered;
  if (answers && step.agent().empty()) {
    if (call.ringing_size() == 1) call.set_agent(call.ringing(0));
  } else if (!step.agent().empty() && (answers || call.agent().empty() || !Talks(call))) {
    call.set_agent(step.agent());
  }
  if (answers || !Talks(call)) call.clear_ringing();
  MoveTo(call, kind == Step::kHeld ? v1::INTERACTION_STATE_HELD : v1::INTERACTION_STATE_ACTIVE,
         kTalkRank, event_micros);
}

void Transfer(InteractionRow& call, const CallStep& step, int64_t event_micros) {
  const bool to_self = Talks(call) && !step.agent().empty() && step.agent() == call.agent();
  if (to_self || !Moves(call, kTalkRank, event_micros)) return;
  call.clear_ringing();
  call.set_agent(step.agent());
  call.set_transfer_micros(event_micros);
  if (step.agent().empty()) {
    MoveTo(call, v1::INTERACTION_STATE_WAITING, kQueuedRank, event_micros);
    return;
  }
  StartRinging(call, step.agent());
  MoveTo(call, v1::INTERACTION_STATE_RINGING, kRingingRank, event_micros);
}

void Queue(InteractionRow& call, int64_t event_micros) {
  if (!Moves(call, kQueuedRank, event_micros)) return;
  call.clear_ringing();
  call.clear_agent();
  MoveTo(call, v1::INTERACTION_STATE_WAITING, kQueuedRank, event_micros);
}

void Finish(InteractionRow& call, uint32_t rank, int64_t event_micros) {
  call.clear_ringing();
  call.set_last_micros(std::max(call.last_micros(), event_micros));
  MoveTo(call, v1::INTERACTION_STATE_ENDED, rank, event_micros);
}

void HangUp(InteractionRow& call, Step kind, int64_t event_micros) {
  if (kind == Step::kAbandoned && call.disposition().empty()) {
    call.set_disposition(std::string(kAbandonedDisposition));
  }
  // Wrap-up that began before the end was reported goes on, unless it is done already.
  if (call.state() == v1::INTERACTION_STATE_WRAP_UP && call.disposition().empty()) return;
  if (call.state() != v1::INTERACTION_STATE_ENDED) Finish(call, kEndedRank, event_micros);
}

void WrapUp(InteractionRow& call, const CallStep& step, int64_t event_micros) {
  if (IsOver(call) && (call.step_rank() >= kWrapUpRank || !call.disposition().empty())) return;
  if (!step.agent().empty()) call.set_agent(step.agent());
  call.clear_ringing();
  if (!IsOver(call)) call.set_last_micros(std::max(call.last_micros(), event_micros));
  MoveTo(call, v1::INTERACTION_STATE_WRAP_UP, kWrapUpRank, event_micros);
}

void Dispose(InteractionRow& call, const CallStep& step, int64_t event_micros) {
  if (!step.disposition().empty()) call.set_disposition(step.disposition());
  if (!IsOver(call) || call.step_rank() >= kDispositionRank) return;
  const int64_t ended = call.last_micros();
  Finish(call, kDispositionRank, event_micros);
  call.set_last_micros(ended);  // the call was over before it was written up
}

void Advance(InteractionRow& call, const CallStep& step, int64_t event_micros) {
  const StepRule rule = RuleOf(step.step());
  switch (rule.step) {
    case Step::kAbandoned:
    case Step::kEnded:
      return HangUp(call, rule.step, event_micros);
    case Step::kWrapUp:
      return WrapUp(call, step, event_micros);
    case Step::kDisposition:
      return Dispose(call, step, event_micros);
    default:
      break;
  }
  if (IsOver(call)) return;
  switch (rule.step) {
    case Step::kQueued:
      return Queue(call, event_micros);
    case Step::kRinging:
      return Ring(call, step, event_micros);
    case Step::kFailed:
      return Fail(call, step, event_micros);
    case Step::kTransferred:
      return Transfer(call, step, event_micros);
    case Step::kAnswered:
    case Step::kHeld:
    case Step::kResumed:
      return Talk(call, step, rule.step, event_micros);
    default:
      return;
  }
}

// What channels say is a claim or a match; only a person's or a system's check makes it verified.
uint32_t AssuranceOf(const Touch& touch) {
  const uint32_t most =
      touch.channel == v1::CHANNEL_CALL ? v1::ASSURANCE_CLAIMED : v1::ASSURANCE_MATCHED;
  return std::clamp<uint32_t>(touch.assurance, v1::ASSURANCE_CLAIMED, most);
}

InteractionRow Fresh(InteractionId id, const Touch& touch, v1::InteractionState state) {
  InteractionRow fresh;
  fresh.set_interaction(std::string(id.Bytes()));
  fresh.set_channel(touch.channel);
  fresh.set_state(state);
  fresh.set_first_micros(touch.event_micros);
  fresh.set_last_micros(touch.event_micros);
  fresh.set_known_before(touch.known_before);
  return fresh;
}

// Takes in when something of it happened, and how sure that makes us.
void Stretch(InteractionRow& interaction, const Touch& touch) {
  interaction.set_assurance(std::max(interaction.assurance(), AssuranceOf(touch)));
  interaction.set_seen_micros(std::max(interaction.seen_micros(), touch.now.micros));
  interaction.set_first_micros(std::min(interaction.first_micros(), touch.event_micros));
}

// A beginning that moved back puts the list out of order.
void MoveBack(MemberRow& row) {
  auto& list = *row.mutable_interactions();
  for (int i = list.size() - 1; i > 0; --i) {
    for (int j = i; j < list.size() && Before(list[j], list[j - 1]); ++j) {
      list.SwapElements(j, j - 1);
    }
  }
}

// What is kept of it; null when it is older than everything that is kept.
InteractionRow* Keep(MemberRow& row, InteractionRow interaction) {
  const std::string id = interaction.interaction();
  InsertInOrder(*row.mutable_interactions(), std::move(interaction),
                [](const InteractionRow& a, const InteractionRow& b) { return Before(a, b); });
  Trim(row);
  return Find(row, id);
}

// The index of what ended longest ago; -1 when nothing has ended.
int OldestEnded(const MemberRow& row) {
  int oldest = -1;
  for (int i = 0; i < row.interactions_size(); ++i) {
    if (IsOpen(row.interactions(i))) continue;
    if (oldest < 0 || row.interactions(i).last_micros() < row.interactions(oldest).last_micros()) {
      oldest = i;
    }
  }
  return oldest;
}

int CountEnded(const MemberRow& row) {
  return static_cast<int>(std::count_if(row.interactions().begin(), row.interactions().end(),
                                        [](const InteractionRow& i) { return !IsOpen(i); }));
}

// Whether an interaction of that time may have been kept once and have fallen out since.
bool MayHaveFallenOut(const MemberRow& row, int64_t event_micros) {
  if (CountEnded(row) < kMaxEndedInteractions) return false;
  return event_micros < row.interactions(OldestEnded(row)).last_micros();
}

void CutLongestSilent(MemberRow& row) {
  InteractionRow* silent = nullptr;
  for (InteractionRow& candidate : *row.mutable_interactions()) {
    if (!IsOpen(candidate)) continue;
    if (silent == nullptr || candidate.seen_micros() < silent->seen_micros()) silent = &candidate;
  }
  silent->set_state(v1::INTERACTION_STATE_ENDED);
  silent->set_step_rank(kDispositionRank);
  silent->clear_ringing();
  row.mutable_left_out()->set_interactions_cut(row.left_out().interactions_cut() + 1);
}

Status NotFound() {
  return Error(StatusCode::kNotFound, "interaction_not_found",
               "the customer has no interaction with this id; it may have ended long ago");
}

}  // namespace

bool Before(const InteractionRow& a, const InteractionRow& b) {
  if (a.first_micros() != b.first_micros()) return a.first_micros() < b.first_micros();
  return a.interaction() < b.interaction();
}

InteractionId CallInteraction(MemberId member, std::string_view call) {
  return *InteractionId::FromBytes(Bytes(Hash(member.Bytes(), call)));
}

Moved ApplyCallStep(MemberRow& row, MemberId member, const CallStep& step, const Touch& touch) {
  Moved moved;
  moved.interaction = CallInteraction(member, step.call());
  InteractionRow* call = Find(row, moved.interaction.Bytes());
  if (call == nullptr) {
    if (MayHaveFallenOut(row, touch.event_micros)) return moved;
    InteractionRow fresh = Fresh(moved.interaction, touch, v1::INTERACTION_STATE_WAITING);
    Stretch(fresh, touch);
    fresh.set_step_micros(touch.event_micros);
    call = Keep(row, std::move(fresh));
    if (call == nullptr) return moved;
    moved.created = true;
  }
  const uint32_t state_before = call->state();
  const bool begins_earlier = touch.event_micros < call->first_micros();
  Stretch(*call, touch);
  if (begins_earlier) MoveBack(row);
  if (!IsOver(*call)) call->set_last_micros(std::max(call->last_micros(), touch.event_micros));
  if (call->sealed_id().empty()) call->set_sealed_id(step.sealed_id());
  if (!step.queue().empty() &&
      (call->queue().empty() || touch.event_micros >= call->step_micros())) {
    call->set_queue(step.queue());
  }
  Advance(*call, step, touch.event_micros);
  moved.state_changed = moved.created || call->state() != state_before;
  Trim(row);
  return moved;
}

Moved ApplyVisit(MemberRow& row, const std::function<InteractionId()>& fresh, int64_t idle_micros,
                 const Touch& touch) {
  const int64_t at = touch.event_micros;
  bool newest = true;
  for (int i = row.interactions_size() - 1; i >= 0; --i) {
    InteractionRow& visit = *row.mutable_interactions(i);
    if (visit.channel() != touch.channel) continue;
    if (at >= visit.first_micros() - idle_micros && at <= visit.last_micros() + idle_micros) {
      Moved moved;
      moved.interaction = *InteractionId::FromBytes(visit.interaction());
      const bool begins_earlier = at < visit.first_micros();
      Stretch(visit, touch);
      visit.set_last_micros(std::max(visit.last_micros(), at));
      if (begins_earlier) MoveBack(row);
      return moved;
    }
    newest = newest && visit.last_micros() < at;
  }
  Moved moved;
  moved.interaction = fresh();
  if (!newest && MayHaveFallenOut(row, at)) return moved;
  const bool live = newest && touch.now.micros - at < idle_micros;
  if (newest) {
    for (InteractionRow& visit : *row.mutable_interactions()) {
      if (visit.channel() == touch.channel) visit.set_state(v1::INTERACTION_STATE_ENDED);
    }
  }
  InteractionRow begun = Fresh(moved.interaction, touch,
                               live ? v1::INTERACTION_STATE_ACTIVE : v1::INTERACTION_STATE_ENDED);
  Stretch(begun, touch);
  moved.created = Keep(row, std::move(begun)) != nullptr;
  moved.state_changed = true;
  return moved;
}

InteractionRow* Find(MemberRow& row, std::string_view id) {
  for (InteractionRow& interaction : *row.mutable_interactions()) {
    if (interaction.interaction() == id) return &interaction;
  }
  return nullptr;
}

const InteractionRow* Find(const MemberRow& row, std::string_view id) {
  for (const InteractionRow& interaction : row.interactions()) {
    if (interaction.interaction() == id) return &interaction;
  }
  return nullptr;
}

bool IsOpen(const InteractionRow& interaction) {
  return interaction.state() != v1::INTERACTION_STATE_ENDED;
}

std::vector<AgentPlace> AgentPlaces(const MemberRow& row) {
  std::vector<AgentPlace> places;
  for (const InteractionRow& interaction : row.interactions()) {
    if (!IsOpen(interaction)) continue;
    for (const std::string& agent : interaction.ringing()) {
      places.push_back({agent, interaction.interaction(), interaction.state(), true});
    }
    const bool with_agent = Talks(interaction) || IsOver(interaction);
    if (with_agent && !interaction.agent().empty()) {
      places.push_back(
          {interaction.agent(), interaction.interaction(), interaction.state(), false});
    }
  }
  std::sort(places.begin(), places.end());
  return places;
}

StatusOr<InteractionId> Start(MemberRow& row, InteractionId fresh, const Touch& touch) {
  if (touch.assurance > v1::ASSURANCE_MATCHED) {
    return Error(StatusCode::kInvalidArgument, "assurance_needs_verification",
                 "an interaction begins as claimed or matched; verify it in a step of its own");
  }
  InteractionRow begun = Fresh(fresh, touch, v1::INTERACTION_STATE_ACTIVE);
  Stretch(begun, touch);
  // A person's word, not a caller's number.
  begun.set_assurance(std::max<uint32_t>(touch.assurance, v1::ASSURANCE_CLAIMED));
  Keep(row, std::move(begun));
  return fresh;
}

Status Verify(MemberRow& row, std::string_view id) {
  InteractionRow* interaction = Find(row, id);
  if (interaction == nullptr) return NotFound();
  if (!IsOpen(*interaction)) {
    return Error(StatusCode::kFailedPrecondition, "interaction_ended",
                 "the interaction is over: nobody is left to verify");
  }
  interaction->set_assurance(v1::ASSURANCE_VERIFIED);
  return OkStatus();
}

Status Release(MemberRow& row, std::string_view id) {
  InteractionRow* interaction = Find(row, id);
  if (interaction == nullptr) return NotFound();
  if (!IsOpen(*interaction)) {
    return Error(StatusCode::kFailedPrecondition, "interaction_ended",
                 "the interaction is over: there is nothing left to release");
  }
  interaction->set_released(true);
  return OkStatus();
}

Status End(MemberRow& row, std::string_view id, std::string_view disposition,
           int64_t event_micros) {
  InteractionRow* interaction = Find(row, id);
  if (interaction == nullptr) return NotFound();
  if (!disposition.empty() && (IsOpen(*interaction) || interaction->disposition().empty())) {
    interaction->set_disposition(std::string(disposition));
  }
  if (!IsOpen(*interaction)) return OkStatus();
  const int64_t left = interaction->last_micros();
  const bool wrapped = IsOver(*interaction);
  Finish(*interaction, kDispositionRank, event_micros);
  if (wrapped) interaction->set_last_micros(left);
  return OkStatus();
}

std::optional<LogTime> EndIfSilent(MemberRow& row, std::string_view id, int64_t idle_micros,
                                   LogTime now) {
  InteractionRow* interaction = Find(row, id);
  if (interaction == nullptr || !IsOpen(*interaction)) return std::nullopt;
  // Folded before the first tick ever: its silence is counted from now.
  if (interaction->seen_micros() == 0) interaction->set_seen_micros(now.micros);
  const int64_t due = interaction->seen_micros() + idle_micros;
  if (now.micros < due) return LogTime{due};
  interaction->set_state(v1::INTERACTION_STATE_ENDED);
  interaction->set_step_rank(kDispositionRank);
  interaction->clear_ringing();
  if (interaction->channel() == v1::CHANNEL_CALL && interaction->disposition().empty()) {
    interaction->set_disposition(std::string(kLostDisposition));
  }
  return std::nullopt;
}

void Touched(MemberRow& row, std::string_view id, LogTime now) {
  InteractionRow* interaction = Find(row, id);
  if (interaction == nullptr || !IsOpen(*interaction)) return;
  interaction->set_seen_micros(std::max(interaction->seen_micros(), now.micros));
}

void Trim(MemberRow& row) {
  while (row.interactions_size() - CountEnded(row) > kMaxOpenInteractions) CutLongestSilent(row);
  while (CountEnded(row) > kMaxEndedInteractions && DropOldestEnded(row)) {
  }
}

bool DropOldestEnded(MemberRow& row) {
  const int oldest = OldestEnded(row);
  if (oldest < 0) return false;
  EraseAt(*row.mutable_interactions(), oldest);
  row.mutable_left_out()->set_interactions(row.left_out().interactions() + 1);
  return true;
}

}  // namespace hilo::timeline
