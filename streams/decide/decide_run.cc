#include <algorithm>

#include "state/decision/decide.h"
#include "state/decision/profile.h"
#include "state/decision/record.h"
#include "streams/decide/decider.h"
#include "streams/decide/order.h"

namespace hilo::decide {
namespace {

// Why nothing is sent: of what fell furthest, and when to look again if it fell only for now.
void SayWhyNot(const decision::Answer& answer, store::v1::Decided& decided) {
  if (answer.fallen.empty()) return decided.set_reason("nothing");
  const decision::Verdict& furthest = answer.fallen.front();
  decided.set_reason(std::string(furthest.reason));
  for (const decision::Verdict& verdict : answer.fallen) {
    // The best of those that only wait is waited for.
    if (verdict.again_micros == 0) continue;
    decided.set_reason(std::string(verdict.reason));
    decided.set_again_micros(verdict.again_micros);
    return;
  }
}

}  // namespace

store::v1::Decided DecideRun(const DueRun& due) {
  store::v1::Decided decided;
  const catalogue::Journey* journey = due.catalogue.FindJourney(due.run.journey());
  if (journey == nullptr) {
    decided.set_reason("journey_gone");
    return decided;
  }
  const v1::DecisionProfile profile = decision::ProfileOf(due.customer, due.catalogue, due.now);
  v1::DecisionContext context;
  context.set_channel(journey->channel);
  context.set_journey(journey->name);
  const decision::Question question{.catalogue = due.catalogue,
                                    .profile = profile,
                                    .context = context,
                                    .now = due.now,
                                    .seed = due.seed,
                                    .posterior = due.posterior};
  const decision::Answer answer = decision::Decide(question);
  *decided.mutable_decision() = decision::RecordOf(question, answer);
  if (answer.ranked.empty()) {
    SayWhyNot(answer, decided);
    return decided;
  }
  const decision::Verdict& best = answer.ranked.front();
  decided.set_reason(std::string(best.reason));
  *decided.mutable_order() = OrderFor({.catalogue = due.catalogue,
                                       .journey = *journey,
                                       .action = *best.action,
                                       .language = due.customer.language(),
                                       .now = due.now,
                                       .expire_micros = due.run.expire_micros()});
  return decided;
}

}  // namespace hilo::decide
