#include "connectors/email/smtp_client.h"

// clang-format off
// Boost 1.74's Asio uses std::exchange without including this header, so it comes before all others.
#include <utility>
// clang-format on

#include <arpa/inet.h>
#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
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
#include <exception>
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
constexpr size_t kMaxAddressBytes =
    320;  // RFC 5321, 4.5.3.1: 64 of the local part, 255 of the domain

// What may stand between the angle brackets of MAIL and RCPT. Whatever could end the command or add
// a parameter is no address.
bool FitsEnvelope(std::string_view address) {
  for (const char c : address) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte == 0x7f || c == '<' || c == '>') return false;
  }
  return address.size() <= kMaxAddressBytes;
}

// Whether a refusal is about who sends, or whether it is logged in, and says nothing of the message
// or its recipient: 5.1.7 and 5.1.8, and any 5.1 before there is a recipient.
bool IsAboutSender(const SmtpOutcome& outcome) {
  return outcome.code == 530 || outcome.enhanced_code == "5.1.7" ||
         outcome.enhanced_code == "5.1.8" ||
         (outcome.where == "mail" && outcome.enhanced_code.starts_with("5.1."));
}

// Source: RFC 3461, 4.
std::string XText(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '+' && c != '=') {
      out += c;
    } else {
      out += {'+', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

bool IsIpAddress(const std::string& host) {
  unsigned char ignored[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), ignored) == 1 ||
         inet_pton(AF_INET6, host.c_str(), ignored) == 1;
}

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
  ~Connection() { ++*turn_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool Open() const { return open_; }
  void Cut() {
    open_ = false;
    cut_ = true;
    Relax();
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
    if (error || cut_) co_return false;
    co_await asio::async_connect(socket_, found, asio::redirect_error(asio::use_awaitable, error));
    if (error || cut_) co_return false;
    open_ = true;
    socket_.set_option(tcp::no_delay(true), error);
    if (options_.tls == SmtpTls::kImplicit) {
      const bool encrypted = co_await Encrypt(why);
      if (!encrypted) co_return false;
    }
    const auto greeting = co_await Read(options_.reply_timeout);
    if (!Took(greeting, why)) co_return false;
    const bool known = co_await Hello(why);
    if (!known) co_return false;
    if (options_.tls == SmtpTls::kRequired || options_.tls == SmtpTls::kOpportunistic) {
      if (offer_.Has("STARTTLS")) {
        why.where = "starttls";
        const auto go = co_await Ask("STARTTLS\r\n");
        const bool refused = go && !go->Positive() && options_.tls == SmtpTls::kOpportunistic;
        if (!refused) {
          if (!Took(go, why)) co_return false;
          // What somebody put in before the handshake would be taken for the server's word after
          // it.
          if (!buffer_.empty()) co_return false;
          const bool encrypted = co_await Encrypt(why);
          if (!encrypted) co_return false;
          const bool known_again = co_await Hello(why);
          if (!known_again) co_return false;
        }
      } else if (options_.tls == SmtpTls::kRequired) {
        why.where = "starttls";
        co_return false;
      }
    }
    const bool logged_in = co_await LogIn(why);
    co_return logged_in;
  }

  // The dialogue of one message; Settle must follow.
  awaitable<SmtpOutcome> Send(const Job& job) {
    SmtpOutcome outcome = co_await Dialogue(job);
    ++sent_;
    co_return outcome;
  }

  // Makes the connection fit for another message, or ends it. Apart from Send, so that nobody waits
  // for it who waits for the outcome.
  awaitable<void> Settle(SmtpOutcome outcome) {
    if (outcome.kind == Kind::kNotSent || outcome.kind == Kind::kUnknown || outcome.code == 421) {
      Cut();
    } else if (sent_ >= options_.messages_per_connection) {
      co_await Quit();
    } else if (outcome.kind != Kind::kSent && open_) {
      const auto reset = co_await Ask("RSET\r\n");
      if (!reset || !reset->Positive()) Cut();
    }
  }

  awaitable<void> Quit() {
    if (open_) co_await Ask("QUIT\r\n");
    Cut();
  }

 private:
  using Kind = SmtpOutcome::Kind;

  // Whatever is under way fails when this has passed. A timer that has run out cannot be called
  // back, so it looks first whether it is still its turn.
  void Within(milliseconds time) {
    deadline_.expires_after(time);
    deadline_.async_wait([this, turn = turn_, mine = ++*turn_](error_code error) {
      if (!error && *turn == mine) Cut();
    });
  }
  void Relax() {
    ++*turn_;
    deadline_.cancel();
  }

  awaitable<bool> Encrypt(SmtpOutcome& why) {
    why.where = "starttls";
    const bool verify = options_.tls != SmtpTls::kOpportunistic;
    if (!IsIpAddress(options_.host))
      SSL_set_tlsext_host_name(stream_.native_handle(), options_.host.c_str());
    error_code error;
    stream_.set_verify_mode(verify ? ssl::verify_peer : ssl::verify_none, error);
    if (!error && verify)
      stream_.set_verify_callback(ssl::host_name_verification(options_.host), error);
    if (error) co_return false;
    Within(options_.connect_timeout);
    co_await stream_.async_handshake(ssl::stream_base::client,
                                     asio::redirect_error(asio::use_awaitable, error));
    encrypted_ = !error;
    verified_ = encrypted_ && verify;
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
    if (!verified_ && !options_.plain_auth_without_tls) co_return false;
    if (offer_.auth.contains("PLAIN")) {
      std::string credentials;
      credentials += '\0';
      credentials += options_.user;
      credentials += '\0';
      credentials += options_.password;
      const auto reply = co_await Ask("AUTH PLAIN " + PaddedBase64(credentials) + "\r\n");
      co_return Took(reply, why);
    }
    if (!offer_.auth.contains("LOGIN")) co_return false;
    auto reply = co_await Ask("AUTH LOGIN\r\n");
    if (reply && reply->code == 334) reply = co_await Ask(PaddedBase64(options_.user) + "\r\n");
    if (reply && reply->code == 334) reply = co_await Ask(PaddedBase64(options_.password) + "\r\n");
    co_return Took(reply, why);
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
      mail_reply = co_await Ask(mail + recipient);
      if (mail_reply && mail_reply->code != 421)
        recipient_reply = co_await Read(options_.reply_timeout);
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
      // A yes of another kind is neither: nothing can follow.
      if (Answered(go, outcome)) Cut();
      co_return outcome;
    }
    outcome.code = 0;
    outcome.enhanced_code.clear();
    const bool text_written = co_await Write(DotStuffed(job.message.bytes), options_.data_timeout);
    if (!text_written) co_return outcome;
    if (HasSpoken()) {
      // It has had enough, or is gone. Whatever it says, the message was not whole.
      const auto early = co_await Read(options_.reply_timeout);
      Answered(early, outcome);
      Cut();
      co_return outcome;
    }
    if (!job.may_still_send()) co_return outcome;
    outcome.where = "dot";
    // From here on the server may have it whatever we hear.
    outcome.kind = Kind::kUnknown;
    const bool dot_written = co_await Write(".\r\n", options_.final_timeout);
    if (!dot_written) co_return outcome;
    const auto reply = co_await Read(options_.final_timeout);
    if (Answered(reply, outcome)) outcome.kind = Kind::kSent;
    co_return outcome;
  }

  // Whether there is something to read, be it the end.
  bool HasSpoken() {
    char byte;
    return !buffer_.empty() ||
           ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
  }

  std::string MailCommand(const SmtpMessage& message) const {
    std::string command = "MAIL FROM:<" + message.sender + ">";
    if (offer_.Has("SIZE")) command += " SIZE=" + std::to_string(message.bytes.size());
    if (offer_.Has("8BITMIME")) command += " BODY=8BITMIME";
    if (message.smtputf8) command += " SMTPUTF8";
    if (offer_.Has("DSN")) {
      command += " RET=HDRS";
      if (!message.envelope_id.empty()) command += " ENVID=" + XText(message.envelope_id);
    }
    return command + "\r\n";
  }

  std::string RecipientCommand(const SmtpMessage& message) const {
    std::string command = "RCPT TO:<" + message.recipient + ">";
    if (offer_.Has("DSN")) {
      command += " NOTIFY=SUCCESS,FAILURE,DELAY";
      // Addresses beyond ASCII have a form of their own (RFC 6533), which servers seldom know.
      if (!message.smtputf8) command += " ORCPT=rfc822;" + XText(message.recipient);
    }
    return command + "\r\n";
  }

  // Keeps what the server said; true when it goes on. An answer that is neither yes nor no leaves
  // the outcome as it was.
  static bool Answered(const std::optional<SmtpReply>& reply, SmtpOutcome& outcome) {
    outcome.code = 0;
    outcome.enhanced_code.clear();
    if (!reply) return false;
    outcome.code = reply->code;
    outcome.enhanced_code = reply->enhanced_code;
    if (reply->Positive()) return true;
    if (reply->Transient()) outcome.kind = Kind::kTransient;
    if (reply->Permanent())
      outcome.kind = IsAboutSender(outcome) ? Kind::kNotSent : Kind::kPermanent;
    return false;
  }

  // The same before there is a message: a no is not the message's fault.
  static bool Took(const std::optional<SmtpReply>& reply, SmtpOutcome& why) {
    why.code = 0;
    why.enhanced_code.clear();
    if (!reply) return false;
    why.code = reply->code;
    why.enhanced_code = reply->enhanced_code;
    return reply->Positive();
  }

  // The answer to the first of `command`'s lines.
  awaitable<std::optional<SmtpReply>> Ask(std::string command) {
    // What came unasked would be taken for the answer to this. Of what came encrypted only the
    // decrypted counts: TLS has messages of its own.
    if (!buffer_.empty() || (!encrypted_ && HasSpoken())) Cut();
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
        Relax();
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
  bool cut_ = false;
  bool encrypted_ = false;
  bool verified_ = false;  // encrypted, and the server is the one that was meant
  int sent_ = 0;
  // Which deadline counts. It outlives the connection in timers that have run out already.
  const std::shared_ptr<uint64_t> turn_ = std::make_shared<uint64_t>(0);
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
    if (!FitsEnvelope(message.sender) || !FitsEnvelope(message.envelope_id))
      return done({.kind = SmtpOutcome::Kind::kNotSent, .where = "mail"});
    if (message.recipient.empty() || !FitsEnvelope(message.recipient)) {
      return done(
          {.kind = SmtpOutcome::Kind::kPermanent, .enhanced_code = "5.1.3", .where = "rcpt"});
    }
    auto job =
        std::make_shared<Job>(Job{std::move(message), std::move(may_still_send), std::move(done)});
    {
      MutexLock lock(mutex_);
      if (!stopped_) return asio::post(context_, [this, job] { Take(job); });
    }
    job->done({.kind = SmtpOutcome::Kind::kNotSent, .where = "stopped"});
  }

  void Stop() override {
    if (!thread_.joinable()) return;
    asio::post(context_, [this] {
      stopping_ = true;
      for (Lane* lane : lanes_) {
        lane->wake.cancel();
        if (lane->connection) lane->connection->Cut();
      }
      for (const JobPointer& job : std::exchange(jobs_, {}))
        job->done({.kind = SmtpOutcome::Kind::kNotSent, .where = "stopped"});
      work_.reset();
    });
    thread_.join();
    {
      MutexLock lock(mutex_);
      stopped_ = true;
    }
    // What was posted between the last of the work and here; it makes no new work.
    context_.restart();
    context_.run();
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
    if (running_ < options_.connections) {
      ++running_;
      asio::co_spawn(context_, Run(), [](const std::exception_ptr& failure) {
        // To the thread's end, which names it: a lane that is silently gone is worse.
        if (failure) std::rethrow_exception(failure);
      });
    }
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
        if (!jobs_.empty() || stopping_) continue;
        if (lane.connection) co_await lane.connection->Quit();
        // A message that came meanwhile has counted on this lane.
        if (jobs_.empty()) break;
        continue;
      }
      const JobPointer job = jobs_.front();
      jobs_.pop_front();
      const SmtpOutcome outcome = co_await Deliver(lane, job);
      if (outcome.kind == SmtpOutcome::Kind::kNotSent) Tell(outcome);
      job->done(outcome);
      if (lane.connection && lane.connection->Open()) co_await lane.connection->Settle(outcome);
    }
    std::erase(lanes_, &lane);
    --running_;
  }

  // Over a connection that was kept the server may have gone meanwhile: then once more over a fresh
  // one, as nothing can have been taken before the final dot.
  awaitable<SmtpOutcome> Deliver(Lane& lane, const JobPointer& job) {
    SmtpOutcome outcome{.kind = SmtpOutcome::Kind::kNotSent, .where = "stopped"};
    for (int attempt = 0; attempt < 2 && !stopping_; ++attempt) {
      const bool kept = lane.connection != nullptr && lane.connection->Open();
      if (!kept) {
        lane.connection = std::make_unique<Connection>(context_, options_, tls_);
        const bool connected = co_await lane.connection->Connect(outcome);
        if (!connected) {
          lane.connection->Cut();
          co_return outcome;
        }
      }
      outcome = co_await lane.connection->Send(*job);
      // It says 421 when it ends what was idle for too long.
      const bool gone = outcome.where == "mail" && (outcome.code == 0 || outcome.code == 421);
      if (!kept || !gone || outcome.kind == SmtpOutcome::Kind::kPermanent) break;
      lane.connection->Cut();
    }
    co_return outcome;
  }

  void Tell(const SmtpOutcome& outcome) {
    if (outcome.where == "data" || outcome.where == "stopped") return;
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
  int running_ = 0;  // lanes, with those that have not begun yet
  bool stopping_ = false;
  Mutex mutex_;
  bool stopped_ HILO_GUARDED_BY(mutex_) = false;  // nothing runs any more
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
