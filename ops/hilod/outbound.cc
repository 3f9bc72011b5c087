#include "ops/hilod/outbound.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "connectors/dispatch/dispatcher.h"
#include "connectors/dispatch/suppressions.h"
#include "connectors/dispatch/template_preparation.h"
#include "connectors/email/dkim.h"
#include "connectors/email/mail_carrier.h"
#include "connectors/email/smtp_client.h"
#include "connectors/email/unsubscribe.h"
#include "connectors/kit/message_token.h"
#include "hilo/v1/common.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/metric_names.h"
#include "state/decision/profile.h"
#include "state/store/rocksdb_store.h"

namespace hilo::hilod {
namespace {

// Positions alone: a few rows.
constexpr size_t kStoreBytes = 4 << 20;

Status Invalid(const std::string& what) {
  return Error(StatusCode::kFailedPrecondition, "config_invalid", what);
}

std::optional<email::SmtpTls> TlsOf(const std::string& word) {
  if (word == "none") return email::SmtpTls::kNone;
  if (word == "opportunistic") return email::SmtpTls::kOpportunistic;
  if (word == "required") return email::SmtpTls::kRequired;
  if (word == "implicit") return email::SmtpTls::kImplicit;
  return std::nullopt;
}

// The first line of a file.
StatusOr<std::string> ReadSecret(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  if (!std::getline(in, line) || line.empty())
    return Invalid("email.password_file: it cannot be read, or its first line is empty");
  return line;
}

StatusOr<email::SmtpOptions> SmtpOf(const Settings& settings) {
  email::SmtpOptions options;
  const auto tls = TlsOf(settings.email_tls);
  if (!tls) return Invalid("email.tls: write none, opportunistic, required or implicit");
  options.host = settings.email_host;
  options.port = settings.email_port;
  options.tls = *tls;
  options.ca_file = settings.email_ca_file;
  options.own_name = settings.email_own_name;
  options.user = settings.email_user;
  options.plain_auth_without_tls = settings.email_plain_auth_without_tls;
  if (!settings.email_password_file.empty()) {
    HILO_ASSIGN_OR_RETURN(options.password, ReadSecret(settings.email_password_file));
  }
  return options;
}

class EmailOutbound final : public Outbound {
 public:
  explicit EmailOutbound(const Parts& parts) : parts_(parts) {}

  Status Build(const Settings& settings) {
    HILO_ASSIGN_OR_RETURN(token_key_, parts_.keys.PurposeKey("token"));
    // Links of mails that were sent work also where nothing is sent any more.
    if (settings.email_host.empty()) return OkStatus();
    if (settings.email_from_address.empty())
      return Invalid("email.from_address: it is needed where email.host is set");
    if (settings.public_url.empty()) {
      return Invalid(
          "public_url: it is needed where email.host is set, for the links that stop mail");
    }
    public_url_ = settings.public_url;
    while (public_url_.ends_with('/')) public_url_.pop_back();
    HILO_ASSIGN_OR_RETURN(const email::SmtpOptions smtp, SmtpOf(settings));
    HILO_ASSIGN_OR_RETURN(client_,
                          email::SmtpClient::Create(smtp, parts_.logger.Named("connectors/email")));
    if (!settings.email_dkim_domain.empty()) {
      HILO_ASSIGN_OR_RETURN(signer_,
                            email::DkimSigner::Load({.domain = settings.email_dkim_domain,
                                                     .selector = settings.email_dkim_selector,
                                                     .key_file = settings.email_dkim_key_file}));
    }
    const email::SenderOptions sender{.from_address = settings.email_from_address,
                                      .from_name = settings.email_from_name,
                                      .reply_to = settings.email_reply_to,
                                      .bounce_address = settings.email_bounce_address,
                                      .message_domain = settings.email_message_domain,
                                      .token_key = token_key_};
    if (const Status checked = email::CheckSender(sender); !checked.ok())
      return Invalid(std::string(checked.message()));
    carrier_ = std::make_unique<email::MailCarrier>(sender, *client_, signer_.get(), parts_.clock,
                                                    parts_.logger.Named("connectors/email"));
    return OpenDispatcher(settings);
  }

  void AddRoutes(http::Router& router) override {
    email::AddUnsubscribe({.commands = parts_.commands,
                           .clock = parts_.clock,
                           .registry = parts_.registry,
                           .token_key = token_key_},
                          router);
  }
  void Start() override {
    if (dispatcher_ != nullptr) dispatcher_->Start();
  }
  void Stop() override {
    if (dispatcher_ == nullptr) return;
    dispatcher_->Stop();
    client_->Stop();
  }
  std::string NotReadyReason() const override {
    if (dispatcher_ == nullptr || dispatcher_->Failure().ok()) return "";
    return "email: " + Describe(dispatcher_->Failure());
  }
  void UpdateGauges() override {
    if (dispatcher_ == nullptr) return;
    for (uint32_t partition = 0; partition < parts_.partitions; ++partition) {
      parts_.registry.Get(metric::kDispatchLag, {"email", std::to_string(partition)})
          .Set(static_cast<double>(dispatcher_->Lag(partition)));
    }
  }

 private:
  Status OpenDispatcher(const Settings& settings) {
    resources_ = std::make_unique<store::SharedResources>(store::SharedResources::Options{
        .cache_bytes = kStoreBytes, .write_buffer_bytes = kStoreBytes / 2});
    HILO_ASSIGN_OR_RETURN(
        positions_,
        store::RocksDbStore::Open({settings.data_directory + "/state/dispatch", *resources_}));
    HILO_ASSIGN_OR_RETURN(suppressions_, dispatch::Suppressions::Open(parts_.log));
    preparation_ =
        std::make_unique<dispatch::TemplatePreparation>(dispatch::TemplatePreparation::Parts{
            .sealer = parts_.sealer,
            .clock = parts_.clock,
            .catalogue =
                [this](uint64_t revision) { return parts_.catalogue.OfRevision(revision); },
            .unsubscribe_url =
                [this](const store::v1::OutboundMessage& message) { return LinkOf(message); }});
    std::random_device random;
    uint64_t incarnation = 0;
    while (incarnation == 0) incarnation = (uint64_t{random()} << 32) | random();
    HILO_ASSIGN_OR_RETURN(dispatcher_, dispatch::Dispatcher::Create(
                                           {.channel = "email",
                                            .channel_number = v1::CHANNEL_EMAIL,
                                            .partitions = parts_.partitions,
                                            .incarnation = incarnation},
                                           {.log = parts_.log,
                                            .commands = parts_.commands,
                                            .preparation = *preparation_,
                                            .carrier = *carrier_,
                                            .suppressions = *suppressions_,
                                            .positions = *positions_,
                                            .clock = parts_.clock,
                                            .registry = parts_.registry,
                                            .logger = parts_.logger.Named("connectors/dispatch")}));
    return OkStatus();
  }

  std::string LinkOf(const store::v1::OutboundMessage& message) const {
    const auto customer = CustomerId::FromBytes(message.customer());
    const auto member = MemberId::FromBytes(message.member());
    const auto id = MessageId::FromBytes(message.message());
    if (!customer || !member || !id) return "";
    return public_url_ + "/u/" +
           kit::MakeToken(token_key_, {*customer, *member, *id, message.order().purpose()});
  }

  const Parts parts_;
  HashKey token_key_;
  std::string public_url_;
  std::unique_ptr<email::SmtpClient> client_;
  std::unique_ptr<email::DkimSigner> signer_;
  std::unique_ptr<email::MailCarrier> carrier_;
  std::unique_ptr<store::SharedResources> resources_;
  std::unique_ptr<store::RocksDbStore> positions_;
  std::unique_ptr<dispatch::Suppressions> suppressions_;
  std::unique_ptr<dispatch::TemplatePreparation> preparation_;
  std::unique_ptr<dispatch::Dispatcher> dispatcher_;
};

// "MESSAGE_STATE_HELD" as "held".
std::string StateWord(uint32_t state) {
  std::string word = v1::MessageState_Name(static_cast<v1::MessageState>(state))
                         .substr(sizeof("MESSAGE_STATE_") - 1);
  std::transform(word.begin(), word.end(), word.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return word;
}

}  // namespace

void MessageCounter::OnNotice(const log::TopicPartition&, const fold::Notice& notice) {
  if (notice.kind != fold::Notice::Kind::kMessage ||
      !v1::MessageState_IsValid(static_cast<int>(notice.state)))
    return;
  registry_
      .Get(metric::kMessages, {decision::ChannelWord(notice.channel), StateWord(notice.state),
                               notice.reason.empty() ? "none" : notice.reason})
      .Increment();
}

StatusOr<std::unique_ptr<Outbound>> Outbound::Open(const Settings& settings, const Parts& parts) {
  auto outbound = std::make_unique<EmailOutbound>(parts);
  HILO_RETURN_IF_ERROR(outbound->Build(settings));
  return outbound;
}

}  // namespace hilo::hilod
