#include "connectors/serving/connect_gateway.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/util/json_util.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "connectors/serving/wire_error.h"
#include "ops/base/check.h"

namespace hilo::serving {
namespace {

using google::protobuf::Message;

constexpr int kMaxMessageDepth = 32;
constexpr size_t kMaxMessageBytes = 1 << 20;
constexpr size_t kEnvelopeBytes = 5;
constexpr char kEndOfStream = 2;
constexpr char kCompressed = 1;

http::Headers JsonHeaders() {
  return {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}};
}

http::Response ErrorResponse(const Status& status) {
  return {ConnectHttpStatus(status.code()), JsonHeaders(), ConnectErrorJson(status)};
}

// The form of refusals that the HTTP server itself makes on a Connect route.
http::Response WriteRefusal(const http::Refusal& refusal, const std::string&) {
  StatusCode code = StatusCode::kInvalidArgument;
  if (refusal.status == 413) code = StatusCode::kResourceExhausted;
  if (refusal.status >= 500) code = StatusCode::kUnavailable;
  http::Response response = ErrorResponse(Error(code, refusal.code, refusal.message));
  response.status = refusal.status;
  for (const auto& field : refusal.headers) response.headers.Add(field.name, field.value);
  return response;
}

Status ParseInto(const std::string& bytes, bool json, Message& message) {
  if (json) {
    if (bytes.empty()) return OkStatus();
    const auto parsed = google::protobuf::util::JsonStringToMessage(bytes, &message);
    if (parsed.ok()) return OkStatus();
    return Error(StatusCode::kInvalidArgument, "json_parse",
                 "the body is no JSON form of " + message.GetDescriptor()->full_name());
  }
  google::protobuf::io::ArrayInputStream array(bytes.data(), static_cast<int>(bytes.size()));
  google::protobuf::io::CodedInputStream input(&array);
  input.SetRecursionLimit(kMaxMessageDepth);
  if (message.ParseFromCodedStream(&input) && input.ConsumedEntireMessage()) return OkStatus();
  return Error(StatusCode::kInvalidArgument, "proto_parse",
               "the request is no message of this method's type");
}

std::string Print(const Message& message, bool json) {
  if (!json) return message.SerializeAsString();
  std::string text;
  // Every message of ours can be printed; a failure would be a bug and shows as an empty body,
  // which no client accepts.
  (void)google::protobuf::util::MessageToJsonString(message, &text);
  return text;
}

std::string Envelope(char flags, const std::string& payload) {
  std::string bytes(1, flags);
  for (int shift = 24; shift >= 0; shift -= 8)
    bytes.push_back(static_cast<char>(payload.size() >> shift));
  return bytes + payload;
}

std::string EndOfStream(const Status& status) {
  return Envelope(kEndOfStream,
                  status.ok() ? "{}" : "{\"error\":" + ConnectErrorJson(status) + "}");
}

// `Connect-Timeout-Ms`, 1 to 10 digits. An error when it is there and malformed.
StatusOr<std::optional<std::chrono::microseconds>> TimeoutOf(const http::Request& request) {
  const auto text = request.headers.Find("Connect-Timeout-Ms");
  if (!text) return std::optional<std::chrono::microseconds>();
  if (text->empty() || text->size() > 10) {
    return Error(StatusCode::kInvalidArgument, "bad_timeout",
                 "Connect-Timeout-Ms is 1 to 10 digits");
  }
  int64_t millis = 0;
  for (const char c : *text) {
    if (c < '0' || c > '9')
      return Error(StatusCode::kInvalidArgument, "bad_timeout",
                   "Connect-Timeout-Ms is 1 to 10 digits");
    millis = millis * 10 + (c - '0');
  }
  return std::optional<std::chrono::microseconds>(std::chrono::milliseconds(millis));
}

Status CheckOrigin(const http::Request& request) {
  const auto version = request.headers.Find("Connect-Protocol-Version");
  if (!version || *version != "1") {
    return Error(StatusCode::kPermissionDenied, "csrf", "send 'Connect-Protocol-Version: 1'");
  }
  const auto site = request.headers.Find("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") {
    return Error(StatusCode::kPermissionDenied, "csrf",
                 "a page of another origin may not call this");
  }
  return OkStatus();
}

StatusOr<Chain::Admitted> Admit(const Chain& chain, const std::string& method,
                                const http::Request& request) {
  HILO_RETURN_IF_ERROR(CheckOrigin(request));
  Chain::Incoming incoming;
  incoming.method = method;
  incoming.authorization = request.headers.Find("Authorization");
  HILO_ASSIGN_OR_RETURN(incoming.timeout, TimeoutOf(request));
  incoming.request_id = request.request_id;
  return chain.Admit(incoming);
}

void HandleUnary(const Chain& chain, const std::string& method,
                 const std::shared_ptr<http::Exchange>& exchange) {
  const http::Request& request = exchange->request();
  const std::string type = request.ContentType();
  const bool json = type == "application/json";
  if (!json && type != "application/proto") {
    exchange->Respond({415, {{"Accept-Post", "application/json, application/proto"}}, ""});
    return;
  }
  auto admitted = Admit(chain, method, request);
  if (!admitted.ok()) {
    exchange->Respond(ErrorResponse(admitted.status()));
    return;
  }
  std::unique_ptr<Message> message = admitted->endpoint->new_request();
  if (Status parsed = ParseInto(request.body, json, *message); !parsed.ok()) {
    chain.CountRefused(method, parsed);
    exchange->Respond(ErrorResponse(parsed));
    return;
  }
  chain.Run(*admitted, std::move(message),
            [exchange, json, endpoint = admitted->endpoint](Status status, AnyResponse response) {
              if (!status.ok()) {
                exchange->Respond(ErrorResponse(status));
                return;
              }
              std::string body;
              if (response.wire && !json) {
                body = *std::move(response.wire);
              } else {
                if (response.wire) {
                  response.message = endpoint->NewResponse();
                  HILO_CHECK(response.message->ParseFromString(*response.wire),
                             "what a handler serialised is of its method's type");
                }
                body = Print(*response.message, json);
              }
              exchange->Respond({200,
                                 {{"Content-Type", json ? "application/json" : "application/proto"},
                                  {"Cache-Control", "no-store"}},
                                 std::move(body)});
            });
}

// A Connect stream as a MessageSink.
class ConnectSink final : public MessageSink {
 public:
  ConnectSink(std::shared_ptr<http::StreamWriter> writer, bool json)
      : writer_(std::move(writer)), json_(json) {
    const std::weak_ptr<http::StreamWriter> weak = writer_;
    writer_->OnStopping([weak] {
      if (const auto writer = weak.lock()) {
        writer->Write(EndOfStream(Error(StatusCode::kUnavailable, "stopping",
                                        "this node stops; come back with the last resume token")));
        writer->End();
      }
    });
  }
  Result Send(const Message& message) override {
    switch (writer_->Write(Envelope(0, Print(message, json_)))) {
      case http::StreamWriter::Result::kQueued:
        return Result::kTaken;
      case http::StreamWriter::Result::kFull:
        return Result::kFull;
      case http::StreamWriter::Result::kClosed:
        break;
    }
    return Result::kClosed;
  }
  void Finish(const Status& status) override {
    writer_->Write(EndOfStream(status));
    writer_->End();
  }
  void OnWritable(std::function<void()> callback) override {
    writer_->OnWritable(std::move(callback));
  }
  void OnClosed(std::function<void()> callback) override { writer_->OnClosed(std::move(callback)); }

 private:
  const std::shared_ptr<http::StreamWriter> writer_;
  const bool json_;
};

// Exactly one envelope, not compressed.
StatusOr<std::string> OneEnvelope(const std::string& body) {
  if (body.size() < kEnvelopeBytes) {
    return Error(StatusCode::kUnimplemented, "one_message",
                 "a server stream's request is exactly one message");
  }
  if ((body[0] & kCompressed) != 0) {
    return Error(StatusCode::kInternal, "bad_envelope",
                 "a compressed message without a named compression");
  }
  size_t length = 0;
  for (size_t i = 1; i < kEnvelopeBytes; ++i)
    length = (length << 8) | static_cast<unsigned char>(body[i]);
  if (length > kMaxMessageBytes) {
    return Error(StatusCode::kResourceExhausted, "body_too_large",
                 "the message is larger than 1 MiB");
  }
  if (body.size() != kEnvelopeBytes + length) {
    return Error(StatusCode::kUnimplemented, "one_message",
                 "a server stream's request is exactly one message");
  }
  return body.substr(kEnvelopeBytes);
}

void HandleStream(const Chain& chain, const std::string& method,
                  const std::shared_ptr<http::Exchange>& exchange) {
  const http::Request& request = exchange->request();
  const std::string type = request.ContentType();
  const bool json = type == "application/connect+json";
  if (!json && type != "application/connect+proto") {
    exchange->Respond(
        {415, {{"Accept-Post", "application/connect+json, application/connect+proto"}}, ""});
    return;
  }
  auto writer = exchange->BeginStream(
      200, {{"Content-Type", type}, {"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
  if (writer == nullptr) return;
  auto sink = std::make_shared<ConnectSink>(std::move(writer), json);
  auto admitted = Admit(chain, method, request);
  if (!admitted.ok()) return sink->Finish(admitted.status());
  const auto payload = OneEnvelope(request.body);
  std::unique_ptr<Message> message = admitted->endpoint->new_request();
  Status parsed = payload.ok() ? ParseInto(*payload, json, *message) : payload.status();
  if (!parsed.ok()) {
    chain.CountRefused(method, parsed);
    return sink->Finish(parsed);
  }
  chain.Run(*admitted, std::move(message), std::move(sink));
}

}  // namespace

void AddConnectRoutes(const Chain& chain, const Endpoints& endpoints, http::Router& router) {
  for (const auto& [method, endpoint] : endpoints.All()) {
    http::RouteOptions options;
    options.max_body_bytes = kMaxMessageBytes + kEnvelopeBytes;
    options.max_inflated_bytes = options.max_body_bytes;
    options.answer_timeout =
        std::chrono::seconds(65);  // above Chain::kMaxDeadline, which answers first
    options.write_refusal = WriteRefusal;
    const bool stream = static_cast<bool>(endpoint.stream);
    router.Add("POST", method, options,
               [&chain, method = method, stream](std::shared_ptr<http::Exchange> exchange) {
                 stream ? HandleStream(chain, method, exchange)
                        : HandleUnary(chain, method, exchange);
               });
  }
}

}  // namespace hilo::serving
