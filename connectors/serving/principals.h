#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ops/base/status.h"
#include "state/types/hash.h"

namespace hilo::serving {

// What a caller may do; the table of rights (rights.h) is by role.
enum class Role { kAgent, kSupervisor, kChannel, kOps, kAdmin };
std::string_view RoleName(Role role);
std::optional<Role> ParseRole(std::string_view name);

// Who calls. `name` is unique and stands in the audit; `agent` is what calls name an agent by,
// empty for others.
struct Principal {
  std::string name;
  std::string display_name;
  Role role = Role::kAgent;
  std::string agent;
  std::string space;           // whose customers they serve; empty: those of the node they call
  bool only_assigned = false;  // of them only those whose call is at `agent` now (access.h)
};

// Who may call, by bearer token. Tokens are kept hashed and looked up by their hash, so that the
// time of an answer says nothing.
//
// The file is YAML: `principals: [{name, display_name, role, agent, space, customers, token_file |
// token_hash}]`, where `customers` is "all" or "assigned", token_hash is the hexadecimal
// BLAKE2b-128 of the token and token_file holds the token itself (mode 0400 or 0600).
// **Errors**: `config_invalid` names the file and the key; `secret_readable` when it is open to
// others.
// **Threads**: immutable, thread-safe.
class Principals {
 public:
  static constexpr size_t kMaxTokenBytes = 4'096;

  static StatusOr<std::unique_ptr<Principals>> Load(const std::string& path);
  // For tests and the demo: tokens in the clear.
  static std::unique_ptr<Principals> FromTokens(
      std::vector<std::pair<std::string, Principal>> tokens);

  // nullptr when no principal has this token.
  const Principal* Find(std::string_view token) const;
  // All agents' names as calls know them.
  std::vector<std::string> Agents() const;

 private:
  std::unordered_map<std::string, Principal> by_token_hash_;
};

}  // namespace hilo::serving
