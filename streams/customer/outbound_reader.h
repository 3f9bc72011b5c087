#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "state/types/ids.h"

// What the customer fold wrote about decisions and messages, for those who decide, send and show.
// Pure functions over a reader of the customer's partition. **Errors**: the store's, and those of
// fold::Decode for a row that is not ours.
namespace hilo::customer {

// A run that waits for its owner's decision.
struct DueRun {
  CustomerId customer;
  MemberId member;
  std::string run;  // 16 bytes
  uint32_t turn = 0;
  int64_t due_micros = 0;
};
struct DuePage {
  std::vector<DueRun> runs;  // by bucket, member and run
  std::string next;          // give it back as `after`; empty when this is the last page
};
// All that is due in this partition.
StatusOr<DuePage> ReadDue(const store::Reader& reader, size_t page_size,
                          std::string_view after = {});

// Messages of a member, oldest first; empty when it is not known here.
StatusOr<std::vector<store::v1::MessageRow>> ReadMessages(const store::Reader& reader,
                                                          CustomerId customer, MemberId member);

// A recorded decision; nullopt: never recorded, or gone.
StatusOr<std::optional<store::v1::DecisionRow>> ReadDecision(const store::Reader& reader,
                                                             CustomerId customer, MemberId member,
                                                             std::string_view decision);

// Outcomes of an action on a channel in this partition; nullopt: none yet. Sums of partitions are
// added by outcomes::Merge.
StatusOr<std::optional<store::v1::PropensityRow>> ReadPropensity(const store::Reader& reader,
                                                                 std::string_view channel,
                                                                 std::string_view action);

}  // namespace hilo::customer
