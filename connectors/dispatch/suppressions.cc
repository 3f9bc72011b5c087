#include "connectors/dispatch/suppressions.h"

#include "hilo/store/v1/records.pb.h"
#include "streams/fold/fold.h"

namespace hilo::dispatch {
namespace {

constexpr size_t kReadRecords = 4'096;

}  // namespace

StatusOr<std::unique_ptr<Suppressions>> Suppressions::Open(log::Log& log) {
  const log::TopicPartition of{"suppression", 0};
  HILO_ASSIGN_OR_RETURN(const log::Offset start, log.StartOffset(of));
  HILO_ASSIGN_OR_RETURN(auto cursor, log.OpenCursor(of, start));
  std::unique_ptr<Suppressions> list(new Suppressions(std::move(cursor)));
  HILO_RETURN_IF_ERROR(list->CatchUp());
  return list;
}

Status Suppressions::CatchUp() {
  MutexLock lock(mutex_);
  for (;;) {
    HILO_ASSIGN_OR_RETURN(const auto records,
                          cursor_->Read(kReadRecords, std::chrono::milliseconds(0)));
    if (records.empty()) return OkStatus();
    for (const log::StoredRecord& stored : records) {
      store::v1::Record record;
      HILO_RETURN_IF_ERROR(fold::Decode(stored.record.payload, &record));
      if (!record.has_suppression()) continue;
      const store::v1::Suppression& suppression = record.suppression();
      const std::tuple key(suppression.channel(), suppression.address().hash(),
                           suppression.purpose());
      // A lane may bring a record twice: adding and taking out are the same a second time, and
      // their order is kept.
      if (suppression.lifted()) {
        held_.erase(key);
      } else {
        held_.insert(key);
      }
    }
  }
}

bool Suppressions::Holds(std::string_view address, uint32_t channel,
                         std::string_view purpose) const {
  MutexLock lock(mutex_);
  const std::string hash(address);
  return held_.contains({channel, hash, ""}) ||
         (!purpose.empty() && held_.contains({channel, hash, std::string(purpose)}));
}

size_t Suppressions::Size() const {
  MutexLock lock(mutex_);
  return held_.size();
}

}  // namespace hilo::dispatch
