#include "state/value/purchases.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hilo::value {
namespace {

using store::v1::MemberRow;
using store::v1::Purchase;

constexpr int64_t kDay = int64_t{86'400} * 1'000'000;

std::string OrderId(int number) {
  std::string id = std::to_string(number);
  id.resize(16, '#');
  return id;
}

Purchase Of(Purchase::Kind kind, int64_t minor, const std::string& order = "",
            const std::string& currency = "EUR") {
  Purchase purchase;
  purchase.set_kind(kind);
  purchase.set_minor(minor);
  purchase.set_order(order);
  purchase.set_currency(currency);
  return purchase;
}
Purchase Order(int number, int64_t minor, const std::string& currency = "EUR") {
  return Of(Purchase::KIND_ORDER, minor, OrderId(number), currency);
}

TEST(Purchases, CountOrdersRefundsPaymentsAndDaysExactly) {
  MemberRow row;
  EXPECT_TRUE(Apply(row, Order(1, 8'990), kDay * 10 + 5));
  EXPECT_TRUE(Apply(row, Order(2, 1), kDay * 10 + 9));
  EXPECT_TRUE(Apply(row, Order(3, 500), kDay * 3));
  EXPECT_TRUE(Apply(row, Of(Purchase::KIND_REFUND, 8'990, OrderId(1)), kDay * 20));
  EXPECT_TRUE(Apply(row, Of(Purchase::KIND_PAYMENT, 9'491), kDay * 21));
  ASSERT_EQ(row.purchases_size(), 1);
  const auto& euro = row.purchases(0);
  EXPECT_EQ(euro.total_minor(), 501);
  EXPECT_EQ(euro.paid_minor(), 9'491);
  EXPECT_EQ(euro.count(), 3);
  ASSERT_EQ(euro.days_size(), 2);
  EXPECT_EQ(euro.days(0), 3);
  EXPECT_EQ(euro.days(1), 10);
  EXPECT_EQ(euro.first_micros(), kDay * 3);
  EXPECT_EQ(euro.last_micros(), kDay * 10 + 9);
}

TEST(Purchases, AnOrderThatComesAgainCountsOnceInWhateverCurrency) {
  MemberRow row;
  EXPECT_TRUE(Apply(row, Order(1, 100), 1));
  EXPECT_FALSE(Apply(row, Order(1, 100), 2));
  EXPECT_FALSE(Apply(row, Order(1, 120, "USD"), 3));
  ASSERT_EQ(row.purchases_size(), 1);
  EXPECT_EQ(row.purchases(0).total_minor(), 100);
  EXPECT_EQ(row.purchases(0).count(), 1);
  EXPECT_EQ(row.purchases(0).repeats(), 2);
  EXPECT_EQ(row.purchases(0).last_micros(), 1);
}

TEST(Purchases, RefundsMayExceedOrders) {
  MemberRow row;
  Apply(row, Order(1, 100), 1);
  Apply(row, Of(Purchase::KIND_REFUND, 250), 2);
  EXPECT_EQ(row.purchases(0).total_minor(), -150);
}

TEST(Purchases, CurrenciesAreNeverMixed) {
  MemberRow row;
  Apply(row, Order(1, 100, "USD"), 1);
  Apply(row, Order(2, 7, "EUR"), 1);
  Apply(row, Of(Purchase::KIND_REFUND, 50, OrderId(1), "EUR"), 2);
  ASSERT_EQ(row.purchases_size(), 2);
  EXPECT_EQ(row.purchases(0).currency(), "EUR");
  EXPECT_EQ(row.purchases(0).total_minor(), -43);
  EXPECT_EQ(row.purchases(1).total_minor(), 100);
}

TEST(Purchases, WhatCannotBeCountedChangesNoSumAndIsCounted) {
  MemberRow row;
  Apply(row, Order(1, INT64_MAX), 1);
  EXPECT_FALSE(Apply(row, Order(2, 1), 2)) << "beyond 64 bits";
  EXPECT_FALSE(Apply(row, Order(3, -5), 2)) << "negative";
  EXPECT_FALSE(Apply(row, Of(Purchase::KIND_UNSPECIFIED, 5), 2));
  EXPECT_FALSE(Apply(row, Order(4, 5, ""), 2)) << "no currency";
  EXPECT_EQ(row.purchases(0).total_minor(), INT64_MAX);
  EXPECT_EQ(row.purchases(0).count(), 1);
  EXPECT_EQ(row.left_out().purchases(), 4u);
}

TEST(Purchases, ListsKeepToTheirLimits) {
  MemberRow row;
  for (int i = 0; i < kMaxOrders + 5; ++i) Apply(row, Order(i, 1), kDay * i);
  EXPECT_EQ(row.purchases(0).order_minors_size(), kMaxOrders);
  EXPECT_EQ(row.purchases(0).orders().size(), 16u * kMaxOrders);
  EXPECT_EQ(row.purchases(0).count(), kMaxOrders + 5);
  EXPECT_FALSE(Apply(row, Order(5, 1), 1)) << "the oldest kept one is still recognised";
  EXPECT_TRUE(Apply(row, Order(4, 1), 1)) << "what fell out is not";
  for (int i = 0; i < kMaxDays; ++i) Apply(row, Order(10'000 + i, 1), kDay * (5'000 + i));
  EXPECT_EQ(row.purchases(0).days_size(), kMaxDays);
  EXPECT_EQ(row.purchases(0).days(0), 5'000);
  EXPECT_EQ(row.left_out().purchase_days(), static_cast<uint64_t>(kMaxOrders + 5));
}

TEST(Purchases, DayOfIsRightOnBothSidesOf1970) {
  EXPECT_EQ(DayOf(0), 0);
  EXPECT_EQ(DayOf(kDay - 1), 0);
  EXPECT_EQ(DayOf(kDay), 1);
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(DayOf(-kDay), -1);
  EXPECT_EQ(DayOf(-kDay - 1), -2);
}

TEST(Purchases, AJoinCountsSharedDaysAndSharedOrdersOnce) {
  MemberRow first;
  MemberRow second;
  Apply(first, Order(1, 100), kDay * 10);
  Apply(first, Order(2, 50), kDay * 11);
  Apply(second, Order(2, 50), kDay * 11 + 7);
  Apply(second, Order(3, 30), kDay * 10 + 1);
  Apply(second, Of(Purchase::KIND_REFUND, 20), kDay * 12);
  const std::vector<const MemberRow*> members = {&first, &second};
  MemberRow joined;
  JoinPurchases(members, joined);
  ASSERT_EQ(joined.purchases_size(), 1);
  EXPECT_EQ(joined.purchases(0).total_minor(), 160);
  EXPECT_EQ(joined.purchases(0).count(), 3);
  EXPECT_EQ(joined.purchases(0).repeats(), 1);
  EXPECT_EQ(joined.purchases(0).days_size(), 2);
  EXPECT_EQ(joined.purchases(0).first_micros(), kDay * 10);
  EXPECT_EQ(joined.purchases(0).last_micros(), kDay * 11 + 7);
}

TEST(Purchases, AJoinOfGreatSumsOverflowsOnlyInTheEnd) {
  MemberRow first;
  MemberRow second;
  Apply(first, Order(1, INT64_MAX - 1), 1);
  Apply(second, Order(1, INT64_MAX - 1), 1);
  Apply(second, Of(Purchase::KIND_PAYMENT, INT64_MAX), 1);
  Apply(first, Of(Purchase::KIND_PAYMENT, INT64_MAX), 1);
  const std::vector<const MemberRow*> members = {&first, &second};
  MemberRow joined;
  JoinPurchases(members, joined);
  EXPECT_EQ(joined.purchases(0).total_minor(), INT64_MAX - 1);
  EXPECT_EQ(joined.purchases(0).paid_minor(), INT64_MAX) << "held at the bound";
}

}  // namespace
}  // namespace hilo::value
