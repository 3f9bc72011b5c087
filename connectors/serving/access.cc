#include "connectors/serving/access.h"

#include <algorithm>

#include "connectors/serving/views.h"
#include "streams/customer/reader.h"

namespace hilo::serving {

Status NotPermitted() {
  return Error(StatusCode::kPermissionDenied, "not_permitted",
               "this principal may not make this call");
}

Status CheckAccess(const Node& node, const Principal& principal, CustomerId customer) {
  if (!principal.only_assigned) return OkStatus();
  const auto view = node.CustomersStore(PartitionOfCustomer(node, customer)).NewView();
  HILO_ASSIGN_OR_RETURN(const auto calls, customer::CallsOfAgent(*view, principal.agent));
  const bool assigned = std::any_of(calls.begin(), calls.end(),
                                    [&](const auto& call) { return call.customer == customer; });
  return assigned ? OkStatus() : NotPermitted();
}

}  // namespace hilo::serving
