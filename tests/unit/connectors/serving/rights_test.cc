#include "connectors/serving/rights.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "hilo/v1/catalogue_service.pb.h"
#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/desk_service.pb.h"
#include "hilo/v1/event_service.pb.h"
#include "hilo/v1/operations_service.pb.h"

namespace hilo::serving {
namespace {

constexpr Role kRoles[] = {Role::kAgent, Role::kSupervisor, Role::kChannel, Role::kOps,
                           Role::kAdmin};

// Every method of every service, from the descriptors: a new one that nobody gave rights to shows
// here.
std::vector<std::string> AllMethods() {
  std::vector<std::string> methods;
  for (const auto* file :
       {v1::FindCustomersRequest::descriptor()->file(),
        v1::WatchDesktopRequest::descriptor()->file(), v1::SendEventRequest::descriptor()->file(),
        v1::GetCatalogueRequest::descriptor()->file(),
        v1::ListPartitionsRequest::descriptor()->file()}) {
    for (int s = 0; s < file->service_count(); ++s) {
      const auto* service = file->service(s);
      for (int m = 0; m < service->method_count(); ++m) {
        methods.push_back("/" + service->full_name() + "/" + service->method(m)->name());
      }
    }
  }
  return methods;
}

TEST(Rights, EveryMethodIsInTheTableOrDenied) {
  for (const std::string& method : AllMethods()) {
    const MethodRights* rights = RightsOf(method);
    ASSERT_NE(rights, nullptr) << method << " has no row: nobody may call it";
    bool anybody = false;
    for (const Role role : kRoles) anybody = anybody || MayCall(rights, role);
    EXPECT_TRUE(anybody) << method;
  }
}

TEST(Rights, UnknownMethodsAreDeniedToEverybody) {
  for (const Role role : kRoles)
    EXPECT_FALSE(MayCall(RightsOf("/hilo.v1.CustomerService/DropEverything"), role));
}

TEST(Rights, NobodyReachesWhatTheyMustNot) {
  const std::set<std::string> personal = {"GetContext", "ListTimeline", "FindCustomers",
                                          "ListFacts",  "ListCases",    "ListPromises"};
  for (const std::string& method : AllMethods()) {
    const std::string name = method.substr(method.rfind('/') + 1);
    // Operators see positions and sealed bytes, never a customer.
    if (method.find("CustomerService") != std::string::npos ||
        method.find("DeskService") != std::string::npos) {
      EXPECT_FALSE(MayCall(RightsOf(method), Role::kOps)) << method;
    }
    // Agents and channels do not operate.
    if (method.find("OperationsService") != std::string::npos) {
      EXPECT_FALSE(MayCall(RightsOf(method), Role::kAgent)) << method;
      EXPECT_FALSE(MayCall(RightsOf(method), Role::kChannel)) << method;
    }
    if (personal.contains(name)) {
      EXPECT_EQ(RightsOf(method)->touch, Touch::kView) << method;
    }
  }
  EXPECT_FALSE(MayCall(RightsOf("/hilo.v1.CatalogueService/ApplyCatalogue"), Role::kAgent));
  EXPECT_TRUE(MayCall(RightsOf("/hilo.v1.CatalogueService/ApplyCatalogue"), Role::kAdmin));
}

}  // namespace
}  // namespace hilo::serving
