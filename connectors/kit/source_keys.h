#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "connectors/kit/rate_limit.h"
#include "ops/base/status.h"
#include "state/types/hash.h"

namespace hilo::kit {

// A source and what it shows to be let in.
struct KeyedSource {
  Source source;
  std::string key;
  // Origins of browsers that may send with this key: "https://shop.example"; "*" lets every page.
  std::vector<std::string> origins;
  Rate rate;  // of its events, where an edge limits them
};

// Finds sources by their keys. A key identifies, it does not authenticate: it lets append, and only
// as its source.
//
// **Guarantees**: how long a look-up takes tells nothing of the keys: they are compared as keyed
// hashes.
// **Errors**: Create refuses an empty name or key, or one that stands there twice, with
// `config_invalid`.
// **Threads**: immutable, thread-safe.
class SourceKeys {
 public:
  static constexpr size_t kMaxKeyBytes = 256;

  static StatusOr<SourceKeys> Create(std::vector<KeyedSource> sources);

  // Null when no source has it.
  const KeyedSource* Find(std::string_view key) const;
  // The one that all of these keys name; null when there is none, one is unknown, or they name two.
  const KeyedSource* FindAgreed(const std::vector<std::string>& keys) const;
  const std::vector<KeyedSource>& all() const { return sources_; }

 private:
  SourceKeys() = default;
  HashKey hash_key_;
  std::vector<KeyedSource> sources_;
  std::map<Hash16, size_t> by_hash_;
};

// What an Authorization header may mean as a key: the name of Basic credentials, with or without
// the colon behind it, or a Bearer token. nullopt when it is neither.
std::optional<std::string> KeyOfAuthorization(std::string_view header);

// Whether a page of `origin` may send as `source`: the exact text, or "*". "null" never may.
bool AllowsOrigin(const KeyedSource& source, std::string_view origin);

}  // namespace hilo::kit
