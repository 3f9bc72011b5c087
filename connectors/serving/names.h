#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ops/base/status.h"
#include "state/types/ids.h"

namespace hilo::serving {

// Resource names: "customers/{customer}", "customers/{customer}/facts/{fact}". Ids are 32
// hexadecimal digits.
inline std::string CustomerName(std::string_view id_bytes) {
  const auto id = CustomerId::FromBytes(id_bytes);
  return id ? "customers/" + id->Hex() : "";
}
template <typename AnyId>
std::string ChildName(std::string_view customer_bytes, std::string_view collection,
                      std::string_view id_bytes) {
  const auto id = AnyId::FromBytes(id_bytes);
  return id ? CustomerName(customer_bytes) + "/" + std::string(collection) + "/" + id->Hex() : "";
}

// `name_invalid` (invalid_argument) names the field and the form that is expected.
StatusOr<CustomerId> ParseCustomer(std::string_view name, std::string_view field);
struct Child {
  CustomerId customer;
  std::string id;  // 16 bytes
};
StatusOr<Child> ParseChild(std::string_view name, std::string_view collection,
                           std::string_view field);

// Page sizes by AIP-158: 0 is the default, too much is the maximum, negative is refused
// (`page_size_invalid`).
StatusOr<size_t> PageSize(int32_t asked, int32_t standard, int32_t maximum);

// An opaque, URL-safe page token: what it was made for, and where to go on. Given back for another
// request it is refused
// (`page_token_invalid`).
std::string MakePageToken(std::string_view made_for, std::string_view place);
StatusOr<std::string> ParsePageToken(std::string_view token, std::string_view made_for);

}  // namespace hilo::serving
