#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "connectors/http/server.h"
#include "connectors/http/tls.h"
#include "tests/unit/connectors/http/raw_peer.h"

namespace hilo::http {
namespace {

// A self-signed certificate in a folder of its own.
class Certificate {
 public:
  // Negative: it expired so long ago.
  explicit Certificate(long lifetime_seconds = 3600) {
    std::string pattern = (std::filesystem::temp_directory_path() / "hilo-tls-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime_seconds);
    X509_set_pubkey(certificate, key);
    X509_NAME* name = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("hub.example"), -1, -1, 0);
    X509_set_issuer_name(certificate, name);
    X509_sign(certificate, key, EVP_sha256());
    FILE* file = fopen(certificate_file().c_str(), "w");
    PEM_write_X509(file, certificate);
    fclose(file);
    file = fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  std::string certificate_file() const { return folder_ + "/certificate.pem"; }
  std::string key_file() const { return folder_ + "/key.pem"; }

 private:
  std::string folder_;
};

// A peer that speaks TLS in blocking calls.
class TlsPeer {
 public:
  TlsPeer(uint16_t port, int min_version, int max_version, const char* ciphers = nullptr) {
    context_ = SSL_CTX_new(TLS_client_method());
    // Level 0, so that it is the server who refuses what is old.
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_min_proto_version(context_, min_version);
    SSL_CTX_set_max_proto_version(context_, max_version);
    if (ciphers != nullptr) SSL_CTX_set_cipher_list(context_, ciphers);
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ssl_ = SSL_new(context_);
    static constexpr unsigned char kProtocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(ssl_, kProtocols, sizeof kProtocols - 1);
    SSL_set_fd(ssl_, socket_);
    connected_ = SSL_connect(ssl_) == 1;
  }
  ~TlsPeer() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    close(socket_);
  }
  bool connected() const { return connected_; }
  std::string version() const { return SSL_get_version(ssl_); }
  std::string protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }
  void Send(std::string_view bytes) {
    EXPECT_EQ(SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size())),
              static_cast<int>(bytes.size()));
  }
  // Everything up to `end`, or to the end of the connection when that is empty.
  std::string ReceiveUntil(std::string_view end) {
    std::string in;
    char buffer[16384];
    while (end.empty() || !in.ends_with(end)) {
      const int size = SSL_read(ssl_, buffer, sizeof buffer);
      if (size <= 0) {
        properly_ended_ = SSL_get_error(ssl_, size) == SSL_ERROR_ZERO_RETURN;
        break;
      }
      in.append(buffer, static_cast<size_t>(size));
    }
    return in;
  }
  bool properly_ended() const { return properly_ended_; }

 private:
  SSL_CTX* context_;
  SSL* ssl_;
  int socket_;
  bool connected_ = false;
  bool properly_ended_ = false;
};

class ServerTls : public testing::Test {
 protected:
  std::unique_ptr<Server> Start(Router router) {
    ServerOptions options;
    options.observer = &observer_;
    options.tls_certificate_file = certificate_.certificate_file();
    options.tls_key_file = certificate_.key_file();
    return StartServer(std::move(router), options);
  }
  Certificate certificate_;
  RecordingObserver observer_;
};

TEST(TlsFiles, RefusesACertificateThatHasExpired) {
  const Certificate good;
  EXPECT_TRUE(LoadTls(good.certificate_file(), good.key_file()).ok());
  const Certificate old(-60);
  const auto loaded = LoadTls(old.certificate_file(), old.key_file());
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(Reason(loaded.status()), "http_tls");
  EXPECT_NE(loaded.status().message().find(old.certificate_file()), absl::string_view::npos);
}

TEST_F(ServerTls, AnswersOverTls12And13) {
  Router router = EchoRouter();
  bool secure = false;
  router.Add("GET", "/secure", [&](std::shared_ptr<Exchange> exchange) {
    secure = exchange->request().secure;
    exchange->Respond({200, {}, "yes"});
  });
  const auto server = Start(std::move(router));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsPeer peer(server->Port(), version, version);
    ASSERT_TRUE(peer.connected());
    EXPECT_EQ(peer.version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(peer.protocol(), "http/1.1");
    peer.Send(Get("/secure"));
    EXPECT_TRUE(peer.ReceiveUntil("yes").starts_with("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(secure);
    peer.Send("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(peer.ReceiveUntil("").ends_with("\r\n\r\nhello"));
    EXPECT_TRUE(peer.properly_ended()) << "a reader could not tell the end from a cut";
  }
}

TEST_F(ServerTls, RefusesOldVersionsAndWeakSuites) {
  const auto server = Start(EchoRouter());
  EXPECT_FALSE(TlsPeer(server->Port(), TLS1_VERSION, TLS1_1_VERSION).connected());
  EXPECT_TRUE(observer_.AwaitRefusal("handshake_failed"));
  EXPECT_FALSE(TlsPeer(server->Port(), TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA")
                   .connected());
  EXPECT_TRUE(
      TlsPeer(server->Port(), TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256")
          .connected());
}

TEST_F(ServerTls, DropsWhoSpeaksPlainly) {
  const auto server = Start(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send(Get("/hello"));
  EXPECT_TRUE(observer_.AwaitRefusal("handshake_failed"));
  EXPECT_TRUE(observer_.AwaitAllGone());
}

TEST_F(ServerTls, StreamsAndLargeBodies) {
  Router router = EchoRouter();
  const std::string large(5 << 20, 'y');
  router.Add("GET", "/large", [&](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, {}, large});
  });
  router.Add("GET", "/stream", [](std::shared_ptr<Exchange> exchange) {
    const auto writer = exchange->BeginStream(200, {});
    for (int i = 0; i < 100; ++i) writer->Write("x");
    writer->End();
  });
  const auto server = Start(std::move(router));
  TlsPeer peer(server->Port(), TLS1_2_VERSION, TLS1_3_VERSION);
  peer.Send(Get("/stream"));
  EXPECT_TRUE(peer.ReceiveUntil("0\r\n\r\n").ends_with("x\r\n0\r\n\r\n"));
  peer.Send(Post("/echo", std::string(15'000, 'z')));
  EXPECT_TRUE(peer.ReceiveUntil(std::string(15'000, 'z')).starts_with("HTTP/1.1 200"));
  peer.Send(Get("/large"));
  EXPECT_TRUE(peer.ReceiveUntil(large).starts_with("HTTP/1.1 200"));
  peer.Send("GET /nowhere HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(peer.ReceiveUntil("").starts_with("HTTP/1.1 400 Bad Request\r\n"));
  EXPECT_TRUE(peer.properly_ended());
}

TEST_F(ServerTls, RefusalIsReadableWhileThePeerIsStillSending) {
  const auto server = Start(EchoRouter());
  TlsPeer peer(server->Port(), TLS1_2_VERSION, TLS1_3_VERSION);
  peer.Send("POST /small HTTP/1.1\r\nHost: h\r\nContent-Length: 10000000000\r\n\r\n");
  for (int i = 0; i < 20; ++i) peer.Send(std::string(16'000, 'x'));
  EXPECT_TRUE(peer.ReceiveUntil("}\n").starts_with("HTTP/1.1 413"));
}

TEST_F(ServerTls, CreateRefusesAKeyOfAnotherCertificate) {
  const Certificate other;
  ServerOptions options;
  options.tls_certificate_file = certificate_.certificate_file();
  options.tls_key_file = other.key_file();
  EXPECT_EQ(Reason(Server::Create(options, Router()).status()), "http_tls");
}

}  // namespace
}  // namespace hilo::http
