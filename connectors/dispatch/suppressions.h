#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "ops/base/mutex.h"
#include "ops/base/status.h"
#include "streams/log/log.h"

namespace hilo::dispatch {

// The addresses to which nothing of a channel is sent any more, by keyed hash: the whole of the
// topic `suppression`, which is never trimmed and outlives customers.
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
  // Whether nothing may be sent there. `address` is the identifier's hash, 16 bytes; `channel`
  // hilo.v1.Channel.
  bool Holds(std::string_view address, uint32_t channel) const;
  size_t Size() const;

 private:
  explicit Suppressions(std::unique_ptr<log::Cursor> cursor) : cursor_(std::move(cursor)) {}

  mutable Mutex mutex_;
  std::unique_ptr<log::Cursor> cursor_ HILO_GUARDED_BY(mutex_);
  std::set<std::pair<uint32_t, std::string>, std::less<>> held_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::dispatch
