#include "connectors/serving/grpc_server.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/proto_buffer_writer.h>

#include <algorithm>
#include <charconv>
#include <deque>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "connectors/serving/health_watch.h"
#include "connectors/serving/reflection.h"
#include "connectors/serving/wire_error.h"
#include "ops/base/mutex.h"

namespace hilo::serving {
namespace {

using google::protobuf::Message;

// Deeper messages than any of ours are an attack on the parser's stack.
constexpr int kMaxMessageDepth = 32;
// Bounds of HTTP/2 against peers that mean ill; origin: reliability of gRPC 1.51 in the open.
constexpr int kMaxConcurrentStreams = 100;
constexpr int kMaxMetadataBytes = 8 << 10;
constexpr int kMinPingIntervalMillis = 20'000;
constexpr std::chrono::seconds kStopGrace{5};

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const google::rpc::Status wire = WireStatus(status);
  return grpc::Status(static_cast<grpc::StatusCode>(wire.code()), wire.message(),
                      wire.SerializeAsString());
}

Status ParseMessage(grpc::ByteBuffer& buffer, Message& message) {
  grpc::ProtoBufferReader reader(&buffer);
  google::protobuf::io::CodedInputStream input(&reader);
  input.SetRecursionLimit(kMaxMessageDepth);
  if (!message.ParseFromCodedStream(&input) || !input.ConsumedEntireMessage()) {
    return Error(StatusCode::kInvalidArgument, "proto_parse",
                 "the request is no message of this method's type");
  }
  return OkStatus();
}

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer ToBuffer(const Message& message) {
  // Serialised where it is sent from.
  grpc::Slice slice(message.ByteSizeLong());
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  return grpc::ByteBuffer(&slice, 1);
}

Status Stopping() {
  return Error(StatusCode::kUnavailable, "stopping",
               "this node stops; come back with the last resume token");
}

// Sends the string's own memory.
grpc::ByteBuffer TakeBuffer(std::string bytes) {
  auto* held = new std::string(std::move(bytes));
  grpc::Slice slice(
      held->data(), held->size(), [](void* string) { delete static_cast<std::string*>(string); },
      held);
  return grpc::ByteBuffer(&slice, 1);
}

// One outstanding operation of the completion queue; it deletes itself when it has run.
class Operation {
 public:
  explicit Operation(std::function<void(bool)> run) : run_(std::move(run)) {}
  void Complete(bool ok) {
    run_(ok);
    delete this;
  }

 private:
  std::function<void(bool)> run_;
};

class ServerCall;

// The state that calls share.
struct Shared {
  Shared(const Chain& to, const Endpoints& endpoints, bool reflect)
      : chain(to), reflection(endpoints), offer_reflection(reflect), health(endpoints) {}
  const Chain& chain;
  const Reflection reflection;
  const bool offer_reflection;
  HealthWatch health;
  grpc::AsyncGenericService service;
  std::unique_ptr<grpc::ServerCompletionQueue> queue;
  Mutex mutex;
  std::set<ServerCall*> open HILO_GUARDED_BY(mutex);
  bool stopping HILO_GUARDED_BY(mutex) = false;
  // The queue takes nothing any more: an answer that comes later has nowhere to go.
  bool shut HILO_GUARDED_BY(mutex) = false;
};

// One call from its request to its end. Operations hold it alive, and so does its handler, which
// may answer a call that was given up after the server has stopped.
class ServerCall final : public std::enable_shared_from_this<ServerCall> {
 public:
  explicit ServerCall(std::shared_ptr<Shared> shared)
      : shared_(std::move(shared)), stream_(&context_) {}
  ~ServerCall() {
    MutexLock lock(shared_->mutex);
    shared_->open.erase(this);
  }

  static void Await(const std::shared_ptr<Shared>& shared) {
    auto call = std::make_shared<ServerCall>(shared);
    MutexLock lock(shared->mutex);
    if (shared->stopping) return;
    call->context_.AsyncNotifyWhenDone(new Operation([call](bool) { call->OnDone(); }));
    shared->service.RequestCall(&call->context_, &call->stream_, shared->queue.get(),
                                shared->queue.get(),
                                new Operation([call](bool ok) { call->OnCall(ok); }));
  }

  // Ends the call if it is a stream: a unary call is waited for.
  void StopStream() HILO_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (!streams_) return;
    }
    FinishStream(Stopping());
  }

  // Ends a stream from the outside.
  void FinishStream(const Status& status) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (finished_) return;
    if (!final_) final_ = status;
    Pump();
  }

  MessageSink::Result Send(const Message& message) { return Send(ToBuffer(message)); }
  MessageSink::Result Send(grpc::ByteBuffer buffer) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (closed_ || finished_ || final_) return MessageSink::Result::kClosed;
    if (!waiting_.empty() && (waiting_.size() >= GrpcServer::kMaxQueuedMessages ||
                              waiting_bytes_ + buffer.Length() > GrpcServer::kMaxQueuedBytes)) {
      refused_ = true;
      return MessageSink::Result::kFull;
    }
    waiting_bytes_ += buffer.Length();
    waiting_.push_back(std::move(buffer));
    Pump();
    return MessageSink::Result::kTaken;
  }

  void OnWritable(std::function<void()> callback) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    on_writable_ = std::move(callback);
  }

  void OnClosed(std::function<void()> callback) HILO_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      if (!closed_) {
        on_closed_ = std::move(callback);
        return;
      }
    }
    callback();
  }

 private:
  class Sink final : public MessageSink {
   public:
    explicit Sink(std::shared_ptr<ServerCall> call) : call_(std::move(call)) {}
    Result Send(const Message& message) override { return call_->Send(message); }
    void Finish(const Status& status) override { call_->FinishStream(status); }
    void OnWritable(std::function<void()> callback) override {
      call_->OnWritable(std::move(callback));
    }
    void OnClosed(std::function<void()> callback) override { call_->OnClosed(std::move(callback)); }

   private:
    const std::shared_ptr<ServerCall> call_;
  };

  // Starts an operation with the tag that runs `then` when it has ended; once the queue is shut,
  // neither happens.
  template <typename Start>
  void Begin(std::function<void(bool)> then, const Start& start) HILO_EXCLUDES(shared_->mutex) {
    MutexLock lock(shared_->mutex);
    if (!shared_->shut) start(new Operation(std::move(then)));
  }

  void Read(std::function<void(bool)> then) {
    Begin(std::move(then), [this](void* tag) { stream_.Read(&incoming_, tag); });
  }
  void WriteAndFinish(const grpc::ByteBuffer& buffer) {
    Begin([self = shared_from_this()](bool) { self->OnFinished(); },
          [&](void* tag) {
            stream_.WriteAndFinish(buffer, grpc::WriteOptions(), grpc::Status::OK, tag);
          });
  }

  void OnCall(bool ok) {
    if (!ok) return;  // the server stops
    Await(shared_);
    {
      MutexLock lock(shared_->mutex);
      shared_->open.insert(this);
    }
    const auto self = shared_from_this();
    if (shared_->offer_reflection && Reflection::IsMethod(context_.method())) {
      reflection_ = true;
      Read([self](bool more) { self->OnQuestion(more); });
      return;
    }
    if (HealthWatch::IsMethod(context_.method())) {
      Read([self](bool more) { self->OnHealthQuestion(more); });
      return;
    }
    Chain::Incoming incoming;
    incoming.method = context_.method();
    const auto& metadata = context_.client_metadata();
    if (const auto found = metadata.find("authorization"); found != metadata.end()) {
      incoming.authorization = std::string_view(found->second.data(), found->second.size());
    }
    if (context_.deadline() != std::chrono::system_clock::time_point::max()) {
      incoming.timeout = std::chrono::duration_cast<std::chrono::microseconds>(
          context_.deadline() - std::chrono::system_clock::now());
    }
    incoming.request_id = NextRequestId();
    context_.AddInitialMetadata("x-request-id", incoming.request_id);
    auto admitted = shared_->chain.Admit(incoming);
    if (!admitted.ok()) return FinishCall(admitted.status());
    admitted_ = *std::move(admitted);
    {
      MutexLock lock(mutex_);
      call_ = admitted_.call;
      if (closed_) call_->Cancel();
    }
    Read([self](bool more) { self->OnRequest(more); });
  }

  void OnRequest(bool ok) {
    if (!ok) {
      const Status status = Error(StatusCode::kInvalidArgument, "request_missing",
                                  "the call ended before its request came");
      shared_->chain.CountRefused(context_.method(), status);
      return FinishCall(status);
    }
    std::unique_ptr<Message> request = admitted_.endpoint->new_request();
    if (Status parsed = ParseMessage(incoming_, *request); !parsed.ok()) {
      shared_->chain.CountRefused(context_.method(), parsed);
      return FinishCall(parsed);
    }
    incoming_.Clear();
    const auto self = shared_from_this();
    if (admitted_.endpoint->stream) {
      if (!BeginStream()) return;
      shared_->chain.Run(admitted_, std::move(request), std::make_shared<Sink>(self));
      return;
    }
    shared_->chain.Run(admitted_, std::move(request), [self](Status status, AnyResponse response) {
      if (!status.ok()) return self->FinishCall(status);
      self->WriteAndFinish(response.wire ? TakeBuffer(*std::move(response.wire))
                                         : ToBuffer(*response.message));
    });
  }

  // False when the node stops: the stream is ended.
  bool BeginStream() HILO_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      streams_ = true;
    }
    {
      MutexLock lock(shared_->mutex);
      if (!shared_->stopping) return true;
    }
    FinishStream(Stopping());
    return false;
  }

  std::string IncomingBytes() const {
    std::vector<grpc::Slice> slices;
    std::string bytes;
    if (incoming_.Dump(&slices).ok()) {
      for (const grpc::Slice& slice : slices)
        bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return bytes;
  }

  void OnHealthQuestion(bool asked) HILO_EXCLUDES(mutex_) {
    const auto self = shared_from_this();
    const auto service = asked ? HealthWatch::ServiceOf(IncomingBytes()) : std::nullopt;
    if (!service) {
      return FinishCall(
          Error(StatusCode::kInvalidArgument, "proto_parse", "the question cannot be read"));
    }
    if (context_.method() == HealthWatch::kCheck) {
      const auto answer = shared_->health.Check(*service);
      if (!answer) {
        return FinishCall(
            Error(StatusCode::kNotFound, "service_unknown", "this server has no such service"));
      }
      return WriteAndFinish(ToBuffer(*answer));
    }
    if (!BeginStream()) return;
    const auto watcher =
        shared_->health.Watch(*service, [weak = weak_from_this()](const std::string& answer) {
          const auto call = weak.lock();
          if (call && call->Send(ToBuffer(answer)) == MessageSink::Result::kFull)
            call->FinishStream(Error(StatusCode::kResourceExhausted, "reader_too_slow",
                                     "the watcher does not read; begin anew"));
        });
    if (!watcher) {
      return FinishStream(Error(StatusCode::kResourceExhausted, "too_many_streams",
                                "this node's health is watched by as many as may"));
    }
    OnClosed([shared = shared_, watcher = *watcher] { shared->health.Unwatch(watcher); });
  }

  // Reflection: a question, its answer, the next question.
  void OnQuestion(bool more) {
    const auto self = shared_from_this();
    if (!more) return FinishCall(OkStatus());
    const std::optional<std::string> answer = shared_->reflection.Answer(IncomingBytes());
    if (!answer)
      return FinishCall(
          Error(StatusCode::kInvalidArgument, "proto_parse", "the question cannot be read"));
    Begin(
        [self](bool ok) {
          if (ok) self->Read([self](bool again) { self->OnQuestion(again); });
        },
        [&](void* tag) { stream_.Write(ToBuffer(*answer), tag); });
  }

  void FinishCall(const Status& status) {
    Begin([self = shared_from_this()](bool) { self->OnFinished(); },
          [&](void* tag) { stream_.Finish(ToGrpc(status), tag); });
  }

  void OnFinished() {
    MutexLock lock(mutex_);
    finished_ = true;
  }

  // The call is over: finished, cancelled, or its peer is gone.
  void OnDone() HILO_EXCLUDES(mutex_) {
    std::function<void()> closed;
    std::shared_ptr<Call> call;
    {
      MutexLock lock(mutex_);
      closed_ = true;
      closed = std::exchange(on_closed_, nullptr);
      on_writable_ = nullptr;
      waiting_.clear();
      waiting_bytes_ = 0;
      call = call_;
    }
    if (call && context_.IsCancelled()) call->Cancel();
    if (closed) closed();
  }

  // Writes what waits, one message at a time, then the end.
  void Pump() HILO_REQUIRES(mutex_) {
    if (writing_ || finished_) return;
    const auto self = shared_from_this();
    if (!waiting_.empty()) {
      writing_ = true;
      grpc::ByteBuffer next = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= next.Length();
      Begin([self](bool ok) { self->OnWritten(ok); }, [&](void* tag) { stream_.Write(next, tag); });
    } else if (final_) {
      finished_ = true;
      Begin([self](bool) {}, [&](void* tag) { stream_.Finish(ToGrpc(*final_), tag); });
    }
  }

  void OnWritten(bool ok) HILO_EXCLUDES(mutex_) {
    std::function<void()> writable;
    {
      MutexLock lock(mutex_);
      writing_ = false;
      if (!ok) {
        closed_ = true;
        return;
      }
      Pump();
      if (refused_ && waiting_.size() <= GrpcServer::kMaxQueuedMessages / 2) {
        refused_ = false;
        writable = std::exchange(on_writable_, nullptr);
      }
    }
    if (writable) writable();
  }

  static std::string NextRequestId();

  const std::shared_ptr<Shared> shared_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer incoming_;
  Chain::Admitted admitted_;
  bool reflection_ = false;

  Mutex mutex_;
  std::shared_ptr<Call> call_ HILO_GUARDED_BY(mutex_);
  std::deque<grpc::ByteBuffer> waiting_ HILO_GUARDED_BY(mutex_);
  size_t waiting_bytes_ HILO_GUARDED_BY(mutex_) = 0;
  std::optional<Status> final_ HILO_GUARDED_BY(mutex_);
  bool streams_ HILO_GUARDED_BY(mutex_) = false;
  bool writing_ HILO_GUARDED_BY(mutex_) = false;
  bool finished_ HILO_GUARDED_BY(mutex_) = false;
  bool closed_ HILO_GUARDED_BY(mutex_) = false;
  bool refused_ HILO_GUARDED_BY(mutex_) = false;
  std::function<void()> on_writable_ HILO_GUARDED_BY(mutex_);
  std::function<void()> on_closed_ HILO_GUARDED_BY(mutex_);

  friend class GrpcServerOnQueue;
};

std::string ServerCall::NextRequestId() {
  static std::atomic<uint64_t> next{0};
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  char id[48] = {'g'};
  char* end = std::to_chars(id + 1, std::end(id), now, 16).ptr;
  *end++ = '-';
  end = std::to_chars(end, std::end(id), next.fetch_add(1, std::memory_order_relaxed), 16).ptr;
  return std::string(id, end);
}

StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(StatusCode::kNotFound, "grpc_listen", "'" + path + "' cannot be read");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class GrpcServerOnQueue final : public GrpcServer {
 public:
  GrpcServerOnQueue(const Chain& chain, const Endpoints& endpoints, bool reflection)
      : shared_(std::make_shared<Shared>(chain, endpoints, reflection)) {}
  ~GrpcServerOnQueue() override { Stop(); }

  Status Start(const Options& options) {
    grpc::ServerBuilder builder;
    std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
    if (!options.tls_certificate_file.empty()) {
      HILO_ASSIGN_OR_RETURN(std::string certificate, ReadFile(options.tls_certificate_file));
      HILO_ASSIGN_OR_RETURN(std::string key, ReadFile(options.tls_key_file));
      grpc::SslServerCredentialsOptions tls;
      tls.pem_key_cert_pairs.push_back({std::move(key), std::move(certificate)});
      credentials = grpc::SslServerCredentials(tls);
    }
    int port = 0;
    builder.AddListeningPort(options.address, credentials, &port);
    builder.SetMaxReceiveMessageSize(kMaxReceiveBytes);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxConcurrentStreams);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                               kMinPingIntervalMillis);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.RegisterAsyncGenericService(&shared_->service);
    shared_->queue = builder.AddCompletionQueue();
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return Error(StatusCode::kUnavailable, "grpc_listen",
                   "cannot listen on '" + options.address + "'; is the port taken?");
    }
    port_ = static_cast<uint16_t>(port);
    // A few calls wait at once, so that a burst does not wait for the thread to ask for the next.
    for (int i = 0; i < 32; ++i) ServerCall::Await(shared_);
    thread_ = std::thread([this] { Work(); });
    return OkStatus();
  }

  uint16_t Port() const override { return port_; }

  void SetServing(bool serving) override { shared_->health.SetServing(serving); }

  void Stop() override {
    if (server_ == nullptr) return;
    SetServing(false);
    std::vector<std::shared_ptr<ServerCall>> open;
    {
      MutexLock lock(shared_->mutex);
      shared_->stopping = true;
      for (ServerCall* call : shared_->open) {
        if (auto held = call->weak_from_this().lock()) open.push_back(std::move(held));
      }
    }
    for (const auto& call : open) call->StopStream();
    open.clear();
    server_->Shutdown(std::chrono::system_clock::now() + kStopGrace);
    {
      MutexLock lock(shared_->mutex);
      shared_->shut = true;
    }
    shared_->queue->Shutdown();
    thread_.join();
    server_.reset();
  }

 private:
  void Work() {
    void* tag = nullptr;
    bool ok = false;
    while (shared_->queue->Next(&tag, &ok)) static_cast<Operation*>(tag)->Complete(ok);
  }

  const std::shared_ptr<Shared> shared_;
  std::unique_ptr<grpc::Server> server_;
  std::thread thread_;
  uint16_t port_ = 0;
};

}  // namespace

StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Create(Options options, const Chain& chain,
                                                         const Endpoints& endpoints) {
  auto server = std::make_unique<GrpcServerOnQueue>(chain, endpoints, options.reflection);
  HILO_RETURN_IF_ERROR(server->Start(options));
  return server;
}

}  // namespace hilo::serving
