#include "ops/hilod/settings.h"

#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

namespace hilo::hilod {
namespace {

using Origins = std::vector<std::pair<std::string, std::string>>;

Status Invalid(const std::string& where, const std::string& what) {
  return Error(StatusCode::kFailedPrecondition, "config_invalid", where + ": " + what);
}

// One setting: how it is read and shown.
struct Key {
  std::string name;
  std::function<bool(Settings&, const std::string&)> set;  // false: not of this kind
  std::function<std::string(const Settings&)> show;
};

template <typename T>
bool ParseInteger(const std::string& text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

Key Text(std::string name, std::string Settings::*field) {
  return {std::move(name),
          [field](Settings& settings, const std::string& text) {
            settings.*field = text;
            return true;
          },
          [field](const Settings& settings) { return settings.*field; }};
}

template <typename T>
Key Integer(std::string name, T Settings::*field) {
  return {std::move(name),
          [field](Settings& settings, const std::string& text) {
            return ParseInteger(text, settings.*field);
          },
          [field](const Settings& settings) { return std::to_string(settings.*field); }};
}

Key Flag(std::string name, bool Settings::*field) {
  return {std::move(name),
          [field](Settings& settings, const std::string& text) {
            settings.*field = text == "true";
            return text == "true" || text == "false";
          },
          [field](const Settings& settings) { return settings.*field ? "true" : "false"; }};
}

const std::vector<Key>& Keys() {
  static const std::vector<Key> keys = {
      Text("data_directory", &Settings::data_directory),
      Text("master_key_file", &Settings::master_key_file),
      Text("principals_file", &Settings::principals_file),
      Text("desk_directory", &Settings::desk_directory),
      Text("analytics_js_directory", &Settings::analytics_js_directory),
      Text("default_region", &Settings::default_region),
      Text("space", &Settings::space),
      Text("http.address", &Settings::http_address),
      Integer("http.port", &Settings::http_port),
      Text("http.tls_certificate_file", &Settings::http_tls_certificate_file),
      Text("http.tls_key_file", &Settings::http_tls_key_file),
      Integer("http.threads", &Settings::http_threads),
      Integer("http.events_per_second_per_address", &Settings::http_events_per_second_per_address),
      Integer("http.events_burst_per_address", &Settings::http_events_burst_per_address),
      Text("grpc.address", &Settings::grpc_address),
      Text("grpc.tls_certificate_file", &Settings::grpc_tls_certificate_file),
      Text("grpc.tls_key_file", &Settings::grpc_tls_key_file),
      Flag("grpc.reflection", &Settings::grpc_reflection),
      Text("log_format", &Settings::log_format),
      Integer("cache_megabytes", &Settings::cache_megabytes),
      Text("public_url", &Settings::public_url),
      Text("email.host", &Settings::email_host),
      Integer("email.port", &Settings::email_port),
      Text("email.tls", &Settings::email_tls),
      Text("email.ca_file", &Settings::email_ca_file),
      Text("email.user", &Settings::email_user),
      Text("email.password_file", &Settings::email_password_file),
      Flag("email.plain_auth_without_tls", &Settings::email_plain_auth_without_tls),
      Text("email.own_name", &Settings::email_own_name),
      Text("email.from_address", &Settings::email_from_address),
      Text("email.from_name", &Settings::email_from_name),
      Text("email.reply_to", &Settings::email_reply_to),
      Text("email.bounce_address", &Settings::email_bounce_address),
      Text("email.message_domain", &Settings::email_message_domain),
      Text("email.dkim_domain", &Settings::email_dkim_domain),
      Text("email.dkim_selector", &Settings::email_dkim_selector),
      Text("email.dkim_key_file", &Settings::email_dkim_key_file),
  };
  return keys;
}

const Key* FindKey(const std::string& name) {
  for (const Key& key : Keys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

std::string EnvironmentName(const std::string& key) {
  std::string name = "HILO_";
  for (const char c : key)
    name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return name;
}

// Reads a list of maps. `set` takes one key of one element: false when the key is not known or its
// value is of the wrong kind.
template <typename Element>
Status ReadList(const std::string& where, const std::string& key, const YAML::Node& list,
                std::vector<Element>& elements,
                const std::function<bool(Element&, const std::string&, const YAML::Node&)>& set) {
  if (!list.IsSequence()) return Invalid(where, "'" + key + "' is a list");
  for (const auto& node : list) {
    if (!node.IsMap()) return Invalid(where, "each element of '" + key + "' is a map");
    Element element;
    std::set<std::string> seen;
    for (const auto& item : node) {
      const auto name = item.first.as<std::string>("");
      if (!seen.insert(name).second) return Invalid(where, "key '" + name + "' stands there twice");
      if (!set(element, name, item.second))
        return Invalid(
            where, "key '" + name + "' is not known here, or its value is not of the right kind");
    }
    if (element.name.empty()) return Invalid(where, "each element of '" + key + "' needs a 'name'");
    for (const Element& other : elements) {
      if (other.name == element.name)
        return Invalid(where, "two elements of '" + key + "' have the same name");
    }
    elements.push_back(std::move(element));
  }
  return OkStatus();
}

bool SetText(std::string& out, const YAML::Node& node) {
  if (!node.IsScalar()) return false;
  out = node.as<std::string>("");
  return true;
}

bool SetTexts(std::vector<std::string>& out, const YAML::Node& node) {
  if (!node.IsSequence()) return false;
  for (const auto& item : node) out.push_back(item.as<std::string>(""));
  return true;
}

bool SetSource(SourceSettings& source, const std::string& key, const YAML::Node& value) {
  if (key == "name") return SetText(source.name, value);
  if (key == "write_key") return SetText(source.write_key, value);
  if (key == "origins") return SetTexts(source.origins, value);
  if (key == "default_region") return SetText(source.default_region, value);
  if (key == "group_kind") return SetText(source.group_kind, value);
  uint32_t* const number = key == "rank"                ? &source.rank
                           : key == "events_per_second" ? &source.events_per_second
                           : key == "events_burst"      ? &source.events_burst
                                                        : nullptr;
  std::string text;
  return number != nullptr && SetText(text, value) && ParseInteger(text, *number);
}

bool SetAgent(AgentSettings& agent, const std::string& key, const YAML::Node& value) {
  if (key == "name") return SetText(agent.name, value);
  if (key == "uri") return SetText(agent.uri, value);
  return key == "skills" && SetTexts(agent.skills, value);
}

bool SetQueue(QueueSettings& queue, const std::string& key, const YAML::Node& value) {
  if (key == "name") return SetText(queue.name, value);
  if (key == "numbers") return SetTexts(queue.numbers, value);
  if (key == "skill") return SetText(queue.skill, value);
  std::string text;
  return key == "priority" && SetText(text, value) && ParseInteger(text, queue.priority);
}

// The lists among the settings; nullopt when `key` is none of them.
std::optional<Status> ReadLists(const std::string& where, const std::string& key,
                                const YAML::Node& node, Settings& settings) {
  if (key == "agents") return ReadList<AgentSettings>(where, key, node, settings.agents, SetAgent);
  if (key == "queues") return ReadList<QueueSettings>(where, key, node, settings.queues, SetQueue);
  if (key != "sources") return std::nullopt;
  HILO_RETURN_IF_ERROR(ReadList<SourceSettings>(where, key, node, settings.sources, SetSource));
  for (const SourceSettings& source : settings.sources) {
    if (source.write_key.empty()) return Invalid(where, "a source needs a 'write_key'");
  }
  return OkStatus();
}

Status ReadMap(const std::string& path, const YAML::Node& node, const std::string& prefix,
               Settings& settings, Origins& origins, std::set<std::string>& seen) {
  for (const auto& item : node) {
    const std::string key = prefix + item.first.as<std::string>("");
    const std::string where = path + ":" + std::to_string(item.first.Mark().line + 1);
    if (!seen.insert(key).second) return Invalid(where, "key '" + key + "' stands there twice");
    if (const auto read = ReadLists(where, key, item.second, settings)) {
      HILO_RETURN_IF_ERROR(*read);
      origins.emplace_back(key, where);
      continue;
    }
    if (item.second.IsMap() && (key == "http" || key == "grpc" || key == "email")) {
      HILO_RETURN_IF_ERROR(ReadMap(path, item.second, key + ".", settings, origins, seen));
      continue;
    }
    const Key* known = FindKey(key);
    if (known == nullptr)
      return Invalid(where, "key '" + key + "' is not known; --print-config lists all");
    if (!item.second.IsScalar() || !known->set(settings, item.second.as<std::string>(""))) {
      return Invalid(where, "the value of '" + key + "' is not of the right kind");
    }
    origins.emplace_back(key, where);
  }
  return OkStatus();
}

}  // namespace

StatusOr<Settings> LoadSettings(const std::string& path, Origins* origin_of) {
  Settings settings;
  Origins origins;
  if (!path.empty()) {
    std::ifstream file(path);
    if (!file) return Invalid(path, "cannot be read");
    std::ostringstream text;
    text << file.rdbuf();
    try {
      const YAML::Node root = YAML::Load(text.str());
      if (!root.IsMap() && !root.IsNull()) return Invalid(path, "expected keys and values");
      std::set<std::string> seen;
      HILO_RETURN_IF_ERROR(ReadMap(path, root, "", settings, origins, seen));
    } catch (const YAML::Exception& error) {
      return Invalid(path + ":" + std::to_string(error.mark.line + 1), "not valid YAML");
    }
  }
  for (const Key& key : Keys()) {
    const std::string name = EnvironmentName(key.name);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) continue;
    if (!key.set(settings, value)) return Invalid(name, "the value is not of the right kind");
    origins.emplace_back(key.name, name);
  }
  if (settings.master_key_file.empty())
    settings.master_key_file = settings.data_directory + "/master.key";
  if (settings.http_threads < 1 || settings.http_threads > 64)
    return Invalid("http.threads", "is 1 to 64");
  if (settings.log_format != "auto" && settings.log_format != "json" &&
      settings.log_format != "text") {
    return Invalid("log_format", "is auto, json or text");
  }
  if (settings.http_tls_certificate_file.empty() != settings.http_tls_key_file.empty()) {
    return Invalid("http.tls_certificate_file", "needs http.tls_key_file, and the other way round");
  }
  if (settings.grpc_tls_certificate_file.empty() != settings.grpc_tls_key_file.empty()) {
    return Invalid("grpc.tls_certificate_file", "needs grpc.tls_key_file, and the other way round");
  }
  if (origin_of != nullptr) *origin_of = std::move(origins);
  return settings;
}

std::string PrintSettings(const Settings& settings, const Origins& origin_of) {
  std::ostringstream text;
  const auto origin = [&](const std::string& key) {
    std::string found = "default";
    for (const auto& [name, where] : origin_of) {
      if (name == key) found = where;
    }
    return found;
  };
  for (const Key& key : Keys()) {
    text << key.name << ": " << key.show(settings) << "  # " << origin(key.name) << "\n";
  }
  for (const SourceSettings& source : settings.sources) {
    text << "sources: " << source.name << " (write_key masked)  # " << origin("sources") << "\n";
  }
  for (const AgentSettings& agent : settings.agents)
    text << "agents: " << agent.name << "  # " << origin("agents") << "\n";
  for (const QueueSettings& queue : settings.queues)
    text << "queues: " << queue.name << "  # " << origin("queues") << "\n";
  return text.str();
}

}  // namespace hilo::hilod
