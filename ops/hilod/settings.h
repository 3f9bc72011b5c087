#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ops/base/status.h"

namespace hilo::hilod {

// A source of events and its write key.
struct SourceSettings {
  std::string name;
  std::string write_key;
  std::vector<std::string> origins;  // of browsers; empty: none
  std::string
      analytics_js_directory;  // where @segment/analytics-next's dist/umd lies; empty: not served
  std::string default_region;  // ISO 3166, for telephone numbers without country code
  std::string group_kind = "account";
  uint32_t rank = 0;
  uint32_t events_per_second = 0;  // beyond: 429; 0: no limit
  uint32_t events_burst = 0;       // at once after a pause; 0: those of one second
};

// An agent whom calls may be offered to.
struct AgentSettings {
  std::string name;  // as the agent's principal says it
  std::string uri;   // where the switch rings
  std::vector<std::string> skills;
};

// Calls to certain numbers.
struct QueueSettings {
  std::string name;
  std::vector<std::string> numbers;
  std::string skill;
  int priority = 0;
};

// Everything a node is told. What a fold reads is no setting: it comes as a record.
struct Settings {
  std::string data_directory = "/var/lib/hilo";
  std::string master_key_file;  // empty: <data_directory>/master.key, made when missing
  std::string principals_file;  // who may call; empty: nobody
  std::string desk_directory;   // the desk's built page; empty: not served
  std::string
      analytics_js_directory;  // where @segment/analytics-next's dist/umd lies; empty: not served
  std::string default_region;  // for numbers that agents type
  std::string space = "default";
  std::string http_address = "127.0.0.1";
  uint16_t http_port = 8080;
  std::string http_tls_certificate_file;
  std::string http_tls_key_file;
  uint32_t http_threads = 2;
  // From one IPv4 address or IPv6 /64; beyond: 429; 0: no limit. Not behind a proxy that hides who
  // sends, nor for a shop's own servers.
  uint32_t http_events_per_second_per_address = 0;
  uint32_t http_events_burst_per_address = 0;  // 0: those of one second
  std::string grpc_address = "127.0.0.1:8081";
  std::string grpc_tls_certificate_file;
  std::string grpc_tls_key_file;
  bool grpc_reflection = false;
  std::string log_format = "auto";  // auto, json, text
  uint64_t cache_megabytes = 256;
  // E-mail out; without a host nothing is sent.
  std::string email_host;
  uint16_t email_port = 587;
  std::string email_tls = "required";  // none, opportunistic, required, implicit
  std::string email_ca_file;
  std::string email_user;
  std::string email_password_file;
  bool email_plain_auth_without_tls = false;
  std::string email_own_name = "localhost";
  std::string email_from_address;
  std::string email_from_name;
  std::string email_reply_to;
  std::string email_bounce_address;
  std::string email_message_domain;
  std::string email_dkim_domain;  // empty: unsigned
  std::string email_dkim_selector;
  std::string email_dkim_key_file;
  std::string public_url;  // where customers reach this hub: for links to stop mail
  std::vector<SourceSettings> sources;
  std::vector<AgentSettings> agents;  // empty: any agent's name is taken, and no call is routed
  std::vector<QueueSettings> queues;
};

// Defaults, then the YAML file, then the environment (HILO_HTTP_PORT for http.port). `origin_of`
// collects where each value in force comes from.
//
// **Errors**: `config_invalid` names file and key, never a value: unknown or repeated keys, values
// of the wrong kind.
StatusOr<Settings> LoadSettings(const std::string& path,
                                std::vector<std::pair<std::string, std::string>>* origin_of);

// One line per key: its value (secrets masked) and where it comes from.
std::string PrintSettings(const Settings& settings,
                          const std::vector<std::pair<std::string, std::string>>& origin_of);

}  // namespace hilo::hilod
