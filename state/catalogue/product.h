#pragma once

#include <string>
#include <vector>

#include "state/catalogue/translated.h"
#include "state/types/money.h"

namespace hilo::catalogue {

// Something that can be bought.
struct Product {
  std::string id;  // as the shop's events call it, such as "shoes-7"; at most 128 bytes
  Translated title;
  Money price;      // of one
  std::string url;  // https; "": none
  bool available = true;
  std::vector<std::string> keywords;  // by which it is found besides, in any language
};

}  // namespace hilo::catalogue
