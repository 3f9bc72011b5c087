#include "connectors/kit/rate_limit.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>

#include "ops/base/metric_names.h"

namespace hilo::kit {
namespace {

constexpr char kShared[] = "";  // the key of all who find no place
constexpr std::chrono::seconds kSweepEvery{1};
// SDKs wait no longer than this at one go.
constexpr std::chrono::seconds kLongestWait{300};

double BurstOf(const Rate& rate) { return rate.burst == 0 ? rate.per_second : rate.burst; }

}  // namespace

RateLimit::RateLimit(Options options, const Clock& clock, Registry& registry)
    : options_(options),
      clock_(clock),
      limited_(registry.Get(metric::kKitRateLimited, {options.by})),
      keys_(registry.Get(metric::kKitRateLimitKeys, {options.by})) {}

std::optional<std::chrono::seconds> RateLimit::Take(std::string_view key, const Rate& rate,
                                                    size_t events) {
  if (rate.per_second == 0) return std::nullopt;
  MutexLock lock(mutex_);
  Bucket& bucket = BucketOf(key, rate, clock_.Monotonic());
  if (bucket.tokens > 0) {
    bucket.tokens -= static_cast<double>(events);
    return std::nullopt;
  }
  limited_.Increment();
  // Until a whole token is there again.
  const double seconds = std::ceil((1 - bucket.tokens) / rate.per_second);
  return std::chrono::seconds(
      static_cast<int64_t>(std::clamp(seconds, 1.0, static_cast<double>(kLongestWait.count()))));
}

void RateLimit::Charge(std::string_view key, size_t events) {
  if (options_.rate.per_second == 0) return;
  MutexLock lock(mutex_);
  BucketOf(key, options_.rate, clock_.Monotonic()).tokens -= static_cast<double>(events);
}

RateLimit::Bucket& RateLimit::BucketOf(std::string_view key, const Rate& rate, MonotonicTime now) {
  std::string name(key);
  auto found = buckets_.find(name);
  if (found == buckets_.end() && buckets_.size() >= options_.max_keys) {
    if (now - swept_ >= kSweepEvery) {
      swept_ = now;
      std::erase_if(buckets_, [now](const auto& entry) {
        return TokensAt(entry.second, now) >= BurstOf(entry.second.rate);
      });
    }
    // One more than max_keys, with the shared one.
    if (buckets_.size() >= options_.max_keys) {
      name = kShared;
      found = buckets_.find(name);
    }
  }
  if (found == buckets_.end()) {
    found = buckets_.emplace(std::move(name), Bucket{BurstOf(rate), now, rate}).first;
    keys_.Set(static_cast<double>(buckets_.size()));
  }
  found->second.tokens = TokensAt(found->second, now);
  found->second.at = now;
  return found->second;
}

double RateLimit::TokensAt(const Bucket& bucket, MonotonicTime now) {
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(BurstOf(bucket.rate), bucket.tokens + seconds * bucket.rate.per_second);
}

std::string AddressKey(std::string_view peer) {
  const std::string text(peer);
  in6_addr six{};
  if (inet_pton(AF_INET6, text.c_str(), &six) != 1) return text;
  const auto* bytes = reinterpret_cast<const char*>(&six);
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    char four[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, bytes + 12, four, sizeof four);
    return four;
  }
  return std::string(bytes, 8);
}

}  // namespace hilo::kit
