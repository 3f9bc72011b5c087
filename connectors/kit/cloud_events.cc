#include "connectors/kit/cloud_events.h"

#include <algorithm>

#include "connectors/kit/identifiers.h"
#include "connectors/kit/text.h"

namespace hilo::kit {
namespace {

constexpr std::string_view kPrefix = "ce-";
// A batch adds two levels around its events' own.
constexpr json::Limits kBatchLimits{.max_depth = 19, .long_names = kIdentifierNames};
constexpr json::Limits kOneLimits{.max_depth = 17, .long_names = kIdentifierNames};

Status Attribute(std::string_view message) {
  return Error(StatusCode::kInvalidArgument, "ce_attribute", message);
}

bool IsAttributeName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

bool IsJson(std::string_view media_type) {
  return media_type.empty() || media_type == "application/json" || media_type == "text/json" ||
         media_type.ends_with("+json");
}

// One level of double quotes and backslashes, then exactly one percent-decode.
std::optional<std::string> DecodeHeader(std::string_view raw) {
  std::string plain;
  if (raw.size() >= 2 && raw.front() == '"' && raw.back() == '"') {
    for (size_t i = 1; i + 1 < raw.size(); ++i) {
      if (raw[i] == '\\' && i + 2 < raw.size()) ++i;
      plain += raw[i];
    }
  } else {
    plain = raw;
  }
  const auto hex = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::string out;
  for (size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] != '%') {
      out += plain[i];
      continue;
    }
    const int high = i + 2 < plain.size() ? hex(plain[i + 1]) : -1;
    const int low = i + 2 < plain.size() ? hex(plain[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return IsUtf8(out) && !HasControl(out) ? std::optional(out) : std::nullopt;
}

Status SetAttribute(std::string_view name, std::string value, CloudEvent& event) {
  if (name == "id") {
    event.id = std::move(value);
  } else if (name == "source") {
    event.source = std::move(value);
  } else if (name == "type") {
    event.type = std::move(value);
  } else if (name == "subject") {
    event.subject = std::move(value);
  } else if (name == "time") {
    event.time = std::move(value);
  } else if (name == "specversion") {
    if (value != "1.0")
      return Error(StatusCode::kInvalidArgument, "ce_specversion", "specversion must be 1.0");
  } else if (name != "dataschema" && name != "datacontenttype") {
    if (!IsAttributeName(name))
      return Attribute("names of attributes have only lower-case letters and digits");
    event.extensions.emplace(name, std::move(value));
  }
  return OkStatus();
}

// What every mode has in common, once the attributes are set.
Status Complete(CloudEvent& event) {
  if (event.id.empty() || event.source.empty() || event.type.empty()) {
    return Attribute("id, source and type must be given and not empty");
  }
  if (event.data && !event.data.IsObject()) {
    return Error(StatusCode::kInvalidArgument, "ce_data", "data must be a JSON object");
  }
  // A producer that makes an event anew for each attempt dates it anew.
  event.body = event.type + '\n' + event.subject + '\n';
  if (event.data) event.data.Write(event.body);
  return OkStatus();
}

StatusOr<CloudEvent> FromStructured(std::shared_ptr<const json::Document> document,
                                    json::Value value) {
  if (!value.IsObject()) return Attribute("a CloudEvent is a JSON object");
  CloudEvent event{.document = std::move(document)};
  if (!value["specversion"]) {
    return Error(StatusCode::kInvalidArgument, "ce_specversion",
                 "specversion is missing; it must be 1.0");
  }
  for (json::Value member = value.First(); member; member = member.Next()) {
    if (member.Key() == "data") {
      if (member.type() != json::Type::kNull) event.data = member;
      continue;
    }
    if (member.Key() == "data_base64") {
      return Error(StatusCode::kInvalidArgument, "ce_data", "send data as JSON, not in base 64");
    }
    if (member.IsObject() || member.IsArray())
      return Attribute("attributes are texts, numbers or booleans");
    if (member.type() == json::Type::kNull) continue;
    HILO_RETURN_IF_ERROR(SetAttribute(member.Key(), std::string(member.Text()), event));
  }
  HILO_RETURN_IF_ERROR(Complete(event));
  return event;
}

StatusOr<CloudEvent> FromBinary(CloudEventsRequest request) {
  CloudEvent event;
  bool versioned = false;
  for (const auto& [header, raw] : request.headers) {
    const std::string name = AsciiLower(std::string_view(header).substr(kPrefix.size()));
    if (name == "datacontenttype")
      return Attribute("in binary mode the content type stands in Content-Type");
    auto value = DecodeHeader(raw);
    if (!value) return Attribute("a ce- header is not UTF-8 in percent-encoding");
    versioned = versioned || name == "specversion";
    HILO_RETURN_IF_ERROR(SetAttribute(name, *std::move(value), event));
  }
  if (!versioned) {
    return Error(StatusCode::kInvalidArgument, "ce_specversion",
                 "the header ce-specversion is missing; it must be 1.0");
  }
  if (!request.body.empty()) {
    if (!IsJson(request.media_type)) {
      return Error(StatusCode::kUnimplemented, "media_type", "data must be JSON");
    }
    HILO_ASSIGN_OR_RETURN(event.document,
                          json::Document::Parse(std::move(request.body), kOneLimits));
    event.data = event.document->root();
  }
  HILO_RETURN_IF_ERROR(Complete(event));
  return event;
}

StatusOr<ReadCloudEvents> FromBatch(std::string body) {
  ReadCloudEvents read{.batch = true, .events = {}};
  const auto too_many = [] {
    return Error(StatusCode::kInvalidArgument, "batch_size", "a batch has at most 5,000 events");
  };
  auto document = json::Document::Parse(body, kBatchLimits);
  if (document.ok()) {
    const json::Value root = (*document)->root();
    if (!root.IsArray()) return Attribute("a batch is a JSON array");
    if (root.size() > kMaxCloudEvents) return too_many();
    for (json::Value value = root.First(); value; value = value.Next()) {
      read.events.push_back(FromStructured(*document, value));
    }
    return read;
  }
  // One broken event must not spoil the others.
  const auto split = json::SplitArray(body);
  if (!split) return document.status();
  if (split->elements.size() > kMaxCloudEvents) return too_many();
  for (std::string_view element : split->elements) {
    auto one = json::Document::Parse(std::string(element), kOneLimits);
    if (one.ok()) {
      read.events.push_back(FromStructured(*one, (*one)->root()));
    } else {
      read.events.push_back(one.status());
    }
  }
  return read;
}

void AddIdentifier(json::Value data, v1::IdentifierKind kind,
                   std::initializer_list<std::string_view> names, IncomingEvent& out) {
  for (std::string_view name : names) {
    const json::Value value = data[name];
    if (value.IsString() || value.IsNumber())
      out.identifiers.push_back({kind, std::string(value.Text())});
  }
}

v1::Channel ChannelOf(std::string_view word) {
  if (word == "web") return v1::CHANNEL_WEB;
  if (word == "email") return v1::CHANNEL_EMAIL;
  if (word == "sms") return v1::CHANNEL_SMS;
  return v1::CHANNEL_SYSTEM;
}

}  // namespace

StatusOr<ReadCloudEvents> ReadCloudEventsRequest(CloudEventsRequest request) {
  // The batch's type has the structured one's as its beginning: it goes first.
  if (request.media_type.starts_with("application/cloudevents-batch"))
    return FromBatch(std::move(request.body));
  const size_t begin = request.body.find_first_not_of(" \t\r\n");
  const char first = begin == std::string::npos ? '\0' : request.body[begin];
  const bool plain = request.headers.empty() && IsJson(request.media_type);
  if (plain && first == '[') return FromBatch(std::move(request.body));
  ReadCloudEvents read;
  if (request.media_type.starts_with("application/cloudevents") || plain) {
    HILO_ASSIGN_OR_RETURN(auto document,
                          json::Document::Parse(std::move(request.body), kOneLimits));
    read.events.push_back(FromStructured(document, document->root()));
  } else {
    StatusOr<CloudEvent> event = FromBinary(std::move(request));
    if (event.status().code() == StatusCode::kUnimplemented) return event.status();
    read.events.push_back(std::move(event));
  }
  return read;
}

IncomingEvent ToIncomingEvent(CloudEvent event, const Source& source, WallTime received) {
  IncomingEvent out{.source = source,
                    .assurance = v1::ASSURANCE_CLAIMED,
                    .scope = source.name + '\n' + event.source,
                    .id = std::move(event.id),
                    .type = std::move(event.type),
                    .time = std::move(event.time),
                    .received = received,
                    .document = std::move(event.document),
                    .properties = event.data,
                    .traits = event.data["traits"],
                    .context = event.data["context"],
                    .body = std::move(event.body)};
  const auto channel = event.extensions.find("channel");
  out.channel = ChannelOf(channel == event.extensions.end() ? std::string_view()
                                                            : std::string_view(channel->second));
  for (std::string_view name : {"customerid", "userid"}) {
    if (const auto found = event.extensions.find(name); found != event.extensions.end()) {
      out.identifiers.push_back({v1::IDENTIFIER_KIND_USER_ID, found->second});
    }
  }
  for (json::Value part : {event.data, out.traits}) {
    AddIdentifier(part, v1::IDENTIFIER_KIND_USER_ID,
                  {"user_id", "userId", "customer_id", "customerId"}, out);
    AddIdentifier(part, v1::IDENTIFIER_KIND_EMAIL, {"email"}, out);
    AddIdentifier(part, v1::IDENTIFIER_KIND_PHONE, {"phone"}, out);
    AddIdentifier(part, v1::IDENTIFIER_KIND_ANONYMOUS_ID, {"anonymous_id", "anonymousId"}, out);
    AddIdentifier(part, v1::IDENTIFIER_KIND_DEVICE_ID, {"device_id", "deviceId"}, out);
  }
  if (const auto name = event.data["event"].String()) out.event = *name;
  return out;
}

}  // namespace hilo::kit
