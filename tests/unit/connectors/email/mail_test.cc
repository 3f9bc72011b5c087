#include "connectors/email/mail.h"

#include <gtest/gtest.h>

#include <string>

namespace hilo::email {
namespace {

Mail Plain() {
  Mail mail;
  mail.from_address = "shop@example.com";
  mail.to = "ana@example.net";
  mail.subject = "Your basket";
  mail.text = "Hello";
  mail.message_id = "0123@example.com";
  mail.date = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 3 / 2) +
                       std::chrono::hours(12) + std::chrono::minutes(30));
  return mail;
}

// Every line ends in CRLF, none is longer than 998 bytes, all bytes are ASCII.
void ExpectWellFormed(const std::string& bytes) {
  size_t line = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    ASSERT_LT(static_cast<unsigned char>(bytes[i]), 0x80) << i;
    if (bytes[i] == '\n') {
      ASSERT_GT(i, 0u);
      ASSERT_EQ(bytes[i - 1], '\r') << i;
      line = 0;
    } else if (++line; line > 999) {
      FAIL() << "a line of over 998 bytes";
    }
    if (bytes[i] == '\r') {
      ASSERT_EQ(bytes[i + 1], '\n') << i;
    }
  }
  EXPECT_EQ(line, 0u);
}

TEST(Compose, WritesWhatEveryMailServerReads) {
  const auto composed = Compose(Plain());
  ASSERT_TRUE(composed.ok());
  ExpectWellFormed(composed->bytes);
  EXPECT_EQ(composed->bytes,
            "Date: Mon, 02 Mar 2026 12:30:00 +0000\r\n"
            "From: shop@example.com\r\n"
            "To: ana@example.net\r\n"
            "Message-ID: <0123@example.com>\r\n"
            "Subject: Your basket\r\n"
            "Auto-Submitted: auto-generated\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "Hello\r\n");
}

TEST(Compose, EncodesWhatIsBeyondAscii) {
  Mail mail = Plain();
  mail.from_name = "La zapatería";
  mail.subject = "¿Olvidó algo? Sus zapatillas de montaña esperan en la cesta, señora Ibáñez Muñoz";
  mail.text = "Sí = sí \nfin de línea con espacio: ";
  const auto composed = Compose(mail);
  ASSERT_TRUE(composed.ok());
  ExpectWellFormed(composed->bytes);
  EXPECT_NE(composed->bytes.find("From: =?utf-8?B?TGEgemFwYXRlcsOtYQ==?= <shop@example.com>"),
            std::string::npos)
      << composed->bytes;
  EXPECT_NE(composed->bytes.find("S=C3=AD =3D s=C3=AD=20\r\nfin de l=C3=ADnea con espacio:=20\r\n"),
            std::string::npos)
      << composed->bytes;
  EXPECT_FALSE(composed->smtputf8);
}

TEST(Compose, OffersOneClickToStop) {
  Mail mail = Plain();
  mail.unsubscribe_url = "https://shop.example/u/TOKEN";
  mail.unsubscribe_address = "stop@shop.example";
  const auto composed = Compose(mail);
  ASSERT_TRUE(composed.ok());
  EXPECT_NE(composed->bytes.find("List-Unsubscribe: <https://shop.example/u/TOKEN>,\r\n "
                                 "<mailto:stop@shop.example>\r\nList-Unsubscribe-Post: "
                                 "List-Unsubscribe=One-Click\r\n"),
            std::string::npos);
}

TEST(Compose, MakesTheSameBytesOfTheSameMail) {
  Mail mail = Plain();
  mail.html = "<p>Hello</p>";
  const auto composed = Compose(mail);
  ASSERT_TRUE(composed.ok());
  ExpectWellFormed(composed->bytes);
  EXPECT_EQ(composed->bytes, Compose(mail)->bytes);
  const size_t boundary = composed->bytes.find("boundary=\"");
  ASSERT_NE(boundary, std::string::npos);
  const std::string name = composed->bytes.substr(boundary + 10, 34);
  EXPECT_NE(composed->bytes.find("--" + name + "--\r\n"), std::string::npos);
}

TEST(Compose, KeepsLongAndOddLinesWithinLimits) {
  Mail mail = Plain();
  mail.text = std::string(5'000, 'x') + "\r" + std::string(3'000, ' ') + "\n.\n..\r\n";
  mail.subject = std::string(900, 's');
  const auto composed = Compose(mail);
  ASSERT_TRUE(composed.ok());
  ExpectWellFormed(composed->bytes);
}

TEST(Compose, RefusesHeadersThatWouldBecomeTwo) {
  const auto reason = [](void (*change)(Mail&)) {
    Mail mail = Plain();
    change(mail);
    return Reason(Compose(mail).status());
  };
  EXPECT_EQ(reason([](Mail& m) { m.subject = "Hi\r\nBcc: all@example.com"; }), "header_injection");
  EXPECT_EQ(reason([](Mail& m) { m.from_name = "x\ny"; }), "header_injection");
  EXPECT_EQ(reason([](Mail& m) { m.unsubscribe_url = "https://x/\r\n"; }), "header_injection");
  EXPECT_EQ(reason([](Mail& m) { m.to = "a@b.c>\r\nRCPT TO:<x@y.z"; }), "address_invalid");
  EXPECT_EQ(reason([](Mail& m) { m.to = "two@at@signs"; }), "address_invalid");
  EXPECT_EQ(reason([](Mail& m) { m.to = "nobody"; }), "address_invalid");
  EXPECT_EQ(reason([](Mail& m) { m.to = "a@zapatería.example"; }), "address_invalid");
}

TEST(Compose, RefusesWhatCannotBeWrittenAsItIs) {
  const auto reason = [](void (*change)(Mail&)) {
    Mail mail = Plain();
    change(mail);
    return Reason(Compose(mail).status());
  };
  EXPECT_EQ(reason([](Mail& m) { m.unsubscribe_url = "https://x/>, <https://y"; }),
            "header_invalid");
  EXPECT_EQ(reason([](Mail& m) { m.unsubscribe_url = "https://x/" + std::string(990, 'u'); }),
            "header_invalid");
  EXPECT_EQ(reason([](Mail& m) { m.message_id = "ñ@example.com"; }), "header_invalid");
  EXPECT_EQ(reason([](Mail& m) { m.feedback_id = "a b"; }), "header_invalid");
}

TEST(Compose, LeavesNoHeaderLineOfBlanks) {
  Mail mail = Plain();
  mail.subject = "Two" + std::string(200, ' ') + "words ";
  mail.from_name = std::string(2'000, 'n');
  const auto composed = Compose(mail);
  ASSERT_TRUE(composed.ok());
  ExpectWellFormed(composed->bytes);
  EXPECT_EQ(composed->bytes.find(" \r\n"), std::string::npos);
}

TEST(Compose, SaysThatALocalPartBeyondAsciiNeedsMoreOfTheServer) {
  Mail mail = Plain();
  mail.to = "begoña@example.com";
  const auto composed = Compose(mail);
  ASSERT_TRUE(composed.ok());
  EXPECT_TRUE(composed->smtputf8);
}

}  // namespace
}  // namespace hilo::email
