#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/serving/call.h"
#include "ops/base/status.h"

namespace hilo::serving {

// Where a stream's messages go: a gRPC call, a Connect answer, or a test.
//
// **Guarantees**: bounded; messages arrive in order or not at all. **Threads**: thread-safe.
// **Lifetime**: shared; it may outlive the peer.
class MessageSink {
 public:
  enum class Result { kTaken, kFull, kClosed };
  virtual ~MessageSink() = default;
  // kFull: not taken; OnWritable tells when there is room.
  virtual Result Send(const google::protobuf::Message& message) = 0;
  // Ends the stream, ok or with an error. Only the first counts.
  virtual void Finish(const Status& status) = 0;
  // Runs once after each kFull.
  virtual void OnWritable(std::function<void()> callback) = 0;
  // Runs once, when the peer has gone away or the server stops.
  virtual void OnClosed(std::function<void()> callback) = 0;
};

// What a unary call is answered with: a message, or the bytes of one that is serialised already;
// neither when it failed.
struct AnyResponse {
  std::unique_ptr<google::protobuf::Message> message;
  std::optional<std::string> wire;
};
using AnyDone = std::function<void(Status, AnyResponse)>;

// Answers one typed call, once, on any thread.
template <typename Response>
class Reply {
 public:
  explicit Reply(AnyDone done) : done_(std::make_shared<AnyDone>(std::move(done))) {}
  void operator()(Response response) const {
    (*done_)(OkStatus(), {std::make_unique<Response>(std::move(response)), std::nullopt});
  }
  void operator()(Status status) const { (*done_)(std::move(status), {}); }
  // `wire` is a serialised Response.
  void Wire(std::string wire) const { (*done_)(OkStatus(), {nullptr, std::move(wire)}); }

 private:
  std::shared_ptr<AnyDone> done_;
};

// A method with its handler.
struct Endpoint {
  const google::protobuf::MethodDescriptor* method = nullptr;
  std::function<std::unique_ptr<google::protobuf::Message>()> new_request;
  std::unique_ptr<google::protobuf::Message> NewResponse() const;
  // Exactly one of the two.
  std::function<void(std::shared_ptr<Call>, std::unique_ptr<google::protobuf::Message>, AnyDone)>
      unary;
  std::function<void(std::shared_ptr<Call>, std::unique_ptr<google::protobuf::Message>,
                     std::shared_ptr<MessageSink>)>
      stream;
};

// All methods that this process serves, by full name. Built once, then immutable.
//
//   endpoints.Unary<GetContextRequest, GetContextResponse>("/hilo.v1.CustomerService/GetContext",
//   handler);
class Endpoints {
 public:
  template <typename Request, typename Response, typename Function>
  void Unary(std::string_view method, Function handler) {
    Endpoint endpoint = Begin<Request>(method);
    endpoint.unary = [handler = std::move(handler)](
                         std::shared_ptr<Call> call,
                         std::unique_ptr<google::protobuf::Message> request, AnyDone done) {
      handler(std::move(call), static_cast<const Request&>(*request),
              Reply<Response>(std::move(done)));
    };
    Add(method, std::move(endpoint));
  }
  template <typename Request, typename Function>
  void Stream(std::string_view method, Function handler) {
    Endpoint endpoint = Begin<Request>(method);
    endpoint.stream = [handler = std::move(handler)](
                          std::shared_ptr<Call> call,
                          std::unique_ptr<google::protobuf::Message> request,
                          std::shared_ptr<MessageSink> sink) {
      handler(std::move(call), static_cast<const Request&>(*request), std::move(sink));
    };
    Add(method, std::move(endpoint));
  }

  // nullptr when unknown.
  const Endpoint* Find(std::string_view method) const;
  const std::map<std::string, Endpoint, std::less<>>& All() const { return endpoints_; }

 private:
  template <typename Request>
  static Endpoint Begin(std::string_view method) {
    Endpoint endpoint;
    endpoint.new_request = [] { return std::make_unique<Request>(); };
    return endpoint;
  }
  void Add(std::string_view method, Endpoint endpoint);

  std::map<std::string, Endpoint, std::less<>> endpoints_;
};

// Refuses what a request must not hold: unknown fields and enum values, by path. `unknown_field`
// (invalid_argument).
Status CheckKnown(const google::protobuf::Message& message);

}  // namespace hilo::serving
