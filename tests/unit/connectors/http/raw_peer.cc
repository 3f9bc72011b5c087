#include "tests/unit/connectors/http/raw_peer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <utility>

namespace hilo::http {

std::string RawAnswer::Code() const {
  static constexpr std::string_view kKey = "{\"code\":\"";
  if (!body.starts_with(kKey)) return "";
  return body.substr(kKey.size(), body.find('"', kKey.size()) - kKey.size());
}

RawPeer::RawPeer(uint16_t port, int receive_buffer) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  if (receive_buffer > 0) {
    setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    socket_ = socket;
  } else {
    close(socket);
  }
}

RawPeer::RawPeer(RawPeer&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), in_(std::move(other.in_)) {}

RawPeer::~RawPeer() {
  if (socket_ >= 0) close(socket_);
}

bool RawPeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  return true;
}

size_t RawPeer::SendUntilStuck(size_t max_bytes) {
  const std::string block(64 << 10, '\0');
  size_t sent = 0;
  pollfd wanted{socket_, POLLOUT, 0};
  while (sent < max_bytes && poll(&wanted, 1, 500) == 1) {
    const ssize_t size = send(socket_, block.data(), block.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN) break;
    if (size > 0) sent += static_cast<size_t>(size);
  }
  return sent;
}

bool RawPeer::Fill(std::chrono::milliseconds patience) {
  pollfd wanted{socket_, POLLIN, 0};
  if (poll(&wanted, 1, static_cast<int>(patience.count())) != 1) {
    ADD_FAILURE() << "nothing came from the server";
    return false;
  }
  char buffer[65536];
  const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
  if (size <= 0) {
    reset_ = size < 0;
    return false;
  }
  in_.append(buffer, static_cast<size_t>(size));
  return true;
}

RawAnswer RawPeer::Receive(bool interim, bool bodiless) {
  RawAnswer answer;
  size_t head_end;
  while ((head_end = in_.find("\r\n\r\n")) == std::string::npos) {
    if (!Fill()) return answer;
  }
  const std::string head = in_.substr(0, head_end + 2);
  in_.erase(0, head_end + 4);
  answer.status = std::stoi(head.substr(9, 3));
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const size_t end = head.find("\r\n", at);
    const size_t colon = head.find(": ", at);
    answer.headers.Add(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
    at = end + 2;
  }
  if (answer.status < 200) return interim ? answer : Receive(false, bodiless);
  if (bodiless || answer.status == 204) {
    answer.complete = true;
  } else if (const auto length = answer.headers.Find("Content-Length")) {
    const size_t size = std::stoul(std::string(*length));
    while (in_.size() < size && Fill()) {
    }
    answer.complete = in_.size() >= size;
    answer.body = in_.substr(0, size);
    in_.erase(0, size);
  } else if (answer.headers.Find("Transfer-Encoding")) {
    while (true) {
      size_t line_end;
      while ((line_end = in_.find("\r\n")) == std::string::npos) {
        if (!Fill()) return answer;
      }
      const size_t size = std::stoul(in_.substr(0, line_end), nullptr, 16);
      while (in_.size() < line_end + 2 + size + 2) {
        if (!Fill()) return answer;
      }
      answer.body += in_.substr(line_end + 2, size);
      in_.erase(0, line_end + 2 + size + 2);
      if (size == 0) break;
    }
    answer.complete = true;
  } else {
    while (Fill()) {
    }
    answer.body = std::exchange(in_, "");
    answer.complete = !reset_;
  }
  return answer;
}

std::string RawPeer::ReceiveSome() {
  if (in_.empty()) Fill();
  return std::exchange(in_, "");
}

bool RawPeer::EndsNow(std::chrono::milliseconds patience) {
  if (!in_.empty()) return false;
  pollfd wanted{socket_, POLLIN, 0};
  if (poll(&wanted, 1, static_cast<int>(patience.count())) != 1) return false;
  char byte;
  return recv(socket_, &byte, 1, MSG_PEEK) <= 0;
}

void RawPeer::EndSending() { shutdown(socket_, SHUT_WR); }

void RawPeer::Reset() {
  const linger hard{1, 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(std::exchange(socket_, -1));
}

void RecordingObserver::OnRequest(std::string_view route, int status, double seconds) {
  EXPECT_GE(seconds, 0);
  std::lock_guard lock(mutex_);
  answered_.push_back({std::string(route), status});
  changed_.notify_all();
}

void RecordingObserver::OnRefused(std::string_view code) {
  std::lock_guard lock(mutex_);
  refused_.emplace_back(code);
  changed_.notify_all();
}

void RecordingObserver::OnConnections(size_t open) {
  std::lock_guard lock(mutex_);
  open_ = open;
  had_connections_ = had_connections_ || open > 0;
  changed_.notify_all();
}

std::vector<RecordingObserver::Answered> RecordingObserver::answered() const {
  std::lock_guard lock(mutex_);
  return answered_;
}

std::vector<std::string> RecordingObserver::refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

template <typename Condition>
bool RecordingObserver::Await(Condition condition) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, condition);
}

bool RecordingObserver::AwaitRefusal(std::string_view code) const {
  return Await([&] {
    for (const std::string& refused : refused_) {
      if (refused == code) return true;
    }
    return false;
  });
}

bool RecordingObserver::AwaitConnections(size_t open) const {
  return Await([&] { return open_ == open; });
}

bool RecordingObserver::AwaitAllGone() const {
  return Await([&] { return had_connections_ && open_ == 0; });
}

bool RecordingObserver::AwaitAnswered(size_t count) const {
  return Await([&] { return answered_.size() >= count; });
}

std::string Get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: hub.example\r\n\r\n";
}

std::string Post(std::string_view path, std::string_view body, std::string_view more_headers) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: hub.example\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(more_headers) + "\r\n" + std::string(body);
}

Router EchoRouter() {
  const auto echo = [](std::shared_ptr<Exchange> exchange) {
    Response response;
    response.headers.Add("Content-Type", "application/octet-stream");
    response.body = exchange->request().body;
    exchange->Respond(std::move(response));
  };
  Router router;
  router.Add("GET", "/hello", [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, {{"Content-Type", "text/plain"}}, "hello"});
  });
  router.Add("POST", "/echo", echo);
  RouteOptions small;
  small.max_body_bytes = 10;
  router.Add("POST", "/small", small, echo);
  RouteOptions inflated;
  inflated.max_inflated_bytes = 1 << 20;
  router.Add("POST", "/inflated", inflated, echo);
  return router;
}

std::unique_ptr<Server> StartServer(Router router, ServerOptions options) {
  auto server = Server::Create(std::move(options), std::move(router));
  if (!server.ok()) {
    ADD_FAILURE() << Describe(server.status());
    return nullptr;
  }
  return *std::move(server);
}

std::string Gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace hilo::http
