#include "connectors/web/tracking.h"

#include <algorithm>
#include <utility>

#include "connectors/kit/identifiers.h"
#include "connectors/kit/text.h"

namespace hilo::web {
namespace {

using kit::json::Document;
using kit::json::Limits;
using kit::json::Value;

// A batch adds two levels around its events' own.
constexpr Limits kBatchLimits{.max_depth = 18, .long_names = kit::kIdentifierNames};
constexpr Limits kOneLimits{.long_names = kit::kIdentifierNames};

constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"identify", "identify"}, {"i", "identify"}, {"track", "track"},   {"t", "track"},
    {"page", "page"},         {"p", "page"},     {"screen", "screen"}, {"s", "screen"},
    {"group", "group"},       {"g", "group"},    {"alias", "alias"},   {"a", "alias"}};

// Differ between a message and its repeat, or say nothing of what happened.
constexpr std::string_view kOutsideBody[] = {"sentAt", "receivedAt", "_metadata", "writeKey"};

Status Refused(std::string_view reason, std::string_view message) {
  return Error(StatusCode::kInvalidArgument, reason, message);
}

Status BatchSize(size_t max_items) {
  return Refused("batch_size", "a batch has 1 to " + std::to_string(max_items) + " events");
}

// A text or a number as text; nullopt for anything else, null and absence included.
std::optional<std::string> TextOrNumber(Value value) {
  if (!value.IsString() && !value.IsNumber()) return std::nullopt;
  return std::string(value.Text());
}

// Keeps two documents alive as one.
std::shared_ptr<const Document> KeepBoth(std::shared_ptr<const Document> first,
                                         std::shared_ptr<const Document> second) {
  auto both =
      std::make_shared<std::pair<std::shared_ptr<const Document>, std::shared_ptr<const Document>>>(
          std::move(first), std::move(second));
  const Document* shown = both->first.get();
  return std::shared_ptr<const Document>(std::move(both), shown);
}

// The item's context over the batch's, member by member.
Value MergedContext(Value own, Value outer, kit::IncomingEvent& event) {
  if (!outer.IsObject() || outer.size() == 0) return own;
  if (!own.IsObject() || own.size() == 0) return outer;
  std::string text = "{";
  for (Value from : {own, outer}) {
    for (Value member = from.First(); member; member = member.Next()) {
      if (from == outer && own[member.Key()]) continue;
      if (text.size() > 1) text += ',';
      text += kit::JsonString(member.Key()) + ':';
      member.Write(text);
    }
  }
  auto merged = Document::Parse(text + "}", kBatchLimits);
  if (!merged.ok()) return own;  // together more names than one object may have
  event.document = KeepBoth(event.document, *merged);
  return (*merged)->root();
}

class Conversion {
 public:
  Conversion(const TrackingBody::Item& item, const TrackingBody& body, std::string_view type,
             kit::IncomingEvent& event)
      : item_(item.value), envelope_(body.envelope), type_(type), event_(event) {
    event_.document =
        body.envelope_document ? KeepBoth(item.document, body.envelope_document) : item.document;
  }

  Status Run() {
    event_.type = "web." + std::string(type_);
    HILO_RETURN_IF_ERROR(ReadName());
    HILO_RETURN_IF_ERROR(ReadId());
    HILO_RETURN_IF_ERROR(ReadTimes());
    event_.context = MergedContext(item_["context"], envelope_["context"], event_);
    ReadDetails();
    ReadIdentifiers();
    ReadGroups();
    ReadBody();
    return OkStatus();
  }

 private:
  Status ReadName() {
    if (type_ == "track") {
      const auto name = item_["event"].String();
      if (!name || kit::Trim(*name).empty())
        return Refused("event_name", "a track event needs its name in \"event\"");
      event_.event = kit::Trim(*name);
    } else if (type_ == "page" || type_ == "screen") {
      event_.event = item_["name"].String().value_or("");
    }
    return OkStatus();
  }

  Status ReadId() {
    const Value id = item_["messageId"];
    if (!id || id.type() == kit::json::Type::kNull) return OkStatus();
    if (!id.IsString()) return Refused("event_id", "\"messageId\" is a text of at most 100 bytes");
    event_.id = id.Text();
    return OkStatus();
  }

  Status ReadTimes() {
    // Some SDKs write the original beside a time they have corrected themselves.
    for (std::string_view name : {"originalTimestamp", "timestamp"}) {
      const Value time = item_[name];
      if (!time || time.type() == kit::json::Type::kNull) continue;
      if (!time.IsString())
        return Refused("bad_time", "\"timestamp\" is a text as 2026-03-01T10:00:00.000Z");
      event_.time = std::string(time.Text());
      break;
    }
    for (Value from : {item_, envelope_}) {
      if (const auto sent = from["sentAt"].String()) {
        event_.sent_time = std::string(*sent);
        break;
      }
    }
    return OkStatus();
  }

  void ReadDetails() {
    const Value traits = item_["traits"];
    if (type_ == "identify") {
      event_.traits = traits.IsObject() ? traits : event_.context["traits"];
      event_.properties = event_.traits;
    } else {
      event_.traits = event_.context["traits"];
      event_.properties = type_ == "group" ? traits : item_["properties"];
    }
  }

  void AddIdentifier(v1::IdentifierKind kind, std::optional<std::string> value) {
    if (value) event_.identifiers.push_back({kind, *std::move(value)});
  }

  void ReadIdentifiers() {
    const auto user_id = TextOrNumber(item_["userId"]);
    const auto anonymous_id = TextOrNumber(item_["anonymousId"]);
    // Some SDKs send "" for what they do not know; only when nothing else is there is it junk.
    if (user_id && !user_id->empty()) AddIdentifier(v1::IDENTIFIER_KIND_USER_ID, user_id);
    if (anonymous_id && !anonymous_id->empty())
      AddIdentifier(v1::IDENTIFIER_KIND_ANONYMOUS_ID, anonymous_id);
    event_.assurance = user_id && !user_id->empty() ? v1::ASSURANCE_MATCHED : v1::ASSURANCE_CLAIMED;
    // The traits of a group call are the group's, not the person's.
    std::vector<Value> persons = {event_.traits};
    if (type_ == "identify" && event_.traits != event_.context["traits"])
      persons.push_back(event_.context["traits"]);
    for (Value person : persons) {
      for (const auto& [name, kind] :
           {std::pair("email", v1::IDENTIFIER_KIND_EMAIL), {"phone", v1::IDENTIFIER_KIND_PHONE}}) {
        if (auto value = TextOrNumber(person[name]); value && !value->empty())
          AddIdentifier(kind, std::move(value));
      }
    }
    if (type_ == "alias") AddPrevious();
    // A device's id is set by the system, not by the page: junk there is no reason to refuse.
    if (auto device = TextOrNumber(event_.context["device"]["id"])) {
      const kit::RawIdentifier raw{v1::IDENTIFIER_KIND_DEVICE_ID, *device};
      if (kit::Normalise(raw, {}).ok()) event_.identifiers.push_back(raw);
    }
    if (event_.identifiers.empty() && (user_id || anonymous_id))
      AddIdentifier(v1::IDENTIFIER_KIND_USER_ID, "");
  }

  // The SDKs' own random ids are UUIDs; anything else is an account's id.
  void AddPrevious() {
    const auto previous = TextOrNumber(item_["previousId"]);
    if (!previous || previous->empty()) return;
    const bool own = previous->size() == 36 && UserId::FromHex(*previous).has_value();
    AddIdentifier(own ? v1::IDENTIFIER_KIND_ANONYMOUS_ID : v1::IDENTIFIER_KIND_USER_ID, previous);
  }
  using UserId = Id<struct UuidTag>;

  void ReadGroups() {
    const std::string role(type_ == "group" ? item_["traits"]["role"].String().value_or("") : "");
    for (Value id : {type_ == "group" ? item_["groupId"] : Value(), event_.context["groupId"]}) {
      if (auto text = TextOrNumber(id))
        event_.groups.push_back({event_.source.group_kind, *std::move(text), role});
    }
  }

  void ReadBody() {
    std::vector<Value> outside;
    for (std::string_view name : kOutsideBody) {
      if (const Value value = item_[name]) outside.push_back(value);
    }
    item_.Write(event_.body, outside);
  }

  const Value item_;
  const Value envelope_;
  const std::string_view type_;
  kit::IncomingEvent& event_;
};

}  // namespace

std::string_view TrackingType(std::string_view word) {
  for (const auto& [name, type] : kTypes) {
    if (word == name) return type;
  }
  return {};
}

StatusOr<TrackingBody> ReadOne(std::string body) {
  HILO_ASSIGN_OR_RETURN(auto document, Document::Parse(std::move(body), kOneLimits));
  if (!document->root().IsObject()) return Refused("json_syntax", "an event is a JSON object");
  TrackingBody read;
  read.write_key = document->root()["writeKey"].String().value_or("");
  read.items.push_back({OkStatus(), document, document->root()});
  return read;
}

StatusOr<TrackingBody> ReadBatch(std::string body, size_t max_items) {
  TrackingBody read;
  auto document = Document::Parse(body, kBatchLimits);
  if (document.ok()) {
    const Value root = (*document)->root();
    const Value batch = root["batch"];
    if (!root.IsObject() || !batch.IsArray())
      return Refused("json_syntax", "a batch is an object with a list named \"batch\"");
    if (batch.size() == 0 || batch.size() > max_items) return BatchSize(max_items);
    read.envelope_document = *document;
    for (Value item = batch.First(); item; item = item.Next()) {
      Status status =
          item.IsObject() ? OkStatus() : Refused("json_syntax", "an event is a JSON object");
      read.items.push_back({std::move(status), *document, item});
    }
  } else {
    const auto split = kit::json::SplitArray(body, "batch");
    if (!split) return document.status();
    if (split->elements.empty() || split->elements.size() > max_items) return BatchSize(max_items);
    HILO_ASSIGN_OR_RETURN(read.envelope_document, Document::Parse(split->rest, kOneLimits));
    for (std::string_view element : split->elements) {
      auto item = Document::Parse(std::string(element), kOneLimits);
      if (item.ok() && !(*item)->root().IsObject())
        item = Refused("json_syntax", "an event is a JSON object");
      if (item.ok()) {
        read.items.push_back({OkStatus(), *item, (*item)->root()});
      } else {
        read.items.push_back({item.status(), nullptr, {}});
      }
    }
  }
  read.envelope = read.envelope_document->root();
  read.write_key = read.envelope["writeKey"].String().value_or("");
  return read;
}

StatusOr<kit::IncomingEvent> ToIncomingEvent(const TrackingBody::Item& item,
                                             const TrackingBody& body, std::string_view type,
                                             const kit::Source& source, WallTime received) {
  HILO_RETURN_IF_ERROR(item.status);
  if (type.empty()) type = TrackingType(item.value["type"].String().value_or(""));
  if (type.empty()) {
    return Refused(
        "event_type",
        "an event of a batch needs a \"type\": identify, track, page, screen, group or alias");
  }
  kit::IncomingEvent event{.source = source, .channel = v1::CHANNEL_WEB, .received = received};
  HILO_RETURN_IF_ERROR(Conversion(item, body, type, event).Run());
  return event;
}

}  // namespace hilo::web
