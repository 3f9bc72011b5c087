#include "connectors/email/mail_carrier.h"

#include <utility>

#include "connectors/email/mail.h"
#include "ops/base/text_encoding.h"

namespace hilo::email {
namespace {

std::string DomainOf(const std::string& address) { return address.substr(address.rfind('@') + 1); }

}  // namespace

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
  mail.reply_to = options_.reply_to;
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
  submitted.sender =
      options_.bounce_address.empty() ? options_.from_address : options_.bounce_address;
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
