#include "connectors/email/dkim.h"

#include <gtest/gtest.h>

namespace hilo::email {
namespace {

// RFC 6376, 3.4.5.
TEST(RelaxedHeader, IsAsInTheStandardsExample) {
  EXPECT_EQ(RelaxedHeader("A: X"), "a:X");
  EXPECT_EQ(RelaxedHeader("B : Y\t\r\n\tZ  "), "b:Y Z");
}

TEST(RelaxedBody, IsAsInTheStandardsExample) {
  EXPECT_EQ(RelaxedBody(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
}

TEST(RelaxedBody, KnowsEmptyAndUnfinishedBodies) {
  EXPECT_EQ(RelaxedBody(""), "");
  EXPECT_EQ(RelaxedBody("\r\n\r\n"), "");
  EXPECT_EQ(RelaxedBody("a"), "a\r\n");
}

TEST(DkimSigner, RefusesWhatIsNoKey) {
  EXPECT_EQ(Reason(DkimSigner::Load({"d", "s", "/nowhere/key.pem"}).status()), "dkim_key_invalid");
  EXPECT_EQ(Reason(DkimSigner::Load({"d", "s", "/etc/passwd"}).status()), "dkim_key_invalid");
}

}  // namespace
}  // namespace hilo::email
