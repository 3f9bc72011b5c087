#pragma once

#include "hilo/store/v1/rows.pb.h"
#include "hilo/v1/decision.pb.h"
#include "state/catalogue/catalogue.h"
#include "state/types/time.h"

namespace hilo::decision {

// How far back conditions and policies see.
inline constexpr Micros kMessageWindow = std::chrono::hours(30 * 24);
inline constexpr Micros kOutcomeWindow = std::chrono::hours(90 * 24);

// What conditions see of a customer at `now`: open data of the joined row, opened nowhere. All but
// `segments`, which follow from conditions over the rest.
//
// **Guarantees**: pure; lists are in the order that the message names, without doubles, so equal
// rows give equal bytes. **Cost**: linear in the row.
v1::DecisionProfile ProfileOf(const store::v1::MemberRow& customer,
                              const catalogue::Catalogue& catalogue, LogTime now);

// "email", "sms", …; "" for an unspecified one.
std::string_view ChannelWord(uint32_t channel);
// hilo.v1.Channel of a word; 0 when there is none.
uint32_t ChannelOf(std::string_view word);

}  // namespace hilo::decision
