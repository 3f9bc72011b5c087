#pragma once

#include <string>

#include "connectors/http/router.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "state/types/hash.h"
#include "streams/command/command.h"

namespace hilo::email {

// Where a customer stops mail of one kind, without a login: `/u/{token}`.
//
// A POST stops it, as mail programs do by one click (RFC 8058); it is answered when the withdrawal
// is in force, so that nothing is permitted afterwards. A GET stops nothing, since scanners follow
// links: it shows a page with a button that posts. A POST again does no harm.
// **Errors**: 404 for a token that is none; 415 and 400 for another body than the one of RFC 8058;
// 503 with Retry-After when it is not in force yet.
// **Threads**: thread-safe. **Lifetime**: parts outlive the router.
struct UnsubscribeParts {
  command::Commands& commands;
  const Clock& clock;
  Registry& registry;
  HashKey token_key;
};
void AddUnsubscribe(const UnsubscribeParts& parts, http::Router& router);

}  // namespace hilo::email
