#include "tests/mail_sink/mail_sink.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

#include "ops/base/clock.h"
#include "ops/base/json_text.h"
#include "ops/base/thread.h"
#include "tests/mail_sink/dialogue.h"

namespace hilo::mail_sink {
namespace {

Status Broken(const std::string& what) {
  return Error(StatusCode::kFailedPrecondition, "mail_sink", what);
}

bool WriteAll(int file, const std::string& bytes) {
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t count = write(file, bytes.data() + at, bytes.size() - at);
    if (count <= 0) return false;
    at += static_cast<size_t>(count);
  }
  return fsync(file) == 0;
}

std::string Json(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

std::string LineOf(const Taken& taken) {
  const auto now = SystemClock().Wall().time_since_epoch().count();
  return "{\"time_micros\":" + std::to_string(now) + ",\"message_id\":" + Json(taken.message_id) +
         ",\"sender\":" + Json(taken.sender) + ",\"recipient\":" + Json(taken.recipient) +
         ",\"bytes\":" + std::to_string(taken.bytes.size()) +
         ",\"encrypted\":" + (taken.encrypted ? "true" : "false") +
         ",\"connection\":" + std::to_string(taken.connection) + "}\n";
}

}  // namespace

StatusOr<std::unique_ptr<MailSink>> MailSink::Start(Options options) {
  std::unique_ptr<MailSink> sink(new MailSink(std::move(options)));
  HILO_RETURN_IF_ERROR(sink->Listen());
  sink->acceptor_ =
      StartThread("sink", [raw = sink.get()](const std::stop_token&) { raw->Accept(); });
  return sink;
}

Status MailSink::Listen() {
  // SSL_write knows no MSG_NOSIGNAL.
  std::signal(SIGPIPE, SIG_IGN);
  if (!options_.log_file.empty()) {
    log_ = open(options_.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log_ < 0) return Broken("cannot write the log file");
  }
  if (!options_.certificate_file.empty()) {
    tls_ = SSL_CTX_new(TLS_server_method());
    if (SSL_CTX_use_certificate_chain_file(tls_, options_.certificate_file.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls_, options_.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
      return Broken("cannot read certificate and key");
    }
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options_.port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, SOMAXCONN) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Broken("cannot listen on 127.0.0.1");
  }
  port_ = ntohs(address.sin_port);
  return OkStatus();
}

MailSink::~MailSink() {
  std::vector<std::jthread> dialogues;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    for (const int socket : sockets_) shutdown(socket, SHUT_RDWR);
  }
  if (listener_ >= 0) shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  {
    MutexLock lock(mutex_);
    dialogues.swap(dialogues_);
  }
  dialogues.clear();
  if (listener_ >= 0) close(listener_);
  if (log_ >= 0) close(log_);
  if (tls_ != nullptr) SSL_CTX_free(tls_);
}

void MailSink::Accept() {
  for (;;) {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == ECONNABORTED || errno == EINTR) continue;
      return;
    }
    MutexLock lock(mutex_);
    if (stopping_) {
      close(socket);
      return;
    }
    sockets_.insert(socket);
    const int number = ++connections_;
    dialogues_.push_back(StartThread("sink", [this, socket, number](const std::stop_token&) {
      Dialogue(*this, socket, number).Run();
      MutexLock end(mutex_);
      sockets_.erase(socket);
      close(socket);
    }));
  }
}

std::optional<Rule> MailSink::Follow(Point point, const std::string& recipient) {
  MutexLock lock(mutex_);
  for (size_t i = 0; i < options_.plan.rules.size(); ++i) {
    const Rule& rule = options_.plan.rules[i];
    if (rule.point != point || recipient.find(rule.recipient) == std::string::npos) continue;
    const int pass = passes_[i]++;
    if (pass < rule.after || (rule.times > 0 && pass >= rule.after + rule.times)) continue;
    return rule;
  }
  return std::nullopt;
}

bool MailSink::Keep(Taken taken) {
  MutexLock lock(mutex_);
  if (!options_.keep_folder.empty()) {
    const std::string name =
        options_.keep_folder + "/" + std::to_string(taken_.size() + 1) + ".eml";
    const int file = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0) return false;
    const bool written = WriteAll(file, taken.bytes);
    close(file);
    if (!written) return false;
  }
  if (log_ >= 0 && !WriteAll(log_, LineOf(taken))) return false;
  taken_.push_back(std::move(taken));
  return true;
}

void MailSink::Heard(const std::string& line) {
  MutexLock lock(mutex_);
  commands_.push_back(line);
}

std::vector<Taken> MailSink::Messages() const {
  MutexLock lock(mutex_);
  return taken_;
}

int MailSink::Connections() const {
  MutexLock lock(mutex_);
  return connections_;
}

std::vector<std::string> MailSink::Commands() const {
  MutexLock lock(mutex_);
  return commands_;
}

}  // namespace hilo::mail_sink
