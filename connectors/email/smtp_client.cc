#include "connectors/email/smtp_client.h"

// clang-format off
// Boost 1.74's Asio uses std::exchange without including this header, so it comes before all others.
#include <utility>
// clang-format on

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <optional>
#include <thread>
#include <vector>

#include "connectors/email/padded_base64.h"
#include "connectors/email/smtp_reply.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"

// g++ 12 translates `co_return co_await f();` behind an early co_return into a jump to nowhere:
// what is awaited stands in a statement of its own here. It also takes the frames of Asio's
// coroutines, which have a delete of their own, for mismatched.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace hilo::email {
namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr size_t kReadBytes = 4 << 10;
constexpr size_t kWriteBytes = 64 << 10;

struct Job {
  SmtpMessage message;
  std::function<bool()> may_still_send;
  SmtpClient::Done done;
};

// One connection and its dialogue. Everything runs on the client's thread.
class Connection {
 public:
  Connection(asio::io_context& context, const SmtpOptions& options, ssl::context& tls)
      : options_(options),
        socket_(context),
        resolver_(context),
        stream_(socket_, tls),
        deadline_(context) {}

  bool Open() const { return open_; }
  int sent() const { return sent_; }
  void Cut() {
    open_ = false;
    deadline_.cancel();
    resolver_.cancel();
    error_code ignored;
    socket_.close(ignored);
  }

  // Connects, encrypts, logs in. False, with the outcome that tells why, when that did not work.
  awaitable<bool> Connect(SmtpOutcome& why) {
    why = {.kind = SmtpOutcome::Kind::kNotSent, .where = "connect"};
    error_code error;
    Within(options_.connect_timeout);
    const auto found =
        co_await resolver_.async_resolve(options_.host, std::to_string(options_.port),
                                         asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    co_await asio::async_connect(socket_, found, asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return false;
    open_ = true;
    socket_.set_option(tcp::no_delay(true), error);
    if (options_.tls == SmtpTls::kImplicit && !co_await Encrypt(why)) co_return false;
    const auto greeting = co_await Read(options_.reply_timeout);
    if (!Took(greeting, why)) co_return false;
    if (!co_await Hello(why)) co_return false;
    if (options_.tls == SmtpTls::kRequired || options_.tls == SmtpTls::kOpportunistic) {
      if (offer_.Has("STARTTLS")) {
        why.where = "starttls";
        if (!Took(co_await Ask("STARTTLS\r\n"), why)) co_return false;
        // What somebody put in before the handshake would be taken for the server's word after it.
        if (!buffer_.empty() || !co_await Encrypt(why)) co_return false;
        if (!co_await Hello(why)) co_return false;
      } else if (options_.tls == SmtpTls::kRequired) {
        why.where = "starttls";
        co_return false;
      }
    }
    const bool logged_in = co_await LogIn(why);
    co_return logged_in;
  }

  // The dialogue of one message. Afterwards Open says whether another one may follow.
  awaitable<SmtpOutcome> Send(const Job& job) {
    SmtpOutcome outcome = co_await Dialogue(job);
    ++sent_;
    if (outcome.kind == SmtpOutcome::Kind::kNotSent ||
        outcome.kind == SmtpOutcome::Kind::kUnknown || outcome.code == 421 ||
        sent_ >= options_.messages_per_connection) {
      Cut();
    } else if (outcome.kind != SmtpOutcome::Kind::kSent && open_) {
      const auto reset = co_await Ask("RSET\r\n");
      if (!reset || !reset->Positive()) Cut();
    }
    co_return outcome;
  }

  awaitable<void> Quit() {
    if (open_) co_await Ask("QUIT\r\n");
    Cut();
  }

 private:
  using Kind = SmtpOutcome::Kind;

  // Whatever is under way fails when this has passed.
  void Within(milliseconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([this](error_code error) {
      if (!error) Cut();
    });
  }

  awaitable<bool> Encrypt(SmtpOutcome& why) {
    why.where = "starttls";
    SSL_set_tlsext_host_name(stream_.native_handle(), options_.host.c_str());
    stream_.set_verify_mode(ssl::verify_peer);
    stream_.set_verify_callback(ssl::host_name_verification(options_.host));
    error_code error;
    Within(options_.connect_timeout);
    co_await stream_.async_handshake(ssl::stream_base::client,
                                     asio::redirect_error(asio::use_awaitable, error));
    encrypted_ = !error;
    co_return encrypted_;
  }

  // EHLO, or HELO for servers that know no better.
  awaitable<bool> Hello(SmtpOutcome& why) {
    why.where = "connect";
    auto reply = co_await Ask("EHLO " + options_.own_name + "\r\n");
    if (reply && reply->code >= 500) {
      reply = co_await Ask("HELO " + options_.own_name + "\r\n");
      offer_ = {};
      co_return Took(reply, why);
    }
    if (!Took(reply, why)) co_return false;
    offer_ = ParseOffer(*reply);
    co_return true;
  }

  awaitable<bool> LogIn(SmtpOutcome& why) {
    if (options_.user.empty()) co_return true;
    why.where = "auth";
    if (!encrypted_ && !options_.plain_auth_without_tls) co_return false;
    if (offer_.auth.contains("PLAIN")) {
      std::string credentials;
      credentials += '\0';
      credentials += options_.user;
      credentials += '\0';
      credentials += options_.password;
      co_return Took(co_await Ask("AUTH PLAIN " + PaddedBase64(credentials) + "\r\n"), why);
    }
    if (!offer_.auth.contains("LOGIN")) co_return false;
    for (const std::string& line : {std::string("AUTH LOGIN"), PaddedBase64(options_.user)}) {
      const auto reply = co_await Ask(line + "\r\n");
      if (!reply || reply->code != 334) {
        Took(reply, why);
        co_return false;
      }
    }
    co_return Took(co_await Ask(PaddedBase64(options_.password) + "\r\n"), why);
  }

  awaitable<SmtpOutcome> Dialogue(const Job& job) {
    SmtpOutcome outcome{.kind = Kind::kNotSent, .where = "mail"};
    if (job.message.smtputf8 && !offer_.Has("SMTPUTF8")) {
      // It will not learn it.
      outcome.kind = Kind::kPermanent;
      outcome.enhanced_code = "5.6.7";
      co_return outcome;
    }
    const std::string mail = MailCommand(job.message);
    const std::string recipient = RecipientCommand(job.message);
    std::optional<SmtpReply> mail_reply;
    std::optional<SmtpReply> recipient_reply;
    if (offer_.Has("PIPELINING")) {
      if (co_await Write(mail + recipient, options_.reply_timeout)) {
        mail_reply = co_await Read(options_.reply_timeout);
        if (mail_reply) recipient_reply = co_await Read(options_.reply_timeout);
      }
    } else {
      mail_reply = co_await Ask(mail);
      if (mail_reply && mail_reply->Positive()) recipient_reply = co_await Ask(recipient);
    }
    if (!Answered(mail_reply, outcome)) co_return outcome;
    outcome.where = "rcpt";
    if (!Answered(recipient_reply, outcome)) co_return outcome;
    outcome.where = "data";
    const auto go = co_await Ask("DATA\r\n");
    if (!go || go->code != 354) {
      if (go && go->Positive()) {  // neither yes nor no: nothing can follow
        Cut();
        co_return outcome;
      }
      Answered(go, outcome);
      co_return outcome;
    }
    if (!co_await Write(DotStuffed(job.message.bytes), options_.data_timeout)) co_return outcome;
    if (!job.may_still_send()) co_return outcome;
    outcome.where = "dot";
    // From here on the server may have it whatever we hear.
    outcome.kind = Kind::kUnknown;
    if (!co_await Write(".\r\n", options_.final_timeout)) co_return outcome;
    const auto reply = co_await Read(options_.final_timeout);
    if (!reply) co_return outcome;
    Answered(reply, outcome);
    if (reply->Positive()) outcome.kind = Kind::kSent;
    co_return outcome;
  }

  std::string MailCommand(const SmtpMessage& message) const {
    std::string command = "MAIL FROM:<" + message.sender + ">";
    if (offer_.Has("SIZE")) command += " SIZE=" + std::to_string(message.bytes.size());
    if (offer_.Has("8BITMIME")) command += " BODY=8BITMIME";
    if (message.smtputf8) command += " SMTPUTF8";
    if (offer_.Has("DSN")) {
      command += " RET=HDRS";
      if (!message.envelope_id.empty()) command += " ENVID=" + message.envelope_id;
    }
    return command + "\r\n";
  }

  std::string RecipientCommand(const SmtpMessage& message) const {
    std::string command = "RCPT TO:<" + message.recipient + ">";
    if (offer_.Has("DSN")) command += " NOTIFY=SUCCESS,FAILURE,DELAY";
    return command + "\r\n";
  }

  // Keeps what the server said; true when it goes on.
  static bool Answered(const std::optional<SmtpReply>& reply, SmtpOutcome& outcome) {
    if (!reply) return false;
    outcome.code = reply->code;
    outcome.enhanced_code = reply->enhanced_code;
    if (reply->Positive()) return true;
    outcome.kind = reply->Transient() ? Kind::kTransient : Kind::kPermanent;
    return false;
  }

  // The same before there is a message: a no is not the message's fault.
  static bool Took(const std::optional<SmtpReply>& reply, SmtpOutcome& why) {
    if (!reply) return false;
    why.code = reply->code;
    why.enhanced_code = reply->enhanced_code;
    return reply->Positive();
  }

  awaitable<std::optional<SmtpReply>> Ask(std::string command) {
    std::optional<SmtpReply> reply;
    const bool written = co_await Write(std::move(command), options_.reply_timeout);
    if (written) reply = co_await Read(options_.reply_timeout);
    co_return reply;
  }

  awaitable<bool> Write(std::string bytes, milliseconds within) {
    if (!open_) co_return false;
    Within(within);
    error_code error;
    for (size_t at = 0; at < bytes.size() && !error; at += kWriteBytes) {
      const auto part = asio::buffer(bytes.data() + at, std::min(kWriteBytes, bytes.size() - at));
      if (encrypted_) {
        co_await asio::async_write(stream_, part, asio::redirect_error(asio::use_awaitable, error));
      } else {
        co_await asio::async_write(socket_, part, asio::redirect_error(asio::use_awaitable, error));
      }
    }
    if (error) Cut();
    co_return !error;
  }

  awaitable<std::optional<SmtpReply>> Read(milliseconds within) {
    Within(within);
    while (open_) {
      bool malformed = false;
      if (auto reply = TakeReply(buffer_, malformed)) {
        deadline_.cancel();
        co_return reply;
      }
      if (malformed || buffer_.size() > SmtpClient::kMaxReplyBytes) break;
      char bytes[kReadBytes];
      error_code error;
      size_t count = 0;
      if (encrypted_) {
        count = co_await stream_.async_read_some(asio::buffer(bytes),
                                                 asio::redirect_error(asio::use_awaitable, error));
      } else {
        count = co_await socket_.async_read_some(asio::buffer(bytes),
                                                 asio::redirect_error(asio::use_awaitable, error));
      }
      if (error) break;
      buffer_.append(bytes, count);
    }
    Cut();
    co_return std::nullopt;
  }

  const SmtpOptions& options_;
  tcp::socket socket_;
  tcp::resolver resolver_;
  ssl::stream<tcp::socket&> stream_;
  asio::steady_timer deadline_;
  SmtpOffer offer_;
  std::string buffer_;  // read and not yet taken
  bool open_ = false;
  bool encrypted_ = false;
  int sent_ = 0;
};

class AsioSmtpClient final : public SmtpClient {
 public:
  AsioSmtpClient(const SmtpOptions& options, Logger logger)
      : options_(options),
        logger_(std::move(logger)),
        tls_(ssl::context::tls_client),
        work_(asio::make_work_guard(context_)) {}
  ~AsioSmtpClient() override { Stop(); }

  Status Open() {
    error_code error;
    tls_.set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 |
                     ssl::context::no_tlsv1_1);
    if (options_.ca_file.empty()) {
      tls_.set_default_verify_paths(error);
    } else {
      tls_.load_verify_file(options_.ca_file, error);
    }
    if (error) {
      return Error(StatusCode::kFailedPrecondition, "smtp_config",
                   "cannot read certificates from \"" + options_.ca_file + "\"");
    }
    thread_ = StartThread("smtp", [this](const std::stop_token&) { context_.run(); });
    return OkStatus();
  }

  void Send(SmtpMessage message, std::function<bool()> may_still_send, Done done) override {
    auto job =
        std::make_shared<Job>(Job{std::move(message), std::move(may_still_send), std::move(done)});
    asio::post(context_, [this, job] { Take(job); });
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      stopping_ = true;
      for (Lane* lane : lanes_) {
        lane->wake.cancel();
        if (lane->connection) lane->connection->Cut();
      }
      while (!jobs_.empty()) {
        const auto job = jobs_.front();
        jobs_.pop_front();
        job->done({.kind = SmtpOutcome::Kind::kNotSent, .where = "stopped"});
      }
      work_.reset();
    });
    thread_.join();
  }

 private:
  using JobPointer = std::shared_ptr<Job>;
  // A place for one connection; it ends when there is nothing to do for a while.
  struct Lane {
    explicit Lane(asio::io_context& context) : wake(context) {}
    asio::steady_timer wake;
    std::unique_ptr<Connection> connection;
    bool idle = false;
  };

  void Take(const JobPointer& job) {
    if (stopping_ || jobs_.size() >= options_.queued) {
      return job->done({.kind = SmtpOutcome::Kind::kNotSent, .where = "queue"});
    }
    jobs_.push_back(job);
    for (Lane* lane : lanes_) {
      if (!lane->idle) continue;
      lane->idle = false;
      lane->wake.cancel();
      return;
    }
    if (static_cast<int>(lanes_.size()) < options_.connections)
      asio::co_spawn(context_, Run(), asio::detached);
  }

  awaitable<void> Run() {
    Lane lane(context_);
    lanes_.push_back(&lane);
    while (!stopping_) {
      if (jobs_.empty()) {
        lane.idle = true;
        lane.wake.expires_after(options_.idle_timeout);
        error_code woken;
        co_await lane.wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        lane.idle = false;
        if (jobs_.empty()) break;
        continue;
      }
      const JobPointer job = jobs_.front();
      jobs_.pop_front();
      SmtpOutcome outcome = co_await Deliver(lane, job);
      if (outcome.kind == SmtpOutcome::Kind::kNotSent && !outcome.where.empty()) Tell(outcome);
      job->done(outcome);
    }
    if (lane.connection) co_await lane.connection->Quit();
    std::erase(lanes_, &lane);
  }

  // Over a connection that was kept the server may have gone meanwhile: then once more over a fresh
  // one, as nothing can have been taken before the final dot.
  awaitable<SmtpOutcome> Deliver(Lane& lane, const JobPointer& job) {
    SmtpOutcome outcome;
    for (int attempt = 0; attempt < 2 && !stopping_; ++attempt) {
      const bool kept = lane.connection != nullptr && lane.connection->Open();
      if (!kept) {
        lane.connection = std::make_unique<Connection>(context_, options_, tls_);
        if (!co_await lane.connection->Connect(outcome)) {
          lane.connection->Cut();
          co_return outcome;
        }
      }
      outcome = co_await lane.connection->Send(*job);
      const bool gone = outcome.kind == SmtpOutcome::Kind::kNotSent && outcome.code == 0 &&
                        outcome.where == "mail";
      if (!kept || !gone) break;
    }
    co_return outcome;
  }

  void Tell(const SmtpOutcome& outcome) {
    if (outcome.where == "data" || outcome.where == "queue") return;
    logger_.Warning("mail server not usable", {{"where", outcome.where}, {"code", outcome.code}});
  }

  const SmtpOptions options_;
  const Logger logger_;
  asio::io_context context_;
  ssl::context tls_;
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  // Of the thread.
  std::deque<JobPointer> jobs_;
  std::vector<Lane*> lanes_;
  bool stopping_ = false;
  std::jthread thread_;
};

}  // namespace

StatusOr<std::unique_ptr<SmtpClient>> SmtpClient::Create(const SmtpOptions& options,
                                                         Logger logger) {
  if (options.host.empty()) {
    return Error(StatusCode::kInvalidArgument, "smtp_config", "the mail server has no host");
  }
  auto client = std::make_unique<AsioSmtpClient>(options, std::move(logger));
  HILO_RETURN_IF_ERROR(client->Open());
  return client;
}

}  // namespace hilo::email
