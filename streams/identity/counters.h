#pragma once

#include "ops/base/metric_names.h"
#include "ops/base/metrics.h"

namespace hilo::identity {

// What identity counts. They tell what this node did since it started: a record that is folded
// again counts again.
class Counters {
 public:
  // `registry` may be null: then nobody reads them.
  explicit Counters(Registry* registry)
      : duplicates(Of(registry, metric::kIdentityDuplicates)),
        set_back(Of(registry, metric::kIdentityTimeSetBack)),
        customers(Of(registry, metric::kIdentityCustomers)),
        merge_limit(Of(registry, metric::kIdentityNotLinked, "merge_limit")),
        weekly_limit(Of(registry, metric::kIdentityNotLinked, "weekly_limit")),
        shared(Of(registry, metric::kIdentityShared)),
        suggestions(Of(registry, metric::kIdentitySuggestions)),
        not_suggested(Of(registry, metric::kIdentityNotSuggested)) {}
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

 private:
  Counter unread_;  // before the references that may name it
  Counter& Of(Registry* registry, const CounterMetric& metric) {
    return registry == nullptr ? unread_ : registry->Get(metric);
  }
  Counter& Of(Registry* registry, const CounterMetric& metric, std::string_view label) {
    return registry == nullptr ? unread_ : registry->Get(metric, {label});
  }

 public:
  Counter& duplicates;
  Counter& set_back;
  Counter& customers;
  Counter& merge_limit;
  Counter& weekly_limit;
  Counter& shared;
  Counter& suggestions;
  Counter& not_suggested;
};

}  // namespace hilo::identity
