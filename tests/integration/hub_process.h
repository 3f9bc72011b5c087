#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/clock.h"
#include "ops/hilo/client.h"
#include "ops/hilod/process.h"
#include "ops/hilod/settings.h"
#include "streams/command/command.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::testing {

inline constexpr char kAgentToken[] = "agent-token-0123456789";
inline constexpr char kAdminToken[] = "admin-token-0123456789";
inline constexpr char kOpsToken[] = "ops-token-0123456789";
inline constexpr char kChannelToken[] = "channel-token-0123456789";
// An agent who sees only the customers whose calls are at them, and a supervisor of another space.
inline constexpr char kAssignedToken[] = "assigned-token-0123456789";
inline constexpr char kForeignToken[] = "foreign-token-0123456789";

struct HttpAnswer {
  int status = 0;
  std::string head;
  std::string body;
};

// A whole node in this process, on ports of its own and a directory that goes with it.
class HubProcess {
 public:
  HubProcess() {
    std::string principals = "principals:\n";
    for (const auto& [name, role, token] :
         {std::tuple{"marta", "agent", kAgentToken}, std::tuple{"ada", "admin", kAdminToken},
          std::tuple{"olga", "ops", kOpsToken},
          std::tuple{"shopsystem", "channel", kChannelToken}}) {
      WriteSecret(directory_.Sub(name), token);
      principals += std::string("  - {name: ") + name + ", role: " + role +
                    (std::string(role) == "agent" ? ", agent: marta" : "") +
                    ", token_file: " + directory_.Sub(name) + "}\n";
    }
    WriteSecret(directory_.Sub("rita"), kAssignedToken);
    WriteSecret(directory_.Sub("frank"), kForeignToken);
    principals += "  - {name: rita, role: agent, agent: rita, customers: assigned, token_file: " +
                  directory_.Sub("rita") +
                  "}\n  - {name: frank, role: supervisor, space: elsewhere, token_file: " +
                  directory_.Sub("frank") + "}\n";
    WriteSecret(directory_.Sub("principals.yaml"), principals);
    settings_.data_directory = directory_.Sub("data");
    settings_.master_key_file = directory_.Sub("master.key");
    settings_.principals_file = directory_.Sub("principals.yaml");
    settings_.default_region = "ES";
    settings_.http_port = 0;
    settings_.grpc_address = "127.0.0.1:0";
    settings_.grpc_reflection = true;
    settings_.log_format = "json";
    settings_.sources.push_back(
        {.name = "shop", .write_key = "wk-shop", .origins = {}, .default_region = "ES"});
    settings_.sources.push_back(
        {.name = "switch", .write_key = "wk-switch", .origins = {}, .default_region = "ES"});
    Start();
  }

  void Start() {
    auto process = hilod::Process::Start(settings_);
    HILO_CHECK(process.ok(), "the settings above are right");
    process_ = *std::move(process);
  }
  void Stop() { process_.reset(); }

  const std::string& data_directory() const { return settings_.data_directory; }
  std::string grpc_address() const { return "127.0.0.1:" + std::to_string(process_->GrpcPort()); }
  std::unique_ptr<cli::Client> Client(const std::string& token, int timeout_seconds = 10) const {
    return cli::Client::Create({.server = grpc_address(),
                                .token = token,
                                .ca_file = "",
                                .timeout_seconds = timeout_seconds});
  }

  HttpAnswer Http(const std::string& method, const std::string& path,
                  const std::vector<std::string>& headers, const std::string& body) const {
    std::string request = method + " " + path +
                          " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: " +
                          std::to_string(body.size()) + "\r\n";
    for (const std::string& header : headers) request += header + "\r\n";
    request += "\r\n" + body;
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(process_->HttpPort());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    HILO_CHECK(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0,
               "the hub listens");
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t n = ::send(socket, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    std::string answer;
    char buffer[4096];
    for (ssize_t n; (n = ::recv(socket, buffer, sizeof buffer, 0)) > 0;)
      answer.append(buffer, static_cast<size_t>(n));
    ::close(socket);
    HttpAnswer parsed;
    const size_t end = answer.find("\r\n\r\n");
    if (answer.size() > 12) parsed.status = std::atoi(answer.c_str() + 9);
    if (end != std::string::npos) {
      parsed.head = answer.substr(0, end);
      parsed.body = answer.substr(end + 4);
    }
    return parsed;
  }

  // A unary call by the Connect protocol.
  HttpAnswer Connect(const std::string& method, const std::string& token,
                     const std::string& json) const {
    return Http("POST", method,
                {"Authorization: Bearer " + token, "Connect-Protocol-Version: 1",
                 "Content-Type: application/json"},
                json);
  }

  // Asks again until `done`, for what follows an append within milliseconds; at most half a minute.
  template <typename Function>
  static bool Eventually(const Function& done) {
    const SystemClock clock;
    for (const MonotonicTime end = clock.Monotonic() + std::chrono::seconds(30);
         clock.Monotonic() < end;) {
      if (done()) return true;
    }
    return false;
  }

  static std::string NewRequestId() { return command::NewRequestId(SystemClock().Wall()).Hex(); }

 private:
  static void WriteSecret(const std::string& path, const std::string& text) {
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
  }

  TemporaryDirectory directory_;
  hilod::Settings settings_;
  std::unique_ptr<hilod::Process> process_;
};

}  // namespace hilo::testing
