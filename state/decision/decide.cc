#include "state/decision/decide.h"

#include <algorithm>
#include <map>
#include <utility>

#include "state/catalogue/condition_scope.h"

namespace hilo::decision {
namespace {

using catalogue::Action;
using catalogue::ActionClass;
using catalogue::Conditions;
using catalogue::Policy;
using catalogue::Predicate;

constexpr int64_t kMillion = 1'000'000;
// When a hold without an end of its own is looked at again.
constexpr Micros kLookAgain = std::chrono::minutes(15);

int64_t MicrosOf(const google::protobuf::Timestamp& time) {
  return time.seconds() * kMillion + time.nanos() / 1'000;
}

template <typename List>
bool Has(const List& sorted, std::string_view word) {
  return std::binary_search(sorted.begin(), sorted.end(), word,
                            [](std::string_view a, std::string_view b) { return a < b; });
}

bool IsOutbound(std::string_view channel) {
  return std::find(std::begin(catalogue::kOutboundChannels), std::end(catalogue::kOutboundChannels),
                   channel) != std::end(catalogue::kOutboundChannels);
}

// The identifier without which a channel does not reach a person; "" where none is needed.
std::string_view AddressOf(std::string_view channel) {
  if (channel == "email") return "email";
  if (channel == "sms" || channel == "call") return "phone";
  return "";
}

// Why something fell.
struct Fall {
  v1::DecisionStage stage = v1::DECISION_STAGE_UNSPECIFIED;
  std::string_view reason;
  const Policy* policy = nullptr;
  const Predicate* predicate = nullptr;
  int64_t again_micros = 0;
};

constexpr v1::DecisionStage kConditionStages[] = {v1::DECISION_STAGE_ELIGIBILITY,
                                                  v1::DECISION_STAGE_APPLICABILITY,
                                                  v1::DECISION_STAGE_SUITABILITY};
const std::vector<Predicate>& OfStage(const Conditions& conditions, v1::DecisionStage stage) {
  if (stage == v1::DECISION_STAGE_ELIGIBILITY) return conditions.eligibility;
  if (stage == v1::DECISION_STAGE_APPLICABILITY) return conditions.applicability;
  return conditions.suitability;
}

// The funnel for one question.
class Funnel {
 public:
  explicit Funnel(const Question& question)
      : question_(question),
        profile_(WithSegments(question)),
        scope_(question.catalogue, profile_, question.context, question.now),
        journey_(question.catalogue.FindJourney(question.context.journey())) {}

  const catalogue::ConditionScope& scope() const { return scope_; }
  std::vector<std::string> Segments() const {
    return {profile_.segments().begin(), profile_.segments().end()};
  }

  // nullopt: it goes on to arbitration.
  std::optional<Fall> FallOf(const Action& action, const std::vector<const Policy*>& policies) {
    if (auto fall = Channel(action)) return fall;
    const PolicyState& state = StateOf(policies);
    for (size_t i = 0; i < std::size(kConditionStages); ++i) {
      const v1::DecisionStage stage = kConditionStages[i];
      for (const Predicate& predicate : OfStage(action.conditions, stage)) {
        if (!Holds(predicate)) return Fall{stage, "condition_false", nullptr, &predicate};
      }
      if (state.falls[i].has_value()) return state.falls[i];
    }
    return ContactPolicy(action, policies);
  }

  bool Holds(const Predicate& predicate) const {
    const auto held = scope_.Holds(predicate);
    return held.ok() && *held;
  }

 private:
  // What depends on the policies alone, worked out once for all actions under the same ones.
  struct PolicyState {
    std::optional<Fall> falls[std::size(kConditionStages)];
  };

  static v1::DecisionProfile WithSegments(const Question& question) {
    v1::DecisionProfile profile = question.profile;
    profile.clear_segments();
    for (std::string& name :
         catalogue::SegmentsOf(question.catalogue, profile, question.context, question.now)) {
      profile.add_segments(std::move(name));
    }
    return profile;
  }

  const PolicyState& StateOf(const std::vector<const Policy*>& policies) {
    const auto [at, fresh] = states_.try_emplace(&policies);
    if (!fresh) return at->second;
    for (size_t i = 0; i < std::size(kConditionStages); ++i) {
      for (const Policy* policy : policies) {
        if (at->second.falls[i].has_value()) break;
        for (const Predicate& predicate : OfStage(policy->conditions, kConditionStages[i])) {
          if (Holds(predicate)) continue;
          at->second.falls[i] = Fall{kConditionStages[i], "condition_false", policy, &predicate};
          break;
        }
      }
    }
    return at->second;
  }

  std::optional<Fall> Channel(const Action& action) const {
    const std::string_view channel = question_.context.channel();
    if (!action.IsOn(channel)) return Fall{v1::DECISION_STAGE_CHANNEL, "other_channel"};
    if (journey_ != nullptr && !journey_->MayChoose(action.name, action.group)) {
      return Fall{v1::DECISION_STAGE_CHANNEL, "other_journey"};
    }
    const std::string_view address = AddressOf(channel);
    if (!address.empty() && !Has(profile_.identifier_kinds(), address)) {
      return Fall{v1::DECISION_STAGE_CHANNEL, "no_address"};
    }
    return std::nullopt;
  }

  std::optional<Fall> ContactPolicy(const Action& action,
                                    const std::vector<const Policy*>& policies) const {
    if (auto fall = Consent(action)) return fall;
    if (auto fall = Snooze(action)) return fall;
    for (const Policy* policy : policies) {
      if (auto fall = HeldByCase(*policy)) return fall;
      for (const catalogue::Suppression& suppression : policy->suppressions) {
        if (auto fall = Suppressed(action, *policy, suppression)) return fall;
      }
      if (action.action_class != ActionClass::kDefault) continue;
      for (const catalogue::ContactLimit& limit : policy->limits) {
        if (auto fall = Limited(action, *policy, limit)) return fall;
      }
    }
    return std::nullopt;
  }

  // None known: no marketing. Only for what is sent; what an agent says needs no consent of its
  // own.
  std::optional<Fall> Consent(const Action& action) const {
    const std::string_view channel = question_.context.channel();
    if (action.purpose.empty() || action.action_class == ActionClass::kTransactional ||
        !IsOutbound(channel)) {
      return std::nullopt;
    }
    const std::string narrow = std::string(channel) + "." + action.purpose;
    const std::string wide = "*." + action.purpose;
    if (Has(profile_.denied(), narrow) || Has(profile_.denied(), wide)) {
      return Fall{v1::DECISION_STAGE_CONTACT_POLICY, "opted_out"};
    }
    if (Has(profile_.granted(), narrow) || Has(profile_.granted(), wide)) return std::nullopt;
    return Fall{v1::DECISION_STAGE_CONTACT_POLICY, "no_consent"};
  }

  std::optional<Fall> Snooze(const Action& action) const {
    for (const v1::PastOutcome& outcome : profile_.outcomes()) {
      if (outcome.outcome() != v1::OUTCOME_KIND_SNOOZED || outcome.action() != action.name)
        continue;
      const int64_t until = MicrosOf(outcome.snooze_until_time());
      if (until <= question_.now.micros) continue;
      return Fall{v1::DECISION_STAGE_CONTACT_POLICY, "snoozed", nullptr, nullptr, until};
    }
    return std::nullopt;
  }

  std::optional<Fall> HeldByCase(const Policy& policy) const {
    if (question_.context.released()) return std::nullopt;
    for (const std::string& kind : policy.held_by_cases) {
      if (!Has(profile_.open_case_kinds(), kind)) continue;
      const catalogue::CaseKind* rule = question_.catalogue.FindCaseKind(kind);
      const bool complaint = rule != nullptr && rule->complaint;
      return Fall{v1::DECISION_STAGE_CONTACT_POLICY, complaint ? "open_complaint" : "open_case",
                  &policy, nullptr, (question_.now + kLookAgain).micros};
    }
    return std::nullopt;
  }

  // So many outcomes within a time, and a pause from the last of them.
  std::optional<Fall> Suppressed(const Action& action, const Policy& policy,
                                 const catalogue::Suppression& rule) const {
    std::vector<int64_t> times;
    for (const v1::PastOutcome& outcome : profile_.outcomes()) {
      if (static_cast<int>(outcome.outcome()) != rule.outcome_kind) continue;
      const bool same = rule.of_group && !action.group.empty() ? outcome.group() == action.group
                                                               : outcome.action() == action.name;
      if (!same) continue;
      if (!rule.all_channels && outcome.channel() != question_.context.channel()) continue;
      times.push_back(MicrosOf(outcome.time()));
    }
    if (times.size() < rule.count) return std::nullopt;
    std::sort(times.begin(), times.end());
    // The latest window that filled decides, since its pause ends last.
    for (size_t last = times.size(); last-- + 1 > rule.count;) {
      const int64_t first = times[last + 1 - rule.count];
      if (times[last] - first > rule.within.count()) continue;
      const int64_t until = times[last] + rule.pause.count();
      if (until <= question_.now.micros) return std::nullopt;
      return Fall{v1::DECISION_STAGE_CONTACT_POLICY, "resting", &policy, nullptr, until};
    }
    return std::nullopt;
  }

  std::optional<Fall> Limited(const Action& action, const Policy& policy,
                              const catalogue::ContactLimit& limit) const {
    using Per = catalogue::ContactLimit::Per;
    if (!IsOutbound(question_.context.channel())) return std::nullopt;
    const int64_t since = question_.now.micros - limit.period.count();
    uint32_t counted = 0;
    for (const v1::PastMessage& message : profile_.messages()) {
      if (!message.counts() || MicrosOf(message.time()) <= since) continue;
      if (limit.per == Per::kChannel && message.channel() != question_.context.channel()) continue;
      if (limit.per == Per::kAction && message.action() != action.name) continue;
      if (limit.per == Per::kGroup && message.group() != action.group) continue;
      ++counted;
    }
    if (counted < limit.at_most) return std::nullopt;
    return Fall{v1::DECISION_STAGE_CONTACT_POLICY, "limit_reached", &policy};
  }

  const Question& question_;
  const v1::DecisionProfile profile_;
  const catalogue::ConditionScope scope_;
  const catalogue::Journey* const journey_;  // null: none asks
  std::map<const std::vector<const Policy*>*, PolicyState> states_;
};

// propensity × context × value × levers, in millionths of a minor unit.
int64_t Priority(const Verdict& verdict, int64_t propensity_ppm) {
  const __int128 product = static_cast<__int128>(propensity_ppm) * verdict.context_ppm *
                           verdict.lever_ppm / (kMillion * kMillion);
  return static_cast<int64_t>(
      std::clamp<__int128>(product * verdict.value_minor, INT64_MIN, INT64_MAX));
}

int32_t Ppm(double share) { return static_cast<int32_t>(share * kMillion + 0.5); }

bool IsMandatory(const Verdict& verdict) {
  return verdict.action->action_class == ActionClass::kMandatory;
}

// What the customer is waiting for is done whatever it is worth; only a lever takes it out.
bool IsWorthDoing(const Verdict& verdict) {
  if (verdict.action->action_class == ActionClass::kTransactional)
    return verdict.lever_ppm > 0 && verdict.context_ppm > 0;
  return verdict.priority_micros > 0;
}

bool Better(const Verdict& a, const Verdict& b) {
  if (IsMandatory(a) != IsMandatory(b)) return IsMandatory(a);
  if (IsWorthDoing(a) != IsWorthDoing(b)) return IsWorthDoing(a);
  if (a.priority_micros != b.priority_micros) return a.priority_micros > b.priority_micros;
  return a.action->name < b.action->name;
}

// How often each of the first `count` would be first, by draws anew.
void EstimateChosen(const Question& question, std::vector<Verdict>& contenders, size_t first,
                    size_t count) {
  std::vector<int> wins(count, 0);
  for (int repeat = 1; repeat <= kRepeats; ++repeat) {
    size_t best = count;
    int64_t best_priority = 0;
    for (size_t i = 0; i < count; ++i) {
      const Verdict& verdict = contenders[first + i];
      Draws draws(question.seed + static_cast<uint64_t>(repeat) * 0x9e3779b97f4a7c15u,
                  verdict.action->name);
      const int64_t priority = Priority(verdict, Ppm(draws.Beta(verdict.posterior)));
      if (priority > best_priority) {
        best = i;
        best_priority = priority;
      }
    }
    if (best < count) ++wins[best];
  }
  const double floor = question.exploration_ppm / 1e6;
  for (size_t i = 0; i < count; ++i) {
    const double sampled = static_cast<double>(wins[i]) / kRepeats;
    contenders[first + i].chosen_ppm =
        Ppm((1 - floor) * sampled + floor / static_cast<double>(count));
  }
}

void Arbitrate(const Question& question, std::vector<Verdict> contenders, Answer& answer) {
  for (Verdict& verdict : contenders) {
    verdict.posterior = question.posterior(*verdict.action);
    Draws draws(question.seed, verdict.action->name);
    verdict.propensity_ppm = Ppm(draws.Beta(verdict.posterior));
    verdict.priority_micros = Priority(verdict, verdict.propensity_ppm);
  }
  std::sort(contenders.begin(), contenders.end(), Better);
  const auto competing = std::find_if_not(contenders.begin(), contenders.end(), IsMandatory);
  const auto worthless = std::find_if_not(competing, contenders.end(), IsWorthDoing);
  const auto first = static_cast<size_t>(competing - contenders.begin());
  const auto count = static_cast<size_t>(worthless - competing);
  const size_t estimated = std::min(count, kContenders);
  if (estimated > 0) EstimateChosen(question, contenders, first, estimated);
  if (estimated > 1) {
    Draws draws(question.seed, "exploration");
    if (draws.Uniform() * 1e6 < question.exploration_ppm) {
      const auto lucky = static_cast<size_t>(draws.Uniform() * static_cast<double>(estimated));
      const auto at = contenders.begin() + static_cast<ptrdiff_t>(first);
      std::rotate(at, at + static_cast<ptrdiff_t>(lucky), at + static_cast<ptrdiff_t>(lucky) + 1);
    }
  }
  for (size_t i = 0; i < contenders.size(); ++i) {
    Verdict& verdict = contenders[i];
    if (i < first + count) {
      verdict.stage = v1::DECISION_STAGE_RANKED;
      verdict.reason = "ranked";
      verdict.rank = static_cast<int32_t>(i + 1);
      if (i < first) verdict.chosen_ppm = i == 0 ? kMillion : 0;
      answer.ranked.push_back(std::move(verdict));
    } else {
      verdict.stage = v1::DECISION_STAGE_ARBITRATION;
      verdict.reason = verdict.lever_ppm == 0     ? "lever_zero"
                       : verdict.context_ppm == 0 ? "context_zero"
                                                  : "not_worth_it";
      answer.fallen.push_back(std::move(verdict));
    }
  }
}

}  // namespace

Answer Decide(const Question& question) {
  Funnel funnel(question);
  Answer answer;
  answer.segments = funnel.Segments();
  std::vector<Verdict> contenders;
  const auto offers = question.catalogue.ActionsFor(question.context.channel());
  for (const catalogue::Offer& offer : offers) {
    Verdict verdict;
    verdict.action = offer.action;
    if (const auto fall = funnel.FallOf(*offer.action, *offer.policies)) {
      verdict.stage = fall->stage;
      verdict.reason = fall->reason;
      verdict.policy = fall->policy;
      verdict.predicate = fall->predicate;
      verdict.again_micros = fall->again_micros;
      answer.fallen.push_back(std::move(verdict));
      continue;
    }
    std::vector<uint32_t> percents;
    for (const catalogue::ContextWeight& weight : offer.action->context_weights) {
      if (funnel.Holds(weight.when)) percents.push_back(weight.percent);
    }
    verdict.context_ppm = catalogue::CombinedPpm(percents);
    percents.clear();
    for (const catalogue::Lever& lever : offer.action->levers) percents.push_back(lever.percent);
    for (const Policy* policy : *offer.policies) {
      for (const catalogue::Lever& lever : policy->levers) percents.push_back(lever.percent);
    }
    verdict.lever_ppm = catalogue::CombinedPpm(percents);
    verdict.value_minor = offer.action->value.minor - offer.action->cost.minor;
    contenders.push_back(std::move(verdict));
  }
  Arbitrate(question, std::move(contenders), answer);
  std::stable_sort(answer.fallen.begin(), answer.fallen.end(),
                   [](const Verdict& a, const Verdict& b) {
                     if (a.stage != b.stage) return a.stage > b.stage;
                     return a.action->name < b.action->name;
                   });
  return answer;
}

std::vector<Trace> TraceConditions(const Question& question, const Action& action,
                                   std::string_view language) {
  const Funnel funnel(question);
  std::vector<Trace> traces;
  const auto add = [&](v1::DecisionStage stage, const Policy* policy,
                       const Conditions& conditions) {
    for (const Predicate& predicate : OfStage(conditions, stage)) {
      auto explained = funnel.scope().Explain(predicate, language);
      traces.push_back(
          {stage, policy, &predicate, std::move(explained.value), std::move(explained.why)});
    }
  };
  for (const v1::DecisionStage stage : kConditionStages) {
    add(stage, nullptr, action.conditions);
    for (const catalogue::Offer& offer :
         question.catalogue.ActionsFor(question.context.channel())) {
      if (offer.action != &action) continue;
      for (const Policy* policy : *offer.policies) add(stage, policy, policy->conditions);
    }
  }
  return traces;
}

}  // namespace hilo::decision
