#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/store/store.h"
#include "state/types/ids.h"

// What the customer fold wrote, for those who show it. Pure functions over a reader of the
// customer's partition; give a View when several reads must agree. **Errors**: the store's, and
// those of fold::Decode for a row that is not ours.
namespace hilo::customer {

// The member's row; nullopt when it is not known here.
StatusOr<std::optional<store::v1::MemberRow>> ReadMember(const store::Reader& reader,
                                                         CustomerId customer, MemberId member);
// The customer: the join of its members (the one it was born with, while nobody is merged); nullopt
// when it is not known here.
StatusOr<std::optional<store::v1::MemberRow>> ReadCustomer(const store::Reader& reader,
                                                           CustomerId customer);

// The customer as it is stored. Whatever changes the row or the timeline of one of its members
// changes these bytes: equal bytes are the same customer, entries included.
StatusOr<std::optional<std::string>> ReadCustomerBytes(const store::Reader& reader,
                                                       CustomerId customer);
// What ReadCustomer makes of them.
Status DecodeCustomer(std::string_view bytes, store::v1::MemberRow* row);

// An entry and its id within the customer, which is also where a page may go on.
struct TimelineEntry {
  std::string place;  // timeline::EntryPlace::Bytes, 32 bytes
  store::v1::TimelineRow row;
};
struct TimelinePage {
  std::vector<TimelineEntry> entries;  // newest first
  std::string next;                    // give it back as `after`; empty when this is the last page
};
struct TimelineQuery {
  size_t page_size = 20;
  std::string after;     // `next` or an entry's place; empty: from the newest
  uint32_t channel = 0;  // hilo.v1.Channel; 0: all
};
// Rows looked at for one page at most: a filter that matches little gives short pages with a
// `next`.
inline constexpr size_t kMaxRowsScanned = 2'000;
// **Errors**: `page_token_invalid` (invalid_argument) for an `after` that is not ours.
StatusOr<TimelinePage> ReadTimeline(const store::Reader& reader, CustomerId customer,
                                    const std::vector<MemberId>& members,
                                    const TimelineQuery& query);

// The newest `limit` entries, newest first, as they are stored: a TimelineRow, to be decoded by
// fold::Decode. What stands at a place never becomes another entry. Ends at the first error of
// `visit`. Answers the place to go on from, empty when these are all.
using EntryVisitor = std::function<Status(std::string_view place, std::string_view row)>;
StatusOr<std::string> VisitTimeline(const store::Reader& reader, CustomerId customer,
                                    const std::vector<MemberId>& members, size_t limit,
                                    const EntryVisitor& visit);

// A call that is now at an agent.
struct AgentCall {
  CustomerId customer;
  MemberId member;
  store::v1::InteractionRow interaction;
};
inline constexpr size_t kMaxCallsOfAgent = 100;
// In this partition; the oldest first.
StatusOr<std::vector<AgentCall>> CallsOfAgent(const store::Reader& reader, std::string_view agent);

}  // namespace hilo::customer
