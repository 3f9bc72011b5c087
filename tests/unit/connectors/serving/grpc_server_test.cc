#include "connectors/serving/grpc_server.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hilo/v1/customer_service.pb.h"
#include "ops/base/metric_names.h"
#include "ops/base/status.h"

namespace hilo::serving {
namespace {

constexpr char kMethod[] = "/hilo.v1.CustomerService/GetContext";
using Request = v1::GetContextRequest;
using Response = v1::GetContextResponse;

// A server of one method, whose calls wait for the test's answer.
class GrpcServerTest : public testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "gRPC is not built with ThreadSanitizer: it does not see what orders the calls";
#endif
    endpoints_.Unary<Request, Response>(
        kMethod, [this](const std::shared_ptr<Call>& call, const Request&, Reply<Response> reply) {
          ASSERT_TRUE(call->Audit("", "context").ok());
          asked_.set_value(std::move(reply));
        });
    auto server = GrpcServer::Create({}, chain_, endpoints_);
    EXPECT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  // Asks with a deadline that passes before the test answers: the call is given up.
  Reply<Response> GivenUp() {
    grpc::GenericStub stub(grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->Port()),
                                               grpc::InsecureChannelCredentials()));
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer agent-token");
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
    grpc::CompletionQueue queue;
    grpc::Slice nothing;
    grpc::ByteBuffer answer;
    auto call = stub.PrepareUnaryCall(&context, kMethod, grpc::ByteBuffer(&nothing, 1), &queue);
    call->StartCall();
    grpc::Status status;
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    return asked_.get_future().get();
  }

  double Handled(std::string_view code) {
    return registry_
        .Get(metric::kGrpcHandled, {"unary", "hilo.v1.CustomerService", "GetContext", code})
        .Value();
  }

  ManualClock clock_{WallTime(std::chrono::seconds(1'700'000'000))};
  Registry registry_;
  MemorySink sink_;
  LogOutput output_{LogOutput::Options{}, sink_, clock_, registry_};
  std::unique_ptr<Principals> principals_ =
      Principals::FromTokens({{"agent-token", {"marta", "Marta", Role::kAgent, "marta"}}});
  Endpoints endpoints_;
  Chain chain_{Chain::Options{endpoints_, *principals_, nullptr, clock_, registry_,
                              Logger(output_, "test")}};
  std::promise<Reply<Response>> asked_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcServerTest, AnAnswerMayComeAfterTheServerHasStopped) {
  const Reply<Response> reply = GivenUp();
  server_->Stop();
  reply(Response());
  EXPECT_EQ(Handled("OK"), 1);
}

TEST_F(GrpcServerTest, AnErrorMayComeAfterTheServerIsGone) {
  const Reply<Response> reply = GivenUp();
  server_.reset();
  reply(Error(StatusCode::kDeadlineExceeded, "outcome_unknown", "too late"));
  EXPECT_EQ(Handled("DeadlineExceeded"), 1);
}

}  // namespace
}  // namespace hilo::serving
