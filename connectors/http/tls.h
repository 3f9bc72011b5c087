#pragma once

#include <memory>
#include <string>

#include "ops/base/status.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace hilo::http {

struct FreeTlsContext {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, FreeTlsContext>;

// What a server speaks TLS with: 1.2 or newer, forward-secret AEAD suites only, HTTP/1.1 by ALPN.
// **Errors**: `http_tls` when a file cannot be read, the two do not belong together, or
// the certificate has expired.
// **Source**: RFC 9325.
StatusOr<TlsContext> LoadTls(const std::string& certificate_file, const std::string& key_file);

}  // namespace hilo::http
