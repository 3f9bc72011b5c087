#include "state/catalogue/display.h"

#include <gtest/gtest.h>

#include <limits>

namespace hilo::catalogue {
namespace {

Money In(std::string_view currency, int64_t minor) { return {minor, *Currency::Parse(currency)}; }

TEST(ShownMoney, IsWrittenAsTheLanguageDoes) {
  EXPECT_EQ(ShownMoney(In("EUR", 8'990), "en"), "€89.90");
  EXPECT_EQ(ShownMoney(In("EUR", 8'990), "es-ES"), "89,90\u00A0€");
  EXPECT_EQ(ShownMoney(In("EUR", 123'456'789), "en-GB"), "€1,234,567.89");
  EXPECT_EQ(ShownMoney(In("EUR", 123'456'789), "es"), "1.234.567,89\u00A0€");
  EXPECT_EQ(ShownMoney(In("JPY", 500), "en"), "¥500");
  EXPECT_EQ(ShownMoney(In("KWD", 5), "en"), "0.005\u00A0KWD");
  EXPECT_EQ(ShownMoney(In("USD", -5), "en"), "-$0.05");
  EXPECT_EQ(ShownMoney(In("EUR", 0), "es"), "0,00\u00A0€");
  EXPECT_EQ(ShownMoney(In("EUR", std::numeric_limits<int64_t>::min()), "en"),
            "-€92,233,720,368,547,758.08");
}

TEST(ShownDay, IsWrittenAsTheLanguageDoes) {
  EXPECT_EQ(ShownDay({2026, 11, 25}, "en"), "25 November 2026");
  EXPECT_EQ(ShownDay({2026, 2, 1}, "es"), "1 de febrero de 2026");
  EXPECT_EQ(ShownDay({2026, 2, 1}, "de"), "2026-02-01");
}

}  // namespace
}  // namespace hilo::catalogue
