#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "state/types/ids.h"
#include "state/types/time.h"
#include "streams/fold/fold.h"

namespace hilo::customer {

// Timers of this fold. Each names a member and a thing of it.
enum class TimerKind : uint8_t {
  kSilence,  // an interaction that may have gone silent
  kPromise,  // a promise that falls due
  kJourney,  // a run that falls due, or is worth nothing any more
  kMessage,  // a message whose permit, hold or life ends
  kResponse  // a decision, or a message, that nothing came of
};

struct TimerTarget {
  TimerKind kind = TimerKind::kSilence;
  CustomerId customer;
  MemberId member;
  std::string thing;  // 16 bytes
};

// Unique in the partition; setting it again moves it.
fold::Timer MakeTimer(const TimerTarget& target, LogTime due);
// nullopt for a timer that is not of our making.
std::optional<TimerTarget> TargetOf(const fold::Timer& timer);

// After how much silence an interaction of that channel (hilo.v1.Channel) is over.
int64_t IdleMicros(uint32_t channel, const store::v1::Parameters& parameters);

}  // namespace hilo::customer
