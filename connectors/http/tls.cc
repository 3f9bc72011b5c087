#include "connectors/http/tls.h"

#include <openssl/ssl.h>

#include <utility>

namespace hilo::http {
namespace {

// Browsers offer h2 first; a peer that offers neither it nor HTTP/1.1 has come to the wrong place.
int SelectProtocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                   const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char kHttp11[] = "\x08http/1.1";
  const int result = SSL_select_next_proto(const_cast<unsigned char**>(chosen), chosen_size,
                                           kHttp11, sizeof kHttp11 - 1, offered, offered_size);
  return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Status Unusable(const std::string& message) {
  return Error(StatusCode::kInvalidArgument, "http_tls", message);
}

}  // namespace

void FreeTlsContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

StatusOr<TlsContext> LoadTls(const std::string& certificate_file, const std::string& key_file) {
  if (certificate_file.empty() || key_file.empty()) {
    return Unusable("Set both the certificate file and the key file, or neither.");
  }
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  if (!context) return Error(StatusCode::kInternal, "http_tls", "OpenSSL cannot make a context.");
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate_file.c_str()) != 1) {
    return Unusable("Cannot read a PEM certificate chain from \"" + certificate_file + "\".");
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return Unusable("\"" + key_file + "\" is not the PEM key of the certificate.");
  }
  if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context.get()))) < 0) {
    return Unusable("The certificate in \"" + certificate_file + "\" has expired; renew it.");
  }
  if (SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
    return Error(StatusCode::kInternal, "http_tls", "OpenSSL lacks TLS 1.2 with AEAD suites.");
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  return context;
}

}  // namespace hilo::http
