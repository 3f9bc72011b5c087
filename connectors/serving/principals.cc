#include "connectors/serving/principals.h"

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <utility>

#include "ops/audit/audit.h"
#include "state/types/ids.h"

namespace hilo::serving {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles = {
    {{Role::kAgent, "agent"},
     {Role::kSupervisor, "supervisor"},
     {Role::kChannel, "channel"},
     {Role::kOps, "ops"},
     {Role::kAdmin, "admin"}}};

std::string HashOf(std::string_view token) {
  return std::string(Bytes(Hash("hilo.token.", token)));
}

// What the audit takes as a principal.
bool IsAuditWord(std::string_view name) {
  return name.size() <= audit::AuditEntry::kMaxFieldBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return c > ' ' && c <= '~' && c != '"' && c != '\\' && c != '\'';
         });
}

Status Invalid(const std::string& path, std::string_view what) {
  return Error(StatusCode::kFailedPrecondition, "config_invalid", path + ": " + std::string(what));
}

// The file's text, when nobody but its owner may write it, and (for secrets) read it.
StatusOr<std::string> ReadSecret(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return Error(StatusCode::kNotFound, "secret_missing",
                 "'" + path + "' cannot be read; create it or correct its path");
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error(StatusCode::kFailedPrecondition, "secret_readable",
                 "'" + path + "' is open to others; chmod 600 it");
  }
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string content = text.str();
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
  return content;
}

StatusOr<std::pair<std::string, Principal>> ReadPrincipal(const std::string& path,
                                                          const YAML::Node& node) {
  Principal principal;
  std::string hash;
  if (!node.IsMap()) return Invalid(path, "each principal is a map");
  for (const auto& item : node) {
    const std::string key = item.first.as<std::string>("");
    const std::string value = item.second.as<std::string>("");
    if (key == "name") {
      principal.name = value;
    } else if (key == "display_name") {
      principal.display_name = value;
    } else if (key == "agent") {
      principal.agent = value;
    } else if (key == "space") {
      principal.space = value;
    } else if (key == "customers") {
      if (value != "all" && value != "assigned")
        return Invalid(path, "'customers' is all or assigned");
      principal.only_assigned = value == "assigned";
    } else if (key == "role") {
      const auto role = ParseRole(value);
      if (!role) return Invalid(path, "'role' is one of agent, supervisor, channel, ops, admin");
      principal.role = *role;
    } else if (key == "token_hash") {
      const auto id = Id<struct TokenTag>::FromHex(value);
      if (!id) return Invalid(path, "'token_hash' is 32 hexadecimal digits");
      hash = std::string(id->Bytes());
    } else if (key == "token_file") {
      HILO_ASSIGN_OR_RETURN(const std::string token, ReadSecret(value));
      if (token.size() < 16)
        return Invalid(path, "the token in '" + value + "' is shorter than 16 characters");
      hash = HashOf(token);
    } else {
      return Invalid(path, "key '" + key + "' is not known");
    }
  }
  if (principal.name.empty()) return Invalid(path, "a principal has no 'name'");
  if (!IsAuditWord(principal.name)) {
    return Invalid(path,
                   "a 'name' stands in the audit: at most 128 printable characters, no spaces, "
                   "quotes or backslashes");
  }
  if (principal.only_assigned && (principal.agent.empty() || principal.role != Role::kAgent)) {
    return Invalid(path, "'customers: assigned' is for a principal of role agent with an 'agent'");
  }
  if (hash.empty())
    return Invalid(path, "'" + principal.name + "' has neither 'token_hash' nor 'token_file'");
  return std::make_pair(hash, principal);
}

}  // namespace

std::string_view RoleName(Role role) {
  return std::find_if(kRoles.begin(), kRoles.end(),
                      [&](const auto& entry) { return entry.first == role; })
      ->second;
}

std::optional<Role> ParseRole(std::string_view name) {
  for (const auto& [role, text] : kRoles) {
    if (text == name) return role;
  }
  return std::nullopt;
}

StatusOr<std::unique_ptr<Principals>> Principals::Load(const std::string& path) {
  HILO_ASSIGN_OR_RETURN(const std::string text, ReadSecret(path));
  auto principals = std::make_unique<Principals>();
  try {
    const YAML::Node root = YAML::Load(text);
    if (!root.IsMap() || root.size() != 1 || !root["principals"].IsSequence()) {
      return Invalid(path, "expected one key 'principals' with a list");
    }
    for (const YAML::Node& node : root["principals"]) {
      HILO_ASSIGN_OR_RETURN(auto entry, ReadPrincipal(path, node));
      for (const auto& [hash, known] : principals->by_token_hash_) {
        if (known.name == entry.second.name)
          return Invalid(path, "'" + known.name + "' stands there twice");
      }
      if (!principals->by_token_hash_.emplace(std::move(entry)).second)
        return Invalid(path, "two principals share a token");
    }
  } catch (const YAML::Exception& error) {
    return Invalid(path, "line " + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
  return principals;
}

std::unique_ptr<Principals> Principals::FromTokens(
    std::vector<std::pair<std::string, Principal>> tokens) {
  auto principals = std::make_unique<Principals>();
  for (auto& [token, principal] : tokens)
    principals->by_token_hash_.emplace(HashOf(token), std::move(principal));
  return principals;
}

const Principal* Principals::Find(std::string_view token) const {
  if (token.empty() || token.size() > kMaxTokenBytes) return nullptr;
  const auto found = by_token_hash_.find(HashOf(token));
  return found == by_token_hash_.end() ? nullptr : &found->second;
}

std::vector<std::string> Principals::Agents() const {
  std::vector<std::string> agents;
  for (const auto& [hash, principal] : by_token_hash_) {
    if (!principal.agent.empty()) agents.push_back(principal.agent);
  }
  std::sort(agents.begin(), agents.end());
  return agents;
}

}  // namespace hilo::serving
