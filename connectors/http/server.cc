#include "connectors/http/server.h"

// clang-format off
// This is the one file of the tree that sees Asio. Boost 1.74's uses std::exchange without
// including this header, so it comes before all others.
#include <utility>
// clang-format on

#include <netinet/tcp.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <ctime>
#include <optional>
#include <random>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "connectors/http/request_reader.h"
#include "connectors/http/response_head.h"
#include "connectors/http/tls.h"
#include "ops/base/check.h"
#include "ops/base/clock.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"

namespace hilo::http {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr size_t kFirstReadBytes = 2 << 10;   // held by an idle connection
constexpr size_t kReadBytes = 16 << 10;       // while a request is coming
constexpr size_t kBodyReadBytes = 64 << 10;   // while its body is
constexpr size_t kMaxReadAhead = 32 << 10;    // taken from a peer that goes on while it is served
constexpr size_t kMaxLingerBytes = 16 << 20;  // swallowed after a refusal
constexpr size_t kChunksPerWrite = 64;
constexpr milliseconds kAcceptBackOff{100};
constexpr milliseconds kStopLinger{250};  // instead of linger_timeout once the server stops
constexpr int kBacklog = 4096;
constexpr std::string_view kContinueLine = "HTTP/1.1 100 Continue\r\n\r\n";

// What all connections of a server share. **Threads**: thread-safe.
class Shared {
 public:
  Shared(ServerOptions options, Router router)
      : router(std::move(router)), limits(options.limits), observer_(options.observer) {
    std::random_device random;
    for (int i = 0; i < 2; ++i) AppendHex(random(), 8, id_prefix_);
    id_prefix_ += '-';
  }

  std::string NewRequestId() {
    std::string id = id_prefix_;
    AppendHex(next_id_.fetch_add(1, std::memory_order_relaxed), 8, id);
    return id;
  }
  void Refused(std::string_view code) {
    if (observer_ != nullptr) observer_->OnRefused(code);
  }
  void Answered(std::string_view route, int status, double seconds) {
    if (observer_ != nullptr) observer_->OnRequest(route, status, seconds);
  }

  // Counts a connection in, unless that would be one too many.
  bool Admit(const std::string& peer) HILO_EXCLUDES(mutex_) {
    size_t open;
    {
      MutexLock lock(mutex_);
      if (open_ >= limits.max_connections) return false;
      size_t& of_peer = by_peer_[peer];
      if (of_peer >= limits.max_connections_per_peer) return false;
      ++of_peer;
      open = ++open_;
    }
    if (observer_ != nullptr) observer_->OnConnections(open);
    return true;
  }
  void Leave(const std::string& peer) HILO_EXCLUDES(mutex_) {
    size_t open;
    {
      MutexLock lock(mutex_);
      const auto of_peer = by_peer_.find(peer);
      HILO_CHECK(of_peer != by_peer_.end(), "who leaves was admitted");
      if (--of_peer->second == 0) by_peer_.erase(of_peer);
      open = --open_;
    }
    if (observer_ != nullptr) observer_->OnConnections(open);
  }

  const Router router;
  ServerLimits limits;
  std::optional<ssl::context> tls;
  const SystemClock clock;

 private:
  static void AppendHex(uint64_t number, int digits, std::string& out) {
    for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4) {
      out += "0123456789abcdef"[(number >> shift) & 15];
    }
  }

  Observer* const observer_;
  std::string id_prefix_;
  std::atomic<uint64_t> next_id_{1};
  Mutex mutex_;
  size_t open_ HILO_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, size_t> by_peer_ HILO_GUARDED_BY(mutex_);
};

class Connection;

// One thread's event loop and the connections that are confined to it.
// **Threads**: Post is thread-safe, all else belongs to the loop's thread.
// **Lifetime**: shared by the server and by every exchange that still owes an answer.
class Loop {
 public:
  explicit Loop(Shared& shared) : shared_(shared), io_(1), work_(io_.get_executor()), grace_(io_) {}

  // Runs `task` on the loop's thread, never before returning. After the loop has ended it does not
  // run and false comes back.
  template <typename Task>
  bool Post(Task task) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!open_) return false;
    asio::post(io_, std::move(task));
    return true;
  }
  void Run() HILO_EXCLUDES(mutex_) {
    io_.run();
    {
      MutexLock lock(mutex_);
      open_ = false;
    }
    // What was posted between the last of the work and the closing; none of it makes new work.
    io_.restart();
    io_.run();
  }

  void Add(std::shared_ptr<Connection> connection);
  void Remove(const std::shared_ptr<Connection>& connection);
  void Stop();
  bool stopping() const { return stopping_; }
  asio::io_context& io() { return io_; }
  // As in the Date header, computed once a second.
  std::string_view Date();

 private:
  Shared& shared_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  asio::steady_timer grace_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  bool stopping_ = false;
  std::time_t date_second_ = 0;
  std::string date_;
  Mutex mutex_;
  bool open_ HILO_GUARDED_BY(mutex_) = true;
};

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
  void SetDeadline(milliseconds after);
  void ClearDeadline() { deadline_ = steady_clock::time_point::max(); }
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
  steady_clock::time_point deadline_ = steady_clock::time_point::max();
  steady_clock::time_point armed_ = steady_clock::time_point::max();
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
  steady_clock::time_point arrived_;
  std::string request_id_;
  int status_ = 0;
  bool keep_alive_ = true;
  bool end_after_write_ = false;  // the stream's last bytes are in out_
  bool chunked_ = false;
  std::shared_ptr<StreamQueue> stream_;
  size_t lingered_bytes_ = 0;
};

// Carries an answer from any thread to the connection it is for.
class ConnectionSink final : public AnswerSink {
 public:
  ConnectionSink(std::shared_ptr<Loop> loop, std::weak_ptr<Connection> connection, uint64_t serial)
      : loop_(std::move(loop)), connection_(std::move(connection)), serial_(serial) {}

  void Send(Response response) override {
    Post([serial = serial_, response = std::move(response)](Connection& connection) mutable {
      connection.Answer(serial, std::move(response));
    });
  }
  void SendStream(Response head, std::shared_ptr<StreamQueue> queue) override {
    const bool posted =
        Post([serial = serial_, head = std::move(head), queue](Connection& connection) mutable {
          connection.AnswerStream(serial, std::move(head), std::move(queue));
        });
    if (!posted) queue->Close();
  }
  void Abandon() override {
    Post([serial = serial_](Connection& connection) { connection.Abandon(serial); });
  }

 private:
  template <typename Task>
  bool Post(Task task) {
    // The connection is only ever owned on its own thread, so it also dies there.
    return loop_->Post([connection = connection_, task = std::move(task)]() mutable {
      if (auto alive = connection.lock()) task(*alive);
    });
  }

  const std::shared_ptr<Loop> loop_;
  const std::weak_ptr<Connection> connection_;
  const uint64_t serial_;
};

// ---- Loop

void Loop::Add(std::shared_ptr<Connection> connection) {
  Connection& added = *connection;
  connections_.insert(std::move(connection));
  added.Start();
}

void Loop::Remove(const std::shared_ptr<Connection>& connection) {
  connections_.erase(connection);
  if (stopping_ && connections_.empty()) grace_.cancel();
}

void Loop::Stop() {
  if (stopping_) return;
  stopping_ = true;
  work_.reset();
  const std::vector<std::shared_ptr<Connection>> all(connections_.begin(), connections_.end());
  for (const auto& connection : all) connection->Stop();
  if (connections_.empty()) return;
  grace_.expires_after(shared_.limits.stop_grace);
  grace_.async_wait([this](error_code error) {
    if (error) return;
    const std::vector<std::shared_ptr<Connection>> left(connections_.begin(), connections_.end());
    for (const auto& connection : left) connection->Close();
  });
}

std::string_view Loop::Date() {
  const std::time_t now = std::chrono::system_clock::to_time_t(shared_.clock.Wall());
  if (now != date_second_) {
    date_second_ = now;
    std::tm parts{};
    gmtime_r(&now, &parts);
    // Not strftime: the names are English whatever the locale.
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    char text[64];
    std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[parts.tm_wday],
                  parts.tm_mday, kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
                  parts.tm_min, parts.tm_sec);
    date_ = text;
  }
  return date_;
}

// ---- Connection: beginning, end and time

void Connection::Start() {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  // A peer that vanished without a word is noticed by the bytes that it does not acknowledge.
  const auto stall = static_cast<unsigned>(shared_.limits.stall_timeout.count());
  setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &stall, sizeof stall);
  if (!shared_.tls) {
    NextRequest();
    return;
  }
  tls_.emplace(socket_, *shared_.tls);
  SetDeadline(shared_.limits.head_timeout);
  tls_->async_handshake(ssl::stream_base::server, [self = shared_from_this()](error_code error) {
    if (self->state_ == State::kClosed) return;
    if (error) {
      self->shared_.Refused("handshake_failed");
      self->Close();
    } else {
      self->NextRequest();
    }
  });
}

void Connection::Stop() {
  keep_alive_ = false;
  if (state_ == State::kIdle || state_ == State::kHandshake) {
    Close();
  } else if (state_ == State::kLingering) {
    SetDeadline(kStopLinger);
  } else if (stream_) {
    // Its owner may write and end at once, which only posts.
    stream_->Stop();
  }
}

void Connection::Close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();
  state_ = State::kClosed;
  error_code ignored;
  socket_.close(ignored);
  timer_.cancel();
  if (const auto stream = std::exchange(stream_, nullptr)) {
    stream->Close();
    shared_.Answered(reader_.pattern(), status_,
                     std::chrono::duration<double>(shared_.clock.Monotonic() - arrived_).count());
  }
  shared_.Leave(peer_key_);
  loop_.Remove(self);
}

void Connection::SetDeadline(milliseconds after) {
  deadline_ = shared_.clock.Monotonic() + after;
  // A deadline that moves away, as it mostly does, costs nothing: the timer notices when it fires.
  if (deadline_ < armed_) ArmTimer();
}

void Connection::ArmTimer() {
  armed_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = shared_from_this()](error_code error) {
    if (error || self->state_ == State::kClosed) return;
    self->armed_ = steady_clock::time_point::max();
    if (self->deadline_ == steady_clock::time_point::max()) return;
    if (self->shared_.clock.Monotonic() < self->deadline_) {
      self->ArmTimer();
    } else {
      self->ClearDeadline();
      self->OnDeadline();
    }
  });
}

void Connection::OnDeadline() {
  switch (state_) {
    case State::kHead:
      Refuse({408, "head_timeout", "The request's head took too long to come.", {}}, true);
      break;
    case State::kBody:
      if (writing_) {
        Close();  // it does not even take the "100 Continue"
      } else {
        Refuse({408, "body_timeout", "The request's body took too long to come.", {}}, true);
      }
      break;
    case State::kHandling:
      Refuse({504, "answer_timeout", "The answer took too long. It may still take effect.", {}},
             false);
      break;
    case State::kAnswering:
    case State::kStreaming:
      shared_.Refused("stalled");
      Close();
      break;
    case State::kHandshake:
      shared_.Refused("handshake_failed");
      Close();
      break;
    case State::kIdle:
    case State::kLingering:
    case State::kClosed:
      Close();
      break;
  }
}

// ---- Connection: reading

void Connection::Read() {
  if (reading_ || peer_ended_ || state_ == State::kClosed) return;
  if (unread().size() > kMaxReadAhead) return;
  reading_ = true;
  std::memmove(in_.data(), in_.data() + in_taken_, in_end_ - in_taken_);
  in_end_ -= std::exchange(in_taken_, 0);
  const size_t step = state_ == State::kIdle   ? kFirstReadBytes
                      : state_ == State::kBody ? kBodyReadBytes
                                               : kReadBytes;
  if (in_end_ == 0 && in_.size() > 2 * step) in_ = std::string();
  if (in_.size() < in_end_ + step) in_.resize(in_end_ + step);
  const auto buffer = asio::buffer(in_.data() + in_end_, step);
  auto done = [self = shared_from_this()](error_code error, size_t bytes) {
    self->reading_ = false;
    self->in_end_ += bytes;
    self->OnRead(error, bytes);
  };
  if (tls_ && state_ != State::kLingering) {
    tls_->async_read_some(buffer, std::move(done));
  } else {
    socket_.async_read_some(buffer, std::move(done));
  }
}

void Connection::OnRead(error_code error, size_t bytes) {
  if (state_ == State::kClosed) return;
  if (error) {
    // Half a close is no end for a request under way, whose answer can still be read; a stream's
    // reader, which has nothing more to say, leaves in this way.
    peer_ended_ = true;
    if (error == asio::error::eof && (state_ == State::kAnswering || state_ == State::kHandling)) {
      keep_alive_ = false;
    } else {
      Close();
    }
    return;
  }
  switch (state_) {
    case State::kIdle:
    case State::kHead:
    case State::kBody:
      Advance();
      break;
    case State::kLingering:
      lingered_bytes_ += bytes;
      in_taken_ = in_end_;
      if (lingered_bytes_ > kMaxLingerBytes) {
        Close();
      } else {
        Read();
      }
      break;
    case State::kStreaming:
      Read();
      break;
    case State::kHandshake:
    case State::kHandling:
    case State::kAnswering:
    case State::kClosed:
      break;
  }
}

void Connection::NextRequest() {
  reader_.Reset();
  if (loop_.stopping() && unread().empty()) {
    Close();
    return;
  }
  state_ = State::kIdle;
  SetDeadline(shared_.limits.idle_timeout);
  Advance();
}

void Connection::Advance() {
  if (state_ == State::kIdle && !unread().empty()) {
    state_ = State::kHead;
    arrived_ = shared_.clock.Monotonic();
    request_id_ = shared_.NewRequestId();
    ++serial_;
    keep_alive_ = true;
    SetDeadline(shared_.limits.head_timeout);
  }
  if (state_ == State::kIdle) {
    Read();
    return;
  }
  std::string_view input = unread();
  const RequestReader::Step step = reader_.Read(input);
  in_taken_ = in_end_ - input.size();
  if (state_ == State::kHead && reader_.InBody()) {
    state_ = State::kBody;
    SetDeadline(reader_.route()->options.body_timeout);
  }
  switch (step) {
    case RequestReader::Step::kNeedMore:
      Read();
      break;
    case RequestReader::Step::kContinue:
      out_ = kContinueLine;
      WriteOut(&Connection::ContinueBody);
      break;
    case RequestReader::Step::kRequest:
      Dispatch();
      break;
    case RequestReader::Step::kRefused:
      Refuse(reader_.refusal(), reader_.MustClose());
      break;
  }
}

void Connection::ContinueBody() { Read(); }

void Connection::Dispatch() {
  Request request = reader_.TakeRequest();
  request.peer_address = peer_address_;
  request.peer_port = peer_port_;
  request.secure = tls_.has_value();
  request.arrived = arrived_;
  request.request_id = request_id_;
  state_ = State::kHandling;
  SetDeadline(reader_.route()->options.answer_timeout);
  const std::shared_ptr<Loop> loop = weak_loop_.lock();
  HILO_CHECK(loop, "a connection lives in its loop");
  reader_.route()->handler(std::make_shared<Exchange>(
      std::move(request), std::make_unique<ConnectionSink>(loop, weak_from_this(), serial_)));
}

// ---- Connection: answering

void Connection::Refuse(const Refusal& refusal, bool must_close) {
  shared_.Refused(refusal.code);
  if (must_close) keep_alive_ = false;
  const Router::Route* route = reader_.route();
  WriteAnswer(route != nullptr && route->options.write_refusal
                  ? route->options.write_refusal(refusal, request_id_)
                  : JsonError(refusal, request_id_));
}

void Connection::Answer(uint64_t serial, Response response) {
  if (state_ != State::kHandling || serial != serial_) return;
  WriteAnswer(std::move(response));
}

void Connection::Abandon(uint64_t serial) {
  if (state_ != State::kHandling || serial != serial_) return;
  Refuse({500, "no_answer", "The request was taken in but nobody answered it.", {}}, false);
}

void Connection::WriteAnswer(Response response) {
  if (!IsWritable(response)) {
    shared_.Refused("bad_answer");
    response = JsonError({500, "bad_answer", "The answer could not be written.", {}}, request_id_);
  }
  state_ = State::kAnswering;
  status_ = response.status;
  if (!reader_.keep_alive() || loop_.stopping() || peer_ended_) keep_alive_ = false;
  const bool bodiless = reader_.is_head() || response.status == 204 || response.status == 304;
  ResponseFrame frame;
  frame.framing = bodiless ? BodyFraming::kNone : BodyFraming::kLength;
  frame.keep_alive = keep_alive_;
  frame.date = loop_.Date();
  frame.request_id = request_id_;
  out_ = WriteResponseHead(response, frame);
  if (!bodiless) {
    // One segment and one TLS record for what is small; no copy of what is large.
    if (response.body.size() <= kReadBytes) {
      out_ += response.body;
    } else {
      out_body_ = std::move(response.body);
    }
  }
  WriteOut(&Connection::EndExchange);
}

void Connection::WriteOut(Write next) {
  writing_ = true;
  if (state_ != State::kBody) SetDeadline(shared_.limits.stall_timeout);
  const std::string_view left = std::string_view(out_).substr(out_written_);
  auto done = [self = shared_from_this(), next](error_code error, size_t bytes) {
    self->OnWritten(error, bytes, next);
  };
  if (tls_) {
    tls_->async_write_some(asio::buffer(left.data(), left.size()), std::move(done));
  } else {
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(left.data(), left.size()),
                                                    asio::buffer(out_body_)};
    socket_.async_write_some(buffers, std::move(done));
  }
}

void Connection::OnWritten(error_code error, size_t bytes, Write next) {
  if (state_ == State::kClosed) return;
  if (error) {
    Close();
    return;
  }
  out_written_ += bytes;
  if (out_written_ >= out_.size() && !out_body_.empty()) {
    // What is left is the body, or a part of it.
    out_written_ -= out_.size();
    out_ = std::exchange(out_body_, std::string());
  }
  if (out_written_ < out_.size()) {
    WriteOut(next);
    return;
  }
  out_written_ = 0;
  writing_ = false;
  if (out_.capacity() > kReadBytes) out_ = std::string();
  out_.clear();
  (this->*next)();
}

void Connection::EndExchange() {
  shared_.Answered(reader_.pattern(), status_,
                   std::chrono::duration<double>(shared_.clock.Monotonic() - arrived_).count());
  if (keep_alive_) {
    NextRequest();
  } else {
    Linger();
  }
}

void Connection::Linger() {
  state_ = State::kLingering;
  SetDeadline(loop_.stopping() ? std::min(kStopLinger, shared_.limits.linger_timeout)
                               : shared_.limits.linger_timeout);
  in_taken_ = in_end_;
  if (!tls_) {
    Swallow();
    return;
  }
  // Says that the answer is whole. A peer that is still sending makes it fail, which is no harm.
  tls_->async_shutdown([self = shared_from_this()](error_code) {
    if (self->state_ != State::kClosed) self->Swallow();
  });
}

void Connection::Swallow() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_send, ignored);
  if (peer_ended_) {
    Close();
  } else {
    // Closing with bytes unread would reset the connection under the answer.
    Read();
  }
}

// ---- Connection: streams

void Connection::AnswerStream(uint64_t serial, Response head, std::shared_ptr<StreamQueue> queue) {
  if (state_ != State::kHandling || serial != serial_) {
    queue->Close();
    return;
  }
  if (!IsWritable(head) || reader_.is_head()) {
    queue->Close();
    head.body.clear();
    WriteAnswer(std::move(head));
    return;
  }
  state_ = State::kStreaming;
  status_ = head.status;
  stream_ = std::move(queue);
  chunked_ = reader_.minor_version() == 1;
  if (!chunked_ || loop_.stopping()) keep_alive_ = false;
  end_after_write_ = false;
  ResponseFrame frame;
  frame.framing = chunked_ ? BodyFraming::kChunked : BodyFraming::kUntilClose;
  frame.keep_alive = keep_alive_ && reader_.keep_alive();
  keep_alive_ = frame.keep_alive;
  frame.date = loop_.Date();
  frame.request_id = request_id_;
  out_ = WriteResponseHead(head, frame);
  stream_->Attach([loop = weak_loop_, connection = weak_from_this(), serial] {
    const auto alive_loop = loop.lock();
    if (!alive_loop) return;
    alive_loop->Post([connection, serial] {
      if (const auto alive = connection.lock()) alive->PumpStream(serial);
    });
  });
  WriteOut(&Connection::Pump);
  Read();  // pending all the while: this is how a reader's leaving is noticed
  if (loop_.stopping()) stream_->Stop();
}

void Connection::PumpStream(uint64_t serial) {
  if (state_ == State::kStreaming && serial == serial_ && !writing_) Pump();
}

void Connection::Pump() {
  if (end_after_write_) {
    stream_->Finish();
    stream_.reset();
    EndExchange();
    return;
  }
  ClearDeadline();
  const auto stream = stream_;
  StreamQueue::Taken taken = stream->Take(kChunksPerWrite);
  if (taken.aborted) {
    // Reset rather than close: no reader may take the cut for an end.
    error_code ignored;
    socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    Close();
    return;
  }
  for (const std::string& chunk : taken.chunks) {
    if (chunked_) {
      AppendChunk(chunk, out_);
    } else {
      out_ += chunk;
    }
  }
  if (taken.ended) {
    end_after_write_ = true;
    if (chunked_) out_ += kLastChunk;
  }
  if (!out_.empty()) {
    WriteOut(&Connection::Pump);
  } else if (end_after_write_) {
    Pump();
  }
}

// ---- The server

// Who counts as one peer: an IPv4 address, or the /64 that one subscriber of IPv6 holds.
std::string PeerKey(const asio::ip::address& address) {
  if (address.is_v6() && !address.to_v6().is_v4_mapped()) {
    const auto bytes = address.to_v6().to_bytes();
    return std::string(bytes.begin(), bytes.begin() + 8);
  }
  const auto bytes =
      address.is_v6() ? asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_bytes()
                      : address.to_v4().to_bytes();
  return std::string(bytes.begin(), bytes.end());
}

class AsioServer final : public Server {
 public:
  AsioServer(ServerOptions options, Router router)
      : threads_wanted_(std::max(1, options.threads)),
        shared_(std::move(options), std::move(router)) {}
  ~AsioServer() override { Stop(); }

  Status Start(const ServerOptions& options);
  uint16_t Port() const override { return port_; }
  void Stop() override HILO_EXCLUDES(stop_mutex_);

 private:
  void Accept();
  void OnAccepted(error_code error, tcp::socket socket, size_t loop);
  void SendTooManyConnections(int socket);

  const int threads_wanted_;
  Shared shared_;
  std::vector<std::shared_ptr<Loop>> loops_;
  // Confined to the first loop's thread once it runs.
  std::optional<tcp::acceptor> acceptor_;
  std::optional<asio::steady_timer> back_off_;
  size_t next_loop_ = 0;
  uint16_t port_ = 0;
  Mutex stop_mutex_;
  std::vector<std::jthread> threads_ HILO_GUARDED_BY(stop_mutex_);
};

Status AsioServer::Start(const ServerOptions& options) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(options.address, error);
  if (error) {
    return Error(StatusCode::kInvalidArgument, "http_address",
                 "\"" + options.address + "\" is not a numeric IP address.");
  }
  if (!options.tls_certificate_file.empty() || !options.tls_key_file.empty()) {
    HILO_ASSIGN_OR_RETURN(TlsContext context,
                          LoadTls(options.tls_certificate_file, options.tls_key_file));
    shared_.tls.emplace(context.release());
  }
  rlimit descriptors{};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) == 0 && descriptors.rlim_cur != RLIM_INFINITY) {
    const size_t spare = shared_.limits.spare_descriptors;
    const size_t usable =
        descriptors.rlim_cur > 2 * spare ? descriptors.rlim_cur - spare : descriptors.rlim_cur / 2;
    shared_.limits.max_connections = std::min(shared_.limits.max_connections, usable);
  }
  for (int i = 0; i < threads_wanted_; ++i) loops_.push_back(std::make_shared<Loop>(shared_));
  acceptor_.emplace(loops_[0]->io());
  back_off_.emplace(loops_[0]->io());
  const tcp::endpoint endpoint(address, options.port);
  acceptor_->open(endpoint.protocol(), error);
  if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_->bind(endpoint, error);
  if (!error) acceptor_->listen(kBacklog, error);
  if (error) {
    return Error(StatusCode::kUnavailable, "http_listen",
                 "Cannot listen on " + options.address + " port " + std::to_string(options.port) +
                     ": " + error.message());
  }
  port_ = acceptor_->local_endpoint(error).port();
  Accept();
  MutexLock lock(stop_mutex_);
  for (size_t i = 0; i < loops_.size(); ++i) {
    threads_.push_back(StartThread("http-" + std::to_string(i),
                                   [loop = loops_[i]](std::stop_token) { loop->Run(); }));
  }
  return OkStatus();
}

void AsioServer::Accept() {
  const size_t loop = next_loop_++ % loops_.size();
  acceptor_->async_accept(loops_[loop]->io(), [this, loop](error_code error, tcp::socket socket) {
    OnAccepted(error, std::move(socket), loop);
  });
}

void AsioServer::OnAccepted(error_code error, tcp::socket socket, size_t loop_index) {
  if (!acceptor_->is_open()) return;
  if (error == asio::error::no_descriptors ||
      error == boost::system::errc::too_many_files_open_in_system ||
      error == asio::error::no_buffer_space || error == asio::error::no_memory) {
    // Whoever waits stays in the backlog until something is closed.
    shared_.Refused("out_of_descriptors");
    back_off_->expires_after(kAcceptBackOff);
    back_off_->async_wait([this](error_code) {
      if (acceptor_->is_open()) Accept();
    });
    return;
  }
  Accept();
  if (error) return;
  const tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) return;
  std::string key = PeerKey(peer.address());
  if (!shared_.Admit(key)) {
    shared_.Refused("too_many_connections");
    if (!shared_.tls) SendTooManyConnections(socket.native_handle());
    return;
  }
  const std::shared_ptr<Loop>& loop = loops_[loop_index];
  loop->Post([this, loop, socket = std::move(socket), peer, key = std::move(key)]() mutable {
    if (loop->stopping()) {
      shared_.Leave(key);
      return;
    }
    loop->Add(std::make_shared<Connection>(shared_, loop, std::move(socket), peer, std::move(key)));
  });
}

void AsioServer::SendTooManyConnections(int socket) {
  const std::string id = shared_.NewRequestId();
  const Response response = JsonError({503,
                                       "too_many_connections",
                                       "Too many connections are open; try again in a second.",
                                       {{"Retry-After", "1"}}},
                                      id);
  ResponseFrame frame;
  frame.keep_alive = false;
  frame.date = loops_[0]->Date();
  frame.request_id = id;
  const std::string bytes = WriteResponseHead(response, frame) + response.body;
  // Nothing here blocks and nobody waits for its fate: the send buffer is empty, and what the peer
  // has sent so far is taken away, so that closing does not reset the connection under the answer.
  ::send(socket, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  std::array<char, kReadBytes> swallowed;
  [[maybe_unused]] const ssize_t size =
      ::recv(socket, swallowed.data(), swallowed.size(), MSG_DONTWAIT);
}

void AsioServer::Stop() {
  MutexLock lock(stop_mutex_);
  if (threads_.empty()) return;
  loops_[0]->Post([this] {
    error_code ignored;
    acceptor_->close(ignored);
    back_off_->cancel();
  });
  for (const auto& loop : loops_) {
    loop->Post([loop = loop.get()] { loop->Stop(); });
  }
  threads_.clear();
}

}  // namespace

StatusOr<std::unique_ptr<Server>> Server::Create(ServerOptions options, Router router) {
  auto server = std::make_unique<AsioServer>(options, std::move(router));
  HILO_RETURN_IF_ERROR(server->Start(options));
  return server;
}

}  // namespace hilo::http
