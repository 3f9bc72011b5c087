#include "connectors/http/connection.h"

#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "connectors/http/exchange.h"
#include "connectors/http/response_head.h"
#include "ops/base/check.h"

namespace hilo::http {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr size_t kFirstReadBytes = 2 << 10;   // held by an idle connection
constexpr size_t kReadBytes = 16 << 10;       // while a request is coming
constexpr size_t kBodyReadBytes = 64 << 10;   // while its body is
constexpr size_t kMaxReadAhead = 32 << 10;    // taken from a peer that goes on while it is served
constexpr size_t kMaxLingerBytes = 16 << 20;  // swallowed after a refusal
constexpr size_t kChunksPerWrite = 64;
constexpr milliseconds kStopLinger{250};  // instead of linger_timeout once the server stops
constexpr std::string_view kContinueLine = "HTTP/1.1 100 Continue\r\n\r\n";

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

}  // namespace

// ---- Beginning, end and time

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

// ---- Reading

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

// ---- Answering

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

// ---- Streams

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

}  // namespace hilo::http
