#include "streams/log/log.h"

#include <future>
#include <utility>

namespace hilo::log {

size_t RecordBytes(const Record& record) {
  return record.key.size() + record.header.size() + record.payload.size();
}

Status CheckAppend(const std::vector<Record>& records) {
  if (records.empty()) {
    return Error(StatusCode::kInvalidArgument, "append_empty",
                 "an append needs at least one record");
  }
  size_t total = 0;
  for (const Record& record : records) {
    const size_t bytes = RecordBytes(record);
    if (bytes > Log::kMaxRecordBytes) {
      return Error(StatusCode::kInvalidArgument, "record_too_large",
                   "a record has " + std::to_string(bytes) + " bytes, the limit is " +
                       std::to_string(Log::kMaxRecordBytes));
    }
    total += bytes;
  }
  if (total > Log::kMaxAppendBytes) {
    return Error(StatusCode::kInvalidArgument, "append_too_large",
                 "an append has " + std::to_string(total) + " bytes, the limit is " +
                     std::to_string(Log::kMaxAppendBytes) + "; append it in parts");
  }
  return OkStatus();
}

StatusOr<Offset> AppendAndWait(Log& log, const TopicPartition& to, std::vector<Record> records) {
  // Shared with the callback: the log may drop or call it after this function would have returned
  // by an exception.
  auto answer = std::make_shared<std::promise<StatusOr<Offset>>>();
  std::future<StatusOr<Offset>> future = answer->get_future();
  log.Append(to, std::move(records),
             [answer](StatusOr<Offset> first) { answer->set_value(std::move(first)); });
  return future.get();
}

}  // namespace hilo::log
