#pragma once

#include <string>

#include "hilo/store/v1/records.pb.h"
#include "state/catalogue/catalogue.h"
#include "state/types/time.h"

namespace hilo::decide {

// What an action is sent for.
struct Occasion {
  const catalogue::Catalogue& catalogue;
  const catalogue::Journey& journey;
  const catalogue::Action& action;
  std::string language;  // BCP 47; empty: "en"
  LogTime now;
  int64_t expire_micros = 0;  // of the run; 0: none
};

// The order with all rules that folds check: what the policies that cover the action on the
// journey's channel say together. Of several quiet hours the shortest stretch of the day that
// covers all of them.
store::v1::MessageOrder OrderFor(const Occasion& occasion);

}  // namespace hilo::decide
