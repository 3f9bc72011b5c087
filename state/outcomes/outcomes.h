#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

// What came of the actions that were shown or sent to a customer, and which decisions are kept.
// Pure rules over a member's row.
//
// An action that was shown or sent is an IMPRESSION. What answers it is told, or a timer tells in
// the end that nothing came (NO_RESPONSE), so that what is believed of an action rests on all the
// times it was shown.
namespace hilo::outcomes {

// Outcomes kept of a member, and for how long: what suppressions look back.
inline constexpr int kMaxOutcomes = 400;
inline constexpr Micros kKeptFor{90LL * 86'400 * 1'000'000};
// Decisions kept of a member.
inline constexpr int kMaxDecisions = 100;
// After how long nothing will come any more: of what an agent offers in a contact, and of what is
// sent or shown without one.
inline constexpr Micros kContactResponse{3'600LL * 1'000'000};
inline constexpr Micros kSentResponse{7LL * 86'400 * 1'000'000};

// For "desk", "email", ….
Micros ResponseTime(std::string_view channel);

// What an outcome adds to the sums of its action (state/outcomes/propensity.h).
enum class Counts : uint8_t { kNothing, kImpression, kPositive, kNegative };

// Keeps an outcome and says what it counts as. Of one action of one decision on one channel the
// first that takes it up (ACCEPTED, COMPLETED) is a positive, and the first that does not
// (DECLINED, NO_RESPONSE) a negative unless it was taken up. SNOOZED is neither: the customer was
// not asked. What names no decision counts each time.
Counts Record(store::v1::MemberRow& row, store::v1::OutcomeRow outcome);

// The impressions of a decision that nothing answered, as what is now to be recorded for each.
std::vector<store::v1::OutcomeRow> Unanswered(const store::v1::MemberRow& row,
                                              std::string_view decision, LogTime now);
// Whether that action was shown by that decision, and nothing has answered it yet.
bool IsOpen(const store::v1::MemberRow& row, std::string_view decision, std::string_view action);

// Notes that a decision is kept; returns those that are to be let go for it, 16 bytes each.
std::vector<std::string> NoteDecision(store::v1::MemberRow& row, std::string_view decision,
                                      LogTime now);

// Makes room: lets the oldest outcome go; false when there is none.
bool DropOldest(store::v1::MemberRow& row);

// Order in which they are kept: oldest first.
bool Before(const store::v1::OutcomeRow& a, const store::v1::OutcomeRow& b);
bool Before(const store::v1::DecisionNoteRow& a, const store::v1::DecisionNoteRow& b);

}  // namespace hilo::outcomes
