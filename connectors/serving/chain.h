#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/serving/call.h"
#include "connectors/serving/endpoints.h"
#include "connectors/serving/principals.h"
#include "ops/audit/audit.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"

namespace hilo::serving {

// What every call passes, by gRPC and by Connect alike: identity, rights (deny by default),
// deadline, request checks, then the handler; metrics at its end. Auditing is the
// handler's, who knows which customer it shows (Call::Audit).
//
// **Errors**: `token_invalid` (unauthenticated, one text for every cause), `not_permitted` (for a
// principal of another space whatever it calls),
// `method_unknown` (unimplemented), `deadline_passed`.
// **Threads**: thread-safe. **Lifetime**: outlives every call.
class Chain {
 public:
  // Calls without a deadline get kDefaultDeadline, longer ones are cut to kMaxDeadline; streams
  // have none.
  static constexpr std::chrono::seconds kDefaultDeadline{10};
  static constexpr std::chrono::seconds kMaxDeadline{60};

  struct Options {
    const Endpoints& endpoints;
    const Principals& principals;
    audit::Audit* audit;
    const Clock& clock;
    Registry& registry;
    Logger logger;
    std::string space = "default";  // that this node serves
  };
  explicit Chain(Options options);
  ~Chain();

  // What a wire knows of a call before its body.
  struct Incoming {
    std::string_view method;
    std::optional<std::string_view> authorization;  // "Bearer …"
    std::optional<std::chrono::microseconds> timeout;
    std::string request_id;
  };
  struct Admitted {
    std::shared_ptr<Call> call;
    const Endpoint* endpoint = nullptr;
  };
  StatusOr<Admitted> Admit(const Incoming& incoming) const;

  // Runs a unary call; `done` is called once.
  void Run(const Admitted& admitted, std::unique_ptr<google::protobuf::Message> request,
           AnyDone done) const;
  // Runs a server stream.
  void Run(const Admitted& admitted, std::unique_ptr<google::protobuf::Message> request,
           std::shared_ptr<MessageSink> sink) const;
  // Counts a call that a wire refused before or after Admit, such as for a body it cannot read.
  void CountRefused(std::string_view method, const Status& status) const;

 private:
  StatusOr<Admitted> AdmitUncounted(const Incoming& incoming) const;
  void Count(std::string_view method, bool stream, StatusCode code, MonotonicTime began) const;

  // A method's metrics, found once.
  struct Figures;

  const Options options_;
  // By full name; all methods there were at construction.
  std::map<std::string, std::unique_ptr<Figures>, std::less<>> figures_;
};

}  // namespace hilo::serving
