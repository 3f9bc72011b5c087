#include "streams/customer/member_cache.h"

#include <iterator>
#include <utility>

#include "ops/base/check.h"
#include "state/profile/row_limit.h"
#include "state/timeline/entry_key.h"
#include "state/types/bucket.h"

namespace hilo::customer {

using store::v1::MemberRow;
namespace {

// A larger row gives its memory back: what is kept for the next one is bounded by this.
constexpr size_t kRecycledBytes = 2 << 10;

}  // namespace

StatusOr<MemberRow*> MemberCache::Load(CustomerId customer, MemberId member,
                                       fold::Context& context) {
  std::string key = timeline::MemberKey(BucketOf(customer), member);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front().row;
  }
  HILO_ASSIGN_OR_RETURN(const auto bytes, context.Get(key));
  if (!bytes.has_value()) return nullptr;
  Entry& entry = Insert(std::move(key));
  if (Status decoded = fold::Decode(*bytes, &entry.row); !decoded.ok()) {
    by_key_.erase(entry.key);
    entries_.pop_front();
    return decoded;
  }
  entry.bytes = bytes->size();
  bytes_ += entry.bytes;
  Evict();
  return &entry.row;
}

MemberRow* MemberCache::Create(CustomerId customer, MemberId member) {
  Entry& entry = Insert(timeline::MemberKey(BucketOf(customer), member));
  entry.row.set_member(std::string(member.Bytes()));
  entry.row.set_customer(std::string(customer.Bytes()));
  return &entry.row;
}

void MemberCache::Save(CustomerId customer, MemberId member, fold::Context& context) {
  HILO_CHECK(!entries_.empty(), "the row to save was loaded by the same record");
  Entry& entry = entries_.front();
  const std::string key = timeline::MemberKey(BucketOf(customer), member);
  HILO_CHECK(entry.key == key, "nothing else was loaded since");
  std::string bytes = fold::Encode(entry.row);
  if (bytes.size() > profile::kMaxRowBytes) {
    profile::FitToLimit(entry.row, context.Now());
    bytes = fold::Encode(entry.row);
  }
  context.Put(key, bytes);
  bytes_ += bytes.size() - entry.bytes;
  entry.bytes = bytes.size();
  Evict();
}

void MemberCache::Forget() {
  by_key_.clear();
  entries_.clear();
  bytes_ = 0;
}

MemberCache::Entry& MemberCache::Insert(std::string key) {
  // Most of the cost of parsing a row is memory for its strings, which the row that goes has.
  const bool recycles = !entries_.empty() && entries_.size() >= options_.max_rows &&
                        entries_.back().bytes <= kRecycledBytes;
  if (recycles) {
    bytes_ -= entries_.back().bytes;
    by_key_.erase(entries_.back().key);
    entries_.splice(entries_.begin(), entries_, std::prev(entries_.end()));
    entries_.front().row.Clear();
    entries_.front().bytes = 0;
  } else {
    entries_.emplace_front();
  }
  Entry& entry = entries_.front();
  entry.key = std::move(key);
  by_key_.emplace(entry.key, entries_.begin());
  return entry;
}

// The row in use, which is the first, stays.
void MemberCache::Evict() {
  while (entries_.size() > 1 &&
         (entries_.size() > options_.max_rows || bytes_ > options_.max_bytes)) {
    EvictLast();
  }
}

void MemberCache::EvictLast() {
  bytes_ -= entries_.back().bytes;
  by_key_.erase(entries_.back().key);
  entries_.pop_back();
}

}  // namespace hilo::customer
