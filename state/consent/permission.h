#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"

// Whether something may be sent to a customer: consent, contact limits, open matters. Pure rules
// over a member's row. Reasons are machine words.
namespace hilo::consent {

// What an order without a purpose needs consent for, when it is of class default.
inline constexpr std::string_view kMarketing = "marketing";

// The purpose that needs consent; empty: none does. Transactional orders need none.
std::string_view PurposeOf(const store::v1::MessageOrder& order);

// hilo.v1.ConsentStatus in force for this channel and purpose: signals for the channel and signals
// for all channels are weighed together, by the rules of `InForce`. UNSPECIFIED when nothing was
// said.
uint32_t StatusOf(const store::v1::MemberRow& row, uint32_t channel, std::string_view purpose);

// "" when consent does not stand against it; "opted_out", or "no_consent" when none is known.
std::string_view Objection(const store::v1::MemberRow& row, const store::v1::MessageOrder& order);

// Whether an open case holds it back, and selling was not released in a contact that goes on.
bool IsHeldByCase(const store::v1::MemberRow& row, const store::v1::MessageOrder& order);

// Whether a message has a place in the limits: of class default, and it was sent, may have been, or
// is still to be.
bool Counts(const store::v1::MessageRow& message);

// The policy whose limit one more message of this order would break; empty: none. At most `at_most`
// messages that match lie in any window of `period`: what is still to be sent always counts, and
// what had a permit counts from when that ran out, so that the rule holds for the times at which
// the channel took them.
struct LimitReached {
  bool reached = false;
  std::string policy;
};
LimitReached CheckLimits(const store::v1::MemberRow& row, const store::v1::MessageOrder& order,
                         LogTime now);

}  // namespace hilo::consent
