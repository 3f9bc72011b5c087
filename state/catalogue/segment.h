#pragma once

#include <string>

#include "state/catalogue/predicate.h"
#include "state/catalogue/translated.h"

namespace hilo::catalogue {

// A named set of customers: those for whom its condition holds. Its condition sees no other
// segments, so that none depends on another.
struct Segment {
  std::string name;
  Translated title;
  Predicate condition;
};

}  // namespace hilo::catalogue
