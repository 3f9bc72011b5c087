#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "connectors/serving/chain.h"
#include "ops/base/status.h"

namespace hilo::serving {

// The gRPC server: every method of Endpoints through the Chain, health, and reflection (v1 and
// v1alpha) when asked for.
//
// Calls are taken generically and found by name, on one completion queue with one thread: measured
// faster on few cores than more of either. One message is written at a time per stream; what waits
// is bounded.
// **Errors**: Create fails with `grpc_listen`. **Threads**: Stop from any but its own.
// **Lifetime**: chain and endpoints outlive it.
class GrpcServer {
 public:
  static constexpr int kMaxReceiveBytes = 1 << 20;
  static constexpr size_t kMaxQueuedMessages = 256;
  static constexpr size_t kMaxQueuedBytes = 1 << 20;

  struct Options {
    std::string address = "127.0.0.1:0";
    std::string tls_certificate_file;  // both or neither
    std::string tls_key_file;
    bool reflection = false;
  };
  static StatusOr<std::unique_ptr<GrpcServer>> Create(Options options, const Chain& chain,
                                                      const Endpoints& endpoints);
  virtual ~GrpcServer() = default;
  virtual uint16_t Port() const = 0;
  // What health answers, for "" and every service.
  virtual void SetServing(bool serving) = 0;
  // Says NOT_SERVING, ends streams, lets unary calls finish for up to 5 s.
  virtual void Stop() = 0;
};

}  // namespace hilo::serving
