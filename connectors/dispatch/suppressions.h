#pragma once

#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
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
  // hilo.v1.Channel; `purpose` that of the consent the message needs, empty for one that needs
  // none, which only an address that takes nothing at all holds back.
  bool Holds(std::string_view address, uint32_t channel, std::string_view purpose) const;
  size_t Size() const;

 private:
  explicit Suppressions(std::unique_ptr<log::Cursor> cursor) : cursor_(std::move(cursor)) {}

  mutable Mutex mutex_;
  std::unique_ptr<log::Cursor> cursor_ HILO_GUARDED_BY(mutex_);
  // Channel, address, purpose; an empty purpose: all.
  std::set<std::tuple<uint32_t, std::string, std::string>> held_ HILO_GUARDED_BY(mutex_);
};

}  // namespace hilo::dispatch
