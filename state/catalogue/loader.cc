#include "state/catalogue/loader.h"

#include <algorithm>
#include <set>
#include <utility>

namespace hilo::catalogue {
namespace {

constexpr std::string_view kKinds[] = {"Action",    "CaseKind",  "ConsentPurpose", "FactKind",
                                       "FactRule",  "GroupRule", "Journey",        "OpenFields",
                                       "Parameter", "Policy",    "Product",        "PurchaseRule",
                                       "Segment",   "Source",    "Template"};
constexpr size_t kMaxPathOfFileBytes = 200;

struct Room {
  std::string_view kind;
  size_t most;
};
constexpr Room kRooms[] = {
    {"Action", Catalogue::kMaxActions},      {"Policy", Catalogue::kMaxPolicies},
    {"Segment", Catalogue::kMaxSegments},    {"Journey", Catalogue::kMaxJourneys},
    {"Product", Catalogue::kMaxProducts},    {"Template", Catalogue::kMaxTemplates},
    {"Parameter", Catalogue::kMaxParameters}};

// A path that stays in the folder it is exported into.
bool IsFilePath(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathOfFileBytes || path.front() == '/') return false;
  if (("/" + std::string(path) + "/").find("/../") != std::string::npos) return false;
  return std::all_of(path.begin(), path.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == '/';
  });
}

}  // namespace

Loader::Loader(uint64_t revision) : catalogue_(new Catalogue) { catalogue_->revision_ = revision; }

Catalogue::Parsed Loader::Load(std::span<const File> files) {
  if (files.size() > Catalogue::kMaxFiles) {
    yaml_.AddProblem(Place{},
                     "there are too many files; at most " + std::to_string(Catalogue::kMaxFiles));
    return Finish();
  }
  size_t bytes = 0;
  for (const File& file : files) bytes += file.content.size();
  if (bytes > Catalogue::kMaxBytes) {
    yaml_.AddProblem(Place{}, "all files together are too large; at most " +
                                  std::to_string(Catalogue::kMaxBytes >> 20) + " MiB");
    return Finish();
  }
  std::set<std::string_view> paths;
  for (const File& file : files) {
    yaml_.BeginFile(file);
    if (!IsFilePath(file.path)) {
      yaml_.AddProblem(Place{&file},
                       "a file's path is made of letters, digits, \"_\", \"-\", \".\" "
                       "and \"/\", as \"facts/returns.yaml\"; rename it");
    } else if (!paths.insert(file.path).second) {
      yaml_.AddProblem(Place{&file}, "there are two files of this path; rename one");
    } else {
      LoadFile(file);
    }
  }
  CheckReferences();
  CompileConditions();
  CheckActions();
  CheckJourneys();
  CheckEventPaths();
  catalogue_->files_.assign(files.begin(), files.end());
  return Finish();
}

Catalogue::Parsed Loader::Finish() {
  if (!yaml_.problems().empty()) {
    // In the order in which people read: what one resource says of another was found last.
    std::vector<Problem> problems = yaml_.TakeProblems();
    std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
      return std::tie(a.path, a.line, a.column) < std::tie(b.path, b.line, b.column);
    });
    return {nullptr, std::move(problems)};
  }
  catalogue_->Index();
  return {std::shared_ptr<const Catalogue>(std::move(catalogue_)), {}};
}

void Loader::LoadFile(const File& file) {
  if (file.content.size() > Catalogue::kMaxFileBytes) {
    yaml_.AddProblem(Place{&file}, "the file is too large; at most 256 KiB, split it");
    return;
  }
  // yaml-cpp throws on what it cannot read.
  try {
    for (const YAML::Node& document : YAML::LoadAll(file.content)) {
      if (!document.IsNull()) LoadResource(document);
    }
  } catch (const YAML::Exception& exception) {
    yaml_.AddProblem(yaml_.PlaceOf(exception.mark), "this is not valid YAML (" + exception.msg +
                                                        "); see https://yaml.org/spec/1.2.2");
  }
}

bool Loader::HasRoom(const std::string& kind, const YAML::Node& node) {
  const size_t count = ++of_kind_[kind];
  for (const Room& room : kRooms) {
    if (room.kind != kind || count <= room.most) continue;
    if (count == room.most + 1) {
      yaml_.AddProblem(node, "there are too many resources of kind " + kind + "; at most " +
                                 std::to_string(room.most));
    }
    return false;
  }
  return true;
}

void Loader::LoadResource(const YAML::Node& node) {
  const auto resource =
      yaml_.ReadMap(node, "a resource", {"apiVersion", "kind", "metadata", "spec"});
  if (!resource) return;
  if (++resources_ > Catalogue::kMaxResources) {
    yaml_.AddProblem(
        node, "there are too many resources; at most " + std::to_string(Catalogue::kMaxResources));
    return;
  }
  const std::string version = yaml_.Text(*resource, "apiVersion", true);
  if (!version.empty() && version != "hilo/v1") {
    yaml_.AddProblem(*resource->Find("apiVersion"),
                     "this version is not known; write \"apiVersion: hilo/v1\"");
  }
  const std::string kind = yaml_.Word(*resource, "kind", true, kKinds);
  std::string name;
  if (const YAML::Node* metadata = resource->Find("metadata")) {
    if (const auto map = yaml_.ReadMap(*metadata, "\"metadata\"", {"name"}))
      name = yaml_.Text(*map, "name", true);
  } else {
    yaml_.AddProblem(node, "a resource lacks \"metadata\"; add \"metadata: {name: …}\"");
  }
  if (name.empty() || kind.empty()) return;
  const Place place = yaml_.PlaceOf(*resource, "metadata");
  if (!IsName(name)) {
    yaml_.AddProblem(place, Quoted(name) +
                                " is no name; write lower-case letters, digits, \"_\", \"-\" "
                                "and \".\", at most 64");
    return;
  }
  if (const auto [where, fresh] = places_.emplace(kind + " " + name, place); !fresh) {
    yaml_.AddProblem(place, "there is a " + kind + " " + Quoted(name) + " already, in " +
                                Quoted(where->second.file->path) + "; rename one");
    return;
  }
  if (!HasRoom(kind, node)) return;
  const std::string what = kind + " " + Quoted(name);
  const YAML::Node* spec = resource->Find("spec");
  if (spec == nullptr) {
    yaml_.AddProblem(node, what + " lacks \"spec\"");
    return;
  }
  LoadSpec(kind, name, what, *spec);
}

void Loader::LoadSpec(const std::string& kind, const std::string& name, const std::string& what,
                      const YAML::Node& spec) {
  struct Kind {
    std::string_view name;
    void (Loader::*load)(const std::string&, const std::string&, const YAML::Node&);
  };
  static constexpr Kind kLoads[] = {{"Action", &Loader::LoadAction},
                                    {"CaseKind", &Loader::LoadCaseKind},
                                    {"ConsentPurpose", &Loader::LoadConsentPurpose},
                                    {"FactKind", &Loader::LoadFactKind},
                                    {"FactRule", &Loader::LoadFactRule},
                                    {"GroupRule", &Loader::LoadGroupRule},
                                    {"Journey", &Loader::LoadJourney},
                                    {"OpenFields", &Loader::LoadOpenFields},
                                    {"Parameter", &Loader::LoadParameter},
                                    {"Policy", &Loader::LoadPolicy},
                                    {"Product", &Loader::LoadProduct},
                                    {"PurchaseRule", &Loader::LoadPurchaseRule},
                                    {"Segment", &Loader::LoadSegment},
                                    {"Source", &Loader::LoadSource},
                                    {"Template", &Loader::LoadTemplate}};
  static_assert(std::size(kLoads) == std::size(kKinds));
  for (const Kind& load : kLoads) {
    if (load.name == kind) (this->*load.load)(name, what, spec);
  }
}

Catalogue::Parsed Catalogue::Parse(std::span<const File> files, uint64_t revision) {
  return Loader(revision).Load(files);
}

}  // namespace hilo::catalogue
