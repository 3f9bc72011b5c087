#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/v1/decision.pb.h"
#include "state/catalogue/catalogue.h"
#include "state/decision/draws.h"
#include "state/types/time.h"

namespace hilo::decision {

// What is believed of an action where the decision is asked for: its prior and what was observed.
using PosteriorOf = std::function<Posterior(const catalogue::Action& action)>;

// For whom, where and when. Equal questions have equal answers.
struct Question {
  const catalogue::Catalogue& catalogue;
  const v1::DecisionProfile& profile;  // its segments are worked out here
  const v1::DecisionContext& context;  // `channel` is where the action is shown or sent
  LogTime now;
  uint64_t seed = 0;
  PosteriorOf posterior;
  // Of all draws, so many in a million pick their first by chance alone, so that what was logged
  // can be learnt from.
  uint32_t exploration_ppm = 20'000;
};

// How an action fared.
struct Verdict {
  const catalogue::Action* action = nullptr;
  v1::DecisionStage stage = v1::DECISION_STAGE_UNSPECIFIED;  // where it fell, or RANKED
  std::string_view reason;                                   // a machine word; a constant
  const catalogue::Policy* policy = nullptr;        // that decided; null: the action itself
  const catalogue::Predicate* predicate = nullptr;  // that did not hold; null: none
  // What fell only for now: when to look again; 0 otherwise.
  int64_t again_micros = 0;

  // From arbitration on.
  int32_t rank = 0;  // 1, 2, …; 0: not ranked
  Posterior posterior;
  int64_t priority_micros = 0;  // millionths of a minor unit
  int32_t propensity_ppm = 0;
  int32_t chosen_ppm = 0;  // the probability of being first
  int64_t context_ppm = 0;
  int64_t value_minor = 0;
  int64_t lever_ppm = 0;
};

struct Answer {
  std::vector<Verdict> ranked;  // best first; empty: do nothing
  std::vector<Verdict> fallen;  // the furthest first, then by name
  std::vector<std::string> segments;
};

// The next best action: channel → eligibility → applicability → suitability → contact policy →
// arbitration by propensity × context × (value − cost) × levers. Doing nothing is worth 0 and is
// always a candidate: what is not worth more is not ranked, unless it is transactional. Mandatory
// actions go before all others.
//
// **Guarantees**: pure. The order of the catalogue's files never matters; a lever of 0 never wins;
// a condition that fails to evaluate does not hold.
// **Limits**: the probability of being first is estimated by kRepeats draws among the kContenders
// that drew best. **Cost**: linear in the actions; about 1 µs each, at most 1 ms for 1,000
// (tests/bench/decision_bench.cc).
// **Source**: the funnel and the priority are those of Pega's Next-Best-Action designer; Thompson
// sampling with a floor as in Agrawal and Goyal 2012.
inline constexpr int kRepeats = 64;
inline constexpr size_t kContenders = 32;
Answer Decide(const Question& question);

// One condition and what it came to.
struct Trace {
  v1::DecisionStage stage;
  const catalogue::Policy* policy;  // null: the action's own
  const catalogue::Predicate* predicate;
  std::string value;
  std::string why;
};
// All conditions that bear on `action`, in the order of the funnel, also those behind the one where
// it fell.
std::vector<Trace> TraceConditions(const Question& question, const catalogue::Action& action,
                                   std::string_view language);

// A verdict in words: why it is proposed, made of what is known, or why not.
std::string Why(const Question& question, const Verdict& verdict, std::string_view language);

// As it is shown: candidates with texts in `language`. Ranked ones first, at most `ranked`; of the
// fallen at most `fallen`.
struct Shown {
  size_t ranked = 3;
  size_t fallen = 0;
  std::string language = "en";
};
v1::Decision Present(const Question& question, const Answer& answer, const Shown& shown);

}  // namespace hilo::decision
