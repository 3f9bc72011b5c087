#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/catalogue/product.h"
#include "state/catalogue/template_text.h"
#include "state/types/money.h"

namespace hilo::catalogue {

// An amount as people of a language write it: "€89.90" and "$5" in English, "89,90 €" in Spanish
// and all others; a currency without a sign of its own by its code.
std::string ShownMoney(Money amount, std::string_view language);

// A day of the calendar.
struct Day {
  int year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
};
// "25 November 2026"; "25 de noviembre de 2026" in Spanish; "2026-11-25" in all others.
std::string ShownDay(Day day, std::string_view language);

// Sets `product.title`, `product.price`, `product.url` and `product.id`.
void AddProduct(const Product& product, std::string_view language, Variables& variables);

}  // namespace hilo::catalogue
