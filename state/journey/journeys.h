#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

// Runs of journeys: an event begins one, its time comes, something is decided for it, its message
// goes out or something ends it. Pure rules over a member's row.
//
//   WAITING ──due──▶ DUE ──decided──▶ SENDING ──message settled──▶ ENDED
//      ▲              │ "again"          │
//      └──────────────┴────── leaves, expires: ENDED from everywhere
//
// Times are log time. Of one (journey, key) at most one run is under way.
namespace hilo::journey {

// Runs kept of a member. Those that are over make room, first the ones after which another may
// begin anyway; when all are under way nothing begins, and it is counted.
inline constexpr int kMaxRuns = 128;
// What a signal that says nothing of it means by "no longer worth anything", after it was due.
inline constexpr Micros kDefaultExpiry{86'400LL * 1'000'000};
// A run that is due is told again after this long, so that a notice that nobody heard is not lost.
inline constexpr Micros kTellAgain{60LL * 1'000'000};
// How an exit is called after which what was sent counts as taken up.
inline constexpr std::string_view kBought = "bought";

// What a signal that begins a run came to.
enum class Entered : uint8_t {
  kBegan,
  kRestarted,  // it waits anew
  kRepeat,     // one is under way, or began too recently: counted
  kNoRoom
};
struct Begin {
  std::string_view run;  // its id, 16 bytes, when one begins
  LogTime now;
  // Place of the timeline entry of the event that begins it.
  int64_t event_micros = 0;
  int64_t event_offset = 0;
};
// Takes a signal that does not leave. `run`: the one that began, restarted or was repeated; null
// for kNoRoom.
struct Entry {
  Entered what = Entered::kNoRoom;
  const store::v1::JourneyRow* run = nullptr;
};
Entry Enter(store::v1::MemberRow& row, const store::v1::JourneySignal& signal, const Begin& begin);

// Ends what the signal ends; how many.
int Leave(store::v1::MemberRow& row, const store::v1::JourneySignal& signal, LogTime now);

// Moves a run on when its time has come: WAITING to DUE with the next turn, or to its end when it
// is worth nothing any more. False: nothing changed.
bool Wake(store::v1::MemberRow& row, std::string_view run, LogTime now);
// When Wake has something to do; nullopt: never.
std::optional<LogTime> WakeTime(const store::v1::JourneyRow& run);

// Whether it waits for exactly this decision.
bool IsDue(const store::v1::JourneyRow& run, uint32_t turn);
// Nothing now: waits until `again`.
void Postpone(store::v1::JourneyRow& run, LogTime again, std::string_view reason);
void BeginSending(store::v1::JourneyRow& run);
// Over, unless it is already.
void End(store::v1::JourneyRow& run, std::string_view reason, LogTime now);

// Null when it is not known (any more).
store::v1::JourneyRow* Find(store::v1::MemberRow& row, std::string_view run);
const store::v1::JourneyRow* Find(const store::v1::MemberRow& row, std::string_view run);

// Makes room: lets go the run that is over and that is needed least; false when there is none.
bool DropEnded(store::v1::MemberRow& row);

// Order in which they are kept: oldest first.
bool Before(const store::v1::JourneyRow& a, const store::v1::JourneyRow& b);

}  // namespace hilo::journey
