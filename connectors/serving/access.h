#pragma once

#include "connectors/serving/node.h"
#include "connectors/serving/principals.h"
#include "ops/base/status.h"
#include "state/types/ids.h"

namespace hilo::serving {

// `not_permitted`, in one text whatever the cause: a caller learns that they may not, never why,
// nor whether what they asked for exists.
Status NotPermitted();

// Whether a principal may see and change this customer. One with `only_assigned` may while a call
// of the customer is at them: from its ringing to the end of its wrap-up.
//
// **Errors**: `not_permitted`, for a customer that nobody knows too; the store's.
// **Cost**: nothing, but for `only_assigned`: a read per call at the agent in one partition.
Status CheckAccess(const Node& node, const Principal& principal, CustomerId customer);

}  // namespace hilo::serving
