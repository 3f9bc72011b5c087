#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/http/exchange.h"
#include "connectors/http/limits.h"
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
// requests that passed. Refusals have the form of JsonError and one of these codes:
//   400 bad_request_line, bad_header, bad_host, bad_framing, bad_transfer_encoding, bad_chunk,
//       bad_path, bad_query, bad_encoding
//   404 not_found
//   405 method_not_allowed
//   408 head_timeout, body_timeout
//   413 body_too_large, inflated_too_large
//   415 unknown_encoding
//   417 bad_expectation
//   431 headers_too_large
//   500 no_answer, bad_answer
//   503 too_many_connections
//   504 answer_timeout
//   505 bad_version
// The observer also hears stalled, handshake_failed and out_of_descriptors. After a 400, 408, 413,
// 431 or 505, and whenever a body was left unread, the connection is closed.
// No proxy headers are believed: `peer_address` is the other end of the socket.
//
// **Errors**: Create fails with `http_address`, `http_tls` or `http_listen`.
// **Threads**: thread-safe. Each connection is confined to one of the server's threads; handlers
// run there.
// **Lifetime**: the destructor stops. Exchanges and stream writers may outlive the server.
// **Cost**: a few KiB of memory per idle connection, and TLS's own.
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
