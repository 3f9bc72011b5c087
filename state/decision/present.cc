#include <algorithm>
#include <string>

#include "state/catalogue/condition_scope.h"
#include "state/decision/decide.h"

// Decisions as people see them.
namespace hilo::decision {
namespace {

using catalogue::Predicate;

// What a machine word says to people. `%` stands for the policy's name.
struct Phrase {
  std::string_view reason;
  std::string_view en;
  std::string_view es;
};
constexpr Phrase kPhrases[] = {
    {"other_channel", "It is not offered on this channel.", "No se ofrece en este canal."},
    {"other_journey", "This journey does not offer it.", "Este recorrido no lo ofrece."},
    {"no_address", "No address for this channel is known.",
     "No se conoce ninguna dirección para este canal."},
    {"opted_out", "The customer does not want it.", "El cliente no lo quiere."},
    {"no_consent", "The customer has not consented.", "El cliente no ha dado su consentimiento."},
    {"snoozed", "It is put off to a later time.", "Está aplazado."},
    {"open_complaint", "A complaint is open.", "Hay una queja abierta."},
    {"open_case", "A case is open that holds it back.", "Hay un caso abierto que lo retiene."},
    {"resting", "It rests after earlier answers (%).", "Descansa tras respuestas anteriores (%)."},
    {"limit_reached", "As many messages as are allowed were sent (%).",
     "Ya se enviaron los mensajes permitidos (%)."},
    {"lever_zero", "A lever has taken it out.", "Una palanca lo ha retirado."},
    {"context_zero", "It has no weight in this contact.", "No tiene peso en este contacto."},
    {"not_worth_it", "Doing nothing is worth more.", "Vale más no hacer nada."},
    {"ranked", "It is worth most here.", "Es lo que más vale aquí."}};

bool IsSpanish(std::string_view language) {
  return language == "es" || language.substr(0, 3) == "es-";
}

std::string PhraseOf(const Verdict& verdict, std::string_view language) {
  for (const Phrase& phrase : kPhrases) {
    if (phrase.reason != verdict.reason) continue;
    std::string text(IsSpanish(language) ? phrase.es : phrase.en);
    const std::string name = verdict.policy == nullptr ? "" : verdict.policy->name;
    if (const size_t at = text.find('%'); at != std::string::npos) text.replace(at, 1, name);
    return text;
  }
  return std::string(verdict.reason);
}

class Presenter {
 public:
  Presenter(const Question& question, const std::vector<std::string>& segments,
            std::string_view language)
      : question_(question),
        language_(language),
        scope_(question.catalogue, With(question.profile, segments), question.context,
               question.now) {}

  std::string Why(const Verdict& verdict) const {
    if (verdict.predicate != nullptr) {
      const std::string_view said = verdict.predicate->why_not.In(language_);
      return said.empty() ? scope_.Explain(*verdict.predicate, language_).why : std::string(said);
    }
    if (verdict.stage != v1::DECISION_STAGE_RANKED) return PhraseOf(verdict, language_);
    std::string why;
    const auto& conditions = verdict.action->conditions;
    for (const auto* list :
         {&conditions.suitability, &conditions.applicability, &conditions.eligibility}) {
      for (const Predicate& predicate : *list) {
        std::string said(predicate.why.In(language_));
        if (said.empty()) continue;
        if (!why.empty()) why += ' ';
        why += said;
      }
    }
    for (const catalogue::ContextWeight& weight : verdict.action->context_weights) {
      const auto held = scope_.Holds(weight.when);
      if (weight.percent <= 100 || !held.ok() || !*held) continue;
      const std::string_view said = weight.when.why.In(language_);
      if (said.empty()) continue;
      if (!why.empty()) why += ' ';
      why += said;
    }
    return why.empty() ? PhraseOf(verdict, language_) : why;
  }

  void Fill(const Verdict& verdict, v1::Candidate* candidate) const {
    candidate->set_action(verdict.action->name);
    candidate->set_stage(verdict.stage);
    candidate->set_rank(verdict.rank);
    candidate->set_reason(std::string(verdict.reason));
    candidate->set_why(Why(verdict));
    if (verdict.policy != nullptr) candidate->set_policy(verdict.policy->name);
    candidate->set_priority_micros(verdict.priority_micros);
    candidate->set_propensity_ppm(verdict.propensity_ppm);
    candidate->set_chosen_ppm(verdict.chosen_ppm);
    candidate->set_context_ppm(verdict.context_ppm);
    candidate->set_value_minor(verdict.value_minor);
    candidate->set_lever_ppm(verdict.lever_ppm);
    FillTexts(*verdict.action, candidate);
  }

 private:
  static v1::DecisionProfile With(v1::DecisionProfile profile,
                                  const std::vector<std::string>& segments) {
    profile.clear_segments();
    for (const std::string& name : segments) profile.add_segments(name);
    return profile;
  }

  void FillTexts(const catalogue::Action& action, v1::Candidate* candidate) const {
    candidate->set_title(std::string(action.title.In(language_)));
    // For the customer's ears: in the customer's language, where it is known.
    const std::string& spoken =
        question_.profile.language().empty() ? language_ : question_.profile.language();
    candidate->set_talk_track(std::string(action.talk_track.In(spoken)));
    candidate->set_accept_label(std::string(action.accept_label.In(language_)));
    candidate->set_decline_label(std::string(action.decline_label.In(language_)));
    for (const catalogue::DeclineReason& reason : action.decline_reasons) {
      v1::DeclineReason* shown = candidate->add_decline_reasons();
      shown->set_reason(reason.name);
      shown->set_label(std::string(reason.label.In(language_)));
    }
    candidate->set_effort_seconds(static_cast<int32_t>(
        std::chrono::duration_cast<std::chrono::seconds>(action.effort).count()));
    if (action.expires_after.count() > 0) {
      const int64_t micros = (question_.now + action.expires_after).micros;
      candidate->mutable_expire_time()->set_seconds(micros / 1'000'000);
      candidate->mutable_expire_time()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1'000));
    }
    candidate->set_action_class(std::string(catalogue::NameOf(action.action_class)));
    candidate->set_group(action.group);
  }

  const Question& question_;
  const std::string language_;
  const catalogue::ConditionScope scope_;
};

}  // namespace

std::string Why(const Question& question, const Verdict& verdict, std::string_view language) {
  const auto segments =
      catalogue::SegmentsOf(question.catalogue, question.profile, question.context, question.now);
  return Presenter(question, segments, language).Why(verdict);
}

v1::Decision Present(const Question& question, const Answer& answer, const Shown& shown) {
  v1::Decision decision;
  const int64_t micros = question.now.micros;
  decision.mutable_decide_time()->set_seconds(micros / 1'000'000);
  decision.mutable_decide_time()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1'000));
  decision.set_catalogue_revision(static_cast<int64_t>(question.catalogue.revision()));
  decision.set_seed(question.seed);
  *decision.mutable_context() = question.context;
  decision.set_candidate_count(static_cast<int32_t>(answer.ranked.size() + answer.fallen.size()));
  const Presenter presenter(question, answer.segments, shown.language);
  for (size_t i = 0; i < std::min(shown.ranked, answer.ranked.size()); ++i) {
    presenter.Fill(answer.ranked[i], decision.add_candidates());
  }
  for (size_t i = 0; i < std::min(shown.fallen, answer.fallen.size()); ++i) {
    presenter.Fill(answer.fallen[i], decision.add_candidates());
  }
  return decision;
}

}  // namespace hilo::decision
