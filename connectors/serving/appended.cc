#include "connectors/serving/appended.h"

#include <chrono>

namespace hilo::serving {
namespace {

constexpr size_t kRecordsAtOnce = 1'000;
constexpr std::chrono::milliseconds kNow{0};

// The first offset whose append time is not before `since`.
StatusOr<log::Offset> FirstSince(log::Log& log, const log::TopicPartition& of, WallTime since) {
  HILO_ASSIGN_OR_RETURN(log::Offset low, log.StartOffset(of));
  HILO_ASSIGN_OR_RETURN(log::Offset high, log.EndOffset(of));
  while (low < high) {
    const log::Offset middle = low + (high - low) / 2;
    HILO_ASSIGN_OR_RETURN(const auto cursor, log.OpenCursor(of, middle));
    HILO_ASSIGN_OR_RETURN(const auto one, cursor->Read(1, kNow));
    if (!one.empty() && one.front().append_time < since) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

StatusOr<std::optional<log::StoredRecord>> FindAppended(log::Log& log,
                                                        const log::TopicPartition& of,
                                                        std::string_view key, WallTime since) {
  HILO_ASSIGN_OR_RETURN(const log::Offset from, FirstSince(log, of, since));
  HILO_ASSIGN_OR_RETURN(const log::Offset end, log.EndOffset(of));
  HILO_ASSIGN_OR_RETURN(const auto cursor, log.OpenCursor(of, from));
  for (log::Offset at = from; at < end;) {
    HILO_ASSIGN_OR_RETURN(auto records, cursor->Read(kRecordsAtOnce, kNow));
    if (records.empty()) break;
    for (log::StoredRecord& stored : records) {
      if (stored.record.key == key) return std::optional(std::move(stored));
    }
    at = records.back().offset + 1;
  }
  return std::optional<log::StoredRecord>();
}

}  // namespace hilo::serving
