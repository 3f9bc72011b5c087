#include "connectors/serving/names.h"

#include <algorithm>

#include "ops/base/text_encoding.h"
#include "state/types/hash.h"

namespace hilo::serving {
namespace {

constexpr std::string_view kCustomers = "customers/";
constexpr size_t kHexDigits = 32;
// Of the hash of what a token was made for: tells requests apart, proves nothing, as a token grants
// no rights.
constexpr size_t kMadeForBytes = 4;

std::string MadeFor(std::string_view made_for) {
  return std::string(Bytes(Hash(made_for)).substr(0, kMadeForBytes));
}

Status NameInvalid(std::string_view field, std::string_view form) {
  return Error(StatusCode::kInvalidArgument, "name_invalid",
               "'" + std::string(field) + "' is not of the form " + std::string(form));
}

}  // namespace

StatusOr<CustomerId> ParseCustomer(std::string_view name, std::string_view field) {
  if (name.starts_with(kCustomers) && name.size() == kCustomers.size() + kHexDigits) {
    if (const auto id = CustomerId::FromHex(name.substr(kCustomers.size()))) return *id;
  }
  return NameInvalid(field, "customers/{32 hexadecimal digits}");
}

StatusOr<Child> ParseChild(std::string_view name, std::string_view collection,
                           std::string_view field) {
  const std::string form = "customers/{customer}/" + std::string(collection) + "/{id}";
  const size_t customer_end = kCustomers.size() + kHexDigits;
  if (name.size() <= customer_end) return NameInvalid(field, form);
  const auto customer = ParseCustomer(name.substr(0, customer_end), field);
  const std::string middle = "/" + std::string(collection) + "/";
  std::string_view rest = name.substr(customer_end);
  if (!customer.ok() || !rest.starts_with(middle)) return NameInvalid(field, form);
  const auto id = Id<struct ChildTag>::FromHex(rest.substr(middle.size()));
  if (!id) return NameInvalid(field, form);
  return Child{*customer, std::string(id->Bytes())};
}

StatusOr<size_t> PageSize(int32_t asked, int32_t standard, int32_t maximum) {
  if (asked < 0)
    return Error(StatusCode::kInvalidArgument, "page_size_invalid",
                 "'page_size' is negative; leave it out or give 1 or more");
  return static_cast<size_t>(asked == 0 ? standard : std::min(asked, maximum));
}

std::string MakePageToken(std::string_view made_for, std::string_view place) {
  return UrlSafeBase64(MadeFor(made_for) + std::string(place));
}

StatusOr<std::string> ParsePageToken(std::string_view token, std::string_view made_for) {
  if (token.empty()) return std::string();
  const auto bytes = ParseUrlSafeBase64(token);
  if (!bytes || bytes->size() <= kMadeForBytes ||
      bytes->substr(0, kMadeForBytes) != MadeFor(made_for)) {
    return Error(
        StatusCode::kInvalidArgument, "page_token_invalid",
        "'page_token' is not one that this list gave for these arguments; begin without it");
  }
  return bytes->substr(kMadeForBytes);
}

}  // namespace hilo::serving
