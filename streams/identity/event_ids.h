#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "ops/base/status.h"
#include "state/types/ids.h"
#include "state/types/time.h"
#include "streams/fold/fold.h"
#include "streams/identity/keys.h"

namespace hilo::identity {

// The event ids that were accepted, each kept until an event of its time would be too late.
//
// **Guarantees**: an id is remembered at least for the lateness after both log time and event time
// at which it was accepted, so what comes again behind that is refused as too late; at most an hour
// longer, plus what kForgottenPerTick holds up.
// **Threads**: confined to its partition's thread. **Cost**: Find is one look-up; Remember writes
// two rows, one of which takes in the ids of up to 64 offsets.
class EventIds {
 public:
  enum class Known { kNo, kSame, kOtherBody };

  StatusOr<Known> Find(EventId id, std::string_view body_hash, fold::Context& context) const;
  // `time` is the later of event time and log time; it is never below what was forgotten.
  Status Remember(EventId id, std::string_view body_hash, log::Offset offset, int64_t time,
                  fold::Context& context);
  // Forgets what is older than `before`, at most kForgottenPerTick ids.
  Status ForgetOlder(int64_t before, fold::Context& context);
  // The batch was not written.
  void Forget();

 private:
  // Ids of a group, as they will be stored.
  struct Open {
    std::optional<EventIdGroup> of;
    std::string ids;
  };
  StatusOr<Open*> OpenGroup(const EventIdGroup& of, fold::Context& context);

  std::array<Open, 2> open_;  // the ones written last: near the turn of an hour two take turns
  size_t newest_ = 0;
  // No row of the hour table lies below: scanning starts here and not on what was deleted. What is
  // remembered later lies above, since it is at least of log time, which never goes back.
  std::string nothing_below_;
};

}  // namespace hilo::identity
