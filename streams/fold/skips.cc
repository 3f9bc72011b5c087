#include <chrono>

#include "streams/fold/partition.h"

namespace hilo::fold {
namespace {

constexpr size_t kRecordsAtOnce = 1'000;

}  // namespace

StatusOr<std::map<log::TopicPartition, std::set<log::Offset>>> ReadSkips(log::Log& log) {
  const log::TopicPartition control{std::string(kControlTopic), 0};
  std::map<log::TopicPartition, std::set<log::Offset>> skips;
  HILO_ASSIGN_OR_RETURN(const log::Offset start, log.StartOffset(control));
  HILO_ASSIGN_OR_RETURN(const log::Offset end, log.EndOffset(control));
  HILO_ASSIGN_OR_RETURN(const auto cursor, log.OpenCursor(control, start));
  for (log::Offset at = start; at < end;) {
    HILO_ASSIGN_OR_RETURN(const auto records,
                          cursor->Read(kRecordsAtOnce, std::chrono::milliseconds(0)));
    if (records.empty())
      return Error(StatusCode::kDataLoss, "offset_lost", "the log of decisions ends too early");
    for (const log::StoredRecord& stored : records) {
      at = stored.offset + 1;
      store::v1::Record record;
      HILO_RETURN_IF_ERROR(Decode(stored.record.payload, &record));
      if (!record.has_dead_letter()) continue;
      const store::v1::Cause& at_fault = record.dead_letter().position();
      skips[{at_fault.topic(), at_fault.partition()}].insert(at_fault.offset());
    }
  }
  return skips;
}

}  // namespace hilo::fold
