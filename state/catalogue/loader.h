#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/catalogue.h"
#include "state/catalogue/template_text.h"
#include "state/catalogue/yaml_reader.h"

namespace hilo::catalogue {

// Reads files into a catalogue, collecting problems: first each resource by itself, then what they
// say of one another. For Catalogue::Parse alone.
class Loader {
 public:
  explicit Loader(uint64_t revision);
  Catalogue::Parsed Load(std::span<const File> files);

 private:
  using Map = YamlReader::Map;

  // A resource that another one names; it may stand in a later file.
  struct Reference {
    Place place;
    std::string what;  // who names it
    std::string kind;  // "FactKind", …; "group": of some action
    std::string name;
  };
  // A condition; all are compiled once all parameters are known.
  struct PendingCondition {
    Place place;
    std::string what;
    Predicate* predicate;  // in the catalogue
    bool of_segment;
  };
  // A value that a template names.
  struct Shown {
    Place place;
    std::string what;
    std::string name;
  };

  // loader.cc
  void LoadFile(const File& file);
  void LoadResource(const YAML::Node& node);
  void LoadSpec(const std::string& kind, const std::string& name, const std::string& what,
                const YAML::Node& spec);
  bool HasRoom(const std::string& kind, const YAML::Node& node);
  Catalogue::Parsed Finish();

  // loader_rules.cc: what is found in events.
  Trigger ReadTrigger(const Map& map, std::string_view key, bool required);
  void RefuseCondition(const Map& map, const Trigger& when);
  void LoadFactKind(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadFactRule(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadOpenFields(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadCaseKind(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadPurchaseRule(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadGroupRule(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadSource(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadConsentPurpose(const std::string& name, const std::string& what, const YAML::Node& spec);

  // loader_actions.cc: what is decided.
  void LoadAction(const std::string& name, const std::string& what, const YAML::Node& spec);
  void ReadActionTexts(const Map& map, Action& action);
  void ReadActionChannels(const Map& map, Action& action);
  void LoadPolicy(const std::string& name, const std::string& what, const YAML::Node& spec);
  void ReadCovers(const Map& map, Policy& policy);
  void ReadLimits(const Map& map, Policy& policy);
  void ReadSuppressions(const Map& map, Policy& policy);
  void ReadQuietHours(const Map& map, Policy& policy);
  void LoadSegment(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadParameter(const std::string& name, const std::string& what, const YAML::Node& spec);
  // Conditions below "eligibility", "applicability" and "suitability".
  void ReadConditions(const Map& map, Conditions& conditions);
  void ReadPredicates(const Map& map, std::string_view key, std::vector<Predicate>& predicates);
  std::vector<Lever> ReadLevers(const Map& map);
  // Reads the text below a key and has it compiled later. The predicate must stay where it is.
  void ReadPredicate(const Map& map, std::string_view key, bool of_segment, Predicate& predicate);
  void CompileLater(const YAML::Node& node, std::string what, bool of_segment,
                    Predicate& predicate);
  void Refer(const Map& map, std::string_view key, std::string_view kind,
             const std::vector<std::string>& names);

  // loader_messages.cc: what is sent.
  void LoadJourney(const std::string& name, const std::string& what, const YAML::Node& spec);
  void LoadTemplate(const std::string& name, const std::string& what, const YAML::Node& spec);
  void ReadTemplateText(const Map& texts, std::string_view key, bool required, Template& from,
                        std::shared_ptr<const ParsedText>& into);
  void CheckUse(const ParsedText::Use& use, Place place, const std::string& what, Template& from);
  void LoadProduct(const std::string& name, const std::string& what, const YAML::Node& spec);

  // loader_check.cc: what resources say of one another.
  void CheckReferences();
  void CompileConditions();
  void CheckActions();
  void CheckJourneys();
  void CheckEventPaths();
  std::vector<std::string> NamesOf(std::string_view kind) const;
  Place PlaceOf(std::string_view kind, const std::string& name) const;

  YamlReader yaml_;
  std::unique_ptr<Catalogue> catalogue_;
  size_t resources_ = 0;
  std::map<std::string, size_t, std::less<>> of_kind_;
  std::map<std::string, Place> places_;  // "kind name" → where its name stands
  std::vector<Reference> references_;
  std::vector<PendingCondition> conditions_;
  // By template: what it shows of events, and its parts that do not show where to stop them.
  std::map<std::string, std::vector<Shown>> event_paths_;
  std::map<std::string, std::vector<Shown>> without_unsubscribe_;
};

}  // namespace hilo::catalogue
