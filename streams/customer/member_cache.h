#pragma once

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"
#include "state/types/ids.h"
#include "streams/fold/fold.h"

namespace hilo::customer {

// Members' rows, parsed, so that a run of events of one member parses its row once.
//
// **Guarantees**: between two records every row in it equals what the store (with what is staged)
// holds, because a row is changed only by a record that nothing can refuse any more, and is then
// saved at once; when a batch is given up, everything is forgotten. Bounded by rows and by bytes as
// stored; a small row that goes leaves its memory to the next one. What it holds never changes a
// result.
// **Errors**: those of Context::Get and fold::Decode.
// **Threads**: confined to the partition's thread.
class MemberCache {
 public:
  struct Options {
    size_t max_rows;
    size_t max_bytes;
  };
  explicit MemberCache(Options options) : options_(options) {}

  // The member's row; null when there is none. Valid until the next call.
  StatusOr<store::v1::MemberRow*> Load(CustomerId customer, MemberId member,
                                       fold::Context& context);
  // An empty row for a member that has none: it is nowhere until it is saved.
  store::v1::MemberRow* Create(CustomerId customer, MemberId member);
  // Writes the row that Load or Create gave, within the limit of bytes.
  void Save(CustomerId customer, MemberId member, fold::Context& context);
  void Forget();
  // Whether the row with this key is here.
  bool Holds(std::string_view key) const { return by_key_.contains(key); }

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::string key;
    store::v1::MemberRow row;
    size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // most recently used first

  // A place for `key` at the front, its row empty.
  Entry& Insert(std::string key);
  void Evict();
  void EvictLast();

  const Options options_;
  Entries entries_;
  std::unordered_map<std::string_view, Entries::iterator> by_key_;  // views of the entries' keys
  size_t bytes_ = 0;
};

}  // namespace hilo::customer
