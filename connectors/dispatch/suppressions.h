#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "streams/log/log.h"

namespace hilo::dispatch {

// The addresses to which nothing of a channel is sent any more, by keyed hash: the whole of the
// topic `suppression`, which is never trimmed and outlives customers. An address that bounced or
// complained is closed to everything; one that opted out of a purpose to what needs consent for it.
//
// **Guarantees**: what was durable in the topic when Holds is asked and Read has been called since
// is in it. **Errors**: the log's; then CatchUp says so and nothing may be sent.
// **Threads**: thread-safe. **Cost**: about 100 bytes an address.
class Suppressions {
 public:
  // Reads what is there.
  static StatusOr<std::unique_ptr<Suppressions>> Open(log::Log& log);

  // Reads up to the end of the topic as it is now.
  Status CatchUp();
  // Whether this may not be sent there. `address` is the identifier's hash, 16 bytes.
  bool Holds(std::string_view address, const store::v1::MessageOrder& order) const;
  size_t Size() const;

 private:
  explicit Suppressions(std::unique_ptr<log::Cursor> cursor) : cursor_(std::move(cursor)) {}

  mutable Mutex mutex_;
  std::unique_ptr<log::Cursor> cursor_ HILO_GUARDED_BY(mutex_);
  // Channel, hash, purpose (empty: all).
  using Key = std::tuple<uint32_t, std::string, std::string>;
  std::set<Key> held_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::dispatch
