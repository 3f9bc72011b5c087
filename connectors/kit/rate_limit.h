#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/base/mutex.h"

namespace hilo::kit {

// How many events a key may bring. Zero a second: as many as it likes.
struct Rate {
  uint32_t per_second = 0;
  uint32_t burst = 0;  // that may come at once after a pause; zero: those of one second
};

// Holds each of many senders to a rate, so that one of them cannot fill what all share.
//
// A bucket per key fills with `per_second` tokens up to `burst`. Whoever finds any token is let in
// and charged in full, into debt if need be: so a batch larger than the bucket passes too, and the
// rate holds over time all the same.
// **Threads**: thread-safe. **Lifetime**: clock and registry outlive it.
// **Cost**: a map look-up under one lock; at most kMaxKeys buckets. Full ones are forgotten when
// there are too many, at most once a second; where that is not enough, new keys share one bucket.
// **Source**: token bucket as in RFC 2697, with a debt instead of a refusal for what is larger than
// the bucket.
class RateLimit {
 public:
  static constexpr size_t kMaxKeys = 100'000;

  struct Options {
    std::string_view by;  // what the keys are, for metrics: "write_key", "address"
    Rate rate;            // of keys that Take names no rate for
    size_t max_keys = kMaxKeys;
  };
  RateLimit(Options options, const Clock& clock, Registry& registry);

  // Lets `events` of `key` in, unless they come too fast: then how long to wait, in whole seconds.
  std::optional<std::chrono::seconds> Take(std::string_view key, size_t events) {
    return Take(key, options_.rate, events);
  }
  std::optional<std::chrono::seconds> Take(std::string_view key, const Rate& rate, size_t events)
      HILO_EXCLUDES(mutex_);
  // Charges what was let in already and turned out to be more.
  void Charge(std::string_view key, size_t events) HILO_EXCLUDES(mutex_);

 private:
  struct Bucket {
    double tokens = 0;
    MonotonicTime at;
    Rate rate;
  };
  Bucket& BucketOf(std::string_view key, const Rate& rate, MonotonicTime now) HILO_REQUIRES(mutex_);
  static double TokensAt(const Bucket& bucket, MonotonicTime now);

  const Options options_;
  const Clock& clock_;
  Counter& limited_;
  Gauge& keys_;
  Mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_ HILO_GUARDED_BY(mutex_);
  MonotonicTime swept_ HILO_GUARDED_BY(mutex_){};
};

// Who counts as one address: an IPv4 address, or the /64 that one subscriber of IPv6 holds. `peer`
// is a numeric address as the server gives it.
std::string AddressKey(std::string_view peer);

}  // namespace hilo::kit
