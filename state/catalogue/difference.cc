#include "state/catalogue/difference.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace hilo::catalogue {
namespace {

// Deeper than any resource that parses.
constexpr int kMaxDepth = 20;

// A value in one way of writing, the keys of maps in order.
void Write(const YAML::Node& node, int depth, std::string& out) {
  if (depth == 0) return;
  if (node.IsMap()) {
    std::map<std::string, YAML::Node> members;
    for (const auto& member : node) members[member.first.Scalar()] = member.second;
    out += '{';
    for (const auto& [key, value] : members) {
      out += std::to_string(key.size()) + ':' + key;
      Write(value, depth - 1, out);
    }
    out += '}';
  } else if (node.IsSequence()) {
    out += '[';
    for (const YAML::Node& item : node) Write(item, depth - 1, out);
    out += ']';
  } else if (node.IsScalar()) {
    out += std::to_string(node.Scalar().size()) + ':' + node.Scalar();
  } else {
    out += '~';
  }
}

struct Resource {
  std::string path;
  std::string written;
};
using Resources = std::map<std::pair<std::string, std::string>, Resource>;  // by kind and name

Resources Read(std::span<const File> files) {
  Resources resources;
  for (const File& file : files) {
    // yaml-cpp throws on what it cannot read; a file of an older version has no resources then.
    try {
      for (const YAML::Node& document : YAML::LoadAll(file.content)) {
        if (!document.IsMap() || !document["kind"] || !document["metadata"]) continue;
        Resource resource{file.path, {}};
        Write(document["spec"], kMaxDepth, resource.written);
        resources[{document["kind"].as<std::string>(""),
                   document["metadata"]["name"].as<std::string>("")}] = std::move(resource);
      }
    } catch (const YAML::Exception&) {
      continue;
    }
  }
  return resources;
}

// The files that are not also among `others`, to the byte.
std::vector<File> Without(std::span<const File> others, std::span<const File> files) {
  std::set<std::pair<std::string_view, std::string_view>> known;
  for (const File& file : others) known.emplace(file.path, file.content);
  std::vector<File> left;
  for (const File& file : files) {
    if (!known.contains({file.path, file.content})) left.push_back(file);
  }
  return left;
}

}  // namespace

std::vector<Change> Difference(std::span<const File> before, std::span<const File> after) {
  // A file that is in both says the same in both: most are, and reading is slow.
  const Resources old = Read(Without(after, before));
  const Resources now = Read(Without(before, after));
  std::vector<Change> changes;
  for (const auto& [key, resource] : old) {
    const auto found = now.find(key);
    if (found == now.end()) {
      changes.push_back({Change::Type::kRemoved, key.first, key.second, resource.path});
    } else if (found->second.written != resource.written) {
      changes.push_back({Change::Type::kChanged, key.first, key.second, found->second.path});
    }
  }
  for (const auto& [key, resource] : now) {
    if (!old.contains(key))
      changes.push_back({Change::Type::kAdded, key.first, key.second, resource.path});
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return std::tie(a.kind, a.name) < std::tie(b.kind, b.name);
  });
  return changes;
}

}  // namespace hilo::catalogue
