#pragma once

#include <optional>

#include "connectors/serving/node.h"
#include "connectors/serving/render.h"
#include "hilo/v1/customer.pb.h"
#include "ops/base/clock.h"
#include "ops/base/status.h"
#include "state/types/bucket.h"
#include "state/types/ids.h"

namespace hilo::serving {

inline constexpr int kStandardPage = 20;
inline constexpr int kLargestPage = 100;

// Where a customer's state lies.
inline uint32_t PartitionOfCustomer(const Node& node, CustomerId customer) {
  return PartitionOf(customer, node.CustomerPartitions());
}
log::TopicPartition CustomersPartition(uint32_t partition);

// A customer with the newest `timeline_size` entries, how old it is, and where the timeline goes
// on; nullopt when it is not known.
StatusOr<std::optional<v1::Context>> ReadContext(
    const Node& node, const keys::Sealer& sealer,
    std::shared_ptr<const catalogue::Catalogue> catalogue, CustomerId customer,
    size_t timeline_size, const Clock& clock);

// Time for "now" in a partition: its log time, or the wall clock before its first tick.
LogTime ShownNow(const fold::Standing& standing, const Clock& clock);

// What a timeline's page token is made for.
std::string TimelineMadeFor(CustomerId customer, uint32_t channel);

v1::Freshness FreshnessOf(const fold::Standing& standing, const Clock& clock);

}  // namespace hilo::serving
