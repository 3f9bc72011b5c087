#pragma once

#include <string>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/status.h"
#include "state/decision/decide.h"

namespace hilo::decision {

// How many ranked candidates a record names.
inline constexpr size_t kMaxRankedKept = 20;

// All that replays `answer`: the question's data and the posteriors that were drawn from.
store::v1::DecisionRecord RecordOf(const Question& question, const Answer& answer);

// The question of a record, over a catalogue: of the revision that the record names for what was
// decided then, or of another for what it would decide. An action that had no posterior then gets
// its prior.
// **Errors**: `decision_unreadable` (data_loss).
class RecordedQuestion {
 public:
  static StatusOr<RecordedQuestion> Of(const store::v1::DecisionRecord& record);
  // **Lifetime**: of this object and of `catalogue`.
  Question Over(const catalogue::Catalogue& catalogue) const;

 private:
  store::v1::DecisionRecord record_;
  v1::DecisionProfile profile_;
  v1::DecisionContext context_;
};

// The prior of an action with so many outcomes added, in decayed counts.
Posterior PosteriorFrom(const catalogue::Action& action, double positives, double negatives);

}  // namespace hilo::decision
