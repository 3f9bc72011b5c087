#pragma once

#include <chrono>
#include <cstddef>

namespace hilo::http {

// Bounds on what peers may make the server hold. The codes are those of the refusals at the bound.
struct ServerLimits {
  // Connections at once, lowered so that `spare_descriptors` of RLIMIT_NOFILE stay free for logs,
  // stores and other servers of the process; per peer: an IPv4 address or an IPv6 /64.
  size_t max_connections = 10'000;
  size_t max_connections_per_peer = 4'096;
  size_t spare_descriptors = 256;

  // Heads, in bytes: all of it and each header line, 431 headers_too_large; the request line,
  // 400 bad_path.
  size_t max_head_bytes = 16 << 10;
  size_t max_line_bytes = 8 << 10;
  size_t max_headers = 100;           // 431 headers_too_large
  size_t max_query_parameters = 256;  // 400 bad_query

  // From the first byte of a request to the end of its head: 408 head_timeout.
  std::chrono::milliseconds head_timeout{10'000};
  // Between requests and before the first one: closed without a word.
  std::chrono::milliseconds idle_timeout{60'000};
  // A peer that takes no byte of its answer is cut off.
  std::chrono::milliseconds stall_timeout{30'000};
  // How long the rest of a refused request is swallowed, so that the peer gets to read the refusal.
  std::chrono::milliseconds linger_timeout{2'000};
  // What exchanges and streams have to end after Server::Stop.
  std::chrono::milliseconds stop_grace{5'000};
};

}  // namespace hilo::http
