#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "state/message/messages.h"
#include "state/types/ids.h"
#include "streams/customer/timers.h"
#include "streams/fold/fold.h"

namespace hilo::customer {

// What follows from a change of a member's journeys, messages and consents, worked out by comparing
// the row with what it was: rows of what is due, timers, records for dispatchers and for the set of
// suppressed addresses, entries on the timeline, notices. So the rules in state/ change the row and
// nothing else, and nothing can be forgotten.
// **Threads**: confined to its partition's thread. **Lifetime**: within one Apply or Fire; the row
// outlives it. **Cost**: nothing to speak of while the member has no journeys and messages.
class OutboundEffects {
 public:
  struct Subject {
    CustomerId customer;
    MemberId member;
    uint32_t partition = 0;  // of customers
  };
  OutboundEffects(Subject subject, const store::v1::MemberRow& row, fold::Context& context);

  // This timer has fired and is gone.
  void Fired(const std::string& timer) { timers_before_.erase(timer); }
  // Tells once more that a run is due.
  void TellDue(std::string_view run);
  // Applies what follows. `offset`: of the record that is applied; entries stand there.
  void Apply(log::Offset offset);

 private:
  // As far as it is told and set from.
  struct MessageBefore {
    uint32_t state;
    std::string reason;
    uint32_t offered;
    int64_t state_micros;
  };
  using Timers = std::map<std::string, fold::Timer>;

  Timers TimersOfRow() const;
  uint32_t StatusBefore(const store::v1::ConsentSignal& signal) const;
  void UpdateDue();
  void UpdateTimers();
  void UpdatePostponed(log::Offset offset);
  void UpdateMessages(log::Offset offset);
  void TellMessage(const store::v1::MessageRow& message);
  void AddEntry(const store::v1::MessageRow& message, log::Offset offset);
  void EmitMessage(const store::v1::MessageRow& message);
  std::string TriggerOf(const store::v1::MessageRow& message);
  void UpdateSuppressions();
  void Suppress(const store::v1::Identifier& address, uint32_t channel, std::string_view reason,
                std::string_view purpose, bool lifted);

  const Subject subject_;
  const store::v1::MemberRow& row_;
  fold::Context& context_;
  const message::Times times_;

  struct DueBefore {
    uint32_t turn;
    std::string reason;
  };
  std::map<std::string, DueBefore> due_before_;  // by run
  Timers timers_before_;
  std::map<std::string, MessageBefore> messages_before_;
  struct ConsentBefore {
    uint32_t channel;
    std::string purpose;
    uint32_t status;
  };
  std::vector<ConsentBefore> consents_before_;
  std::vector<std::string> suppressed_before_;
};

// From the parameters in force.
message::Times TimesOf(const store::v1::Parameters& parameters);

}  // namespace hilo::customer
