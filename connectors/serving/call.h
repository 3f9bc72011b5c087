#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/serving/principals.h"
#include "connectors/serving/rights.h"
#include "ops/audit/audit.h"
#include "ops/base/clock.h"
#include "ops/base/status.h"
#include "state/types/ids.h"

namespace hilo::serving {

// One call on its way through the chain, whatever wire it came by.
// **Threads**: immutable but for Cancel and Cancelled, which are thread-safe. **Lifetime**: shared
// by whoever still works on it.
class Call {
 public:
  Call(const MethodRights& rights, Principal principal, MonotonicTime deadline,
       std::string request_id, audit::Audit* audit)
      : rights_(rights),
        principal_(std::move(principal)),
        deadline_(deadline),
        request_id_(std::move(request_id)),
        audit_(audit) {}

  std::string_view method() const { return rights_.method; }
  Touch touch() const { return rights_.touch; }
  const Principal& principal() const { return principal_; }
  // Streams have none: MonotonicTime::max().
  MonotonicTime deadline() const { return deadline_; }
  // For logs and answers; not a write's request id.
  const std::string& request_id() const { return request_id_; }

  // Puts into the audit that this principal sees or changes that customer. No audit, no view: an
  // error here is the call's answer. `field_group` is a word of ours ("context", "timeline").
  Status Audit(std::string_view customer_hex, std::string_view field_group,
               std::string_view result = "OK") const;

  // Whether something of this call stands in the audit.
  bool Audited() const { return audited_.load(std::memory_order_relaxed); }

  void Cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool Cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  const MethodRights& rights_;
  const Principal principal_;
  const MonotonicTime deadline_;
  const std::string request_id_;
  audit::Audit* const audit_;  // not owned; null only in tests of what is not audited
  mutable std::atomic<bool> audited_{false};
  std::atomic<bool> cancelled_{false};
};

}  // namespace hilo::serving
