#pragma once

#include <cstdint>

#include "state/types/ids.h"

namespace hilo {

// Customers lie in 256 fixed buckets, and buckets in partitions: the count of partitions may change
// later, the row keys may not. Customer ids are keyed hashes, so their first byte is spread evenly.
using Bucket = uint8_t;

inline Bucket BucketOf(CustomerId customer) { return static_cast<uint8_t>(customer.Bytes()[0]); }

// Partition of a bucket among `partitions` (1..256): contiguous ranges of buckets.
inline uint32_t PartitionOf(Bucket bucket, uint32_t partitions) {
  return bucket * partitions / 256;
}
inline uint32_t PartitionOf(CustomerId customer, uint32_t partitions) {
  return PartitionOf(BucketOf(customer), partitions);
}

}  // namespace hilo
