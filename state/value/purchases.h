#pragma once

#include <cstdint>
#include <span>

#include "hilo/store/v1/rows.pb.h"

// Recency, frequency and money, exact: integer minor units per currency. Pure rules over a member's
// row.
namespace hilo::value {

inline constexpr int kMaxCurrencies = 16;
// Order ids by which repeats are recognised, per currency.
inline constexpr int kMaxOrders = 1'000;
// Days of purchase kept per currency: ten years of daily orders.
inline constexpr int kMaxDays = 3'660;

// Day since 1970, UTC; also right before 1970.
int32_t DayOf(int64_t micros);

// Counts one order, refund or payment of `event_micros`. An order counts once per order id, in
// whatever currency; a repeat is counted as such and changes nothing else. Refunds and payments
// count once per event. What cannot be counted (see LeftOutRow) changes no sum. Returns whether a
// sum changed.
bool Apply(store::v1::MemberRow& row, const store::v1::Purchase& purchase, int64_t event_micros);

// Makes room: lets the oldest tenth of the order ids of the currency with most of them go, or else
// the oldest tenth of its days, which are counted; false when there are few left.
bool DropOldest(store::v1::MemberRow& row);

// What several members bought together: sums, days as a set, and orders that two of them name
// counted once. By currency, ascending. `members` are in order of member id.
void JoinPurchases(std::span<const store::v1::MemberRow* const> members,
                   store::v1::MemberRow& into);

}  // namespace hilo::value
