#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <set>
#include <utility>

#include "connectors/serving/appended.h"
#include "connectors/serving/inspect.h"
#include "connectors/serving/names.h"
#include "connectors/serving/services.h"
#include "connectors/serving/views.h"
#include "hilo/v1/operations_service.pb.h"
#include "ops/base/mutex.h"
#include "ops/base/text_encoding.h"
#include "state/types/hash.h"
#include "streams/fold/fold.h"

namespace hilo::serving {
namespace {

constexpr int kLargestOperationsPage = 1'000;
constexpr std::string_view kDeadLetterPrefix = "deadLetters/";
constexpr std::string_view kReplayKey = "replay/";  // then caller and request id
// How far the log's clock may have gone back since the request was made.
constexpr std::chrono::minutes kClockStep{10};
const log::TopicPartition& DeadLetters() {
  static const log::TopicPartition kPartition{"dead-letters", 0};
  return kPartition;
}

void SetMicros(int64_t micros, google::protobuf::Timestamp* time) {
  time->set_seconds(micros / 1'000'000);
  time->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1'000));
}

std::string Text(const log::TopicPartition& of) {
  return of.topic + "/" + std::to_string(of.partition);
}

std::string Hex64(uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

Status NotFolded() {
  return Error(StatusCode::kFailedPrecondition, "not_folded",
               "nothing folds this topic, so it has no state");
}

Status RequestIdInvalid() {
  return Error(StatusCode::kInvalidArgument, "request_id_invalid",
               "'request_id' is required: a UUIDv7, new for each write");
}

StatusOr<int64_t> ParseNumber(std::string_view text, std::string_view field) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) {
    return Error(StatusCode::kInvalidArgument, "field_invalid",
                 "'" + std::string(field) + "' is not a number");
  }
  return number;
}

v1::PartitionStatus StatusOfPartition(const fold::PartitionView& view) {
  v1::PartitionStatus status;
  status.set_topic(view.of.topic);
  status.set_partition(static_cast<int32_t>(view.of.partition));
  status.set_position(view.position);
  status.set_start(view.start);
  status.set_end(view.end);
  SetMicros(view.log_time.micros, status.mutable_log_time());
  status.set_closed(view.closed);
  status.set_gap(view.gap);
  status.set_state_digest(Hex64(view.state_digest));
  const auto hash = Id<struct HashTag>::FromBytes(view.record_hash);
  status.set_record_hash(hash ? hash->Hex() : "");
  status.set_outbox_bytes(view.outbox_bytes);
  status.set_stopped_reason(view.stopped_reason);
  for (const fold::LaneView& lane : view.lanes) {
    v1::LaneStatus* shown = status.add_lanes();
    shown->set_source(Text(lane.lane.source));
    shown->set_target(Text(lane.lane.target));
    shown->set_epoch(lane.epoch);
    shown->set_sequence(static_cast<int64_t>(lane.sequence));
    shown->set_diverged(lane.diverged);
    shown->set_hole_ticks(static_cast<int64_t>(lane.hole_ticks));
  }
  return status;
}

StatusOr<v1::ListPartitionsResponse> ListPartitions(const Parts& parts,
                                                    const v1::ListPartitionsRequest& request) {
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), 100, kLargestOperationsPage));
  HILO_ASSIGN_OR_RETURN(const std::string after,
                        ParsePageToken(request.page_token(), "partitions"));
  const std::vector<log::TopicPartition> all = parts.node.Folded();
  size_t begin = 0;
  if (!after.empty()) {
    HILO_ASSIGN_OR_RETURN(const int64_t place, ParseNumber(after, "page_token"));
    begin = std::min(static_cast<size_t>(place), all.size());
  }
  v1::ListPartitionsResponse response;
  for (size_t i = begin; i < all.size(); ++i) {
    if (i - begin == page_size) {
      response.set_next_page_token(MakePageToken("partitions", std::to_string(i)));
      break;
    }
    *response.add_partitions() = StatusOfPartition(parts.node.View(all[i]));
  }
  return response;
}

// Records from `offset`, at most `count`, without waiting.
StatusOr<std::vector<log::StoredRecord>> ReadRecords(const Parts& parts,
                                                     const log::TopicPartition& of,
                                                     log::Offset offset, size_t count) {
  HILO_ASSIGN_OR_RETURN(const auto cursor, parts.log.OpenCursor(of, offset));
  std::vector<log::StoredRecord> records;
  while (records.size() < count) {
    HILO_ASSIGN_OR_RETURN(auto some,
                          cursor->Read(count - records.size(), std::chrono::milliseconds(0)));
    if (some.empty()) break;
    std::move(some.begin(), some.end(), std::back_inserter(records));
  }
  return records;
}

StatusOr<log::TopicPartition> PartitionArgument(const Parts& parts, const std::string& topic,
                                                int32_t partition) {
  if (partition < 0 || static_cast<uint32_t>(partition) >= parts.log.PartitionCount(topic)) {
    return Error(StatusCode::kNotFound, "partition_unknown",
                 "this log has no such topic and partition");
  }
  return log::TopicPartition{topic, static_cast<uint32_t>(partition)};
}

StatusOr<v1::ListRecordsResponse> ListRecords(const Parts& parts, const Call& call,
                                              const v1::ListRecordsRequest& request) {
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestOperationsPage));
  HILO_ASSIGN_OR_RETURN(const log::TopicPartition of,
                        PartitionArgument(parts, request.topic(), request.partition()));
  const std::string made_for = "records " + Text(of);
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  HILO_RETURN_IF_ERROR(call.Audit("", "records"));
  HILO_ASSIGN_OR_RETURN(const log::Offset start, parts.log.StartOffset(of));
  log::Offset offset = std::max(start, request.offset());
  if (!after.empty()) {
    HILO_ASSIGN_OR_RETURN(offset, ParseNumber(after, "page_token"));
  }
  HILO_ASSIGN_OR_RETURN(const log::Offset end, parts.log.EndOffset(of));
  v1::ListRecordsResponse response;
  if (offset >= end) return response;
  HILO_ASSIGN_OR_RETURN(const auto records, ReadRecords(parts, of, offset, page_size));
  for (const log::StoredRecord& record : records) {
    const InspectedRecord inspected = InspectRecord(record.record.header, record.record.payload);
    v1::LogRecord* shown = response.add_records();
    shown->set_offset(record.offset);
    SetMicros(record.append_time.time_since_epoch().count(), shown->mutable_append_time());
    shown->set_kind(inspected.kind);
    shown->set_lane(inspected.lane);
    shown->set_content(inspected.json);
    if (request.raw()) {
      shown->set_header(record.record.header);
      shown->set_payload(record.record.payload);
    }
  }
  if (!records.empty() && records.back().offset + 1 < end) {
    response.set_next_page_token(
        MakePageToken(made_for, std::to_string(records.back().offset + 1)));
  }
  return response;
}

StatusOr<v1::ListRowsResponse> ListRows(const Parts& parts, const Call& call,
                                        const v1::ListRowsRequest& request) {
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestOperationsPage));
  HILO_ASSIGN_OR_RETURN(const log::TopicPartition of,
                        PartitionArgument(parts, request.topic(), request.partition()));
  store::KeyRange range;
  if (!request.table().empty()) {
    HILO_ASSIGN_OR_RETURN(const store::Table table, ParseTable(request.table()));
    range = store::PrefixRange(std::string(1, static_cast<char>(table)));
  }
  const std::string made_for = "rows " + Text(of) + " " + request.table();
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  if (of.topic != "events" && of.topic != "customers") {
    return NotFolded();
  }
  HILO_RETURN_IF_ERROR(call.Audit("", "rows"));
  const store::Store& state =
      of.topic == "events" ? parts.node.IdentityStore() : parts.node.CustomersStore(of.partition);
  const auto view = state.NewView();
  const auto iterator = view->NewIterator(range);
  if (!after.empty()) iterator->Seek(after);
  v1::ListRowsResponse response;
  for (; iterator->Valid(); iterator->Next()) {
    const std::string key(iterator->Key());
    if (static_cast<size_t>(response.rows_size()) == page_size) {
      response.set_next_page_token(MakePageToken(made_for, key));
      break;
    }
    const auto table = static_cast<store::Table>(static_cast<uint8_t>(key[0]));
    v1::StateRow* row = response.add_rows();
    row->set_table(TableName(table));
    row->set_key(Hex(std::string_view(key).substr(1)));
    row->set_content(InspectRow(table, iterator->Value()));
    if (request.raw()) row->set_value(std::string(iterator->Value()));
  }
  HILO_RETURN_IF_ERROR(iterator->status());
  return response;
}

// A dead letter as it lies in the log; nullopt when the record is something else.
std::optional<store::v1::DeadLetter> DecodeDeadLetter(const log::StoredRecord& stored) {
  store::v1::Record record;
  if (!fold::Decode(stored.record.payload, &record).ok() || !record.has_dead_letter())
    return std::nullopt;
  return record.dead_letter();
}

StatusOr<v1::ListDeadLettersResponse> ListDeadLetters(const Parts& parts, const Call& call,
                                                      const v1::ListDeadLettersRequest& request) {
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestOperationsPage));
  const std::string made_for = "dead letters " + request.reason();
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  HILO_RETURN_IF_ERROR(call.Audit("", "dead_letters"));
  HILO_ASSIGN_OR_RETURN(log::Offset below, parts.log.EndOffset(DeadLetters()));
  HILO_ASSIGN_OR_RETURN(const log::Offset start, parts.log.StartOffset(DeadLetters()));
  if (!after.empty()) {
    HILO_ASSIGN_OR_RETURN(below, ParseNumber(after, "page_token"));
  }
  // Newest first: blocks from the end backwards, at most a page's worth of blocks at a time.
  constexpr log::Offset kBlock = 1'000;
  v1::ListDeadLettersResponse response;
  for (int blocks = 0; below > start && blocks < 20; ++blocks) {
    const log::Offset from = std::max(start, below - kBlock);
    HILO_ASSIGN_OR_RETURN(
        auto records, ReadRecords(parts, DeadLetters(), from, static_cast<size_t>(below - from)));
    for (auto stored = records.rbegin(); stored != records.rend(); ++stored) {
      const auto letter = DecodeDeadLetter(*stored);
      if (!letter || (!request.reason().empty() && letter->reason() != request.reason())) continue;
      if (static_cast<size_t>(response.dead_letters_size()) == page_size) {
        response.set_next_page_token(MakePageToken(made_for, std::to_string(stored->offset + 1)));
        return response;
      }
      v1::DeadLetter* shown = response.add_dead_letters();
      shown->set_name(std::string(kDeadLetterPrefix) + std::to_string(stored->offset));
      shown->set_reason(letter->reason());
      shown->set_message(letter->message());
      shown->set_position(letter->position().topic() + "/" +
                          std::to_string(letter->position().partition()) + "/" +
                          std::to_string(letter->position().offset()));
      SetMicros(letter->append_micros(), shown->mutable_append_time());
      shown->set_kind(InspectRecord(letter->header(), letter->payload()).kind);
    }
    below = from;
  }
  if (below > start) response.set_next_page_token(MakePageToken(made_for, std::to_string(below)));
  return response;
}

// Requests that are being carried out. **Threads**: thread-safe.
class UnderWay {
 public:
  // False when it is already.
  bool Begin(const std::string& key) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return keys_.insert(key).second;
  }
  void End(const std::string& key) HILO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    keys_.erase(key);
  }

 private:
  Mutex mutex_;
  std::set<std::string> keys_ HILO_GUARDED_BY(mutex_);  // bounded by the calls that wait
};

void ReplayDeadLetter(const Parts& parts, const std::shared_ptr<UnderWay>& under_way,
                      const Call& call, const v1::ReplayDeadLetterRequest& request,
                      const Reply<v1::ReplayDeadLetterResponse>& reply) {
  if (!request.name().starts_with(kDeadLetterPrefix)) {
    return reply(Error(StatusCode::kInvalidArgument, "name_invalid",
                       "'name' is of the form deadLetters/{offset}"));
  }
  const auto offset =
      ParseNumber(std::string_view(request.name()).substr(kDeadLetterPrefix.size()), "name");
  if (!offset.ok()) return reply(offset.status());
  const auto end = parts.log.EndOffset(DeadLetters());
  if (!end.ok()) return reply(end.status());
  if (*offset >= *end)
    return reply(
        Error(StatusCode::kNotFound, "dead_letter_not_found", "there is no such dead letter"));
  const auto records = ReadRecords(parts, DeadLetters(), *offset, 1);
  if (!records.ok()) return reply(records.status());
  const auto letter = records->empty() ? std::nullopt : DecodeDeadLetter(records->front());
  if (!letter)
    return reply(
        Error(StatusCode::kNotFound, "dead_letter_not_found", "there is no such dead letter"));
  if (request.validate_only()) return reply(v1::ReplayDeadLetterResponse());
  const auto id = RequestId::FromHex(request.request_id());
  const auto issued = id ? command::IssueTime(*id) : std::nullopt;
  if (!issued) return reply(RequestIdInvalid());
  const WallTime now = parts.clock.Wall();
  if (*issued < now - command::Commands::kMaxRequestAge ||
      *issued > now + command::Commands::kMaxRequestAhead) {
    return reply(Error(StatusCode::kInvalidArgument, "request_id_expired",
                       "'request_id' is of another day; make a new one"));
  }
  if (Status audited = call.Audit("", "dead_letters"); !audited.ok())
    return reply(std::move(audited));
  // A record of its own, outside the lane that it came by: its sequence there is long past.
  store::v1::RecordHeader header;
  const log::TopicPartition to{letter->position().topic(), letter->position().partition()};
  const std::string key = std::string(kReplayKey) +
                          Hex(Bytes(Hash("hilo.caller.", call.principal().name))) + "/" + id->Hex();
  if (!under_way->Begin(key)) {
    return reply(Error(StatusCode::kAborted, "request_under_way",
                       "the same request is being carried out; ask again for its answer"));
  }
  const auto repeated =
      FindAppended(parts.log, to, key, *issued - command::Commands::kMaxRequestAhead - kClockStep);
  if (!repeated.ok() || *repeated) under_way->End(key);
  if (!repeated.ok()) return reply(repeated.status());
  if (*repeated && (*repeated)->record.payload != letter->payload()) {
    return reply(Error(StatusCode::kAlreadyExists, "request_id_conflict",
                       "this 'request_id' has replayed another dead letter"));
  }
  if (*repeated) {
    v1::ReplayDeadLetterResponse response;
    response.set_position(Text(to) + "/" + std::to_string((*repeated)->offset));
    return reply(std::move(response));
  }
  parts.log.Append(to, {log::Record{key, header.SerializeAsString(), letter->payload()}},
                   [to, key, under_way, reply](StatusOr<log::Offset> at) {
                     under_way->End(key);
                     if (!at.ok()) return reply(at.status());
                     v1::ReplayDeadLetterResponse response;
                     response.set_position(Text(to) + "/" + std::to_string(*at));
                     reply(std::move(response));
                   });
}

void AcceptTime(const Parts& parts, const Call& call, const v1::AcceptTimeRequest& request,
                const Reply<v1::AcceptTimeResponse>& reply) {
  const auto of = PartitionArgument(parts, request.topic(), request.partition());
  if (!of.ok()) return reply(of.status());
  const std::vector<log::TopicPartition> folded = parts.node.Folded();
  if (std::find(folded.begin(), folded.end(), *of) == folded.end()) return reply(NotFolded());
  if (!RequestId::FromHex(request.request_id())) return reply(RequestIdInvalid());
  const fold::PartitionView view = parts.node.View(*of);
  if (!view.closed || view.gap != request.gap()) {
    return reply(Error(StatusCode::kFailedPrecondition, "gap_not_open",
                       "this partition is not closed by that gap; ListPartitions shows it"));
  }
  if (Status audited = call.Audit("", "time"); !audited.ok()) return reply(std::move(audited));
  store::v1::Record record;
  record.mutable_accept_time()->set_gap(request.gap());
  record.mutable_accept_time()->set_wall_micros(parts.clock.Wall().time_since_epoch().count());
  record.mutable_accept_time()->set_principal(call.principal().name);
  store::v1::RecordHeader header;
  parts.log.Append(*of, {log::Record{"", header.SerializeAsString(), fold::Encode(record)}},
                   [reply](StatusOr<log::Offset> at) {
                     at.ok() ? reply(v1::AcceptTimeResponse()) : reply(at.status());
                   });
}

void SkipRecord(const Parts& parts, const Call& call, const v1::SkipRecordRequest& request,
                const Reply<v1::SkipRecordResponse>& reply) {
  const auto of = PartitionArgument(parts, request.topic(), request.partition());
  if (!of.ok()) return reply(of.status());
  const std::vector<log::TopicPartition> folded = parts.node.Folded();
  if (std::find(folded.begin(), folded.end(), *of) == folded.end()) return reply(NotFolded());
  if (!RequestId::FromHex(request.request_id())) return reply(RequestIdInvalid());
  // A partition that stopped there stays there as long as this process lives, so nobody folds it
  // before the decision is durable.
  const fold::PartitionView view = parts.node.View(*of);
  if (view.stopped_reason != "record_crashes" || view.position != request.offset()) {
    return reply(Error(StatusCode::kFailedPrecondition, "not_stopped_there",
                       "only the record at which a partition stopped as it ends the process can be "
                       "skipped; ListPartitions shows it"));
  }
  if (Status audited = call.Audit("", "skip_record"); !audited.ok())
    return reply(std::move(audited));
  store::v1::Record record;
  store::v1::DeadLetter& skip = *record.mutable_dead_letter();
  skip.mutable_position()->set_topic(of->topic);
  skip.mutable_position()->set_partition(of->partition);
  skip.mutable_position()->set_offset(request.offset());
  skip.set_reason("record_skipped");
  skip.set_message("decided by " + call.principal().name);
  parts.log.Append(
      {std::string(fold::kControlTopic), 0},
      {log::Record{Text(*of) + "/" + std::to_string(request.offset()),
                   store::v1::RecordHeader().SerializeAsString(), fold::Encode(record)}},
      [reply](StatusOr<log::Offset> at) {
        at.ok() ? reply(v1::SkipRecordResponse()) : reply(at.status());
      });
}

template <typename Response>
void Answer(const Reply<Response>& reply, StatusOr<Response> response) {
  response.ok() ? reply(*std::move(response)) : reply(response.status());
}

}  // namespace

void AddOperationsService(const Parts& parts, Endpoints& endpoints) {
  using namespace v1;  // NOLINT: messages of the one service that this file serves
  using CallPointer = std::shared_ptr<Call>;
  endpoints.Unary<ListPartitionsRequest, ListPartitionsResponse>(
      "/hilo.v1.OperationsService/ListPartitions",
      [parts](CallPointer, const ListPartitionsRequest& request, auto reply) {
        Answer(reply, ListPartitions(parts, request));
      });
  endpoints.Unary<ListRecordsRequest, ListRecordsResponse>(
      "/hilo.v1.OperationsService/ListRecords",
      [parts](CallPointer call, const ListRecordsRequest& request, auto reply) {
        Answer(reply, ListRecords(parts, *call, request));
      });
  endpoints.Unary<ListRowsRequest, ListRowsResponse>(
      "/hilo.v1.OperationsService/ListRows",
      [parts](CallPointer call, const ListRowsRequest& request, auto reply) {
        Answer(reply, ListRows(parts, *call, request));
      });
  endpoints.Unary<ListDeadLettersRequest, ListDeadLettersResponse>(
      "/hilo.v1.OperationsService/ListDeadLetters",
      [parts](CallPointer call, const ListDeadLettersRequest& request, auto reply) {
        Answer(reply, ListDeadLetters(parts, *call, request));
      });
  endpoints.Unary<ReplayDeadLetterRequest, ReplayDeadLetterResponse>(
      "/hilo.v1.OperationsService/ReplayDeadLetter",
      [parts, under_way = std::make_shared<UnderWay>()](CallPointer call,
                                                        const ReplayDeadLetterRequest& request,
                                                        Reply<ReplayDeadLetterResponse> reply) {
        ReplayDeadLetter(parts, under_way, *call, request, reply);
      });
  endpoints.Unary<AcceptTimeRequest, AcceptTimeResponse>(
      "/hilo.v1.OperationsService/AcceptTime",
      [parts](CallPointer call, const AcceptTimeRequest& request, Reply<AcceptTimeResponse> reply) {
        AcceptTime(parts, *call, request, reply);
      });
  endpoints.Unary<SkipRecordRequest, SkipRecordResponse>(
      "/hilo.v1.OperationsService/SkipRecord",
      [parts](CallPointer call, const SkipRecordRequest& request, Reply<SkipRecordResponse> reply) {
        SkipRecord(parts, *call, request, reply);
      });
}

}  // namespace hilo::serving
