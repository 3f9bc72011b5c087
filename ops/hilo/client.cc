#include "ops/hilo/client.h"

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <sstream>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace hilo::cli {
namespace {

using google::protobuf::Message;

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return OkStatus();
  std::string reason;
  google::rpc::Status wire;
  if (wire.ParseFromString(status.error_details())) {
    google::rpc::ErrorInfo info;
    for (const auto& detail : wire.details()) {
      if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info))
        reason = LowerCase(info.reason());
    }
  }
  if (reason.empty())
    reason =
        status.error_code() == grpc::StatusCode::UNAVAILABLE ? "server_unreachable" : "unknown";
  return Error(static_cast<StatusCode>(status.error_code()), reason, status.error_message());
}

grpc::ByteBuffer ToBuffer(const Message& message) {
  grpc::Slice slice(message.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

bool FromBuffer(grpc::ByteBuffer& buffer, Message* message) {
  grpc::ProtoBufferReader reader(&buffer);
  return message->ParseFromZeroCopyStream(&reader);
}

class GrpcClient final : public Client {
 public:
  explicit GrpcClient(const Options& options) : options_(options) {
    std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
    if (!options.ca_file.empty()) {
      std::ifstream file(options.ca_file);
      std::ostringstream text;
      text << file.rdbuf();
      credentials = grpc::SslCredentials(
          {.pem_root_certs = text.str(), .pem_private_key = "", .pem_cert_chain = ""});
    }
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateChannel(options.server, credentials));
  }

  Status Call(const std::string& method, const Message& request, Message* response) override {
    grpc::ClientContext context;
    Prepare(context);
    context.set_deadline(std::chrono::system_clock::now() +
                         std::chrono::seconds(options_.timeout_seconds));
    grpc::CompletionQueue queue;
    auto call = stub_->PrepareUnaryCall(&context, method, ToBuffer(request), &queue);
    call->StartCall();
    grpc::ByteBuffer buffer;
    grpc::Status status;
    call->Finish(&buffer, &status, this);
    if (!Await(queue))
      return Error(StatusCode::kInternal, "client_failed", "the call did not complete");
    if (!status.ok()) return FromGrpc(status);
    return FromBuffer(buffer, response) ? OkStatus()
                                        : Error(StatusCode::kInternal, "answer_unreadable",
                                                "the server's answer cannot be read");
  }

  Status Stream(const std::string& method, const Message& request, Message* response,
                const std::function<bool()>& on_message) override {
    grpc::ClientContext context;
    Prepare(context);
    grpc::CompletionQueue queue;
    streaming_.store(&context);
    auto call = stub_->PrepareCall(&context, method, &queue);
    call->StartCall(this);
    bool going = Await(queue);
    if (going) {
      call->WriteLast(ToBuffer(request), grpc::WriteOptions(), this);
      going = Await(queue);
    }
    bool wanted = true;
    while (going && wanted) {
      grpc::ByteBuffer buffer;
      call->Read(&buffer, this);
      going = Await(queue);
      if (going) wanted = FromBuffer(buffer, response) && on_message();
    }
    if (!wanted) context.TryCancel();
    grpc::Status status;
    call->Finish(&status, this);
    Await(queue);
    streaming_.store(nullptr);
    const bool ours = !wanted || interrupted_.load();
    return ours && status.error_code() == grpc::StatusCode::CANCELLED ? OkStatus()
                                                                      : FromGrpc(status);
  }

  void Interrupt() override {
    interrupted_.store(true);
    if (grpc::ClientContext* context = streaming_.load()) context->TryCancel();
  }

 private:
  void Prepare(grpc::ClientContext& context) const {
    if (!options_.token.empty()) context.AddMetadata("authorization", "Bearer " + options_.token);
  }
  static bool Await(grpc::CompletionQueue& queue) {
    void* tag = nullptr;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  }

  const Options options_;
  std::unique_ptr<grpc::GenericStub> stub_;
  std::atomic<grpc::ClientContext*> streaming_{nullptr};
  std::atomic<bool> interrupted_{false};
};

}  // namespace

std::unique_ptr<Client> Client::Create(const Options& options) {
  return std::make_unique<GrpcClient>(options);
}

int ExitCode(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return 0;
    case StatusCode::kNotFound:
      return 3;
    case StatusCode::kUnauthenticated:
    case StatusCode::kPermissionDenied:
      return 4;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kResourceExhausted:
      return 5;
    case StatusCode::kInvalidArgument:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kOutOfRange:
      return 6;
    case StatusCode::kAlreadyExists:
    case StatusCode::kAborted:
      return 7;
    default:
      return 1;
  }
}

}  // namespace hilo::cli
