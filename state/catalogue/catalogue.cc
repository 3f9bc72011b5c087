#include "state/catalogue/catalogue.h"

#include <algorithm>
#include <set>

#include "ops/base/check.h"
#include "state/catalogue/built_in.h"

namespace hilo::catalogue {
namespace {

std::string KeyOf(std::string_view type, std::string_view event) {
  std::string key;
  key.reserve(type.size() + 1 + event.size());
  key += type;
  key += '\0';
  key += event;
  return key;
}

template <typename Map>
auto* FindIn(const Map& map, std::string_view name) {
  const auto found = map.find(name);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace

std::string_view Translated::In(std::string_view language) const {
  const std::string_view primary = language.substr(0, language.find_first_of("-_"));
  for (std::string_view wanted : {language, primary, std::string_view("en")}) {
    if (const auto found = by_language_.find(wanted); found != by_language_.end())
      return found->second;
  }
  return by_language_.empty() ? std::string_view() : std::string_view(by_language_.begin()->second);
}

bool Covers(const Trigger& rule, const Trigger& wanted) {
  if (rule.type.empty()) return true;
  return rule.type == wanted.type && (rule.event.empty() || rule.event == wanted.event);
}

std::string Template::LanguageOf(std::string_view language) const {
  const std::string_view primary = language.substr(0, language.find_first_of("-_"));
  for (std::string_view wanted : {language, primary}) {
    if (languages.contains(wanted)) return std::string(wanted);
  }
  return "en";
}

const FactKind* Catalogue::FindFactKind(std::string_view name) const {
  return FindIn(fact_kinds_, name);
}
const CaseKind* Catalogue::FindCaseKind(std::string_view name) const {
  return FindIn(case_kinds_, name);
}
const SourceRule* Catalogue::FindSource(std::string_view name) const {
  return FindIn(sources_, name);
}

const Action* Catalogue::FindAction(std::string_view name) const { return FindIn(actions_, name); }
const Policy* Catalogue::FindPolicy(std::string_view name) const { return FindIn(policies_, name); }
const Segment* Catalogue::FindSegment(std::string_view name) const {
  return FindIn(segments_, name);
}
const Product* Catalogue::FindProduct(std::string_view id) const { return FindIn(products_, id); }
const Journey* Catalogue::FindJourney(std::string_view name) const {
  return FindIn(journeys_, name);
}
const Template* Catalogue::FindTemplate(std::string_view name) const {
  return FindIn(templates_, name);
}
const Parameter* Catalogue::FindParameter(std::string_view name) const {
  return FindIn(parameters_, name);
}

std::span<const Offer> Catalogue::ActionsFor(std::string_view channel) const {
  const std::vector<Offer>* offers = FindIn(offers_, channel);
  return offers == nullptr ? std::span<const Offer>() : std::span<const Offer>(*offers);
}

const Catalogue::Rules& Catalogue::RulesFor(std::string_view type, std::string_view event) const {
  for (const std::string& key : {KeyOf(type, event), KeyOf(type, {})}) {
    if (const auto found = rules_.find(key); found != rules_.end()) return found->second;
  }
  return rules_.find(KeyOf({}, {}))->second;
}

void Catalogue::AddRules(const Trigger& wanted, Rules& rules) const {
  for (const FactRule& rule : fact_rules_) {
    if (Covers(rule.when, wanted)) rules.facts.push_back(&rule);
  }
  for (const auto& [name, kind] : case_kinds_) {
    for (const CaseKind::OpenedBy& opened_by : kind.opened_by) {
      if (Covers(opened_by.when, wanted)) rules.cases.emplace_back(&kind, &opened_by);
    }
  }
  for (const PurchaseRule& rule : purchase_rules_) {
    if (Covers(rule.when, wanted)) rules.purchases.push_back(&rule);
  }
  for (const auto& [name, journey] : journeys_) {
    for (const Journey::Exit& exit : journey.exits) {
      if (Covers(exit.when, wanted)) rules.journeys.emplace_back(&journey, &exit);
    }
    if (Covers(journey.begins, wanted)) rules.journeys.emplace_back(&journey, nullptr);
  }
  std::set<std::string_view> paths;
  for (const OpenFields& fields : open_fields_) {
    if (Covers(fields.when, wanted)) paths.insert(fields.paths.begin(), fields.paths.end());
  }
  rules.open_fields.assign(paths.begin(), paths.end());
}

void Catalogue::Index() {
  std::set<std::pair<std::string, std::string>> wanted = {{"", ""}};
  const auto add = [&wanted](const Trigger& when) {
    wanted.emplace(when.type, when.event);
    wanted.emplace(when.type, "");
  };
  for (const FactRule& rule : fact_rules_) add(rule.when);
  for (const auto& [name, kind] : case_kinds_) {
    for (const CaseKind::OpenedBy& opened_by : kind.opened_by) add(opened_by.when);
  }
  for (const PurchaseRule& rule : purchase_rules_) add(rule.when);
  for (const OpenFields& fields : open_fields_) add(fields.when);
  for (const auto& [name, journey] : journeys_) {
    add(journey.begins);
    for (const Journey::Exit& exit : journey.exits) add(exit.when);
  }
  for (const auto& [type, event] : wanted) {
    AddRules({.type = type, .event = event}, rules_[KeyOf(type, event)]);
  }
  product_index_ = ProductIndex(products_);
  for (const auto& [name, action] : actions_) {
    for (const std::string& channel : action.channels) {
      std::vector<const Policy*> covering;
      for (const auto& [policy_name, policy] : policies_) {
        if (policy.Covers(action, channel)) covering.push_back(&policy);
      }
      offers_[channel].push_back({&action, &*covers_.insert(std::move(covering)).first});
    }
  }
}

std::span<const File> Catalogue::BuiltInFiles() {
  static const std::vector<File>& files = *new std::vector<File>(BuiltInCatalogueFiles());
  return files;
}

std::shared_ptr<const Catalogue> Catalogue::BuiltIn() {
  static const auto& built_in = *new std::shared_ptr<const Catalogue>([] {
    Parsed parsed = Parse(BuiltInFiles(), 0);
    HILO_CHECK(parsed.catalogue != nullptr,
               "a test holds the built-in catalogue to being without problems");
    return parsed.catalogue;
  }());
  return built_in;
}

}  // namespace hilo::catalogue
