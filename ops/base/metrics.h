#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hilo {

// A label of a metric. Its values are few: no customer, no address, no free text.
struct MetricLabel {
  std::string_view name;
  // Every value it may have, where they are known beforehand.
  std::span<const std::string_view> values;
  // Where they are not (partitions, routes): how many different ones a process may have.
  size_t limit = 0;
};
// What a value becomes that is not in its label's set or beyond its limit.
inline constexpr std::string_view kOtherLabel = "other";

enum class MetricType { kCounter, kGauge, kHistogram };

// The definition of a metric. All of them stand in ops/base/metric_names.h.
template <MetricType kType>
struct Metric {
  // `hilo_<folder>_<what>_<unit>[_total]`, in base units.
  std::string_view name;
  std::string_view help;
  std::span<const MetricLabel> labels = {};
  // Histograms: ascending upper bounds.
  std::span<const double> buckets = {};
};
using CounterMetric = Metric<MetricType::kCounter>;
using GaugeMetric = Metric<MetricType::kGauge>;
using HistogramMetric = Metric<MetricType::kHistogram>;

// A definition of any type, for lists of them.
struct AnyMetric {
  template <MetricType kType>
  constexpr AnyMetric(const Metric<kType>& metric)  // NOLINT: a definition is a definition
      : type(kType),
        name(metric.name),
        help(metric.help),
        labels(metric.labels),
        buckets(metric.buckets) {}
  MetricType type;
  std::string_view name;
  std::string_view help;
  std::span<const MetricLabel> labels;
  std::span<const double> buckets;
};

// Counts what happened. **Threads**: thread-safe. **Cost**: one atomic add.
class Counter {
 public:
  void Increment(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// Says how much there is. **Threads**: thread-safe. **Cost**: one atomic write.
class Gauge {
 public:
  void Set(double value) { value_.store(value, std::memory_order_relaxed); }
  void Add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  double Value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

// Counts observations by bucket. **Threads**: thread-safe; a reader may see an observation in its
// bucket before it is in the sum. **Cost**: a search among at most 20 bounds and two atomic adds.
class Histogram {
 public:
  explicit Histogram(std::span<const double> bounds);
  void Observe(double value);
  template <typename Rep, typename Period>
  void Observe(std::chrono::duration<Rep, Period> value) {
    Observe(std::chrono::duration<double>(value).count());
  }
  uint64_t Count() const;
  double Sum() const { return sum_.load(std::memory_order_relaxed); }
  // How many fell in each bucket, not cumulated; the last is above every bound.
  std::vector<uint64_t> BucketCounts() const;
  std::span<const double> Bounds() const { return bounds_; }

 private:
  const std::span<const double> bounds_;
  const std::unique_ptr<std::atomic<uint64_t>[]> counts_;
  std::atomic<double> sum_{0};
};

// All metrics of a process, as Prometheus reads them.
//
// Ask once, keep the reference, and move it on the hot path:
//
//   Counter& refused = registry.Get(metric::kHttpRefused, {"too_large"});
//   refused.Increment();
//
// **Guarantees**: the series of metrics whose labels are closed exist from the beginning, at zero.
// A label value outside its set, or beyond its limit, is counted as "other": the number of series
// is bounded whatever callers send.
// **Errors**: a metric that is not in metric_names.h, or a wrong number of label values, is a
// programmer's error and ends the process.
// **Threads**: thread-safe.
// **Lifetime**: the references live as long as the registry.
// **Cost**: Get takes a lock and a look-up; what it returns costs an atomic.
// The counters are our own atomics, so that a hot path neither leaves its header nor loops on a
// double; prometheus-cpp holds the data model and writes the text.
class Registry {
 public:
  // With every metric of metric_names.h.
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& Get(const CounterMetric& metric,
               std::initializer_list<std::string_view> label_values = {});
  Gauge& Get(const GaugeMetric& metric, std::initializer_list<std::string_view> label_values = {});
  Histogram& Get(const HistogramMetric& metric,
                 std::initializer_list<std::string_view> label_values = {});

  // For a metric that tells by its label (`…_info`): the series of `label_values` is 1, and alone.
  void SetInfo(const GaugeMetric& metric, std::initializer_list<std::string_view> label_values);

  // Everything in Prometheus' text format 0.0.4, with the process_* figures read at this moment.
  std::string Expose() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hilo
