#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hilo/v1/decision.pb.h"
#include "ops/base/status.h"
#include "state/catalogue/catalogue.h"
#include "state/types/time.h"

namespace hilo::catalogue {

// What the catalogue's conditions see of one customer at one time: `customer` (a DecisionProfile),
// `context` (a DecisionContext), `now` and `parameters`, made once for all conditions of a decision.
//
// In conditions a Timestamp is a timestamp (unset: the year 1970), an enum its short lower-case name
// ("verified"), int32 and int64 are int, a repeated field is a list.
// **Errors**: of a condition, such as an overflow; a decision takes a condition that fails for one
// that does not hold.
// **Threads**: thread-compatible. **Lifetime**: the catalogue outlives it; the messages need not.
// **Cost**: making one costs a few microseconds, Holds some hundred nanoseconds a condition.
class ConditionScope {
 public:
  ConditionScope(const Catalogue& catalogue, const v1::DecisionProfile& customer,
                 const v1::DecisionContext& context, LogTime now);
  ~ConditionScope();

  absl::StatusOr<bool> Holds(const Predicate& predicate) const;
  // The same, with what it came to and the values it saw, in words ("en", "es").
  struct Explained {
    std::string value;  // "true", "false" or an error
    std::string why;    // such as "customer.open_complaints is 1"
  };
  Explained Explain(const Predicate& predicate, std::string_view language) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Names of the segments whose condition holds, ascending: what belongs into
// DecisionProfile.segments. `customer.segments` itself is not looked at.
std::vector<std::string> SegmentsOf(const Catalogue& catalogue, const v1::DecisionProfile& customer,
                                    const v1::DecisionContext& context, LogTime now);

}  // namespace hilo::catalogue
