#include "connectors/kit/source_keys.h"

#include <algorithm>
#include <random>
#include <set>

#include "connectors/kit/text.h"

namespace hilo::kit {

StatusOr<SourceKeys> SourceKeys::Create(std::vector<KeyedSource> sources) {
  SourceKeys keys;
  std::random_device device;
  for (uint8_t& byte : keys.hash_key_.bytes) byte = static_cast<uint8_t>(device());
  std::set<std::string_view> names;
  for (size_t i = 0; i < sources.size(); ++i) {
    const KeyedSource& source = sources[i];
    if (source.source.name.empty() || source.key.empty() || source.key.size() > kMaxKeyBytes) {
      return Error(StatusCode::kFailedPrecondition, "config_invalid",
                   "each source needs a name and a write key of 1 to 256 bytes");
    }
    if (!names.insert(source.source.name).second ||
        !keys.by_hash_.emplace(KeyedHash(keys.hash_key_, "write_key", source.key), i).second) {
      return Error(StatusCode::kFailedPrecondition, "config_invalid",
                   "two sources have the same name or write key; give each its own");
    }
  }
  keys.sources_ = std::move(sources);
  return keys;
}

const KeyedSource* SourceKeys::Find(std::string_view key) const {
  if (key.empty() || key.size() > kMaxKeyBytes) return nullptr;
  const auto found = by_hash_.find(KeyedHash(hash_key_, "write_key", key));
  return found == by_hash_.end() ? nullptr : &sources_[found->second];
}

const KeyedSource* SourceKeys::FindAgreed(const std::vector<std::string>& keys) const {
  const KeyedSource* agreed = nullptr;
  for (const std::string& key : keys) {
    const KeyedSource* found = Find(key);
    if (found == nullptr || (agreed != nullptr && found != agreed)) return nullptr;
    agreed = found;
  }
  return agreed;
}

std::optional<std::string> KeyOfAuthorization(std::string_view header) {
  header = Trim(header);
  const size_t blank = header.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const std::string scheme = AsciiLower(header.substr(0, blank));
  const std::string_view rest = Trim(header.substr(blank + 1));
  if (scheme == "bearer") return std::string(rest);
  if (scheme != "basic") return std::nullopt;
  auto decoded = DecodeBase64(rest);
  if (!decoded) return std::nullopt;
  return decoded->substr(0, decoded->find(':'));
}

bool AllowsOrigin(const KeyedSource& source, std::string_view origin) {
  if (origin.empty() || origin == "null") return false;
  return std::any_of(source.origins.begin(), source.origins.end(), [&](const std::string& allowed) {
    return allowed == "*" || allowed == origin;
  });
}

}  // namespace hilo::kit
