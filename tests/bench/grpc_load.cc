#include "tests/bench/grpc_load.h"

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

namespace hilo::bench {
namespace {

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  grpc::Slice slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

struct Outstanding {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::GenericClientAsyncResponseReader> reader;
  grpc::ByteBuffer response;
  grpc::Status status;
  double began = 0;
};

// A call of the echo: taken, read, answered.
class Echo {
 public:
  Echo(grpc::AsyncGenericService& service, grpc::ServerCompletionQueue& queue,
       const std::string& answer)
      : service_(service), queue_(queue), answer_(answer), stream_(&context_) {
    service_.RequestCall(&context_, &stream_, &queue_, &queue_, this);
  }
  void Go(bool ok) {
    if (!ok || step_ == 2) {
      delete this;
    } else if (step_++ == 0) {
      new Echo(service_, queue_, answer_);
      stream_.Read(&request_, this);
    } else {
      stream_.WriteAndFinish(ToBuffer(answer_), grpc::WriteOptions(), grpc::Status::OK, this);
    }
  }

 private:
  grpc::AsyncGenericService& service_;
  grpc::ServerCompletionQueue& queue_;
  const std::string& answer_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter stream_;
  grpc::ByteBuffer request_;
  int step_ = 0;
};

}  // namespace

LoopResult Run(const ClosedLoop& loop) {
  grpc::ChannelArguments arguments;
  // A channel of its own, so that runs do not share one.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  const auto channel =
      grpc::CreateCustomChannel(loop.address, grpc::InsecureChannelCredentials(), arguments);
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  std::vector<Outstanding> calls(static_cast<size_t>(loop.outstanding));
  uint64_t sent = 0;
  const auto send = [&](Outstanding& call) {
    call.context = std::make_unique<grpc::ClientContext>();
    if (!loop.authorization.empty()) call.context->AddMetadata("authorization", loop.authorization);
    call.began = Seconds();
    call.reader = stub.PrepareUnaryCall(call.context.get(), loop.method,
                                        ToBuffer(loop.request(sent++)), &queue);
    call.reader->StartCall();
    call.reader->Finish(&call.response, &call.status, &call);
  };
  LoopResult result;
  const bool counted = loop.calls > 0;
  const double measured_from = Seconds() + (counted ? 0 : loop.warm_up_seconds);
  const double ends =
      counted ? std::numeric_limits<double>::infinity() : measured_from + loop.seconds;
  uint64_t bytes = 0;
  double last = measured_from;
  for (Outstanding& call : calls) send(call);
  void* tag = nullptr;
  bool ok = false;
  for (size_t open = calls.size(); open > 0 && queue.Next(&tag, &ok);) {
    Outstanding& call = *static_cast<Outstanding*>(tag);
    const bool refused = call.status.error_code() == grpc::StatusCode::UNAVAILABLE;
    result.refused += refused ? 1 : 0;
    if (!call.status.ok() && !refused) {
      std::fprintf(stderr, "bench: %s: %s\n", loop.method.c_str(),
                   call.status.error_message().c_str());
      std::exit(1);
    }
    const double now = Seconds();
    ++result.calls;
    if (!refused && call.began >= measured_from && now < ends) {
      result.latencies.Add(now - call.began);
      bytes += call.response.Length();
      last = now;
    }
    if (counted ? sent < loop.calls : now < ends) {
      send(call);
    } else {
      --open;
    }
  }
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  const auto count = static_cast<double>(result.latencies.size());
  result.per_second = count / (last - measured_from);
  result.response_bytes = count > 0 ? static_cast<size_t>(static_cast<double>(bytes) / count) : 0;
  return result;
}

void RunEcho(const std::string& address, size_t bytes) {
  const std::string answer(bytes, 'x');
  grpc::AsyncGenericService service;
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  builder.RegisterAsyncGenericService(&service);
  const auto queue = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  if (server == nullptr) std::exit(1);
  new Echo(service, *queue, answer);
  std::printf("listening\n");
  std::fflush(stdout);
  void* tag = nullptr;
  bool ok = false;
  while (queue->Next(&tag, &ok)) static_cast<Echo*>(tag)->Go(ok);
}

}  // namespace hilo::bench
