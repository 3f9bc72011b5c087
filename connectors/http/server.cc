#include "connectors/http/server.h"

// Before all others, see there.
#include "connectors/http/asio.h"

// clang-format off
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "connectors/http/connection.h"
#include "connectors/http/loop.h"
#include "connectors/http/response_head.h"
#include "connectors/http/tls.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"
// clang-format on

namespace hilo::http {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAcceptBackOff{100};
constexpr int kBacklog = 4096;
constexpr size_t kSwallowBytes = 16 << 10;  // of one who is turned away

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
  std::array<char, kSwallowBytes> swallowed;
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
