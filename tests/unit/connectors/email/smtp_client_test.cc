#include "connectors/email/smtp_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "ops/base/clock.h"
#include "ops/base/logger.h"
#include "ops/base/metrics.h"
#include "tests/mail_sink/mail_sink.h"
#include "tests/testing/certificate.h"

namespace hilo::email {
namespace {

using Kind = SmtpOutcome::Kind;
using mail_sink::MailSink;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::chrono::milliseconds kShort{1'500};  // for what is expected to run out
constexpr std::chrono::seconds kLong{20};           // for what is not

SmtpMessage Message(const std::string& id = "one") {
  SmtpMessage message;
  message.sender = "bounce@shop.example";
  message.recipient = "ana@example.net";
  message.envelope_id = id;
  message.bytes =
      "Message-ID: <" + id + "@shop.example>\r\nSubject: Basket\r\n\r\nHello\r\nAna\r\n";
  return message;
}

class SmtpClientTest : public ::testing::Test {
 protected:
  // A sink that follows `plan`, and a client for it.
  void Start(const std::string& plan, MailSink::Options sink = {}, SmtpOptions client = Clear()) {
    auto parsed = mail_sink::ParsePlan(plan);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    sink.plan = *parsed;
    sink_ = *MailSink::Start(std::move(sink));
    client.host = client.host.empty() ? "localhost" : client.host;
    client.port = sink_->port();
    auto created = SmtpClient::Create(client, Logger(output_, "connectors/email"));
    ASSERT_TRUE(created.ok()) << created.status();
    client_ = *std::move(created);
  }
  static SmtpOptions Clear() {
    SmtpOptions options;
    options.tls = SmtpTls::kNone;
    options.connections = 1;
    return options;
  }
  MailSink::Options Encrypting() const {
    MailSink::Options options;
    options.certificate_file = certificate_.certificate_file();
    options.key_file = certificate_.key_file();
    return options;
  }
  SmtpOptions Encrypted(SmtpTls tls = SmtpTls::kRequired) const {
    SmtpOptions options = Clear();
    options.tls = tls;
    options.ca_file = certificate_.certificate_file();
    return options;
  }
  std::future<SmtpOutcome> Begin(
      SmtpMessage message, std::function<bool()> may = [] { return true; }) {
    auto promise = std::make_shared<std::promise<SmtpOutcome>>();
    client_->Send(std::move(message), std::move(may),
                  [promise](const SmtpOutcome& outcome) { promise->set_value(outcome); });
    return promise->get_future();
  }
  SmtpOutcome Send(SmtpMessage message = Message()) {
    auto outcome = Begin(std::move(message));
    if (outcome.wait_for(kLong) != std::future_status::ready) {
      ADD_FAILURE() << "no outcome";
      return {};
    }
    return outcome.get();
  }

  SystemClock clock_;
  Registry registry_;
  MemorySink lines_;
  LogOutput output_{{}, lines_, clock_, registry_};
  testing::Certificate certificate_{"localhost"};
  std::unique_ptr<MailSink> sink_;
  std::unique_ptr<SmtpClient> client_;
};

TEST_F(SmtpClientTest, SendsWhatTheServerTakes) {
  Start("");
  SmtpMessage message = Message();
  message.bytes += ".\r\n..two dots\r\n.\r\n";
  const SmtpOutcome outcome = Send(message);
  EXPECT_EQ(outcome.kind, Kind::kSent);
  EXPECT_EQ(outcome.code, 250);
  EXPECT_EQ(outcome.enhanced_code, "2.0.0");
  const auto taken = sink_->Messages();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].bytes, message.bytes);
  EXPECT_EQ(taken[0].message_id, "one@shop.example");
  EXPECT_EQ(taken[0].mail_line,
            "MAIL FROM:<bounce@shop.example> SIZE=" + std::to_string(message.bytes.size()) +
                " BODY=8BITMIME RET=HDRS ENVID=one");
  EXPECT_EQ(taken[0].rcpt_line,
            "RCPT TO:<ana@example.net> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;ana@example.net");
}

TEST_F(SmtpClientTest, UsesNothingThatIsNotOffered) {
  Start("without PIPELINING\nwithout 8BITMIME\nwithout DSN\nwithout SIZE\nwithout SMTPUTF8\n");
  EXPECT_EQ(Send().kind, Kind::kSent);
  const auto taken = sink_->Messages();
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].mail_line, "MAIL FROM:<bounce@shop.example>");
  EXPECT_EQ(taken[0].rcpt_line, "RCPT TO:<ana@example.net>");
}

TEST_F(SmtpClientTest, GreetsServersThatKnowNoExtensions) {
  Start("without EHLO\n");
  EXPECT_EQ(Send().kind, Kind::kSent);
  EXPECT_THAT(sink_->Commands(), Contains("HELO localhost"));
}

TEST_F(SmtpClientTest, KeepsAddressesBeyondAsciiFromServersThatDoNotKnowThem) {
  Start("without SMTPUTF8\n");
  SmtpMessage message = Message();
  message.recipient = "añá@example.net";
  message.smtputf8 = true;
  const SmtpOutcome outcome = Send(message);
  EXPECT_EQ(outcome.kind, Kind::kPermanent);
  EXPECT_EQ(outcome.enhanced_code, "5.6.7");
  EXPECT_TRUE(sink_->Messages().empty());
  EXPECT_EQ(Send().kind, Kind::kSent);
}

TEST_F(SmtpClientTest, GivesAddressesBeyondAsciiToServersThatKnowThem) {
  Start("");
  SmtpMessage message = Message();
  message.recipient = "añá@example.net";
  message.smtputf8 = true;
  EXPECT_EQ(Send(message).kind, Kind::kSent);
  ASSERT_EQ(sink_->Messages().size(), 1u);
  EXPECT_THAT(sink_->Messages()[0].mail_line, HasSubstr(" SMTPUTF8"));
  EXPECT_EQ(sink_->Messages()[0].rcpt_line,
            "RCPT TO:<añá@example.net> NOTIFY=SUCCESS,FAILURE,DELAY");
}

TEST_F(SmtpClientTest, RefusesAddressesThatWouldBeCommands) {
  Start("");
  for (const char* address : {"a@b>\r\nRSET", "a@b> NOTIFY=NEVER", "a b@c", "<a@b", "", "a@b\n"}) {
    SmtpMessage message = Message();
    message.recipient = address;
    EXPECT_EQ(Send(message).kind, Kind::kPermanent) << address;
    // That our sender is none is no fault of the recipient's.
    message = Message();
    message.sender = address;
    if (*address != '\0') {
      EXPECT_EQ(Send(message).kind, Kind::kNotSent) << address;
    }
  }
  EXPECT_EQ(sink_->Connections(), 0);
}

TEST_F(SmtpClientTest, LeavesNoBareLineFeedToBeTakenForAnEnd) {
  Start("");
  SmtpMessage message = Message();
  message.bytes += "x\n.\nMAIL FROM:<evil@example.com>\r.\r\nend";
  EXPECT_EQ(Send(message).kind, Kind::kSent);
  ASSERT_EQ(sink_->Messages().size(), 1u);
  EXPECT_THAT(sink_->Messages()[0].bytes,
              ::testing::EndsWith("x\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.\r\nend\r\n"));
}

// ---- What a server may do at each point, and what it means.

struct Case {
  const char* plan;
  Kind kind;
  int code;
  const char* enhanced_code;
  const char* where;
  size_t taken = 0;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.plan; }

class SmtpPointTest : public SmtpClientTest, public ::testing::WithParamInterface<Case> {
 protected:
  void StartCase(bool pipelining) {
    SmtpOptions options = Clear();
    const std::string plan = GetParam().plan;
    if (plan.find("silent") != plan.npos || plan.find("drip") != plan.npos) {
      options.reply_timeout = options.final_timeout = kShort;
    }
    Start(plan + (pipelining ? "" : "\nwithout PIPELINING\n"), {}, options);
  }
  void Expect() {
    const SmtpOutcome outcome = Send();
    EXPECT_EQ(static_cast<int>(outcome.kind), static_cast<int>(GetParam().kind));
    EXPECT_EQ(outcome.code, GetParam().code);
    EXPECT_EQ(outcome.enhanced_code, GetParam().enhanced_code);
    EXPECT_EQ(outcome.where, GetParam().where);
    const size_t taken = sink_->Messages().size();
    EXPECT_EQ(taken, GetParam().taken);
    // The promise: taken only if it says sent or unknown.
    if (outcome.kind != Kind::kSent && outcome.kind != Kind::kUnknown) {
      EXPECT_EQ(taken, 0u);
    }
    // A client that failed once is not broken for good.
    EXPECT_EQ(Send(Message("two")).kind, Kind::kSent);
    EXPECT_EQ(sink_->Messages().size(), taken + 1);
    EXPECT_EQ(sink_->Messages().back().bytes, Message("two").bytes);
  }
};

TEST_P(SmtpPointTest, IsToldAsItIs) {
  StartCase(true);
  Expect();
}

TEST_P(SmtpPointTest, IsToldAsItIsWithoutPipelining) {
  StartCase(false);
  Expect();
}

// `times=1` and the like, so that the message after it goes through. A kept connection that has
// gone is tried again, a fresh one is not.
INSTANTIATE_TEST_SUITE_P(
    Points, SmtpPointTest,
    ::testing::Values(
        Case{"at connect times=1 cut", Kind::kNotSent, 0, "", "connect"},
        Case{"at connect times=1 silent", Kind::kNotSent, 0, "", "connect"},
        Case{"at connect times=1 drip", Kind::kNotSent, 0, "", "connect"},
        Case{"at connect times=1 flood", Kind::kNotSent, 0, "", "connect"},
        Case{"at connect times=1 bare_lf", Kind::kNotSent, 0, "", "connect"},
        Case{"at connect times=1 reply 554 5.3.2 not today", Kind::kNotSent, 554, "5.3.2",
             "connect"},
        Case{"at connect times=1 reply 421 4.3.2 busy", Kind::kNotSent, 421, "4.3.2", "connect"},
        Case{"at ehlo times=1 cut", Kind::kNotSent, 0, "", "connect"},
        Case{"at ehlo times=1 reply 421 4.3.2 busy", Kind::kNotSent, 421, "4.3.2", "connect"},
        Case{"at ehlo times=1 reply nonsense", Kind::kNotSent, 0, "", "connect"},
        Case{"at mail times=1 cut", Kind::kNotSent, 0, "", "mail"},
        Case{"at mail times=1 silent", Kind::kNotSent, 0, "", "mail"},
        Case{"at mail times=1 reply 421 4.7.0 too many", Kind::kTransient, 421, "4.7.0", "mail"},
        Case{"at mail times=1 reply 451 4.3.0 later", Kind::kTransient, 451, "4.3.0", "mail"},
        Case{"at mail times=1 reply 552 5.3.4 too big", Kind::kPermanent, 552, "5.3.4", "mail"},
        Case{"at mail times=1 reply 354 what", Kind::kNotSent, 354, "", "mail"},
        // About us, not about the recipient, whose address would be closed for it.
        Case{"at mail times=1 reply 550 5.1.8 no such domain", Kind::kNotSent, 550, "5.1.8",
             "mail"},
        Case{"at mail times=1 reply 553 5.1.0 not yours", Kind::kNotSent, 553, "5.1.0", "mail"},
        Case{"at mail times=1 reply 530 5.7.0 log in", Kind::kNotSent, 530, "5.7.0", "mail"},
        Case{"at rcpt times=1 reply 550 5.1.7 bad sender", Kind::kNotSent, 550, "5.1.7", "rcpt"},
        Case{"at rcpt times=1 cut", Kind::kNotSent, 0, "", "rcpt"},
        Case{"at rcpt times=1 reply 421 4.3.2 stop", Kind::kTransient, 421, "4.3.2", "rcpt"},
        Case{"at rcpt times=1 reply 450 4.2.0 greylisted", Kind::kTransient, 450, "4.2.0", "rcpt"},
        Case{"at rcpt times=1 reply 452 4.5.3 too many", Kind::kTransient, 452, "4.5.3", "rcpt"},
        Case{"at rcpt times=1 reply 550 5.1.1 nobody", Kind::kPermanent, 550, "5.1.1", "rcpt"},
        Case{"at rcpt times=1 reply 550 nobody", Kind::kPermanent, 550, "", "rcpt"},
        Case{"at rcpt times=1 reply 550-5.7.1 no|550 5.7.1 spam", Kind::kPermanent, 550, "5.7.1",
             "rcpt"},
        Case{"at data times=1 cut", Kind::kNotSent, 0, "", "data"},
        Case{"at data times=1 reply 421 4.3.2 stop", Kind::kTransient, 421, "4.3.2", "data"},
        Case{"at data times=1 reply 451 4.3.0 later", Kind::kTransient, 451, "4.3.0", "data"},
        Case{"at data times=1 reply 554 5.7.1 no", Kind::kPermanent, 554, "5.7.1", "data"},
        Case{"at data times=1 reply 250 what", Kind::kNotSent, 250, "", "data"},
        Case{"at dot times=1 cut", Kind::kUnknown, 0, "", "dot"},
        Case{"at dot times=1 silent", Kind::kUnknown, 0, "", "dot"},
        Case{"at dot times=1 drip", Kind::kUnknown, 0, "", "dot"},
        Case{"at dot times=1 flood", Kind::kUnknown, 0, "", "dot"},
        Case{"at dot times=1 bare_lf", Kind::kUnknown, 0, "", "dot"},
        Case{"at dot times=1 reply nonsense", Kind::kUnknown, 0, "", "dot"},
        Case{"at dot times=1 reply 354 what", Kind::kUnknown, 354, "", "dot"},
        Case{"at dot times=1 reply 421 4.3.2 stop", Kind::kTransient, 421, "4.3.2", "dot"},
        Case{"at dot times=1 reply 452 4.3.1 full", Kind::kTransient, 452, "4.3.1", "dot"},
        Case{"at dot times=1 reply 554 5.6.0 spam", Kind::kPermanent, 554, "5.6.0", "dot"},
        Case{"at taken times=1 cut", Kind::kUnknown, 0, "", "dot", 1},
        Case{"at taken times=1 silent", Kind::kUnknown, 0, "", "dot", 1},
        Case{"at replied times=1 cut", Kind::kSent, 250, "2.0.0", "dot", 1},
        Case{"at replied times=1 reply 250 twice", Kind::kSent, 250, "2.0.0", "dot", 1}));

TEST_F(SmtpClientTest, TakesARefusalInTheMiddleOfTheTextForWhatItIs) {
  Start("at in_data times=1 reply 421 4.3.2 stop\n");
  // More than the sockets hold, so that the server's word is there before the text is at its end.
  SmtpMessage message = Message();
  for (int i = 0; i < 100'000; ++i)
    message.bytes += "A line that is neither the first nor the last of this long message.\r\n";
  const SmtpOutcome outcome = Send(message);
  EXPECT_THAT((std::vector<Kind>{Kind::kTransient, Kind::kNotSent}), Contains(outcome.kind));
  EXPECT_EQ(outcome.where, "data");
  EXPECT_TRUE(sink_->Messages().empty());
}

TEST_F(SmtpClientTest, TellsThatNothingWasSentWhenNobodyListens) {
  SmtpOptions options = Clear();
  {
    const auto gone = *MailSink::Start({});
    options.port = gone->port();
  }
  options.host = "127.0.0.1";
  client_ = *SmtpClient::Create(options, Logger(output_, "connectors/email"));
  const SmtpOutcome outcome = Send();
  EXPECT_EQ(outcome.kind, Kind::kNotSent);
  EXPECT_EQ(outcome.where, "connect");
}

// ---- The permit

TEST_F(SmtpClientTest, AsksRightBeforeTheFinalDotWhetherItMayStillSend) {
  Start("");
  size_t asked_after = 0;
  auto outcome = Begin(Message(), [&] {
    asked_after = sink_->Commands().size();
    return false;
  });
  const SmtpOutcome told = outcome.get();
  EXPECT_EQ(told.kind, Kind::kNotSent);
  EXPECT_EQ(told.code, 0);
  EXPECT_GE(asked_after, 4u);  // EHLO, MAIL, RCPT, DATA
  EXPECT_EQ(Send(Message("two")).kind, Kind::kSent);
  ASSERT_EQ(sink_->Messages().size(), 1u);
  EXPECT_EQ(sink_->Messages()[0].message_id, "two@shop.example");
}

TEST_F(SmtpClientTest, DoesNotAskWhenTheServerRefusesAnyway) {
  Start("at rcpt times=1 reply 550 5.1.1 nobody\n");
  bool asked = false;
  auto outcome = Begin(Message(), [&] { return asked = true; });
  EXPECT_EQ(outcome.get().kind, Kind::kPermanent);
  EXPECT_FALSE(asked);
}

// ---- Encryption and login

TEST_F(SmtpClientTest, EncryptsAndLogsIn) {
  for (const char* plan : {"", "without PLAIN\n"}) {
    MailSink::Options sink = Encrypting();
    sink.user = "shop";
    sink.password = "pässword";
    SmtpOptions options = Encrypted();
    options.user = sink.user;
    options.password = sink.password;
    Start(plan, sink, options);
    EXPECT_EQ(Send().kind, Kind::kSent) << plan;
    ASSERT_EQ(sink_->Messages().size(), 1u);
    EXPECT_TRUE(sink_->Messages()[0].encrypted);
    EXPECT_EQ(sink_->Messages()[0].user, "shop");
    // What was offered in the clear is forgotten.
    const auto commands = sink_->Commands();
    EXPECT_EQ(std::count(commands.begin(), commands.end(), "EHLO localhost"), 2);
    client_.reset();
  }
}

TEST_F(SmtpClientTest, EncryptsFromTheFirstByte) {
  MailSink::Options sink = Encrypting();
  sink.tls_from_start = true;
  Start("", sink, Encrypted(SmtpTls::kImplicit));
  EXPECT_EQ(Send().kind, Kind::kSent);
  EXPECT_TRUE(sink_->Messages().at(0).encrypted);
}

TEST_F(SmtpClientTest, KeepsAnEncryptedConnection) {
  Start("at rcpt to=nobody times=0 reply 550 5.1.1 no\n", Encrypting(), Encrypted());
  EXPECT_EQ(Send(Message("1")).kind, Kind::kSent);
  SmtpMessage refused = Message("2");
  refused.recipient = "nobody@example.net";
  EXPECT_EQ(Send(refused).kind, Kind::kPermanent);
  EXPECT_EQ(Send(Message("3")).kind, Kind::kSent);
  EXPECT_EQ(sink_->Connections(), 1);
}

TEST_F(SmtpClientTest, SendsNothingInTheClearWhenEncryptionIsRequired) {
  for (const char* plan :
       {"without STARTTLS\n", "at starttls reply 454 4.7.0 not now\n", "at starttls cut\n",
        "at starttls bad_tls\n", "at starttls inject\n", "at starttls silent\n"}) {
    SmtpOptions options = Encrypted();
    options.user = "shop";
    options.password = "secret";
    if (std::string(plan).find("silent") != std::string::npos) options.reply_timeout = kShort;
    Start(plan, Encrypting(), options);
    const SmtpOutcome outcome = Send();
    EXPECT_EQ(outcome.kind, Kind::kNotSent) << plan;
    EXPECT_EQ(outcome.where, "starttls") << plan;
    EXPECT_THAT(sink_->Commands(), Not(Contains(StartsWith("MAIL")))) << plan;
    EXPECT_THAT(sink_->Commands(), Not(Contains(StartsWith("AUTH")))) << plan;
    client_.reset();
  }
}

TEST_F(SmtpClientTest, SendsNothingToAServerThatIsAnother) {
  const testing::Certificate other("other.example");
  MailSink::Options sink;
  sink.certificate_file = other.certificate_file();
  sink.key_file = other.key_file();
  // Trusted, but for another name; then of the right name, but not trusted.
  SmtpOptions wrong_name = Encrypted();
  wrong_name.ca_file = other.certificate_file();
  Start("", sink, wrong_name);
  EXPECT_EQ(Send().where, "starttls");
  client_.reset();
  SmtpOptions untrusted = Encrypted();
  untrusted.ca_file = other.certificate_file();
  Start("", Encrypting(), untrusted);
  EXPECT_EQ(Send().where, "starttls");
  EXPECT_TRUE(sink_->Messages().empty());
}

TEST_F(SmtpClientTest, EncryptsWhereItCanWhenThatIsLeftOpen) {
  Start("", Encrypting(), Encrypted(SmtpTls::kOpportunistic));
  EXPECT_EQ(Send().kind, Kind::kSent);
  EXPECT_TRUE(sink_->Messages().at(0).encrypted);
  client_.reset();
  for (const char* plan : {"without STARTTLS\n", "at starttls reply 454 4.7.0 not now\n"}) {
    Start(plan, Encrypting(), Encrypted(SmtpTls::kOpportunistic));
    EXPECT_EQ(Send().kind, Kind::kSent) << plan;
    EXPECT_FALSE(sink_->Messages().at(0).encrypted) << plan;
    client_.reset();
  }
}

TEST_F(SmtpClientTest, KeepsThePasswordFromServersThatItCannotTell) {
  MailSink::Options sink = Encrypting();
  sink.user = "shop";
  sink.password = "secret";
  for (const SmtpTls tls : {SmtpTls::kNone, SmtpTls::kOpportunistic}) {
    SmtpOptions options = Encrypted(tls);
    options.user = "shop";
    options.password = "secret";
    Start("", sink, options);
    EXPECT_EQ(Send().where, "auth");
    EXPECT_THAT(sink_->Commands(), Not(Contains(StartsWith("AUTH"))));
    client_.reset();
    options.plain_auth_without_tls = true;
    Start("", sink, options);
    EXPECT_EQ(Send().kind, Kind::kSent);
    client_.reset();
  }
}

TEST_F(SmtpClientTest, TakesAWrongPasswordForNoFaultOfTheMessage) {
  MailSink::Options sink = Encrypting();
  sink.user = "shop";
  sink.password = "secret";
  for (const char* plan : {"", "without PLAIN\n", "without PLAIN\nwithout LOGIN\n"}) {
    SmtpOptions options = Encrypted();
    options.user = "shop";
    options.password = "wrong";
    Start(plan, sink, options);
    const SmtpOutcome outcome = Send();
    EXPECT_EQ(outcome.kind, Kind::kNotSent) << plan;
    EXPECT_EQ(outcome.where, "auth") << plan;
    client_.reset();
  }
  EXPECT_THAT(lines_.Text(), Not(HasSubstr("wrong")));
}

// ---- Connections

TEST_F(SmtpClientTest, KeepsAConnectionForSoManyMessages) {
  SmtpOptions options = Clear();
  options.messages_per_connection = 3;
  Start("", {}, options);
  for (int i = 0; i < 7; ++i) EXPECT_EQ(Send(Message(std::to_string(i))).kind, Kind::kSent);
  EXPECT_EQ(sink_->Connections(), 3);
  std::vector<int> connections;
  for (const auto& taken : sink_->Messages()) connections.push_back(taken.connection);
  EXPECT_EQ(connections, (std::vector<int>{1, 1, 1, 2, 2, 2, 3}));
}

TEST_F(SmtpClientTest, LosesNoMessageWhenAKeptConnectionHasGone) {
  // At its end the server may just be gone, or say so first.
  for (const char* plan : {"at replied cut\n", "at replied reply 421 4.4.2 idle\n"}) {
    Start(plan);
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(Send(Message(std::to_string(i))).kind, Kind::kSent) << plan;
    EXPECT_EQ(sink_->Messages().size(), 5u);
    client_.reset();
  }
}

TEST_F(SmtpClientTest, GivesUpAnUnusedConnection) {
  SmtpOptions options = Clear();
  options.idle_timeout = std::chrono::milliseconds(1);
  Start("", {}, options);
  // Each may meet a connection that is kept, is being given up, or is gone.
  for (int i = 0; i < 50; ++i) EXPECT_EQ(Send(Message(std::to_string(i))).kind, Kind::kSent);
  EXPECT_EQ(sink_->Messages().size(), 50u);
}

TEST_F(SmtpClientTest, SendsOverSeveralConnectionsAtOnce) {
  SmtpOptions options = Clear();
  options.connections = 3;
  Start("", {}, options);
  std::vector<std::future<SmtpOutcome>> outcomes;
  for (int i = 0; i < 200; ++i) outcomes.push_back(Begin(Message(std::to_string(i))));
  for (auto& outcome : outcomes) EXPECT_EQ(outcome.get().kind, Kind::kSent);
  EXPECT_EQ(sink_->Messages().size(), 200u);
  EXPECT_LE(sink_->Connections(), 3);
}

TEST_F(SmtpClientTest, HoldsNoMoreThanItsLimit) {
  SmtpOptions options = Clear();
  options.queued = 2;
  Start("at connect silent\n", {}, options);
  std::vector<std::future<SmtpOutcome>> outcomes;
  for (int i = 0; i < 10; ++i) outcomes.push_back(Begin(Message(std::to_string(i))));
  // One is with the server that says nothing, two wait: the last are told at once.
  ASSERT_EQ(outcomes.back().wait_for(kLong), std::future_status::ready);
  EXPECT_EQ(outcomes.back().get().where, "queue");
  client_->Stop();
  for (size_t i = 0; i + 1 < outcomes.size(); ++i)
    EXPECT_EQ(outcomes[i].get().kind, Kind::kNotSent) << i;
}

// ---- The end

TEST_F(SmtpClientTest, TellsEveryMessageItsOutcomeWhenItStops) {
  for (const auto& [plan, kind] : {std::pair{"at taken silent\n", Kind::kUnknown},
                                   std::pair{"at mail silent\n", Kind::kNotSent}}) {
    Start(plan);
    auto first = Begin(Message("1"));
    auto second = Begin(Message("2"));
    // The server has heard the step at which it falls silent.
    const std::string step = kind == Kind::kUnknown ? "DATA" : "MAIL";
    const auto heard = [&] {
      if (kind == Kind::kUnknown) return !sink_->Messages().empty();
      for (const auto& line : sink_->Commands())
        if (line.starts_with(step)) return true;
      return false;
    };
    const auto until = clock_.Monotonic() + kLong;
    while (!heard() && clock_.Monotonic() < until) std::this_thread::yield();
    client_->Stop();
    EXPECT_EQ(first.get().kind, kind);
    EXPECT_EQ(second.get().kind, Kind::kNotSent);
    EXPECT_EQ(Begin(Message("3")).get().kind, Kind::kNotSent);
    client_.reset();
  }
}

TEST_F(SmtpClientTest, RefusesSettingsThatCannotWork) {
  EXPECT_EQ(Reason(SmtpClient::Create({}, Logger(output_, "x")).status()), "smtp_config");
  SmtpOptions options;
  options.host = "localhost";
  options.ca_file = "/nowhere/ca.pem";
  EXPECT_EQ(Reason(SmtpClient::Create(options, Logger(output_, "x")).status()), "smtp_config");
}

}  // namespace
}  // namespace hilo::email
