#include "state/decision/record.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

namespace hilo::decision {
namespace {

std::string DeterministicBytes(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&output);
  output.Trim();
  return bytes;
}

uint64_t ToMicros(double parameter) { return static_cast<uint64_t>(parameter * 1e6 + 0.5); }

void AddPosterior(const Verdict& verdict, store::v1::DecisionRecord& record) {
  store::v1::PosteriorRecord* posterior = record.add_posteriors();
  posterior->set_action(verdict.action->name);
  posterior->set_alpha_micros(ToMicros(verdict.posterior.alpha));
  posterior->set_beta_micros(ToMicros(verdict.posterior.beta));
}

}  // namespace

store::v1::DecisionRecord RecordOf(const Question& question, const Answer& answer) {
  store::v1::DecisionRecord record;
  record.set_decide_micros(question.now.micros);
  record.set_catalogue_revision(question.catalogue.revision());
  record.set_seed(question.seed);
  record.set_context(DeterministicBytes(question.context));
  record.set_profile(DeterministicBytes(question.profile));
  for (const Verdict& verdict : answer.ranked) AddPosterior(verdict, record);
  for (const Verdict& verdict : answer.fallen) {
    if (verdict.stage == v1::DECISION_STAGE_ARBITRATION) AddPosterior(verdict, record);
  }
  for (size_t i = 0; i < std::min(kMaxRankedKept, answer.ranked.size()); ++i) {
    const Verdict& verdict = answer.ranked[i];
    store::v1::RankedRecord* ranked = record.add_ranked();
    ranked->set_action(verdict.action->name);
    ranked->set_group(verdict.action->group);
    ranked->set_propensity_ppm(static_cast<uint32_t>(verdict.propensity_ppm));
    ranked->set_chosen_ppm(static_cast<uint32_t>(verdict.chosen_ppm));
  }
  return record;
}

StatusOr<RecordedQuestion> RecordedQuestion::Of(const store::v1::DecisionRecord& record) {
  RecordedQuestion recorded;
  recorded.record_ = record;
  if (!recorded.profile_.ParseFromString(record.profile()) ||
      !recorded.context_.ParseFromString(record.context())) {
    return Error(StatusCode::kDataLoss, "decision_unreadable",
                 "what this decision was made of cannot be read");
  }
  return recorded;
}

Question RecordedQuestion::Over(const catalogue::Catalogue& catalogue) const {
  return Question{
      .catalogue = catalogue,
      .profile = profile_,
      .context = context_,
      .now = LogTime{record_.decide_micros()},
      .seed = record_.seed(),
      .posterior = [this](const catalogue::Action& action) {
        for (const auto& posterior : record_.posteriors()) {
          if (posterior.action() != action.name) continue;
          return Posterior{posterior.alpha_micros() / 1e6, posterior.beta_micros() / 1e6};
        }
        return PosteriorFrom(action, 0, 0);
      }};
}

Posterior PosteriorFrom(const catalogue::Action& action, double positives, double negatives) {
  // Rounded as records keep it, so that a replay draws from the very same.
  return {static_cast<double>(ToMicros(action.prior.positives + positives)) / 1e6,
          static_cast<double>(ToMicros(action.prior.negatives + negatives)) / 1e6};
}

}  // namespace hilo::decision
