#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/v1/decision.pb.h"
#include "ops/base/status.h"
#include "state/catalogue/catalogue.h"
#include "state/types/time.h"

namespace hilo::catalogue {

// What the catalogue's conditions see of one customer at one time: `customer` (a DecisionProfile),
// `context` (a DecisionContext), `now` and `parameters`, made once for all conditions of a
// decision.
//
// In conditions a Timestamp is a timestamp, absent when it is not set
// ("has(customer.last_order_time)
// && …"); an enum is its short lower-case name ("verified"), int32 and int64 are int, a repeated
// field is a list. A condition that several actions have is evaluated once.
// **Limits**: kSteps steps for all conditions together, expression::Budget::kSteps for one.
// **Errors**: of a condition, such as an overflow; a decision takes a condition that fails for one
// that does not hold.
// **Threads**: confined to one, since it remembers what it has worked out. **Lifetime**: shorter
// than the catalogue's; the messages are copied.
// **Cost**: the copies; a field is converted when a condition first reads it; then as Expression
// says, and a few nanoseconds for a condition that was asked before.
class ConditionScope {
 public:
  static constexpr uint64_t kSteps = 5'000'000;

  ConditionScope(const Catalogue& catalogue, const v1::DecisionProfile& customer,
                 const v1::DecisionContext& context, LogTime now);
  ~ConditionScope();

  StatusOr<bool> Holds(const Predicate& predicate) const;
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
