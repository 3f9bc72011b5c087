#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <memory>
#include <string>

#include "ops/base/status.h"

namespace hilo::cli {

// Calls a hub by gRPC, one call after the other.
// **Errors**: the server's, with its reason. **Threads**: confined to one thread, except Interrupt.
class Client {
 public:
  struct Options {
    std::string server = "127.0.0.1:8081";
    std::string token;
    std::string ca_file;  // empty: plain text
    int timeout_seconds = 10;
  };
  static std::unique_ptr<Client> Create(const Options& options);
  virtual ~Client() = default;

  // "/hilo.v1.CustomerService/GetContext"
  virtual Status Call(const std::string& method, const google::protobuf::Message& request,
                      google::protobuf::Message* response) = 0;
  // Calls `on_message` for each message until the stream ends or it returns false. `response` is
  // reused.
  virtual Status Stream(const std::string& method, const google::protobuf::Message& request,
                        google::protobuf::Message* response,
                        const std::function<bool()>& on_message) = 0;
  // Ends a stream early; safe in a signal's thread.
  virtual void Interrupt() = 0;
};

// The process's exit code for an error: one per class of failure.
//   0 ok, 1 other, 2 wrong use, 3 not found, 4 not permitted, 5 unavailable or out of time, 6
//   refused as invalid, 7 conflict
int ExitCode(const Status& status);

}  // namespace hilo::cli
