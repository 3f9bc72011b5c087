#include "state/value/purchases.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "state/types/ordered_list.h"

namespace hilo::value {
namespace {

using store::v1::MemberRow;
using store::v1::Purchase;
using store::v1::PurchaseRow;

constexpr size_t kOrderBytes = 16;
// Fewer are not worth dropping.
constexpr int kFew = 10;

bool Before(const PurchaseRow& a, const PurchaseRow& b) { return a.currency() < b.currency(); }

void CountLeftOut(MemberRow& row) {
  row.mutable_left_out()->set_purchases(row.left_out().purchases() + 1);
}

std::string_view OrderAt(const PurchaseRow& row, int index) {
  return std::string_view(row.orders()).substr(index * kOrderBytes, kOrderBytes);
}

// The row in which the order was counted; null when it was not.
PurchaseRow* FindOrder(MemberRow& row, std::string_view order) {
  for (PurchaseRow& purchases : *row.mutable_purchases()) {
    for (int i = purchases.order_minors_size() - 1; i >= 0; --i) {
      if (OrderAt(purchases, i) == order) return &purchases;
    }
  }
  return nullptr;
}

PurchaseRow* RowOf(MemberRow& row, std::string_view currency) {
  for (PurchaseRow& purchases : *row.mutable_purchases()) {
    if (purchases.currency() == currency) return &purchases;
  }
  if (row.purchases_size() >= kMaxCurrencies) return nullptr;
  PurchaseRow fresh;
  fresh.set_currency(std::string(currency));
  return InsertInOrder(*row.mutable_purchases(), std::move(fresh), Before);
}

void DropOrders(PurchaseRow& row, int count) {
  row.mutable_orders()->erase(0, count * kOrderBytes);
  row.mutable_order_minors()->erase(row.mutable_order_minors()->begin(),
                                    row.mutable_order_minors()->begin() + count);
}

// How many days fell out.
int AddDay(PurchaseRow& row, int32_t day) {
  auto& days = *row.mutable_days();
  auto at = std::lower_bound(days.begin(), days.end(), day);
  if (at != days.end() && *at == day) return 0;
  const auto index = at - days.begin();
  days.Add(day);
  std::rotate(days.begin() + index, days.end() - 1, days.end());
  if (days.size() <= kMaxDays) return 0;
  days.erase(days.begin());
  return 1;
}

void CountDays(MemberRow& row, int fallen) {
  if (fallen == 0) return;
  row.mutable_left_out()->set_purchase_days(row.left_out().purchase_days() + fallen);
}

void Stretch(PurchaseRow& row, int64_t first, int64_t last) {
  if (row.count() == 0 || first < row.first_micros()) row.set_first_micros(first);
  if (row.count() == 0 || last > row.last_micros()) row.set_last_micros(last);
}

void CountOrder(MemberRow& member, PurchaseRow& row, const Purchase& purchase,
                int64_t event_micros) {
  Stretch(row, event_micros, event_micros);
  row.set_count(row.count() + 1);
  CountDays(member, AddDay(row, DayOf(event_micros)));
  if (purchase.order().size() != kOrderBytes) return;  // without an id it cannot repeat
  row.mutable_orders()->append(purchase.order());
  row.add_order_minors(purchase.minor());
  if (row.order_minors_size() > kMaxOrders) DropOrders(row, 1);
}

// An exact sum that may leave 64 bits on the way but not in the end.
using Wide = __int128;

int64_t Narrow(Wide sum) {
  constexpr Wide kMost = INT64_MAX;
  return static_cast<int64_t>(std::clamp(sum, -kMost - 1, kMost));
}

}  // namespace

int32_t DayOf(int64_t micros) {
  constexpr int64_t kDay = int64_t{86'400} * 1'000'000;
  return static_cast<int32_t>(micros / kDay - (micros % kDay < 0 ? 1 : 0));
}

bool Apply(MemberRow& member, const Purchase& purchase, int64_t event_micros) {
  const bool is_order = purchase.kind() == Purchase::KIND_ORDER;
  if (is_order && purchase.order().size() == kOrderBytes) {
    if (PurchaseRow* counted = FindOrder(member, purchase.order()); counted != nullptr) {
      counted->set_repeats(counted->repeats() + 1);
      return false;
    }
  }
  const bool known_kind = is_order || purchase.kind() == Purchase::KIND_REFUND ||
                          purchase.kind() == Purchase::KIND_PAYMENT;
  PurchaseRow* row = known_kind && purchase.currency().size() == 3 && purchase.minor() >= 0
                         ? RowOf(member, purchase.currency())
                         : nullptr;
  if (row == nullptr) {
    CountLeftOut(member);
    return false;
  }
  const bool is_payment = purchase.kind() == Purchase::KIND_PAYMENT;
  const int64_t before = is_payment ? row->paid_minor() : row->total_minor();
  const int64_t amount =
      purchase.kind() == Purchase::KIND_REFUND ? -purchase.minor() : purchase.minor();
  int64_t sum = 0;
  if (__builtin_add_overflow(before, amount, &sum)) {
    CountLeftOut(member);
    return false;
  }
  if (is_payment) {
    row->set_paid_minor(sum);
  } else {
    row->set_total_minor(sum);
  }
  if (is_order) CountOrder(member, *row, purchase, event_micros);
  return true;
}

bool DropOldest(MemberRow& member) {
  PurchaseRow* most = nullptr;
  for (PurchaseRow& row : *member.mutable_purchases()) {
    if (most == nullptr || row.order_minors_size() > most->order_minors_size()) most = &row;
  }
  if (most != nullptr && most->order_minors_size() >= kFew) {
    DropOrders(*most, most->order_minors_size() / 10);
    return true;
  }
  for (PurchaseRow& row : *member.mutable_purchases()) {
    if (row.days_size() > most->days_size()) most = &row;
  }
  if (most == nullptr || most->days_size() < kFew) return false;
  const int fallen = most->days_size() / 10;
  most->mutable_days()->erase(most->mutable_days()->begin(),
                              most->mutable_days()->begin() + fallen);
  CountDays(member, fallen);
  return true;
}

void JoinPurchases(std::span<const MemberRow* const> members, MemberRow& into) {
  into.clear_purchases();
  struct Sums {
    Wide total = 0;
    Wide paid = 0;
  };
  std::unordered_map<std::string, Sums> sums;    // by currency; looked up, never iterated
  std::unordered_map<std::string, size_t> seen;  // order -> the first member that names it
  for (size_t m = 0; m < members.size(); ++m) {
    for (const PurchaseRow& from : members[m]->purchases()) {
      PurchaseRow* row = RowOf(into, from.currency());
      if (row == nullptr) {
        CountLeftOut(into);
        continue;
      }
      Sums& sum = sums[from.currency()];
      sum.total += from.total_minor();
      sum.paid += from.paid_minor();
      if (from.count() > 0) Stretch(*row, from.first_micros(), from.last_micros());
      int64_t count = from.count();
      int64_t repeats = from.repeats();
      for (int i = 0; i < from.order_minors_size(); ++i) {
        const std::string order(OrderAt(from, i));
        if (auto [at, first] = seen.try_emplace(order, m); !first && at->second != m) {
          sum.total -= from.order_minors(i);
          --count;
          ++repeats;
          continue;
        }
        row->mutable_orders()->append(order);
        row->add_order_minors(from.order_minors(i));
      }
      row->set_count(row->count() + count);
      row->set_repeats(row->repeats() + repeats);
      for (int32_t day : from.days()) CountDays(into, AddDay(*row, day));
    }
  }
  for (PurchaseRow& row : *into.mutable_purchases()) {
    const Sums& sum = sums[row.currency()];
    row.set_total_minor(Narrow(sum.total));
    row.set_paid_minor(Narrow(sum.paid));
    if (row.order_minors_size() > kMaxOrders) DropOrders(row, row.order_minors_size() - kMaxOrders);
  }
}

}  // namespace hilo::value
