#include "connectors/email/smtp_reply.h"

#include <gtest/gtest.h>

namespace hilo::email {
namespace {

TEST(TakeReply, WaitsForTheLastLine) {
  std::string buffer = "250-mail.example\r\n250-SIZE 1000\r\n250 ";
  bool malformed = false;
  EXPECT_FALSE(TakeReply(buffer, malformed).has_value());
  EXPECT_FALSE(malformed);
  buffer += "DSN\r\n354 go";
  const auto reply = TakeReply(buffer, malformed);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->code, 250);
  EXPECT_EQ(reply->lines, (std::vector<std::string>{"mail.example", "SIZE 1000", "DSN"}));
  EXPECT_EQ(buffer, "354 go");
}

TEST(TakeReply, ReadsEnhancedCodes) {
  const auto code = [](std::string buffer) {
    bool malformed = false;
    return TakeReply(buffer, malformed)->enhanced_code;
  };
  EXPECT_EQ(code("550 5.1.1 no such person\r\n"), "5.1.1");
  EXPECT_EQ(code("450 4.2.2\r\n"), "4.2.2");
  EXPECT_EQ(code("250 2.0.0 ok\r\n"), "2.0.0");
  EXPECT_EQ(code("550 5.1.1no\r\n"), "");
  EXPECT_EQ(code("550 3.1.1 no\r\n"), "");
  EXPECT_EQ(code("550 5.1.1000 no\r\n"), "");
  EXPECT_EQ(code("220\r\n"), "");
}

TEST(TakeReply, RefusesWhatIsNoReply) {
  for (const char* bytes : {"hello\r\n", "25 ok\r\n", "250 ok\n", "250-a\r\n251 b\r\n", "\r\n",
                            "100 no\r\n", "999 no\r\n", "250xok\r\n"}) {
    std::string buffer = bytes;
    bool malformed = false;
    EXPECT_FALSE(TakeReply(buffer, malformed).has_value()) << bytes;
    EXPECT_TRUE(malformed) << bytes;
  }
}

TEST(ParseOffer, KnowsKeywordsAndMechanisms) {
  SmtpReply ehlo;
  ehlo.lines = {"mail.example at your service", "size 10240000", "AUTH PLAIN login", "AUTH=XOAUTH2",
                "8BITMIME"};
  const SmtpOffer offer = ParseOffer(ehlo);
  EXPECT_TRUE(offer.Has("SIZE"));
  EXPECT_TRUE(offer.Has("8BITMIME"));
  EXPECT_FALSE(offer.Has("STARTTLS"));
  EXPECT_FALSE(offer.Has("MAIL.EXAMPLE"));
  EXPECT_EQ(offer.auth, (std::set<std::string, std::less<>>{"LOGIN", "PLAIN", "XOAUTH2"}));
}

TEST(DotStuffed, LeavesNoLineThatEndsTheMessage) {
  EXPECT_EQ(DotStuffed("a\r\n.\r\n..b\r\n"), "a\r\n..\r\n...b\r\n");
  EXPECT_EQ(DotStuffed(".a"), "..a\r\n");
  EXPECT_EQ(DotStuffed(""), "");
}

TEST(DotStuffed, LeavesNoLineEndThatServersReadDifferently) {
  // "\n.\n" and "\r.\r" end the message for some servers: what follows would be commands.
  for (const char* bytes : {"a\n.\nMAIL FROM:<x>", "a\r.\rMAIL FROM:<x>", "a\n.\r\nMAIL FROM:<x>",
                            "a\r\n.\nMAIL FROM:<x>"}) {
    EXPECT_EQ(DotStuffed(bytes), "a\r\n..\r\nMAIL FROM:<x>\r\n") << bytes;
  }
}

}  // namespace
}  // namespace hilo::email
