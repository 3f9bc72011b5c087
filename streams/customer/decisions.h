#pragma once

#include <string>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "streams/customer/change.h"

// Decisions that are kept so that they can be explained, and what came of their actions: the
// member's own list, and the sums by action and channel of the partition.
namespace hilo::customer {

// Encoded size of a decision.
inline constexpr size_t kMaxDecisionBytes = 128 << 10;

// Keeps a decision under `id`; the oldest makes room.
void KeepDecision(std::string_view id, const store::v1::DecisionRow& row, Change& change);

// Carries out RecordDecision: keeps it, and what it ranked was shown. **Errors**:
// `decision_malformed`, `decision_too_large` (invalid_argument).
StatusOr<store::v1::DecisionNoteRow> ShowDecision(const store::v1::Command& command,
                                                  Change& change);

// Carries out RecordOutcome. **Errors**: `decision_not_found`, `action_not_offered`
// (failed_precondition), `outcome_invalid` (invalid_argument).
StatusOr<store::v1::OutcomeRow> AnswerDecision(const store::v1::RecordOutcome& asked,
                                               Change& change);

// A message was sent, of class default: its action was shown, and something may come of it.
void ShowSent(const store::v1::MessageRow& message, Change& change);
// A run of that journey was left since the customer bought: what it had sent was taken up.
void TakeUpSent(const store::v1::JourneySignal& left, Change& change);

// Nothing came of what a decision, or a message, showed. False: something did, of all of it.
bool CloseUnanswered(std::string_view decision, Change& change);

}  // namespace hilo::customer
