#include "connectors/serving/chain.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "connectors/serving/endpoints.h"
#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/desk_service.pb.h"
#include "ops/base/metric_names.h"

namespace hilo::serving {
namespace {

using std::chrono::seconds;

class ChainTest : public testing::Test {
 protected:
  ChainTest() {
    endpoints_.Unary<v1::GetContextRequest, v1::GetContextResponse>(
        "/hilo.v1.CustomerService/GetContext",
        [this](std::shared_ptr<Call> call, const v1::GetContextRequest& request,
               Reply<v1::GetContextResponse> reply) {
          seen_ = call;
          if (audits_) {
            ASSERT_TRUE(call->Audit("", "context").ok());
          }
          v1::GetContextResponse response;
          response.mutable_context()->mutable_customer()->set_name(request.customer());
          reply(std::move(response));
        });
  }

  Chain::Incoming Incoming(std::string_view method, std::string_view authorization) {
    Chain::Incoming incoming;
    incoming.method = method;
    if (!authorization.empty()) incoming.authorization = authorization;
    return incoming;
  }

  ManualClock clock_{WallTime(seconds(1'700'000'000))};
  Registry registry_;
  MemorySink sink_;
  LogOutput output_{LogOutput::Options{}, sink_, clock_, registry_};
  std::unique_ptr<Principals> principals_ =
      Principals::FromTokens({{"agent-token", {"marta", "Marta", Role::kAgent, "marta"}},
                              {"ops-token", {"olga", "Olga", Role::kOps, ""}},
                              {"foreign-token", {"frank", "", Role::kAdmin, "", "elsewhere"}}});
  Endpoints endpoints_;
  std::shared_ptr<Call> seen_;
  bool audits_ = true;
  Chain chain_{Chain::Options{endpoints_, *principals_, nullptr, clock_, registry_,
                              Logger(output_, "test")}};
};

TEST_F(ChainTest, RefusesEveryBadTokenWithOneText) {
  std::string text;
  for (const std::string& authorization :
       {std::string(), std::string("Bearer"), std::string("Bearer "),
        std::string("Basic agent-token"), std::string("Bearer wrong"),
        std::string("Bearer agent-token "), "Bearer " + std::string(10'000, 'x'),
        std::string("Bearer eyJhbGciOiJub25lIn0.e30.")}) {
    const auto admitted =
        chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", authorization));
    ASSERT_FALSE(admitted.ok()) << authorization.substr(0, 30);
    EXPECT_EQ(admitted.status().code(), StatusCode::kUnauthenticated);
    EXPECT_EQ(Reason(admitted.status()), "token_invalid");
    if (text.empty()) text = admitted.status().ToString();
    EXPECT_EQ(admitted.status().ToString(), text);
  }
}

TEST_F(ChainTest, AsksForTheTokenBeforeItTellsWhatExists) {
  EXPECT_EQ(Reason(chain_.Admit(Incoming("/hilo.v1.Nothing/There", "Bearer wrong")).status()),
            "token_invalid");
  EXPECT_EQ(Reason(chain_.Admit(Incoming("/hilo.v1.Nothing/There", "Bearer agent-token")).status()),
            "method_unknown");
}

TEST_F(ChainTest, DeniesByRole) {
  EXPECT_TRUE(
      chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", "bearer agent-token")).ok());
  EXPECT_EQ(Reason(chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", "Bearer ops-token"))
                       .status()),
            "not_permitted");
}

TEST_F(ChainTest, DeniesPrincipalsOfOtherSpacesEverything) {
  const Status denied =
      chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", "Bearer foreign-token"))
          .status();
  EXPECT_EQ(Reason(denied), "not_permitted");
  EXPECT_EQ(chain_.Admit(Incoming("/hilo.v1.Nothing/There", "Bearer foreign-token")).status(),
            denied);
}

TEST_F(ChainTest, BoundsDeadlines) {
  auto incoming = Incoming("/hilo.v1.CustomerService/GetContext", "Bearer agent-token");
  EXPECT_EQ(chain_.Admit(incoming)->call->deadline(), clock_.Monotonic() + Chain::kDefaultDeadline);
  incoming.timeout = std::chrono::hours(24 * 3'650);
  EXPECT_EQ(chain_.Admit(incoming)->call->deadline(), clock_.Monotonic() + Chain::kMaxDeadline);
  incoming.timeout = seconds(0);
  EXPECT_EQ(chain_.Admit(incoming).status().code(), StatusCode::kDeadlineExceeded);
}

TEST_F(ChainTest, RefusesUnknownFieldsAndCounts) {
  const auto admitted =
      chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", "Bearer agent-token"));
  ASSERT_TRUE(admitted.ok());
  auto request = std::make_unique<v1::GetContextRequest>();
  request->GetReflection()->MutableUnknownFields(request.get())->AddVarint(99, 1);
  Status answered;
  chain_.Run(*admitted, std::move(request),
             [&](Status status, auto) { answered = std::move(status); });
  EXPECT_EQ(Reason(answered), "unknown_field");
  EXPECT_NE(answered.message().find("#99"), absl::string_view::npos);
  EXPECT_EQ(registry_
                .Get(metric::kGrpcHandled,
                     {"unary", "hilo.v1.CustomerService", "GetContext", "InvalidArgument"})
                .Value(),
            1u);
  EXPECT_EQ(seen_, nullptr);
}

TEST_F(ChainTest, HandsOnTheCaller) {
  const auto admitted =
      chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", "Bearer agent-token"));
  auto request = std::make_unique<v1::GetContextRequest>();
  request->set_customer("customers/x");
  std::string name;
  chain_.Run(*admitted, std::move(request), [&](Status status, AnyResponse response) {
    ASSERT_TRUE(status.ok());
    name =
        static_cast<const v1::GetContextResponse&>(*response.message).context().customer().name();
  });
  EXPECT_EQ(name, "customers/x");
  ASSERT_NE(seen_, nullptr);
  EXPECT_EQ(seen_->principal().name, "marta");
}

TEST_F(ChainTest, WithholdsAViewThatWasNotAudited) {
  audits_ = false;
  const auto admitted =
      chain_.Admit(Incoming("/hilo.v1.CustomerService/GetContext", "Bearer agent-token"));
  Status answered;
  bool shown = true;
  chain_.Run(*admitted, std::make_unique<v1::GetContextRequest>(),
             [&](Status status, AnyResponse response) {
               answered = std::move(status);
               shown = response.message != nullptr || response.wire.has_value();
             });
  EXPECT_EQ(Reason(answered), "not_audited");
  EXPECT_FALSE(shown);
}

TEST(CheckKnown, NamesThePathOfAnUnknownEnumValue) {
  v1::FindCustomersRequest request;
  request.mutable_identifier()->set_kind(static_cast<v1::IdentifierKind>(77));
  const Status status = CheckKnown(request);
  EXPECT_EQ(Reason(status), "unknown_enum_value");
  EXPECT_NE(status.message().find("identifier.kind"), absl::string_view::npos);
}

}  // namespace
}  // namespace hilo::serving
