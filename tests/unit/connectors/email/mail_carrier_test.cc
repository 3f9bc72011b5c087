#include "connectors/email/mail_carrier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "connectors/kit/message_token.h"
#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "tests/mail_sink/mail_sink.h"

namespace hilo::email {
namespace {

using mail_sink::MailSink;
using store::v1::ReportMessage;
using ::testing::HasSubstr;
using ::testing::Not;

dispatch::Outgoing Basket() {
  dispatch::Outgoing message;
  message.message = std::string(16, '\x0a');
  message.address = "ana@example.net";
  message.subject = "Your basket";
  message.text = "Your shoes are waiting.";
  message.html = "<p>Your shoes are waiting.</p>";
  message.language = "en";
  message.action = "basket_reminder";
  message.unsubscribe_url = "https://hub.shop.example/u/TOKEN";
  message.marketing = true;
  return message;
}

class MailCarrierTest : public ::testing::Test {
 protected:
  void Start(const std::string& plan) {
    MailSink::Options sink;
    sink.plan = *mail_sink::ParsePlan(plan);
    sink_ = *MailSink::Start(std::move(sink));
    SmtpOptions smtp;
    smtp.host = "127.0.0.1";
    smtp.port = sink_->port();
    smtp.tls = SmtpTls::kNone;
    client_ = *SmtpClient::Create(smtp, logger_);
    SenderOptions sender;
    sender.from_address = "shop@shop.example";
    sender.bounce_address = "bounce@shop.example";
    sender.reply_to = "reply@shop.example";
    if (tokens_) {
      sender.bounce_address = "bounce+{token}@shop.example";
      sender.reply_to = "reply+{token}@shop.example";
    }
    sender.token_key.bytes.fill(7);
    carrier_ = std::make_unique<MailCarrier>(sender, *client_, nullptr, clock_, logger_);
  }
  dispatch::Delivery Send(dispatch::Outgoing message) {
    std::promise<dispatch::Delivery> promise;
    carrier_->Send(
        std::move(message), [] { return true; },
        [&](const dispatch::Delivery& delivery) { promise.set_value(delivery); });
    return promise.get_future().get();
  }

  bool tokens_ = false;
  SystemClock clock_;
  Registry registry_;
  MemorySink lines_;
  LogOutput output_{{}, lines_, clock_, registry_};
  Logger logger_{output_, "connectors/email"};
  std::unique_ptr<MailSink> sink_;
  std::unique_ptr<SmtpClient> client_;
  std::unique_ptr<MailCarrier> carrier_;
};

TEST_F(MailCarrierTest, GivesEveryAttemptTheSameMessageId) {
  Start("at taken times=1 cut\n");
  dispatch::Outgoing message = Basket();
  EXPECT_EQ(Send(message).result, ReportMessage::RESULT_UNKNOWN);
  message.attempt = 2;
  EXPECT_EQ(Send(message).result, ReportMessage::RESULT_SENT);
  const auto taken = sink_->Messages();
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].message_id, "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a@shop.example");
  EXPECT_EQ(taken[1].message_id, taken[0].message_id);
}

TEST_F(MailCarrierTest, WritesWhatTheCustomerAndTheirMailServerNeed) {
  Start("");
  EXPECT_EQ(Send(Basket()).result, ReportMessage::RESULT_SENT);
  const auto taken = sink_->Messages();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].sender, "bounce@shop.example");
  EXPECT_THAT(taken[0].mail_line, HasSubstr(" ENVID=0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"));
  EXPECT_THAT(taken[0].bytes,
              HasSubstr("List-Unsubscribe: <https://hub.shop.example/u/TOKEN>\r\n"));
  EXPECT_THAT(taken[0].bytes, HasSubstr("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
  EXPECT_THAT(taken[0].bytes, HasSubstr("Feedback-ID: basket_reminder:shop.example\r\n"));
  EXPECT_THAT(taken[0].bytes, HasSubstr("<p>Your shoes are waiting.</p>"));
}

TEST_F(MailCarrierTest, GivesEachMessageItsOwnAddressesForWhatComesBack) {
  tokens_ = true;
  Start("");
  EXPECT_EQ(Send(Basket()).result, ReportMessage::RESULT_SENT);
  const auto taken = sink_->Messages();
  ASSERT_EQ(taken.size(), 1u);
  HashKey key;
  key.bytes.fill(7);
  const std::string& sender = taken[0].sender;
  ASSERT_THAT(sender, ::testing::MatchesRegex("bounce\\+[0-9a-f]+@shop.example"));
  const std::string token = sender.substr(7, sender.find('@') - 7);
  EXPECT_EQ(kit::ParseAddressToken(key, token), MessageId::FromBytes(Basket().message));
  EXPECT_THAT(taken[0].bytes, HasSubstr("Reply-To: reply+" + token + "@shop.example\r\n"));
}

TEST(CheckSender, RefusesWhatCouldNotBeAnAddress) {
  SenderOptions sender;
  sender.from_address = "shop@shop.example";
  sender.reply_to = "reply+{token}@shop.example";
  sender.bounce_address = "bounce+{token}@shop.example";
  EXPECT_TRUE(CheckSender(sender).ok());
  for (const std::string bad :
       {"{token}", "bounce@", "a b@shop.example", "bounce-of-the-shop+{token}@shop.example",
        "{tokens}(@shop.example"}) {
    sender.bounce_address = bad;
    EXPECT_EQ(Reason(CheckSender(sender)), "address_invalid") << bad;
  }
}

TEST_F(MailCarrierTest, TellsWhatTheServerSaid) {
  Start(
      "at rcpt to=nobody@ reply 550 5.1.1 no such person\n"
      "at rcpt to=full@ reply 452 4.2.2 mailbox full\n"
      "at rcpt to=us@ reply 550 5.1.8 sender unknown\n");
  const auto to = [&](const char* address) {
    dispatch::Outgoing message = Basket();
    message.address = address;
    return Send(message);
  };
  const auto nobody = to("nobody@example.net");
  EXPECT_EQ(nobody.result, ReportMessage::RESULT_PERMANENT);
  EXPECT_EQ(nobody.code, 550u);
  EXPECT_EQ(nobody.enhanced_code, "5.1.1");
  EXPECT_EQ(to("full@example.net").result, ReportMessage::RESULT_TRANSIENT);
  // Not the customer's fault: their address must not be closed for it.
  EXPECT_EQ(to("us@example.net").result, ReportMessage::RESULT_NOT_SENT);
}

TEST_F(MailCarrierTest, RefusesForGoodWhatCannotBecomeMail) {
  Start("");
  dispatch::Outgoing message = Basket();
  message.subject = "Your basket\r\nBcc: everybody@example.net";
  EXPECT_EQ(Send(message).result, ReportMessage::RESULT_PERMANENT);
  message = Basket();
  message.address = "ana@example.net>\r\nRCPT TO:<eva@example.net";
  EXPECT_EQ(Send(message).result, ReportMessage::RESULT_PERMANENT);
  EXPECT_EQ(sink_->Connections(), 0);
  EXPECT_THAT(lines_.Text(), Not(HasSubstr("example.net")));
}

}  // namespace
}  // namespace hilo::email
