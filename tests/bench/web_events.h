#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "streams/log/log.h"

namespace hilo::bench {

// Tracked web events of a shop, as the web connector hands them to the intake: mostly product
// views, one in ten a product added, one in twenty a return form (which becomes facts), one in
// twenty an order.
//
// **Guarantees**: equal seeds give equal events but for times. **Threads**: thread-compatible.
class WebEvents {
 public:
  // Each event names one `user_id` out of `identifiers`, uniformly.
  WebEvents(uint64_t seed, uint64_t identifiers);

  kit::IncomingEvent Next();
  kit::IncomingEvent Of(uint64_t identifier);
  static std::string UserId(uint64_t identifier);

 private:
  uint64_t Random();
  uint64_t state_;
  const uint64_t identifiers_;
  uint64_t count_ = 0;
};

// Keeps what is appended to it in memory, for benches that need finished records before they begin
// to measure. **Threads**: confined to one thread.
class KeptRecords final : public log::Log {
 public:
  void Append(const log::TopicPartition& to, std::vector<log::Record> records,
              log::AppendDone done) override;
  StatusOr<std::unique_ptr<log::Cursor>> OpenCursor(const log::TopicPartition& of,
                                                    log::Offset from) override;
  StatusOr<log::Offset> StartOffset(const log::TopicPartition& of) const override { return 0; }
  StatusOr<log::Offset> EndOffset(const log::TopicPartition& of) const override {
    return static_cast<log::Offset>(records_.size());
  }
  Status Trim(const log::TopicPartition& of, log::Offset before) override { return OkStatus(); }
  uint32_t PartitionCount(const std::string& topic) const override { return 1; }

  std::vector<log::Record>& records() { return records_; }

 private:
  std::vector<log::Record> records_;
};

}  // namespace hilo::bench
