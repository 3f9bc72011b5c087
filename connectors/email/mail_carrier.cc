#include "connectors/email/mail_carrier.h"

#include <string_view>
#include <utility>

#include "connectors/email/mail.h"
#include "connectors/kit/message_token.h"
#include "ops/base/text_encoding.h"

namespace hilo::email {
namespace {

constexpr std::string_view kToken = "{token}";
constexpr size_t kMaxLocalPart = 64;  // RFC 5321, 4.5.3.1.1

std::string DomainOf(const std::string& address) { return address.substr(address.rfind('@') + 1); }

std::string WithToken(std::string address, const HashKey& key, std::string_view message) {
  const auto id = MessageId::FromBytes(message);
  const size_t at = address.find(kToken);
  if (at != std::string::npos && id) {
    address.replace(at, kToken.size(), kit::MakeAddressToken(key, *id));
  }
  return address;
}

}  // namespace

Status CheckSender(const SenderOptions& options) {
  for (const auto& [name, written] : {std::pair("email.from_address", options.from_address),
                                      std::pair("email.reply_to", options.reply_to),
                                      std::pair("email.bounce_address", options.bounce_address)}) {
    if (written.empty()) continue;
    const std::string address =
        WithToken(written, options.token_key, std::string(MessageId::kSize, '\0'));
    HILO_RETURN_IF_ERROR(CheckAddress(address, name));
    if (address.rfind('@') > kMaxLocalPart) {
      return Error(StatusCode::kInvalidArgument, "address_invalid",
                   std::string(name) + ": over 64 bytes before the \"@\", with 48 for the token");
    }
  }
  return OkStatus();
}

dispatch::Delivery DeliveryOf(const SmtpOutcome& outcome) {
  using Kind = SmtpOutcome::Kind;
  using store::v1::ReportMessage;
  dispatch::Delivery delivery;
  delivery.code = static_cast<uint32_t>(outcome.code);
  delivery.enhanced_code = outcome.enhanced_code;
  switch (outcome.kind) {
    case Kind::kSent:
      delivery.result = ReportMessage::RESULT_SENT;
      break;
    case Kind::kTransient:
      delivery.result = ReportMessage::RESULT_TRANSIENT;
      break;
    case Kind::kPermanent:
      delivery.result = ReportMessage::RESULT_PERMANENT;
      break;
    case Kind::kUnknown:
      delivery.result = ReportMessage::RESULT_UNKNOWN;
      break;
    case Kind::kNotSent:
      delivery.result = ReportMessage::RESULT_NOT_SENT;
      break;
  }
  return delivery;
}

StatusOr<SmtpMessage> MailCarrier::Write(const dispatch::Outgoing& message) const {
  const std::string id = Hex(message.message);
  const std::string domain =
      options_.message_domain.empty() ? DomainOf(options_.from_address) : options_.message_domain;
  Mail mail;
  mail.from_address = options_.from_address;
  mail.from_name = options_.from_name;
  mail.reply_to = WithToken(options_.reply_to, options_.token_key, message.message);
  mail.to = message.address;
  mail.subject = message.subject;
  mail.text = message.text;
  mail.html = message.html;
  mail.message_id = id + "@" + domain;
  mail.date = clock_.Wall();
  mail.language = message.language;
  mail.unsubscribe_url = message.unsubscribe_url;
  mail.feedback_id = message.action + ":" + DomainOf(options_.from_address);
  HILO_ASSIGN_OR_RETURN(Composed composed, Compose(mail));
  SmtpMessage submitted;
  if (signer_ != nullptr) {
    HILO_ASSIGN_OR_RETURN(const std::string signature,
                          signer_->Sign(composed.bytes, clock_.Wall()));
    composed.bytes.insert(0, signature);
  }
  submitted.sender = options_.bounce_address.empty()
                         ? options_.from_address
                         : WithToken(options_.bounce_address, options_.token_key, message.message);
  submitted.recipient = message.address;
  submitted.envelope_id = id;
  submitted.bytes = std::move(composed.bytes);
  submitted.smtputf8 = composed.smtputf8;
  return submitted;
}

void MailCarrier::Send(dispatch::Outgoing message, std::function<bool()> may_still_send,
                       Done done) {
  auto written = Write(message);
  if (!written.ok()) {
    logger_.Warning("message not made into mail", {{"cause", written.status()}});
    dispatch::Delivery delivery;
    delivery.result = store::v1::ReportMessage::RESULT_PERMANENT;
    return done(delivery);
  }
  client_.Send(*std::move(written), std::move(may_still_send),
               [done = std::move(done)](const SmtpOutcome& outcome) { done(DeliveryOf(outcome)); });
}

}  // namespace hilo::email
