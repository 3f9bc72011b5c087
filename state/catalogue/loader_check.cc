#include <algorithm>
#include <set>
#include <utility>

#include "state/catalogue/loader.h"
#include "state/catalogue/predicate_compiler.h"

namespace hilo::catalogue {

Place Loader::PlaceOf(std::string_view kind, const std::string& name) const {
  const auto found = places_.find(std::string(kind) + " " + name);
  return found == places_.end() ? Place{} : found->second;
}

std::vector<std::string> Loader::NamesOf(std::string_view kind) const {
  std::vector<std::string> names;
  if (kind == "group") {
    std::set<std::string> groups;
    for (const auto& [name, action] : catalogue_->actions_) groups.insert(action.group);
    return {groups.begin(), groups.end()};
  }
  const std::string prefix = std::string(kind) + " ";
  for (auto place = places_.lower_bound(prefix);
       place != places_.end() && place->first.starts_with(prefix); ++place) {
    names.push_back(place->first.substr(prefix.size()));
  }
  return names;
}

void Loader::CheckReferences() {
  std::map<std::string, std::vector<std::string>> known;
  for (const Reference& reference : references_) {
    const auto [names, fresh] = known.try_emplace(reference.kind);
    if (fresh) names->second = NamesOf(reference.kind);
    if (std::binary_search(names->second.begin(), names->second.end(), reference.name)) continue;
    const bool group = reference.kind == "group";
    yaml_.AddProblem(reference.place,
                     reference.what + " names the " +
                         (group ? std::string("group ") : reference.kind + " ") +
                         Quoted(reference.name) +
                         (group ? ", to which no Action belongs; " : ", which is not there; ") +
                         Instead(reference.name, names->second));
  }
  // A rule that says nothing of its expiry takes that of its kind, which may stand in a later file.
  for (FactRule& rule : catalogue_->fact_rules_) {
    const FactKind* kind = catalogue_->FindFactKind(rule.kind);
    if (kind != nullptr && rule.expires_after.count() == 0)
      rule.expires_after = kind->expires_after;
  }
}

void Loader::CompileConditions() {
  PredicateCompiler compiler(catalogue_->parameters_);
  for (const PendingCondition& condition : conditions_) {
    const PredicateCompiler::Compiled compiled =
        condition.of_segment ? compiler.CompileForSegment(condition.predicate->text)
                             : compiler.Compile(condition.predicate->text);
    condition.predicate->compiled = compiled.predicate;
    if (compiled.predicate == nullptr) {
      yaml_.AddProblem(PlaceWithin(condition.place, condition.predicate->text, compiled.offset),
                       condition.what + ": " + compiled.message);
    }
  }
  catalogue_->predicate_count_ = compiler.count();
}

void Loader::CheckActions() {
  // Values are compared with one another, so they are in one currency: that of the first by name.
  const Action* first = nullptr;
  for (const auto& [name, action] : catalogue_->actions_) {
    const std::string what = "Action " + Quoted(name);
    if (action.value.minor > 0) {
      if (first == nullptr) first = &action;
      if (action.value.currency != first->value.currency) {
        yaml_.AddProblem(PlaceOf("Action", name),
                         what + "'s \"value\" is in another currency than that of Action " +
                             Quoted(first->name) + ", with which it is compared; write it in " +
                             std::string(first->value.currency.Text()));
      }
    }
    for (const auto& [channel, template_name] : action.templates) {
      const Template* from = catalogue_->FindTemplate(template_name);
      if (from == nullptr) continue;
      if (!from->channel.empty() && from->channel != channel) {
        yaml_.AddProblem(PlaceOf("Action", name), what + " sends Template " +
                                                      Quoted(template_name) + " on " +
                                                      Quoted(channel) + ", but it is one for " +
                                                      Quoted(from->channel) + "; name another");
      }
      // Who gets it by consent must be able to take the consent back.
      if (action.action_class != ActionClass::kDefault || channel != "email") continue;
      for (const Shown& part : without_unsubscribe_[template_name]) {
        yaml_.AddProblem(part.place, part.what + " is sent by " + what +
                                         ", which needs consent, but does not show where to stop "
                                         "it; add {{unsubscribe_url}}");
      }
      without_unsubscribe_.erase(template_name);
    }
  }
}

void Loader::CheckJourneys() {
  for (const auto& [name, journey] : catalogue_->journeys_) {
    const auto chooses = [&journey = journey](const auto& named) {
      return named.second.IsOn(journey.channel) &&
             journey.MayChoose(named.first, named.second.group);
    };
    if (journey.channel.empty() || (journey.actions.empty() && journey.groups.empty())) continue;
    if (std::none_of(catalogue_->actions_.begin(), catalogue_->actions_.end(), chooses)) {
      yaml_.AddProblem(PlaceOf("Journey", name),
                       "Journey " + Quoted(name) + " may choose from no action that is on " +
                           Quoted(journey.channel) + "; add the channel to one of its actions");
    }
  }
}

// Templates see only what is open, and only of the event that began the journey.
void Loader::CheckEventPaths() {
  std::set<std::string> open_somewhere;
  for (const Catalogue::OpenFields& fields : catalogue_->open_fields_)
    open_somewhere.insert(fields.paths.begin(), fields.paths.end());
  std::map<std::string, std::vector<const Journey*>, std::less<>> sent_by;  // by template
  for (const auto& [name, journey] : catalogue_->journeys_) {
    for (const auto& [action_name, action] : catalogue_->actions_) {
      const auto used = action.templates.find(journey.channel);
      if (used == action.templates.end() || !event_paths_.contains(used->second)) continue;
      if (!journey.MayChoose(action_name, action.group)) continue;
      std::vector<const Journey*>& journeys = sent_by[used->second];
      if (journeys.empty() || journeys.back() != &journey) journeys.push_back(&journey);
    }
  }
  for (const auto& [name, shown] : event_paths_) {
    std::set<std::string> said;  // once a path
    for (const Shown& value : shown) {
      if (!said.insert(value.name).second) continue;
      if (!open_somewhere.contains(value.name)) {
        yaml_.AddProblem(value.place, value.what + " shows the detail " + Quoted(value.name) +
                                          " of the event, which is not open; add it to an "
                                          "OpenFields, or show something else");
      }
      for (const Journey* journey : sent_by[name]) {
        const bool open =
            std::any_of(catalogue_->open_fields_.begin(), catalogue_->open_fields_.end(),
                        [&](const Catalogue::OpenFields& fields) {
                          return Covers(fields.when, journey->begins) &&
                                 std::find(fields.paths.begin(), fields.paths.end(), value.name) !=
                                     fields.paths.end();
                        });
        if (open || !open_somewhere.contains(value.name)) continue;
        yaml_.AddProblem(value.place, value.what + " shows the detail " + Quoted(value.name) +
                                          " of the event that begins Journey " +
                                          Quoted(journey->name) +
                                          ", where it is not open; add it to an OpenFields for "
                                          "that event");
      }
    }
  }
}

}  // namespace hilo::catalogue
