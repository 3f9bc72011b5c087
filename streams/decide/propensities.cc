#include "streams/decide/propensities.h"

#include "state/decision/record.h"
#include "state/outcomes/propensity.h"
#include "streams/customer/outbound_reader.h"

namespace hilo::decide {

Propensities::Propensities(uint32_t partitions, std::function<const store::Store&(uint32_t)> store,
                           const Clock& clock)
    : partitions_(partitions), store_(std::move(store)), clock_(clock) {}

decision::PosteriorOf Propensities::For(std::string_view channel, LogTime now) {
  return [this, channel = std::string(channel), now](const catalogue::Action& action) {
    return Of(channel, action, now);
  };
}

decision::Posterior Propensities::Of(const std::string& channel, const catalogue::Action& action,
                                     LogTime now) {
  const Key key(channel, action.name);
  const MonotonicTime at = clock_.Monotonic();
  MutexLock lock(mutex_);
  const auto [kept, fresh] = kept_.try_emplace(key);
  if (fresh || at - kept->second.read >= kAge) {
    kept->second.read = at;
    if (auto sum = Read(key); sum.ok()) kept->second.sum = *std::move(sum);
  }
  const outcomes::Evidence evidence = outcomes::EvidenceAt(kept->second.sum, now);
  return decision::PosteriorFrom(action, static_cast<double>(evidence.positive_micros) / 1e6,
                                 static_cast<double>(evidence.negative_micros) / 1e6);
}

StatusOr<store::v1::PropensityRow> Propensities::Read(const Key& key) const {
  store::v1::PropensityRow sum;
  for (uint32_t partition = 0; partition < partitions_; ++partition) {
    HILO_ASSIGN_OR_RETURN(const auto row,
                          customer::ReadPropensity(store_(partition), key.first, key.second));
    if (row.has_value()) outcomes::Merge(sum, *row);
  }
  return sum;
}

}  // namespace hilo::decide
