#include "connectors/kit/identifiers.h"

#include <gtest/gtest.h>

namespace hilo::kit {
namespace {

struct Row {
  const char* name;
  v1::IdentifierKind kind;
  std::string value;
  std::string region;
  std::string expected;  // normalised, or the reason when `refused`
  bool refused = false;
  bool weak = false;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

class Identifiers : public testing::TestWithParam<Row> {};

TEST_P(Identifiers, AreNormalisedByTable) {
  const Row& row = GetParam();
  const auto normalised = Normalise({row.kind, row.value}, row.region);
  if (row.refused) {
    ASSERT_FALSE(normalised.ok()) << normalised->value;
    EXPECT_EQ(Reason(normalised.status()), row.expected);
    if (row.value.size() > 3 && row.value.size() < 100) {
      EXPECT_EQ(Describe(normalised.status()).find(row.value), std::string::npos)
          << "repeats what came in";
    }
  } else {
    ASSERT_TRUE(normalised.ok()) << Describe(normalised.status());
    EXPECT_EQ(normalised->value, row.expected);
    EXPECT_EQ(normalised->weak, row.weak);
  }
}

constexpr auto kEmail = v1::IDENTIFIER_KIND_EMAIL;
constexpr auto kPhone = v1::IDENTIFIER_KIND_PHONE;
constexpr auto kUser = v1::IDENTIFIER_KIND_USER_ID;
constexpr auto kAnonymous = v1::IDENTIFIER_KIND_ANONYMOUS_ID;

INSTANTIATE_TEST_SUITE_P(
    Table, Identifiers,
    testing::Values(
        Row{"EmailCaseAndSpace", kEmail, "A@EXAMPLE.com ", "", "a@example.com"},
        Row{"EmailNoBreakSpace", kEmail,
            "\xC2\xA0"
            "a@example.com",
            "", "a@example.com"},
        Row{"EmailUnicodeDomain", kEmail, "ana@MÜNCHEN.example", "", "ana@xn--mnchen-3ya.example"},
        Row{"EmailSharpS", kEmail, "ana@straße.example", "", "ana@xn--strae-oqa.example"},
        Row{"EmailUnicodeLocal", kEmail, "JOSÉ@example.com", "", "josé@example.com"},
        Row{"EmailDecomposedLocal", kEmail, "jose\xCC\x81@example.com", "", "josé@example.com"},
        Row{"EmailTrailingDot", kEmail, "a@example.com.", "", "a@example.com"},
        Row{"EmailTag", kEmail, "a+b@example.com", "", "a+b@example.com"},
        Row{"RoleAddress", kEmail, "Info@Example.com", "", "info@example.com", false, true},
        Row{"RoleAddressWithTag", kEmail, "ventas+web@example.es", "", "ventas+web@example.es",
            false, true},
        Row{"TwoAddresses", kEmail, "a@example.com, b@example.com", "", "identifier_format", true},
        Row{"TwoAddressesNoComma", kEmail, "a@example.com b@example.com", "", "identifier_format",
            true},
        Row{"NameAndAddress", kEmail, "Ana <a@example.com>", "", "identifier_format", true},
        Row{"NoAt", kEmail, "example.com", "", "identifier_format", true},
        Row{"NoHost", kEmail, "a@localhost", "", "identifier_format", true},
        Row{"HeaderInjection", kEmail, "a@example.com\r\nBcc: b", "", "identifier_format", true},
        Row{"EmailNull", kEmail, "null", "", "identifier_blocked", true},
        Row{"PhoneGerman", kPhone, "+49 (0)170 1234567", "", "+491701234567"},
        Row{"PhoneNational", kPhone, "600 11 12 22", "ES", "+34600111222"},
        Row{"PhoneDoubleZero", kPhone, "0034 600 111 222", "ES", "+34600111222"},
        Row{"PhoneInternational", kPhone, "+34-600-111-222", "DE", "+34600111222"},
        Row{"PhoneUri", kPhone, "tel:+34600111222", "", "+34600111222"},
        Row{"PhoneNationalWithoutRegion", kPhone, "611222333", "", "identifier_format", true},
        Row{"PhoneShortCode", kPhone, "1004", "ES", "identifier_format", true},
        Row{"PhoneScript", kPhone, "\"><script>", "ES", "identifier_format", true},
        Row{"PhoneTwo", kPhone, "600111222 / 600111333", "ES", "identifier_format", true},
        Row{"PhoneWithheld", kPhone, "Anonymous", "ES", "identifier_blocked", true},
        Row{"PhoneZeros", kPhone, "0000000000", "ES", "identifier_blocked", true},
        Row{"IdTrimmedCaseKept", kUser, "  U-Ana\n", "", "U-Ana"},
        Row{"IdEmpty", kUser, "", "", "identifier_blocked", true},
        Row{"IdBlank", kUser, " \t", "", "identifier_blocked", true},
        Row{"IdNull", kUser, "NULL", "", "identifier_blocked", true},
        Row{"IdUndefined", kAnonymous, "undefined", "", "identifier_blocked", true},
        Row{"IdAnonymous", kUser, "anonymous", "", "identifier_blocked", true},
        Row{"IdZeros", kUser, "0000-0000", "", "identifier_blocked", true},
        Row{"IdMinusOne", kUser, "-1", "", "identifier_blocked", true},
        Row{"Id10KB", kUser, std::string(10'240, 'x'), "", "identifier_too_long", true},
        Row{"Id512", kUser, std::string(512, 'x'), "", std::string(512, 'x')},
        Row{"Id513", kUser, std::string(513, 'x'), "", "identifier_too_long", true},
        Row{"IdControl", kUser,
            "a\x01"
            "b",
            "", "identifier_format", true},
        Row{"IdBrokenUtf8", kUser, "a\xFF", "", "identifier_format", true},
        Row{"NoKind", v1::IDENTIFIER_KIND_UNSPECIFIED, "x", "", "identifier_format", true}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Identifiers, KindsAndKeysKeepHashesApart) {
  HashKey key;
  HashKey other;
  other.bytes[0] = 1;
  const auto hash = HashOf(key, kUser, "a");
  EXPECT_EQ(hash, HashOf(key, kUser, "a"));
  EXPECT_NE(hash, HashOf(key, kAnonymous, "a"));
  EXPECT_NE(hash, HashOf(key, kUser, "b"));
  EXPECT_NE(hash, HashOf(other, kUser, "a"));
}

TEST(Identifiers, StrongestFirstAndRoleAddressesAmongTheWeak) {
  EXPECT_LT(StrengthRank(kUser, false), StrengthRank(kEmail, false));
  EXPECT_LT(StrengthRank(kEmail, false), StrengthRank(kPhone, false));
  EXPECT_LT(StrengthRank(kPhone, false), StrengthRank(kEmail, true));
  EXPECT_LT(StrengthRank(kPhone, false), StrengthRank(kAnonymous, false));
}

TEST(Identifiers, EventIdsDependOnChannelScopeAndId) {
  HashKey key;
  const auto id = DeriveEventId(key, v1::CHANNEL_WEB, "ab", "c");
  EXPECT_EQ(id, DeriveEventId(key, v1::CHANNEL_WEB, "ab", "c"));
  EXPECT_NE(id, DeriveEventId(key, v1::CHANNEL_WEB, "a", "bc"));
  EXPECT_NE(id, DeriveEventId(key, v1::CHANNEL_CALL, "ab", "c"));
}

}  // namespace
}  // namespace hilo::kit
