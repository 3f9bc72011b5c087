#include "state/types/origin.h"

namespace hilo {

std::strong_ordering ComparePrecedence(const store::v1::OriginRow& a,
                                       const store::v1::OriginRow& b) {
  if (auto order = a.event_micros() <=> b.event_micros(); order != 0) return order;
  if (auto order = a.source_rank() <=> b.source_rank(); order != 0) return order;
  return a.event_id().compare(b.event_id()) <=> 0;
}

}  // namespace hilo
