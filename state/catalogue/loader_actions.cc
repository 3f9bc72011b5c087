#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "hilo/v1/decision.pb.h"
#include "ops/base/zone.h"
#include "state/catalogue/loader.h"

namespace hilo::catalogue {
namespace {

constexpr std::string_view kClasses[] = {"default", "transactional", "mandatory"};
constexpr std::string_view kOutcomes[] = {"impression", "accepted",    "declined",
                                          "snoozed",    "no_response", "completed"};
constexpr std::string_view kPers[] = {"any", "channel", "action", "group"};
constexpr std::string_view kOfs[] = {"action", "group"};
constexpr std::string_view kReaches[] = {"each", "all"};
constexpr std::string_view kParameterKinds[] = {"integer", "duration", "percent"};
constexpr std::string_view kDesk = "desk";
constexpr size_t kMaxTitleCharacters = 80;
constexpr size_t kMaxConditionBytes = 4'096;
constexpr uint32_t kMaxPercent = 1'000;
constexpr uint32_t kMaxPrior = 1'000'000;
constexpr YamlReader::TranslatedOptions kTitle = {.max_characters = kMaxTitleCharacters};

ActionClass ClassOf(std::string_view word) {
  return word == "transactional" ? ActionClass::kTransactional
         : word == "mandatory"   ? ActionClass::kMandatory
                                 : ActionClass::kDefault;
}

template <size_t kSize>
size_t PositionOf(std::string_view word, const std::string_view (&words)[kSize]) {
  return static_cast<size_t>(std::find(std::begin(words), std::end(words), word) -
                             std::begin(words));
}

}  // namespace

void Loader::Refer(const Map& map, std::string_view key, std::string_view kind,
                   const std::vector<std::string>& names) {
  const YAML::Node* node = map.Find(key);
  for (const std::string& name : names) {
    if (name.empty()) continue;
    // Names are sorted, so their places are looked up.
    Place place = yaml_.PlaceOf(map, key);
    if (node != nullptr && node->IsSequence()) {
      for (const YAML::Node& item : *node) {
        if (item.IsScalar() && item.Scalar() == name) place = yaml_.PlaceOf(item);
      }
    }
    references_.push_back({place, map.what, std::string(kind), name});
  }
}

void Loader::CompileLater(const YAML::Node& node, std::string what, bool of_segment,
                          Predicate& predicate) {
  predicate.text = yaml_.TextOf(node, what, kMaxConditionBytes);
  if (predicate.text.empty()) return;
  conditions_.push_back({yaml_.PlaceOf(node), std::move(what), &predicate, of_segment});
}

void Loader::ReadPredicate(const Map& map, std::string_view key, bool of_segment,
                           Predicate& predicate) {
  if (const YAML::Node* node = map.Find(key)) {
    CompileLater(*node, map.what + "'s " + Quoted(key), of_segment, predicate);
  } else {
    yaml_.AddProblem(map.place, map.what + " lacks " + Quoted(key) + "; add \"" + std::string(key) +
                                    ": customer.orders > 0\"");
  }
}

void Loader::ReadPredicates(const Map& map, std::string_view key,
                            std::vector<Predicate>& predicates) {
  const std::vector<YAML::Node> items = yaml_.Items(map, key, "customer.orders > 0");
  predicates.resize(items.size());  // from here on they stay where they are
  const std::string what = map.what + "'s " + Quoted(key);
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].IsScalar()) {
      CompileLater(items[i], what, false, predicates[i]);
    } else if (const auto item = yaml_.ReadMap(items[i], what, {"condition", "why", "why_not"})) {
      ReadPredicate(*item, "condition", false, predicates[i]);
      const YamlReader::TranslatedOptions words = {.required = false, .max_characters = 200};
      predicates[i].why = yaml_.ReadTranslated(*item, "why", words);
      predicates[i].why_not = yaml_.ReadTranslated(*item, "why_not", words);
    }
  }
}

void Loader::ReadConditions(const Map& map, Conditions& conditions) {
  ReadPredicates(map, "eligibility", conditions.eligibility);
  ReadPredicates(map, "applicability", conditions.applicability);
  ReadPredicates(map, "suitability", conditions.suitability);
}

std::vector<Lever> Loader::ReadLevers(const Map& map) {
  std::vector<Lever> levers;
  const YAML::Node* node = map.Find("levers");
  if (node == nullptr) return levers;
  if (!node->IsMap() || node->size() > kMaxListItems) {
    yaml_.AddProblem(*node, map.what +
                                "'s \"levers\" must be names and percents; write "
                                "\"levers: {summer-sale: 120}\", where 100 changes nothing");
    return levers;
  }
  std::set<std::string> names;
  for (const auto& member : *node) {
    const std::string name = member.first.IsScalar() ? member.first.Scalar() : std::string();
    if (!IsName(name) || !names.insert(name).second) {
      yaml_.AddProblem(member.first,
                       "a lever's name is there once, of lower-case letters, digits, "
                       "\"_\", \"-\" and \".\"; rename it");
      continue;
    }
    const Map one{
        map.what + "'s \"levers\"", yaml_.PlaceOf(member.second), {{name, member.second}}};
    levers.push_back({name, yaml_.Number(one, name, 0, kMaxPercent, 100)});
  }
  std::sort(levers.begin(), levers.end(),
            [](const Lever& a, const Lever& b) { return a.name < b.name; });
  return levers;
}

void Loader::LoadAction(const std::string& name, const std::string& what, const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(
      spec, what,
      {"group",         "class",           "title",           "talk_track", "accept_label",
       "decline_label", "decline_reasons", "value",           "cost",       "effort",
       "expires_after", "channels",        "templates",       "purpose",    "eligibility",
       "applicability", "suitability",     "context_weights", "levers",     "prior"});
  if (!map) return;
  Action& action = catalogue_->actions_[name];
  action.name = name;
  action.group = yaml_.Text(*map, "group", true, kMaxNameBytes);
  if (!action.group.empty() && !IsName(action.group)) {
    yaml_.AddProblem(*map->Find("group"), Quoted(action.group) +
                                              " is no group; write lower-case letters, digits, "
                                              "\"_\", \"-\" and \".\", at most 64");
  }
  action.action_class = ClassOf(yaml_.Word(*map, "class", false, kClasses));
  ReadActionChannels(*map, action);
  ReadActionTexts(*map, action);

  const bool competes = action.action_class == ActionClass::kDefault;
  const auto value = yaml_.Amount(*map, "value", competes);
  const auto cost = yaml_.Amount(*map, "cost", false);
  if (value && cost && value->currency != cost->currency) {
    yaml_.AddProblem(*map->Find("cost"), what +
                                             "'s \"cost\" must be in the currency of its value, " +
                                             std::string(value->currency.Text()));
  }
  if (value) action.value = *value;
  action.cost = cost.value_or(Money{0, action.value.currency});
  if (!value && cost) action.value.currency = cost->currency;
  action.effort = yaml_.Duration(*map, "effort");
  action.expires_after = yaml_.Duration(*map, "expires_after");
  action.purpose = yaml_.Text(*map, "purpose", false, kMaxNameBytes);
  if (action.purpose.empty() && competes) action.purpose = "marketing";
  if (!action.purpose.empty() && action.action_class == ActionClass::kTransactional) {
    yaml_.AddProblem(*map->Find("purpose"), what +
                                                " is transactional and needs no consent; leave "
                                                "\"purpose\" out, or change its class");
  }
  ReadConditions(*map, action.conditions);
  const std::vector<YAML::Node> weights =
      yaml_.Items(*map, "context_weights", "{condition: …, percent: 150}");
  action.context_weights.resize(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto weight =
        yaml_.ReadMap(weights[i], what + "'s \"context_weights\"", {"condition", "percent"});
    if (!weight) continue;
    ReadPredicate(*weight, "condition", false, action.context_weights[i].when);
    action.context_weights[i].percent = yaml_.Number(*weight, "percent", 0, kMaxPercent, 100);
  }
  action.levers = ReadLevers(*map);
  if (const auto prior = yaml_.SubMap(*map, "prior", {"positives", "negatives"})) {
    action.prior.positives = yaml_.Number(*prior, "positives", 1, kMaxPrior, 1);
    action.prior.negatives = yaml_.Number(*prior, "negatives", 1, kMaxPrior, 9);
  }
}

void Loader::ReadActionTexts(const Map& map, Action& action) {
  const bool desk = action.IsOn(kDesk);
  const YamlReader::TranslatedOptions label = {.required = desk,
                                               .max_characters = kMaxTitleCharacters};
  action.title = yaml_.ReadTranslated(map, "title", kTitle);
  action.talk_track = yaml_.ReadTranslated(map, "talk_track", {.required = desk, .lines = true});
  action.accept_label = yaml_.ReadTranslated(map, "accept_label", label);
  action.decline_label = yaml_.ReadTranslated(map, "decline_label", label);
  std::set<std::string> names;
  for (const YAML::Node& item :
       yaml_.Items(map, "decline_reasons", "{name: too_dear, label: {en: …, es: …}}")) {
    const auto reason = yaml_.ReadMap(item, map.what + "'s \"decline_reasons\"", {"name", "label"});
    if (!reason) continue;
    DeclineReason read{yaml_.Text(*reason, "name", true, kMaxNameBytes),
                       yaml_.ReadTranslated(*reason, "label", kTitle)};
    if (!read.name.empty() &&
        (!IsName(read.name) || read.name == "other" || !names.insert(read.name).second)) {
      yaml_.AddProblem(item, Quoted(read.name) +
                                 " must be a name of lower-case letters, digits, \"_\", \"-\" and "
                                 "\".\", there once; \"other\" is always there");
    }
    action.decline_reasons.push_back(std::move(read));
  }
}

void Loader::ReadActionChannels(const Map& map, Action& action) {
  action.channels = yaml_.Words(map, "channels", true, kActionChannels);
  const YAML::Node* templates = map.Find("templates");
  if (templates != nullptr) {
    if (const auto read = yaml_.ReadMap(*templates, map.what + "'s \"templates\"",
                                        std::span<const std::string_view>(kOutboundChannels))) {
      for (const auto& [channel, node] : read->members) {
        const std::string name = yaml_.Text(*read, channel, true, kMaxNameBytes);
        action.templates[channel] = name;
        Refer(*read, channel, "Template", {name});
        if (!action.IsOn(channel)) {
          yaml_.AddProblem(node, map.what + " has a template for " + Quoted(channel) +
                                     ", which is not among its channels; add it there, or leave "
                                     "the template out");
        }
      }
    }
  }
  for (std::string_view channel : kOutboundChannels) {
    if (action.IsOn(channel) && !action.templates.contains(channel)) {
      yaml_.AddProblem(yaml_.PlaceOf(map, "channels"), map.what + " is sent on " + Quoted(channel) +
                                                           " but has no template there; "
                                                           "add \"templates: {" +
                                                           std::string(channel) + ": …}\"");
    }
  }
}

void Loader::LoadPolicy(const std::string& name, const std::string& what, const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what,
                                 {"covers", "eligibility", "applicability", "suitability", "limits",
                                  "suppressions", "quiet_hours", "held_by_cases", "levers"});
  if (!map) return;
  Policy& policy = catalogue_->policies_[name];
  policy.name = name;
  ReadCovers(*map, policy);
  ReadConditions(*map, policy.conditions);
  ReadLimits(*map, policy);
  ReadSuppressions(*map, policy);
  ReadQuietHours(*map, policy);
  policy.held_by_cases = yaml_.Names(*map, "held_by_cases");
  Refer(*map, "held_by_cases", "CaseKind", policy.held_by_cases);
  policy.levers = ReadLevers(*map);
}

void Loader::ReadCovers(const Map& map, Policy& policy) {
  const auto covers = yaml_.SubMap(map, "covers", {"actions", "groups", "classes", "channels"});
  if (!covers) return;
  policy.actions = yaml_.Names(*covers, "actions");
  Refer(*covers, "actions", "Action", policy.actions);
  policy.groups = yaml_.Names(*covers, "groups");
  Refer(*covers, "groups", "group", policy.groups);
  for (const std::string& word : yaml_.Words(*covers, "classes", false, kClasses))
    policy.classes.push_back(ClassOf(word));
  std::sort(policy.classes.begin(), policy.classes.end());
  policy.channels = yaml_.Words(*covers, "channels", false, kActionChannels);
}

void Loader::ReadLimits(const Map& map, Policy& policy) {
  for (const YAML::Node& item :
       yaml_.Items(map, "limits", "{per: channel, at_most: 1, period: 7d}")) {
    const auto read = yaml_.ReadMap(item, map.what + "'s \"limits\"", {"per", "at_most", "period"});
    if (!read) continue;
    ContactLimit limit;
    const std::string per = yaml_.Word(*read, "per", true, kPers);
    if (!per.empty()) limit.per = static_cast<ContactLimit::Per>(PositionOf(per, kPers));
    if (read->Find("at_most") == nullptr) {
      yaml_.AddProblem(read->place, read->what + " lacks \"at_most\"; add \"at_most: 1\"");
    }
    limit.at_most = yaml_.Number(*read, "at_most", 0, 1'000, 1);
    limit.period = yaml_.Duration(*read, "period");
    if (read->Find("period") == nullptr || limit.period > ContactLimit::kLongestPeriod) {
      yaml_.AddProblem(yaml_.PlaceOf(*read, "period"),
                       read->what +
                           " needs a \"period\" of at most 30d, since older messages are "
                           "not counted");
    }
    policy.limits.push_back(limit);
  }
}

void Loader::ReadSuppressions(const Map& map, Policy& policy) {
  for (const YAML::Node& item :
       yaml_.Items(map, "suppressions", "{outcome: declined, count: 3, within: 30d, pause: 60d}")) {
    const auto read = yaml_.ReadMap(item, map.what + "'s \"suppressions\"",
                                    {"outcome", "count", "within", "pause", "of", "channels"});
    if (!read) continue;
    Suppression suppression;
    suppression.outcome = yaml_.Word(*read, "outcome", true, kOutcomes);
    if (!suppression.outcome.empty()) {
      // Both lists are in the order of hilo.v1.OutcomeKind.
      suppression.outcome_kind = static_cast<int>(PositionOf(suppression.outcome, kOutcomes)) +
                                 v1::OUTCOME_KIND_IMPRESSION;
    }
    suppression.count = yaml_.Number(*read, "count", 1, 100, 1);
    suppression.within = yaml_.Duration(*read, "within");
    suppression.pause = yaml_.Duration(*read, "pause");
    for (std::string_view key : {"within", "pause"}) {
      if (read->Find(key) != nullptr) continue;
      yaml_.AddProblem(read->place, read->what + " lacks " + Quoted(key) + "; add \"" +
                                        std::string(key) + ": 30d\"");
    }
    if (suppression.within + suppression.pause > Suppression::kLongest) {
      yaml_.AddProblem(yaml_.PlaceOf(*read, "pause"),
                       read->what +
                           " reaches back too far: \"within\" and \"pause\" together are "
                           "at most 90d, since older outcomes are not kept");
    }
    suppression.of_group = yaml_.Word(*read, "of", false, kOfs) == "group";
    suppression.all_channels = yaml_.Word(*read, "channels", false, kReaches) == "all";
    policy.suppressions.push_back(std::move(suppression));
  }
}

void Loader::ReadQuietHours(const Map& map, Policy& policy) {
  const auto read = yaml_.SubMap(map, "quiet_hours", {"from", "to", "default_zone"});
  if (!read) return;
  const auto from = yaml_.MinuteOfDay(*read, "from");
  const auto to = yaml_.MinuteOfDay(*read, "to");
  const std::string zone = yaml_.Text(*read, "default_zone", true, kMaxNameBytes);
  if (!zone.empty() && !IsZone(zone)) {
    yaml_.AddProblem(*read->Find("default_zone"),
                     Quoted(zone) +
                         " is no time zone; write a name of the tz database, as "
                         "\"Europe/Madrid\"");
  }
  if (from && to && *from == *to) {
    yaml_.AddProblem(*read->Find("to"), read->what +
                                            " begin and end at the same time; leave "
                                            "\"quiet_hours\" out for none");
  }
  if (from && to) policy.quiet_hours = QuietHours{*from, *to, zone};
}

void Loader::LoadSegment(const std::string& name, const std::string& what, const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"title", "condition"});
  if (!map) return;
  Segment& segment = catalogue_->segments_[name];
  segment.name = name;
  segment.title = yaml_.ReadTranslated(*map, "title", kTitle);
  ReadPredicate(*map, "condition", true, segment.condition);
}

void Loader::LoadParameter(const std::string& name, const std::string& what,
                           const YAML::Node& spec) {
  const auto map = yaml_.ReadMap(spec, what, {"kind", "value"});
  if (!map) return;
  if (!IsWord(name)) {
    yaml_.AddProblem(PlaceOf("Parameter", name),
                     Quoted(name) +
                         " cannot be written in conditions; name it with lower-case "
                         "letters, digits and \"_\", beginning with a letter");
    return;
  }
  const std::string kind = yaml_.Word(*map, "kind", true, kParameterKinds);
  const std::string text = yaml_.Text(*map, "value", true);
  if (kind.empty() || text.empty()) return;
  Parameter parameter{name, static_cast<Parameter::Kind>(PositionOf(kind, kParameterKinds)), 0};
  if (parameter.kind == Parameter::Kind::kDuration) {
    parameter.value = yaml_.Duration(*map, "value").count();
  } else {
    const auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), parameter.value);
    const bool percent = parameter.kind == Parameter::Kind::kPercent;
    if (error != std::errc() || end != text.data() + text.size() ||
        (percent && (parameter.value < 0 || parameter.value > 100))) {
      yaml_.AddProblem(*map->Find("value"), what + "'s \"value\" must be a whole number" +
                                                (percent ? " from 0 to 100" : ""));
    }
  }
  catalogue_->parameters_[name] = parameter;
}

}  // namespace hilo::catalogue
