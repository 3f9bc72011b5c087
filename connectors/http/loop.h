#pragma once

// Before all others, see there.
#include "connectors/http/asio.h"

// clang-format off
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "connectors/http/router.h"
#include "connectors/http/server.h"
#include "ops/base/check.h"
#include "ops/base/clock.h"
#include "ops/base/mutex.h"
// clang-format on

namespace hilo::http {

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

}  // namespace hilo::http
