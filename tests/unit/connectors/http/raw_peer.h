#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/http/server.h"

namespace hilo::http {

inline constexpr std::chrono::milliseconds kPatience{
    10'000};  // a test that waits longer has failed

// An answer as it stood on the wire.
struct RawAnswer {
  int status = 0;  // 0: the connection ended first
  Headers headers;
  std::string body;       // without chunks
  bool complete = false;  // the body came to its proper end

  // The "code" of this server's JSON errors.
  std::string Code() const;
};

// A peer that sends whatever bytes it is told to, well formed or not.
class RawPeer {
 public:
  // `receive_buffer` in bytes; 0 leaves the system's choice.
  explicit RawPeer(uint16_t port, int receive_buffer = 0);
  ~RawPeer();
  RawPeer(RawPeer&& other) noexcept;
  RawPeer& operator=(RawPeer&&) = delete;

  bool connected() const { return socket_ >= 0; }
  // False when the server no longer takes bytes.
  bool Send(std::string_view bytes);
  // Sends zeros until the server takes no more, or `max_bytes` are sent; says how many were.
  size_t SendUntilStuck(size_t max_bytes);
  // To the first answer that is none of the 100s, unless `interim` is wanted.
  RawAnswer Receive(bool interim = false, bool bodiless = false);
  // At least one more chunk's worth of whatever comes; empty at the end.
  std::string ReceiveSome();
  // Whether the server ends the connection (with a close or a reset) with nothing more to say.
  bool EndsNow(std::chrono::milliseconds patience = kPatience);
  void EndSending();
  // Vanishes with a reset.
  void Reset();

 private:
  bool Fill(std::chrono::milliseconds patience = kPatience);

  int socket_ = -1;
  bool reset_ = false;  // the end of the connection was no proper close
  std::string in_;
};

// Remembers what the server tells.
class RecordingObserver final : public Observer {
 public:
  struct Answered {
    std::string route;
    int status;
  };
  void OnRequest(std::string_view route, int status, double seconds) override;
  void OnRefused(std::string_view code) override;
  void OnConnections(size_t open) override;

  std::vector<Answered> answered() const;
  std::vector<std::string> refused() const;
  // Waits until the server has turned somebody away with this code.
  bool AwaitRefusal(std::string_view code) const;
  bool AwaitConnections(size_t open) const;
  // Waits until there have been connections and none is left.
  bool AwaitAllGone() const;
  bool AwaitAnswered(size_t count) const;

 private:
  template <typename Condition>
  bool Await(Condition condition) const;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<Answered> answered_;
  std::vector<std::string> refused_;
  size_t open_ = 0;
  bool had_connections_ = false;
};

// A request that every test server answers with its own body or "hello".
std::string Get(std::string_view path);
std::string Post(std::string_view path, std::string_view body, std::string_view more_headers = "");

// GET /hello, POST /echo, POST /small (10 bytes; 100 inflated).
Router EchoRouter();

// The server under test on a free port; fails the test when it does not start.
std::unique_ptr<Server> StartServer(Router router, ServerOptions options = {});

std::string Gzip(std::string_view text);

}  // namespace hilo::http
