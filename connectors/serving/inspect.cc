#include "connectors/serving/inspect.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/json_text.h"
#include "ops/base/text_encoding.h"
#include "streams/fold/fold.h"

namespace hilo::serving {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using store::Table;

struct TableRow {
  Table table;
  std::string_view name;
  std::unique_ptr<Message> (*make)();
};

template <typename T>
std::unique_ptr<Message> Make() {
  return std::make_unique<T>();
}

constexpr std::array<TableRow, 21> kTables = {{
    {Table::kMeta, "meta", Make<store::v1::PartitionRow>},
    {Table::kLaneOut, "lane_out", Make<store::v1::LaneOutRow>},
    {Table::kLaneIn, "lane_in", Make<store::v1::LaneInRow>},
    {Table::kTimer, "timer", Make<store::v1::TimerRow>},
    {Table::kTimerByName, "timer_by_name", nullptr},
    {Table::kOutbox, "outbox", nullptr},
    {Table::kLocal, "local", nullptr},
    {Table::kIdentifier, "identifier", Make<store::v1::IdentifierRow>},
    {Table::kCustomer, "customer", Make<store::v1::CustomerRow>},
    {Table::kEventId, "event_id", Make<store::v1::EventIdRow>},
    {Table::kEventIdHour, "event_id_hour", nullptr},
    {Table::kSuggestion, "suggestion", Make<store::v1::SuggestionRow>},
    {Table::kGroup, "group", nullptr},
    {Table::kGroupMember, "group_member", Make<store::v1::GroupMemberRow>},
    {Table::kSuggestionPair, "suggestion_pair", nullptr},
    {Table::kMember, "member", Make<store::v1::MemberRow>},
    {Table::kTimeline, "timeline", Make<store::v1::TimelineRow>},
    {Table::kAnswer, "answer", Make<store::v1::AnswerRow>},
    {Table::kAgent, "agent", Make<store::v1::AgentCallRow>},
    {Table::kCatalogue, "catalogue", Make<store::v1::CatalogueRevision>},
    {Table::kAnswerHour, "answer_hour", nullptr},
}};

void Write(const Message& message, std::string& json);

// Bytes that hold a message of ours.
std::unique_ptr<Message> Inner(const FieldDescriptor& field) {
  const std::string& name = field.full_name();
  if (name == "hilo.store.v1.Event.body") return std::make_unique<store::v1::EventBody>();
  if (name == "hilo.store.v1.Record.event" || name == "hilo.store.v1.CustomerEvent.event" ||
      name == "hilo.store.v1.TimelineRow.event") {
    return std::make_unique<store::v1::Event>();
  }
  if (name == "hilo.store.v1.TimelineRow.command") return std::make_unique<store::v1::Command>();
  return nullptr;
}

void WriteBytes(const FieldDescriptor& field, const std::string& value, std::string& json) {
  if (field.name().starts_with("sealed")) {
    json += "\"sealed(" + std::to_string(value.size()) + " bytes)\"";
    return;
  }
  if (field.full_name() == "hilo.store.v1.DeadLetter.payload") {
    json += InspectRecord("", value).json;
    return;
  }
  if (const std::unique_ptr<Message> inner = Inner(field);
      inner != nullptr && inner->ParseFromString(value)) {
    Write(*inner, json);
    return;
  }
  json += "\"" + Hex(value) + "\"";
}

void WriteOne(const Message& message, const FieldDescriptor& field, int index, std::string& json) {
  const Reflection& reflection = *message.GetReflection();
  const bool repeated = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE:
      Write(repeated ? reflection.GetRepeatedMessage(message, &field, index)
                     : reflection.GetMessage(message, &field),
            json);
      break;
    case FieldDescriptor::CPPTYPE_STRING: {
      const std::string value = repeated ? reflection.GetRepeatedString(message, &field, index)
                                         : reflection.GetString(message, &field);
      field.type() == FieldDescriptor::TYPE_BYTES ? WriteBytes(field, value, json)
                                                  : AppendJsonString(value, json);
      break;
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      json += (repeated ? reflection.GetRepeatedBool(message, &field, index)
                        : reflection.GetBool(message, &field))
                  ? "true"
                  : "false";
      break;
    case FieldDescriptor::CPPTYPE_ENUM:
      AppendJsonString((repeated ? reflection.GetRepeatedEnum(message, &field, index)
                                 : reflection.GetEnum(message, &field))
                           ->name(),
                       json);
      break;
    case FieldDescriptor::CPPTYPE_INT32:
      json += std::to_string(repeated ? reflection.GetRepeatedInt32(message, &field, index)
                                      : reflection.GetInt32(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_INT64:
      json += std::to_string(repeated ? reflection.GetRepeatedInt64(message, &field, index)
                                      : reflection.GetInt64(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_UINT32:
      json += std::to_string(repeated ? reflection.GetRepeatedUInt32(message, &field, index)
                                      : reflection.GetUInt32(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      json += std::to_string(repeated ? reflection.GetRepeatedUInt64(message, &field, index)
                                      : reflection.GetUInt64(message, &field));
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      json += "null";  // rows and records have no floating point
      break;
  }
}

void Write(const Message& message, std::string& json) {
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  json += "{";
  bool first = true;
  for (const FieldDescriptor* field : fields) {
    if (!std::exchange(first, false)) json += ",";
    json += "\"" + field->name() + "\":";
    if (!field->is_repeated()) {
      WriteOne(message, *field, 0, json);
      continue;
    }
    json += "[";
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (i > 0) json += ",";
      WriteOne(message, *field, i, json);
    }
    json += "]";
  }
  json += "}";
}

}  // namespace

InspectedRecord InspectRecord(std::string_view header, std::string_view payload) {
  InspectedRecord inspected;
  store::v1::RecordHeader lane;
  if (lane.ParseFromArray(header.data(), static_cast<int>(header.size())) &&
      !lane.source_topic().empty()) {
    inspected.lane = lane.source_topic() + "/" + std::to_string(lane.source_partition()) +
                     " epoch " + std::to_string(lane.epoch()) + " sequence " +
                     std::to_string(lane.sequence());
  }
  store::v1::Record record;
  if (!fold::Decode(payload, &record).ok()) {
    inspected.kind = "undecodable";
    inspected.json = "\"" + std::to_string(payload.size()) + " bytes\"";
    return inspected;
  }
  const google::protobuf::OneofDescriptor* kinds = record.GetDescriptor()->FindOneofByName("kind");
  const FieldDescriptor* kind = record.GetReflection()->GetOneofFieldDescriptor(record, kinds);
  inspected.kind = kind == nullptr ? "schema_unknown" : kind->name();
  Write(record, inspected.json);
  return inspected;
}

std::string InspectRow(Table table, std::string_view value) {
  for (const TableRow& row : kTables) {
    if (row.table != table || row.make == nullptr) continue;
    const std::unique_ptr<Message> message = row.make();
    if (!fold::Decode(value, message.get()).ok()) break;
    std::string json;
    Write(*message, json);
    return json;
  }
  return "\"" + Hex(value) + "\"";
}

std::string TableName(Table table) {
  for (const TableRow& row : kTables) {
    if (row.table == table) return std::string(row.name);
  }
  return std::to_string(static_cast<int>(table));
}

StatusOr<Table> ParseTable(std::string_view name) {
  std::string names;
  for (const TableRow& row : kTables) {
    if (row.name == name) return row.table;
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  return Error(StatusCode::kInvalidArgument, "table_unknown", "'table' is one of: " + names);
}

}  // namespace hilo::serving
