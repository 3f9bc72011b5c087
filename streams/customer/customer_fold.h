#pragma once

#include <cstdint>
#include <memory>

#include "streams/fold/fold.h"

namespace hilo::customer {

// What we know about customers, folded from one partition of `customers`: one row for each member,
// its timeline, and which calls are at which agent.
//
// **Guarantees**: deterministic; a refused record changes nothing; a command has one effect and its
// answer is kept (streams/command). A command never creates a customer. Interactions never go back
// once they are over, in whatever order their events come. Lists and rows are bounded (the limits
// stand beside their rules in state/), and what falls out is counted in the row.
// **Errors**: refusals `wrong_partition`, `record_malformed`, `unexpected_record`; a command that
// cannot be done is answered, not refused.
// **Threads**: confined to its partition's thread.
// **Cost**: one Get (or none while the member is cached) and two Puts an event.
struct Options {
  uint32_t partition = 0;
  uint32_t partitions = 4;
  // Parsed rows kept between records; both bounds hold. Cost of memory: about four times the bytes.
  size_t max_cached_rows = 1'024;
  size_t max_cached_bytes = 4 << 20;
};
std::unique_ptr<fold::Fold> NewCustomerFold(Options options);

}  // namespace hilo::customer
