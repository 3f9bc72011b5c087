#include "state/profile/row_limit.h"

#include "state/cases/cases.h"
#include "state/facts/facts.h"
#include "state/journey/journeys.h"
#include "state/message/messages.h"
#include "state/outcomes/outcomes.h"
#include "state/profile/traits.h"
#include "state/timeline/interactions.h"
#include "state/value/purchases.h"

namespace hilo::profile {
namespace {

bool DropOne(store::v1::MemberRow& row, LogTime now) {
  return facts::DropStale(row, now) || cases::DropClosedCase(row) || cases::DropEndedPromise(row) ||
         timeline::DropOldestEnded(row) || message::DropSettled(row, now) ||
         journey::DropEnded(row) || outcomes::DropOldest(row) || facts::DropOldestQuestion(row) ||
         DropOldestSuggestion(row) || value::DropOldest(row) || facts::DropOldest(row) ||
         DropOldestTrait(row) || DropOldestGroup(row) || cases::DropOldestPromise(row) ||
         cases::DropOldestCase(row);
}

}  // namespace

void FitToLimit(store::v1::MemberRow& row, LogTime now) {
  while (row.ByteSizeLong() > kMaxRowBytes && DropOne(row, now)) {
  }
}

}  // namespace hilo::profile
