#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/http/exchange.h"
#include "connectors/http/message.h"
#include "connectors/http/router.h"
#include "connectors/http/stream.h"
#include "ops/base/status.h"

namespace hilo::http {

// Hears what the server does, for metrics. **Threads**: called on any of the server's threads, so
// thread-safe; must not block.
class Observer {
 public:
  virtual ~Observer() = default;
  // A request was answered, from its first byte to the last byte written (a stream: to its end).
  // `route` is the pattern, or "" when none was reached.
  virtual void OnRequest(std::string_view route, int status, double seconds) = 0;
  // The server itself turned a request or a connection away. `code` is of a closed set (see
  // Server).
  virtual void OnRefused(std::string_view code) = 0;
  // How many connections are open now.
  virtual void OnConnections(size_t open) {}
};

// Bounds on what peers may make the server hold.
struct ServerLimits {
  size_t max_connections = 10'000;  // lowered so that spare_descriptors of RLIMIT_NOFILE stay free
  size_t max_connections_per_peer = 4'096;  // per IPv4 address or IPv6 /64
  size_t spare_descriptors = 256;           // for logs, stores and other servers of the process
  size_t max_head_bytes = 16 << 10;   // request line and headers together: 431 headers_too_large
  size_t max_line_bytes = 8 << 10;    // one header line: 431; the request line: 400 bad_path
  size_t max_headers = 100;           // 431
  size_t max_query_parameters = 256;  // 400 bad_query
  std::chrono::milliseconds head_timeout{
      10'000};  // from the first byte of a request to the end of its head: 408
  std::chrono::milliseconds idle_timeout{
      60'000};  // between requests, or before the first: closed without a word
  std::chrono::milliseconds stall_timeout{
      30'000};  // a peer that takes no byte of its answer: closed
  std::chrono::milliseconds linger_timeout{
      2'000};  // how long a refused peer's remaining bytes are swallowed
  std::chrono::milliseconds stop_grace{5'000};  // for exchanges and streams to end after Stop()
};

struct ServerOptions {
  std::string address = "127.0.0.1";  // numeric
  uint16_t port = 0;                  // 0: the system chooses, see Server::Port
  int threads = 1;
  // PEM files. Both or neither; with them every connection must speak TLS 1.2 or newer.
  std::string tls_certificate_file;
  std::string tls_key_file;
  ServerLimits limits;
  Observer* observer = nullptr;  // not owned; outlives the server
};

// The one HTTP/1.1 server of the process: keep-alive, pipelining in order, chunked bodies both
// ways, gzip inwards, `Expect: 100-continue`, TLS.
//
// It is strict where servers in a row could disagree about where a request ends, and hands on only
// requests that passed. Refusals have the form of JsonError and one of these codes; after a 400,
// 408, 413, 431, 501 or 505 the connection is closed.
//   400 bad_request_line, bad_header, bad_host, bad_framing, bad_transfer_encoding, bad_chunk,
//   bad_path, bad_query,
//       bad_encoding
//   404 not_found    405 method_not_allowed    408 head_timeout, body_timeout    413
//   body_too_large, inflated_too_large 415 bad_encoding    417 bad_expectation    431
//   headers_too_large    500 no_answer, internal 503 too_many_connections, stopping    504
//   answer_timeout    505 bad_version
// No proxy headers are believed: `peer_address` is the other end of the socket.
//
// **Errors**: Create fails with `http_address`, `http_tls` or `http_listen`.
// **Threads**: thread-safe. Each connection is confined to one of the server's threads; handlers
// run there.
// **Lifetime**: the destructor stops. Exchanges and stream writers may outlive the server.
// **Cost**: about 1 KiB of memory per idle connection, and TLS's own.
// **Source**: RFC 9110, RFC 9112; Http11Probe's and llhttp's catalogues of bad requests.
class Server {
 public:
  static StatusOr<std::unique_ptr<Server>> Create(ServerOptions options, Router router);
  virtual ~Server() = default;

  virtual uint16_t Port() const = 0;
  // Stops accepting, closes idle connections, tells streams (StreamWriter::OnStopping), lets
  // exchanges under way finish within `stop_grace`, then cuts what is left. Returns when no thread
  // of the server runs any more. Idempotent; not from one of the server's own threads.
  virtual void Stop() = 0;
};

}  // namespace hilo::http
