#include "ops/base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "ops/base/check.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "ops/base/process_metrics.h"

namespace hilo {
namespace {

using LabelValues = std::vector<std::string>;

// One metric with all its series.
struct Family {
  explicit Family(const AnyMetric& definition)
      : metric(definition), seen(definition.labels.size()) {}

  // `value` as the label may carry it.
  std::string Admit(size_t label, std::string_view value) {
    const MetricLabel& rule = metric.labels[label];
    if (!rule.values.empty()) {
      const bool listed =
          std::find(rule.values.begin(), rule.values.end(), value) != rule.values.end();
      return std::string(listed ? value : kOtherLabel);
    }
    std::set<std::string, std::less<>>& values = seen[label];
    if (values.find(value) != values.end()) return std::string(value);
    if (values.size() >= rule.limit) return std::string(kOtherLabel);
    values.emplace(value);
    return std::string(value);
  }

  LabelValues AdmitAll(std::initializer_list<std::string_view> values) {
    HILO_CHECK(values.size() == metric.labels.size(),
               "a caller names a value for each label of its metric");
    LabelValues admitted;
    for (std::string_view value : values) admitted.push_back(Admit(admitted.size(), value));
    return admitted;
  }

  template <typename Series>
  Series& Find(std::map<LabelValues, std::unique_ptr<Series>>& series, LabelValues values) {
    std::unique_ptr<Series>& found = series[std::move(values)];
    if (found == nullptr) {
      if constexpr (std::is_same_v<Series, Histogram>) {
        found = std::make_unique<Series>(metric.buckets);
      } else {
        found = std::make_unique<Series>();
      }
    }
    return *found;
  }

  AnyMetric metric;
  // Per label without a list: the values admitted so far.
  std::vector<std::set<std::string, std::less<>>> seen;
  std::map<LabelValues, std::unique_ptr<Counter>> counters;
  std::map<LabelValues, std::unique_ptr<Gauge>> gauges;
  std::map<LabelValues, std::unique_ptr<Histogram>> histograms;
  // When set, the only series that is shown.
  const Gauge* info = nullptr;
};

// Makes the series of a metric whose labels are all closed (also of one without labels), so that
// they stand at zero before the first event: a rate over a series that appears with 1 misses
// that 1.
void MakeClosedSeries(Family& family) {
  std::vector<LabelValues> all{{}};
  for (const MetricLabel& label : family.metric.labels) {
    if (label.values.empty()) return;
    std::vector<LabelValues> longer;
    for (const LabelValues& values : all) {
      for (std::string_view value : label.values) {
        longer.push_back(values);
        longer.back().emplace_back(value);
      }
    }
    all = std::move(longer);
  }
  for (LabelValues& values : all) {
    switch (family.metric.type) {
      case MetricType::kCounter:
        family.Find(family.counters, std::move(values));
        break;
      case MetricType::kGauge:
        family.Find(family.gauges, std::move(values));
        break;
      case MetricType::kHistogram:
        family.Find(family.histograms, std::move(values));
        break;
    }
  }
}

prometheus::ClientMetric Labelled(const Family& family, const LabelValues& values) {
  prometheus::ClientMetric out;
  for (size_t i = 0; i < values.size(); ++i) {
    out.label.push_back({std::string(family.metric.labels[i].name), values[i]});
  }
  return out;
}

prometheus::ClientMetric::Histogram Snapshot(const Histogram& histogram) {
  prometheus::ClientMetric::Histogram out;
  const std::vector<uint64_t> counts = histogram.BucketCounts();
  uint64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    const bool last = i == histogram.Bounds().size();
    out.bucket.push_back(
        {total, last ? std::numeric_limits<double>::infinity() : histogram.Bounds()[i]});
  }
  out.sample_count = total;
  out.sample_sum = histogram.Sum();
  return out;
}

prometheus::MetricFamily Collect(const Family& family) {
  prometheus::MetricFamily out;
  out.name = family.metric.name;
  out.help = family.metric.help;
  switch (family.metric.type) {
    case MetricType::kCounter:
      out.type = prometheus::MetricType::Counter;
      break;
    case MetricType::kGauge:
      out.type = prometheus::MetricType::Gauge;
      break;
    case MetricType::kHistogram:
      out.type = prometheus::MetricType::Histogram;
      break;
  }
  for (const auto& [values, counter] : family.counters) {
    out.metric.push_back(Labelled(family, values));
    out.metric.back().counter.value = static_cast<double>(counter->Value());
  }
  for (const auto& [values, gauge] : family.gauges) {
    if (family.info != nullptr && family.info != gauge.get()) continue;
    out.metric.push_back(Labelled(family, values));
    out.metric.back().gauge.value = gauge->Value();
  }
  for (const auto& [values, histogram] : family.histograms) {
    out.metric.push_back(Labelled(family, values));
    out.metric.back().histogram = Snapshot(*histogram);
  }
  return out;
}

}  // namespace

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds), counts_(std::make_unique<std::atomic<uint64_t>[]>(bounds.size() + 1)) {}

void Histogram::Observe(double value) {
  const auto bound = std::lower_bound(bounds_.begin(), bounds_.end(), value);
  counts_[static_cast<size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<uint64_t> Histogram::BucketCounts() const {
  std::vector<uint64_t> counts;
  for (size_t i = 0; i <= bounds_.size(); ++i)
    counts.push_back(counts_[i].load(std::memory_order_relaxed));
  return counts;
}

uint64_t Histogram::Count() const {
  uint64_t count = 0;
  for (uint64_t in_bucket : BucketCounts()) count += in_bucket;
  return count;
}

struct Registry::State {
  Family& Find(std::string_view name) HILO_REQUIRES(mutex) {
    const auto found = families.find(name);
    HILO_CHECK(found != families.end(), "every metric is listed in metric_names.h");
    return found->second;
  }

  mutable Mutex mutex;
  std::map<std::string, Family, std::less<>> families HILO_GUARDED_BY(mutex);
};

Registry::Registry() : state_(std::make_unique<State>()) {
  MutexLock lock(state_->mutex);
  for (const AnyMetric& metric : metric::kAll) {
    const auto [family, fresh] = state_->families.emplace(metric.name, Family(metric));
    HILO_CHECK(fresh, "each metric is listed once in metric_names.h");
    MakeClosedSeries(family->second);
  }
}

Registry::~Registry() = default;

Counter& Registry::Get(const CounterMetric& metric,
                       std::initializer_list<std::string_view> label_values) {
  MutexLock lock(state_->mutex);
  Family& family = state_->Find(metric.name);
  return family.Find(family.counters, family.AdmitAll(label_values));
}

Gauge& Registry::Get(const GaugeMetric& metric,
                     std::initializer_list<std::string_view> label_values) {
  MutexLock lock(state_->mutex);
  Family& family = state_->Find(metric.name);
  return family.Find(family.gauges, family.AdmitAll(label_values));
}

Histogram& Registry::Get(const HistogramMetric& metric,
                         std::initializer_list<std::string_view> label_values) {
  MutexLock lock(state_->mutex);
  Family& family = state_->Find(metric.name);
  return family.Find(family.histograms, family.AdmitAll(label_values));
}

void Registry::SetInfo(const GaugeMetric& metric,
                       std::initializer_list<std::string_view> label_values) {
  MutexLock lock(state_->mutex);
  Family& family = state_->Find(metric.name);
  Gauge& gauge = family.Find(family.gauges, family.AdmitAll(label_values));
  gauge.Set(1);
  family.info = &gauge;
}

std::string Registry::Expose() const {
  const ProcessFigures process = ReadProcessFigures();
  std::vector<prometheus::MetricFamily> families;
  {
    MutexLock lock(state_->mutex);
    for (const auto& [name, family] : state_->families) {
      prometheus::MetricFamily collected = Collect(family);
      if (!collected.metric.empty()) families.push_back(std::move(collected));
    }
  }
  for (prometheus::MetricFamily& family : families) {
    prometheus::ClientMetric& only = family.metric.front();
    if (family.name == metric::kProcessStartTime.name)
      only.gauge.value = process.start_time_seconds;
    if (family.name == metric::kProcessCpu.name) only.counter.value = process.cpu_seconds;
    if (family.name == metric::kProcessResidentMemory.name)
      only.gauge.value = process.resident_bytes;
    if (family.name == metric::kProcessVirtualMemory.name) only.gauge.value = process.virtual_bytes;
    if (family.name == metric::kProcessOpenFds.name) only.gauge.value = process.open_fds;
    if (family.name == metric::kProcessMaxFds.name) only.gauge.value = process.max_fds;
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace hilo
