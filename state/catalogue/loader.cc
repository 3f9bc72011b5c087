#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>

#include "state/catalogue/catalogue.h"
#include "state/types/money.h"

namespace hilo::catalogue {
namespace {

constexpr std::string_view kKinds[] = {"FactKind",     "FactRule",  "OpenFields", "CaseKind",
                                       "PurchaseRule", "GroupRule", "Source",     "ConsentPurpose"};
constexpr std::string_view kGroupKinds[] = {"household", "company", "account", "loyalty_card"};
constexpr std::string_view kPurchaseKinds[] = {"order", "refund", "payment"};
constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxTextBytes = 500;
constexpr size_t kMaxPathBytes = 200;
constexpr size_t kMaxListItems = 200;
constexpr int64_t kMaxDays = 3'660;

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t above = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, above + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

std::string Quoted(std::string_view text) {
  return "\"" + std::string(text.substr(0, kMaxNameBytes)) + "\"";
}

template <typename Words>
std::string Joined(const Words& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

// "write a, b or c", beginning with the word that was probably meant.
template <typename Words>
std::string Instead(std::string_view written, const Words& words) {
  std::string best;
  size_t distance = 3;
  for (const auto& word : words) {
    const size_t d = Distance(written.substr(0, kMaxNameBytes), word);
    if (d < distance) {
      distance = d;
      best = word;
    }
  }
  const std::string known = Joined(words);
  if (!best.empty()) return "did you mean " + Quoted(best) + "? Known here: " + known;
  return known.empty() ? "there are none" : "write one of: " + known;
}

bool IsName(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

bool IsLanguage(std::string_view text) {
  const std::string_view primary = text.substr(0, text.find('-'));
  return (primary.size() == 2 || primary.size() == 3) && text.size() <= 16 &&
         std::all_of(primary.begin(), primary.end(), [](char c) { return c >= 'a' && c <= 'z'; });
}

// "90d" → 90 days; nullopt for anything else.
std::optional<Micros> ParseDuration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int64_t count;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, count);
  if (error != std::errc() || end != text.data() + text.size() - 1 || count <= 0)
    return std::nullopt;
  int64_t seconds;
  switch (text.back()) {
    case 's':
      seconds = 1;
      break;
    case 'm':
      seconds = 60;
      break;
    case 'h':
      seconds = 3'600;
      break;
    case 'd':
      seconds = 86'400;
      break;
    case 'w':
      seconds = 7 * 86'400;
      break;
    default:
      return std::nullopt;
  }
  if (count > kMaxDays * 86'400 / seconds) return std::nullopt;
  return Micros(count * seconds * 1'000'000);
}

}  // namespace

// Reads files into a catalogue, collecting problems.
class Loader {
 public:
  explicit Loader(uint64_t revision) : catalogue_(new Catalogue) {
    catalogue_->revision_ = revision;
  }

  Catalogue::Parsed Load(std::span<const File> files) {
    if (files.size() > Catalogue::kMaxFiles) {
      AddProblem(
          {"", 0, 0, "there are too many files; at most " + std::to_string(Catalogue::kMaxFiles)});
      return Finish();
    }
    std::set<std::string_view> paths;
    for (const File& file : files) {
      path_ = file.path;
      if (!paths.insert(file.path).second) {
        AddProblem({path_, 0, 0, "there are two files of this path; rename one"});
      } else {
        LoadFile(file);
      }
    }
    CheckReferences();
    catalogue_->files_.assign(files.begin(), files.end());
    return Finish();
  }

 private:
  // A YAML map whose keys are accounted for.
  struct Map {
    std::string what;  // "FactRule return-reason", for messages
    YAML::Mark mark;
    std::map<std::string, YAML::Node> members;
    const YAML::Node* Find(const std::string& key) const {
      const auto found = members.find(key);
      return found == members.end() ? nullptr : &found->second;
    }
  };

  Catalogue::Parsed Finish() {
    if (!problems_.empty()) return {nullptr, std::move(problems_)};
    catalogue_->Index();
    return {std::shared_ptr<const Catalogue>(std::move(catalogue_)), {}};
  }

  void AddProblem(Problem problem) {
    if (problems_.size() < Catalogue::kMaxProblems) problems_.push_back(std::move(problem));
  }
  void AddProblem(const YAML::Mark& mark, std::string message) {
    AddProblem({path_, mark.is_null() ? 0 : mark.line + 1, mark.is_null() ? 0 : mark.column + 1,
                std::move(message)});
  }
  void AddProblem(const YAML::Node& node, std::string message) {
    AddProblem(node.Mark(), std::move(message));
  }

  void LoadFile(const File& file) {
    if (file.content.size() > Catalogue::kMaxFileBytes) {
      AddProblem({path_, 0, 0, "the file is too large; at most 256 KiB, split it"});
      return;
    }
    std::vector<YAML::Node> documents;
    // yaml-cpp throws on what it cannot read.
    try {
      documents = YAML::LoadAll(file.content);
      for (const YAML::Node& document : documents) {
        if (!document.IsNull()) LoadResource(document);
      }
    } catch (const YAML::Exception& exception) {
      AddProblem(exception.mark,
                 "this is not valid YAML (" + exception.msg + "); see https://yaml.org/spec/1.2.2");
    }
  }

  std::optional<Map> ReadMap(const YAML::Node& node, std::string what,
                             std::span<const std::string_view> known) {
    if (!node.IsMap()) {
      AddProblem(node, what + " must be a map; write its keys as \"key: value\", one a line: " +
                           Joined(known));
      return std::nullopt;
    }
    Map map{std::move(what), node.Mark(), {}};
    for (const auto& member : node) {
      if (!member.first.IsScalar()) {
        AddProblem(member.first, "a key must be a word");
        continue;
      }
      const std::string& key = member.first.Scalar();
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        AddProblem(member.first,
                   map.what + " has no key " + Quoted(key) + "; " + Instead(key, known));
      } else if (!map.members.emplace(key, member.second).second) {
        AddProblem(member.first,
                   map.what + " has the key " + Quoted(key) + " twice; leave one out");
      }
    }
    return map;
  }
  std::optional<Map> ReadMap(const YAML::Node& node, std::string what,
                             std::initializer_list<std::string_view> known) {
    return ReadMap(node, std::move(what),
                   std::span<const std::string_view>(known.begin(), known.size()));
  }

  // A scalar's text; "" with a problem when it is required and missing.
  std::string Text(const Map& map, const std::string& key, bool required,
                   size_t max_bytes = kMaxTextBytes) {
    const YAML::Node* node = map.Find(key);
    if (node == nullptr || node->IsNull()) {
      if (required)
        AddProblem(map.mark, map.what + " lacks " + Quoted(key) + "; add \"" + key + ": …\"");
      return {};
    }
    return TextOf(*node, map.what + "'s " + Quoted(key), max_bytes);
  }

  std::string TextOf(const YAML::Node& node, const std::string& what, size_t max_bytes) {
    if (!node.IsScalar() || node.Scalar().empty()) {
      AddProblem(node, what + " must be a text");
      return {};
    }
    if (node.Scalar().size() > max_bytes) {
      AddProblem(node, what + " is too long; at most " + std::to_string(max_bytes) + " bytes");
      return {};
    }
    return node.Scalar();
  }

  std::string Path(const Map& map, const std::string& key, bool required) {
    const std::string path = Text(map, key, required, kMaxPathBytes);
    if (!path.empty()) CheckPath(*map.Find(key), path);
    return path;
  }
  void CheckPath(const YAML::Node& node, std::string_view path) {
    if (path.front() == '.' || path.back() == '.' || path.find("..") != std::string_view::npos ||
        path.front() == '$' || path.find('[') != std::string_view::npos) {
      AddProblem(node, Quoted(path) +
                           " is no path; write names and list positions joined by dots, as "
                           "\"order_id\" or \"products.0.name\"");
    }
  }

  std::vector<std::string> Paths(const Map& map, const std::string& key, bool required) {
    std::vector<std::string> paths = Texts(map, key, required, kMaxPathBytes);
    for (size_t i = 0; i < paths.size(); ++i) {
      const YAML::Node& node = *map.Find(key);
      CheckPath(node.IsSequence() ? node[i] : node, paths[i]);
    }
    return paths;
  }

  // One text or a list of them.
  std::vector<std::string> Texts(const Map& map, const std::string& key, bool required,
                                 size_t max_bytes) {
    const YAML::Node* node = map.Find(key);
    if (node == nullptr || node->IsScalar() || node->IsNull()) {
      std::string one = Text(map, key, required, max_bytes);
      return one.empty() ? std::vector<std::string>() : std::vector<std::string>{std::move(one)};
    }
    const std::string what = map.what + "'s " + Quoted(key);
    if (!node->IsSequence() || node->size() == 0 || node->size() > kMaxListItems) {
      AddProblem(*node, what + " must be a text or a list of 1 to " +
                            std::to_string(kMaxListItems) + " texts");
      return {};
    }
    std::vector<std::string> texts;
    for (const YAML::Node& item : *node) {
      std::string text = TextOf(item, what, max_bytes);
      if (text.empty()) return {};
      texts.push_back(std::move(text));
    }
    return texts;
  }

  Micros Duration(const Map& map, const std::string& key) {
    const YAML::Node* node = map.Find(key);
    if (node == nullptr) return Micros(0);
    const auto duration = node->IsScalar() ? ParseDuration(node->Scalar()) : std::nullopt;
    if (!duration) {
      AddProblem(*node,
                 map.what + "'s " + Quoted(key) +
                     " is no duration; write a whole number and s, m, h, d or w, as \"30d\"" +
                     ", at most ten years; leave the key out for never");
    }
    return duration.value_or(Micros(0));
  }

  uint32_t Number(const Map& map, const std::string& key, uint32_t least, uint32_t most,
                  uint32_t otherwise) {
    const YAML::Node* node = map.Find(key);
    if (node == nullptr) return otherwise;
    uint32_t value = 0;
    const std::string text = node->IsScalar() ? node->Scalar() : std::string();
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
      AddProblem(*node, map.what + "'s " + Quoted(key) + " must be a whole number from " +
                            std::to_string(least) + " to " + std::to_string(most));
      return otherwise;
    }
    return value;
  }

  // A text out of a closed set.
  std::string Word(const Map& map, const std::string& key, bool required,
                   std::span<const std::string_view> known) {
    std::string word = Text(map, key, required);
    if (!word.empty() && std::find(known.begin(), known.end(), word) == known.end()) {
      AddProblem(*map.Find(key), map.what + "'s " + Quoted(key) + " is " + Quoted(word) + "; " +
                                     Instead(word, known));
    }
    return word;
  }

  Translated Texts(const Map& map, const std::string& key) {
    Translated translated;
    const YAML::Node* node = map.Find(key);
    if (node == nullptr || !node->IsMap() || node->size() == 0) {
      AddProblem(node == nullptr ? map.mark : node->Mark(), map.what + " needs " + Quoted(key) +
                                                                " by language; write \"" + key +
                                                                ": {en: …, es: …}\"");
      return translated;
    }
    for (const auto& member : *node) {
      const std::string language = member.first.IsScalar() ? member.first.Scalar() : std::string();
      if (!IsLanguage(language)) {
        AddProblem(
            member.first,
            Quoted(language) + " is no language; write a BCP 47 tag such as \"en\" or \"es\"");
        continue;
      }
      if (translated.all().contains(language)) {
        AddProblem(member.first,
                   map.what + " has two texts for " + Quoted(language) + "; leave one out");
      }
      translated.Set(language,
                     TextOf(member.second, map.what + "'s " + Quoted(key), kMaxTextBytes));
    }
    return translated;
  }

  Trigger ReadTrigger(const Map& map, const std::string& key, bool required) {
    Trigger trigger;
    const YAML::Node* node = map.Find(key);
    if (node == nullptr) {
      if (required)
        AddProblem(map.mark, map.what + " lacks " + Quoted(key) +
                                 "; add \"when: {type: web.track, event: …}\"");
      return trigger;
    }
    const auto when =
        ReadMap(*node, map.what + "'s " + Quoted(key), {"type", "event", "condition"});
    if (!when) return trigger;
    trigger.type = Text(*when, "type", true, 128);
    trigger.event = Text(*when, "event", false, 200);
    if (const YAML::Node* condition_node = when->Find("condition")) {
      if (const auto condition =
              ReadMap(*condition_node, map.what + "'s \"condition\"", {"path", "equals"})) {
        trigger.condition =
            Condition{Path(*condition, "path", true), Text(*condition, "equals", true)};
      }
    }
    return trigger;
  }

  void LoadResource(const YAML::Node& node) {
    const auto resource = ReadMap(node, "a resource", {"apiVersion", "kind", "metadata", "spec"});
    if (!resource) return;
    if (++resources_ > Catalogue::kMaxResources) {
      AddProblem(node, "there are too many resources; at most " +
                           std::to_string(Catalogue::kMaxResources));
      return;
    }
    const std::string version = Text(*resource, "apiVersion", true);
    if (!version.empty() && version != "hilo/v1") {
      AddProblem(*resource->Find("apiVersion"),
                 "this version is not known; write \"apiVersion: hilo/v1\"");
    }
    const std::string kind = Word(*resource, "kind", true, kKinds);
    std::string name;
    if (const YAML::Node* metadata = resource->Find("metadata")) {
      if (const auto map = ReadMap(*metadata, "\"metadata\"", {"name"}))
        name = Text(*map, "name", true);
    } else {
      AddProblem(node, "a resource lacks \"metadata\"; add \"metadata: {name: …}\"");
    }
    if (name.empty() || kind.empty()) return;
    if (!IsName(name)) {
      AddProblem(*resource->Find("metadata"),
                 Quoted(name) +
                     " is no name; write lower-case letters, digits, \"_\", \"-\" "
                     "and \".\", at most 64");
      return;
    }
    if (const auto [where, fresh] = names_.emplace(kind + " " + name, path_); !fresh) {
      AddProblem(*resource->Find("metadata"), "there is a " + kind + " " + Quoted(name) +
                                                  " already, in " + Quoted(where->second) +
                                                  "; rename one");
      return;
    }
    const YAML::Node* spec = resource->Find("spec");
    if (spec == nullptr) {
      AddProblem(node, kind + " " + Quoted(name) + " lacks \"spec\"");
      return;
    }
    LoadSpec(kind, name, *spec);
  }

  void LoadSpec(const std::string& kind, const std::string& name, const YAML::Node& spec) {
    const std::string what = kind + " " + Quoted(name);
    if (kind == "FactKind") {
      LoadFactKind(name, what, spec);
    } else if (kind == "FactRule") {
      LoadFactRule(name, what, spec);
    } else if (kind == "OpenFields") {
      if (const auto map = ReadMap(spec, what, {"when", "paths"})) {
        catalogue_->open_fields_.push_back(
            {name, ReadTrigger(*map, "when", false), Paths(*map, "paths", true)});
        RefuseCondition(*map, catalogue_->open_fields_.back().when);
      }
    } else if (kind == "CaseKind") {
      LoadCaseKind(name, what, spec);
    } else if (kind == "PurchaseRule") {
      LoadPurchaseRule(name, what, spec);
    } else if (kind == "GroupRule") {
      if (const auto map = ReadMap(spec, what, {"from", "kind", "role"})) {
        catalogue_->group_rules_.push_back({name, Path(*map, "from", true),
                                            Word(*map, "kind", true, kGroupKinds),
                                            Path(*map, "role", false)});
      }
    } else if (kind == "Source") {
      if (const auto map = ReadMap(spec, what, {"rank", "group_kind"})) {
        catalogue_->sources_[name] = {name, Number(*map, "rank", 0, 1'000, 0),
                                      Word(*map, "group_kind", false, kGroupKinds)};
      }
    } else if (kind == "ConsentPurpose") {
      if (const auto map = ReadMap(spec, what, {"categories"})) {
        catalogue_->consent_purposes_.push_back(
            {name, Texts(*map, "categories", true, kMaxTextBytes)});
      }
    }
  }

  void RefuseCondition(const Map& map, const Trigger& when) {
    if (when.condition) {
      AddProblem(*map.Find("when"),
                 map.what +
                     " cannot have a \"condition\": whether a field is open may not depend on "
                     "what a customer wrote");
    }
  }

  void LoadFactKind(const std::string& name, const std::string& what, const YAML::Node& spec) {
    const auto map = ReadMap(spec, what, {"question", "expires_after"});
    if (map)
      catalogue_->fact_kinds_[name] = {name, Texts(*map, "question"),
                                       Duration(*map, "expires_after")};
  }

  void LoadFactRule(const std::string& name, const std::string& what, const YAML::Node& spec) {
    const auto map = ReadMap(spec, what, {"when", "from", "kind", "expires_after", "confidence"});
    if (!map) return;
    catalogue_->fact_rules_.push_back({.name = name,
                                       .when = ReadTrigger(*map, "when", true),
                                       .from = Path(*map, "from", true),
                                       .kind = Text(*map, "kind", true),
                                       .expires_after = Duration(*map, "expires_after"),
                                       .confidence = Number(*map, "confidence", 1, 100, 100)});
    const YAML::Node* kind = map->Find("kind");
    references_.push_back({path_, kind == nullptr ? map->mark : kind->Mark(), what,
                           catalogue_->fact_rules_.size() - 1});
  }

  void LoadCaseKind(const std::string& name, const std::string& what, const YAML::Node& spec) {
    const auto map = ReadMap(spec, what, {"title", "due_after", "opened_by"});
    if (!map) return;
    CaseKind kind{
        .name = name, .title = Texts(*map, "title"), .due_after = Duration(*map, "due_after")};
    if (const YAML::Node* rules = map->Find("opened_by")) {
      if (!rules->IsSequence() || rules->size() > kMaxListItems) {
        AddProblem(*rules,
                   what + "'s \"opened_by\" must be a list; write \"- when: {type: …}\" below it");
      } else {
        for (const YAML::Node& rule : *rules) {
          if (const auto opened_by =
                  ReadMap(rule, what + "'s \"opened_by\"", {"when", "title_from"})) {
            kind.opened_by.push_back(
                {ReadTrigger(*opened_by, "when", true), Path(*opened_by, "title_from", false)});
          }
        }
      }
    }
    catalogue_->case_kinds_[name] = std::move(kind);
  }

  void LoadPurchaseRule(const std::string& name, const std::string& what, const YAML::Node& spec) {
    const auto map = ReadMap(
        spec, what, {"when", "kind", "order", "amount", "currency", "default_currency", "items"});
    if (!map) return;
    PurchaseRule rule{.name = name,
                      .when = ReadTrigger(*map, "when", true),
                      .order_from = Path(*map, "order", true),
                      .amount_from = Paths(*map, "amount", true),
                      .currency_from = Path(*map, "currency", false),
                      .default_currency = Text(*map, "default_currency", false)};
    const std::string kind = Word(*map, "kind", true, kPurchaseKinds);
    rule.kind = kind == "refund"    ? PurchaseKind::kRefund
                : kind == "payment" ? PurchaseKind::kPayment
                                    : PurchaseKind::kOrder;
    if (rule.default_currency.empty() && rule.currency_from.empty()) {
      AddProblem(spec, what + " needs \"currency\" (a path) or \"default_currency\" (such as EUR)");
    } else if (!rule.default_currency.empty() && !Currency::Parse(rule.default_currency)) {
      AddProblem(*map->Find("default_currency"),
                 "this is no currency; write three letters of ISO 4217, such as EUR");
    }
    if (const YAML::Node* items_node = map->Find("items")) {
      if (const auto items = ReadMap(*items_node, what + "'s \"items\"",
                                     {"from", "product", "quantity", "price"})) {
        rule.items_from = Path(*items, "from", true);
        rule.item_product_from = Path(*items, "product", true);
        rule.item_quantity_from = Path(*items, "quantity", false);
        rule.item_price_from = Path(*items, "price", false);
      }
    }
    catalogue_->purchase_rules_.push_back(std::move(rule));
  }

  // Fact rules name kinds that may stand in a later file.
  void CheckReferences() {
    std::vector<std::string> kinds;
    for (const auto& [name, kind] : catalogue_->fact_kinds_) kinds.push_back(name);
    for (const Reference& reference : references_) {
      FactRule& rule = catalogue_->fact_rules_[reference.rule];
      if (rule.kind.empty()) continue;
      const FactKind* kind = catalogue_->FindFactKind(rule.kind);
      if (kind == nullptr) {
        path_ = reference.path;
        AddProblem(reference.mark, reference.what + " names the fact kind " + Quoted(rule.kind) +
                                       ", which no FactKind defines; " + Instead(rule.kind, kinds));
      } else if (rule.expires_after.count() == 0) {
        rule.expires_after = kind->expires_after;
      }
    }
  }

  struct Reference {
    std::string path;
    YAML::Mark mark;
    std::string what;
    size_t rule;
  };

  std::unique_ptr<Catalogue> catalogue_;
  std::vector<Problem> problems_;
  std::string path_;  // of the file being read
  size_t resources_ = 0;
  std::map<std::string, std::string> names_;  // "kind name" → path
  std::vector<Reference> references_;
};

Catalogue::Parsed Catalogue::Parse(std::span<const File> files, uint64_t revision) {
  return Loader(revision).Load(files);
}

}  // namespace hilo::catalogue
