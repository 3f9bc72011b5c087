#pragma once

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "streams/customer/change.h"
#include "streams/customer/timers.h"
#include "streams/fold/fold.h"

namespace hilo::customer {

// Rank of what people and systems write through the API among writers at one time: that of a source
// for which nothing else is configured.
inline constexpr uint32_t kCommandRank = 0;

// A CustomerEvent whose parts have been opened and found whole. `event` and `body` are empty when
// it only tells suggestions.
struct OpenedEvent {
  const store::v1::CustomerEvent& envelope;
  const store::v1::Event& event;
  const store::v1::EventBody& body;
};

// Applies an event to its member, whatever it brings. Nothing in it can be refused any more.
void ApplyEvent(const fold::FoldRecord& record, const OpenedEvent& opened, Change& change);

// What a command came to.
struct CommandOutcome {
  store::v1::AnswerRow answer;
  bool applied = false;  // otherwise the row is as it was
};
// Applies a command to its member, puts it on the timeline, and says what it made.
CommandOutcome ApplyCommand(const fold::FoldRecord& record, Change& change);

// Applies what an owner decided for a run that is due. False: it was decided already, the run is
// over, or the partition is closed; nothing changed, and a run that is still due is told again.
bool ApplyDecided(const store::v1::Decided& decided, Change& change);

// Takes the signals of an event, whose entry stands at `event_micros`.
void ApplyJourneys(const store::v1::EventBody& body, int64_t event_micros, Change& change);

// What a timer of a journey, a message or an impression comes to. False: nothing.
bool WakeOutbound(const TimerTarget& target, Change& change);

// The answer to a command that cannot be done.
store::v1::AnswerRow AnswerOf(const Status& status);

}  // namespace hilo::customer
