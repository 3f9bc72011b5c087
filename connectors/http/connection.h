#pragma once

// Before all others, see there.
#include "connectors/http/asio.h"

// clang-format off
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "connectors/http/loop.h"
#include "connectors/http/message.h"
#include "connectors/http/request_reader.h"
#include "connectors/http/stream.h"
// clang-format on

namespace hilo::http {

// One socket, from its acceptance to its end. **Threads**: confined to its loop's thread.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Shared& shared, std::shared_ptr<Loop> loop, tcp::socket socket,
             const tcp::endpoint& peer, std::string peer_key)
      : shared_(shared),
        loop_(*loop),
        weak_loop_(loop),
        socket_(std::move(socket)),
        timer_(loop->io()),
        peer_address_(peer.address().to_string()),
        peer_port_(peer.port()),
        peer_key_(std::move(peer_key)),
        reader_(shared.router, shared.limits) {}

  void Start();
  // The answer to request number `serial`; one that comes too late is dropped.
  void Answer(uint64_t serial, Response response);
  void AnswerStream(uint64_t serial, Response head, std::shared_ptr<StreamQueue> queue);
  void Abandon(uint64_t serial);
  void PumpStream(uint64_t serial);
  // Ends at once if nothing is under way, otherwise after the answer under way.
  void Stop();
  void Close();

 private:
  enum class State {
    kHandshake,  // TLS
    kIdle,       // no byte of the next request yet
    kHead,
    kBody,
    kHandling,   // the handler owes the answer
    kAnswering,  // the answer is being written
    kStreaming,
    kLingering,  // nothing more will be said
    kClosed,
  };
  using Write = void (Connection::*)();

  void Read();
  void OnRead(error_code error, size_t bytes);
  void Advance();
  void Dispatch();
  void Refuse(const Refusal& refusal, bool must_close);
  void WriteAnswer(Response response);
  // Writes all of out_, then calls `next`.
  void WriteOut(Write next);
  void OnWritten(error_code error, size_t bytes, Write next);
  void ContinueBody();
  void Pump();
  void EndExchange();
  void NextRequest();
  void Linger();
  void Swallow();
  void SetDeadline(std::chrono::milliseconds after);
  void ClearDeadline() { deadline_ = std::chrono::steady_clock::time_point::max(); }
  void ArmTimer();
  void OnDeadline();
  std::string_view unread() const {
    return std::string_view(in_).substr(in_taken_, in_end_ - in_taken_);
  }

  Shared& shared_;
  Loop& loop_;
  std::weak_ptr<Loop> weak_loop_;
  tcp::socket socket_;
  std::optional<ssl::stream<tcp::socket&>> tls_;
  asio::steady_timer timer_;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::time_point::max();
  std::chrono::steady_clock::time_point armed_ = std::chrono::steady_clock::time_point::max();
  const std::string peer_address_;
  const uint16_t peer_port_;
  const std::string peer_key_;

  State state_ = State::kHandshake;
  RequestReader reader_;
  // What came and is not yet taken is [in_taken_, in_end_); behind it a pending read may be
  // writing.
  std::string in_;
  size_t in_taken_ = 0;
  size_t in_end_ = 0;
  bool reading_ = false;
  bool peer_ended_ = false;  // it has sent its last byte
  std::string out_;
  size_t out_written_ = 0;
  std::string out_body_;  // follows out_, so that a large body is not copied
  bool writing_ = false;

  // Of the request under way.
  uint64_t serial_ = 0;
  std::chrono::steady_clock::time_point arrived_;
  std::string request_id_;
  int status_ = 0;
  bool keep_alive_ = true;
  bool end_after_write_ = false;  // the stream's last bytes are in out_
  bool chunked_ = false;
  std::shared_ptr<StreamQueue> stream_;
  size_t lingered_bytes_ = 0;
};

}  // namespace hilo::http
