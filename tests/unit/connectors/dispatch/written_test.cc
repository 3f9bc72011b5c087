#include "connectors/dispatch/written.h"

#include <gtest/gtest.h>

namespace hilo::dispatch {
namespace {

Money Of(int64_t minor, std::string_view currency) { return {minor, *Currency::Parse(currency)}; }

TEST(WrittenMoney, StandsAsPeopleWriteItInTheirLanguage) {
  EXPECT_EQ(WrittenMoney(Of(8'990, "EUR"), "en"), "€89.90");
  EXPECT_EQ(WrittenMoney(Of(8'990, "EUR"), "es-MX"), "89,90 €");
  EXPECT_EQ(WrittenMoney(Of(123'456'789, "USD"), "en"), "$1,234,567.89");
  EXPECT_EQ(WrittenMoney(Of(123'456'700, "EUR"), "es"), "1.234.567,00 €");
  EXPECT_EQ(WrittenMoney(Of(5, "EUR"), "en"), "€0.05");
  EXPECT_EQ(WrittenMoney(Of(-1'050, "GBP"), "en"), "-£10.50");
}

TEST(WrittenMoney, KnowsCurrenciesWithOtherMinorUnits) {
  EXPECT_EQ(WrittenMoney(Of(1'500, "JPY"), "en"), "1,500 JPY");
  EXPECT_EQ(WrittenMoney(Of(1'500, "KWD"), "es"), "1,500 KWD");
  EXPECT_EQ(WrittenMoney(Of(INT64_MIN, "JPY"), "en"), "-9,223,372,036,854,775,808 JPY");
}

TEST(WrittenDate, IsThatOfTheZone) {
  const WallTime time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 25) +
                      std::chrono::hours(23) + std::chrono::minutes(30));
  EXPECT_EQ(WrittenDate(time, "Europe/Madrid", "es"), "26 de noviembre de 2026");
  EXPECT_EQ(WrittenDate(time, "America/Bogota", "en"), "25 November 2026");
  EXPECT_EQ(WrittenDate(time, "Nowhere/Here", "en"), "25 November 2026");
}

}  // namespace
}  // namespace hilo::dispatch
