#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "connectors/kit/json.h"
#include "hilo/v1/common.pb.h"
#include "ops/base/clock.h"

namespace hilo::kit {

// Whoever sends events to us: a write key's configuration, or the caller of EventService.
struct Source {
  std::string name;  // constant of the configuration; open
  std::string
      default_region;  // ISO 3166, for telephone numbers without country code: "ES"; "": none
  std::string group_kind = "account";
  uint32_t rank = 0;
};

// An identifier as it came.
struct RawIdentifier {
  v1::IdentifierKind kind = v1::IDENTIFIER_KIND_UNSPECIFIED;
  std::string value;
};

// A group as it came.
struct RawGroup {
  std::string kind;
  std::string id;
  std::string role;
};

// A step of a telephone call.
struct RawCall {
  std::string call_id;
  std::string step;  // "offered", …
  std::string agent;
  std::string queue;
  std::string disposition;
};

// An event as a dialect understood it, before normalising, extraction and sealing. Everything in it
// may be personal.
// **Lifetime**: `properties`, `traits` and `context` see the memory of `document`.
struct IncomingEvent {
  Source source;
  v1::Channel channel = v1::CHANNEL_UNSPECIFIED;
  v1::Assurance assurance = v1::ASSURANCE_UNSPECIFIED;

  std::string scope;  // within which `id` is unique: a CloudEvent's source; "": source.name
  std::string id;     // the provider's own; "": none, so a repeat cannot be told
  std::string type;   // "web.track"
  std::string event;  // the tracked event's name; open

  std::optional<std::string> time;       // as the source wrote it, ISO 8601; none: when it came
  std::optional<std::string> sent_time;  // by the same clock, when it was sent
  WallTime received;

  std::vector<RawIdentifier> identifiers;
  std::vector<RawGroup> groups;
  std::optional<RawCall> call;

  std::shared_ptr<const json::Document> document;
  json::Value properties;               // details: fact rules, open fields and purchases look here
  json::Value traits;                   // about the person
  json::Value context;                  // of the web dialect
  std::string body;                     // what a repeat must have in common: hashed, not kept
  bool global_privacy_control = false;  // the browser asks not to be tracked across sites
};

}  // namespace hilo::kit
