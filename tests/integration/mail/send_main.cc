// hilo_send_mail: composes, signs and submits one mail as hilod does, and prints what the mail
// server said: "kind code enhanced-code where". With "--print yes" it prints the mail instead.
// Flags, each with a value: see Read.
#include <cstdio>
#include <fstream>
#include <future>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "connectors/email/dkim.h"
#include "connectors/email/mail.h"
#include "connectors/email/smtp_client.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"

namespace {

using hilo::email::SmtpTls;

struct Order {
  hilo::email::Mail mail;
  hilo::email::SmtpOptions smtp;
  hilo::email::DkimSigner::Options dkim;
  bool print = false;
  bool allowed = true;
};

std::string Content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool Read(const std::string& flag, const std::string& value, Order& order) {
  const std::pair<const char*, std::string*> texts[] = {
      {"--host", &order.smtp.host},
      {"--ca", &order.smtp.ca_file},
      {"--user", &order.smtp.user},
      {"--password", &order.smtp.password},
      {"--from", &order.mail.from_address},
      {"--from-name", &order.mail.from_name},
      {"--to", &order.mail.to},
      {"--subject", &order.mail.subject},
      {"--id", &order.mail.message_id},
      {"--unsubscribe", &order.mail.unsubscribe_url},
      {"--dkim-key", &order.dkim.key_file},
      {"--dkim-domain", &order.dkim.domain},
      {"--dkim-selector", &order.dkim.selector}};
  for (const auto& [name, text] : texts) {
    if (flag != name) continue;
    *text = value;
    return true;
  }
  if (flag == "--text-file") return order.mail.text = Content(value), true;
  if (flag == "--html-file") return order.mail.html = Content(value), true;
  if (flag == "--print") return order.print = true;
  if (flag == "--allowed") return order.allowed = value == "yes", true;
  if (flag == "--port") {
    order.smtp.port = static_cast<uint16_t>(std::strtoul(value.c_str(), nullptr, 10));
    return true;
  }
  if (flag != "--tls") return false;
  order.smtp.tls = value == "none"            ? SmtpTls::kNone
                   : value == "opportunistic" ? SmtpTls::kOpportunistic
                   : value == "implicit"      ? SmtpTls::kImplicit
                                              : SmtpTls::kRequired;
  return true;
}

int Fail(const hilo::Status& status) {
  std::fprintf(stderr, "%s\n", hilo::Describe(status).c_str());
  return 1;
}

const char* NameOf(hilo::email::SmtpOutcome::Kind kind) {
  using Kind = hilo::email::SmtpOutcome::Kind;
  switch (kind) {
    case Kind::kSent:
      return "sent";
    case Kind::kTransient:
      return "transient";
    case Kind::kPermanent:
      return "permanent";
    case Kind::kUnknown:
      return "unknown";
    case Kind::kNotSent:
      break;
  }
  return "not_sent";
}

int Submit(const Order& order, hilo::email::SmtpMessage message) {
  const hilo::SystemClock clock;
  hilo::Registry registry;
  hilo::DescriptorSink lines(2);
  hilo::LogOutput output({}, lines, clock, registry);
  auto client =
      hilo::email::SmtpClient::Create(order.smtp, hilo::Logger(output, "connectors/email"));
  if (!client.ok()) return Fail(client.status());
  std::promise<hilo::email::SmtpOutcome> promise;
  (*client)->Send(
      std::move(message), [&] { return order.allowed; },
      [&](const hilo::email::SmtpOutcome& outcome) { promise.set_value(outcome); });
  const auto outcome = promise.get_future().get();
  std::printf("%s %d %s %s\n", NameOf(outcome.kind), outcome.code,
              outcome.enhanced_code.empty() ? "-" : outcome.enhanced_code.c_str(),
              outcome.where.c_str());
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Order order;
  order.mail.from_address = "shop@shop.example";
  order.mail.subject = "Your basket";
  order.mail.text = "Your shoes are waiting.\n";
  order.mail.message_id = "one@shop.example";
  for (int i = 1; i < count; i += 2) {
    if (i + 1 == count || !Read(words[i], words[i + 1], order))
      return std::fprintf(stderr, "hilo_send_mail does not know %s\n", words[i]), 2;
  }
  const hilo::SystemClock clock;
  order.mail.date = clock.Wall();
  auto composed = hilo::email::Compose(order.mail);
  if (!composed.ok()) return Fail(composed.status());
  if (!order.dkim.key_file.empty()) {
    const auto signer = hilo::email::DkimSigner::Load(order.dkim);
    if (!signer.ok()) return Fail(signer.status());
    const auto signature = (*signer)->Sign(composed->bytes, clock.Wall());
    if (!signature.ok()) return Fail(signature.status());
    composed->bytes.insert(0, *signature);
  }
  if (order.print) return std::fwrite(composed->bytes.data(), 1, composed->bytes.size(), stdout), 0;
  hilo::email::SmtpMessage message;
  message.sender = order.mail.from_address;
  message.recipient = order.mail.to;
  message.envelope_id = order.mail.message_id.substr(0, order.mail.message_id.find('@'));
  message.bytes = std::move(composed->bytes);
  message.smtputf8 = composed->smtputf8;
  return Submit(order, std::move(message));
}
