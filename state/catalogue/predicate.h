#pragma once

#include <memory>
#include <string>
#include <vector>

#include "state/catalogue/translated.h"

namespace hilo::catalogue {

class CompiledPredicate;  // state/catalogue/condition_scope.h

// A condition on the customer and on where the decision is asked for, in CEL: "customer.orders >
// 0". Compiled and checked when the catalogue was read; ConditionScope evaluates it.
struct Predicate {
  std::string text;                                   // as it is written
  std::shared_ptr<const CompiledPredicate> compiled;  // never null in a Catalogue; also its owner
  Translated why;      // said to agents when it holds, a sentence; may be empty
  Translated why_not;  // said to agents when it does not, a sentence; may be empty
};

// The conditions of an action or policy, by the stage of the funnel at which they are looked at.
// Each list holds when all of it holds.
struct Conditions {
  std::vector<Predicate> eligibility;    // may we
  std::vector<Predicate> applicability;  // does it make sense now
  std::vector<Predicate> suitability;    // is it right for this customer
};

}  // namespace hilo::catalogue
