#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "state/types/time.h"
#include "streams/fold/fold.h"
#include "streams/log/log.h"

namespace hilo::fold {

// What a due timer comes to after the gaps it may have fallen into.
struct Occurrence {
  bool fires = true;
  LogTime due;  // of the occurrence that fires: the latest that was missed, for kLatest
  std::optional<LogTime> again;  // when a periodic timer is due next
};

// Log time: the time of a partition's folds, made from ticks alone.
//
// Each incarnation of an owner has a *line*: where its monotonic clock says log time is. A line
// starts at log time, grows by the elapsed time of each tick and leans towards the wall clock by at
// most 1 % of it while they are within a step. Log time is the highest line, so that two owners do
// not double its speed. An incarnation's first tick, or one after more than a step, is a *silence*:
// it adds nothing, or at most a step when the wall agrees. When log time, wall and the log's append
// time do not all agree within a step, a *gap* opens: the partition is closed, nothing fires, and
// log time runs on. AcceptTime bridges exactly the gap that it names. Log time begins with the
// append time of the partition's first record.
//
// **Guarantees**: never goes back; never stands still while ticks come. Deterministic. **Threads**:
// thread-compatible.
class LogClock {
 public:
  // An owner ticks this often.
  static constexpr Micros kTick = std::chrono::seconds(1);
  // Clocks that differ by no more than this agree. Ten ticks: an append that waits for a slow disk
  // or a rebalanced broker is no gap, and a timer is never off by more than two of these.
  static constexpr Micros kStep = std::chrono::seconds(10);
  static constexpr int64_t kSlewDivisor = 100;  // 1 %
  static constexpr int kMaxLines = 8;
  static constexpr int kMaxGaps = 32;  // the oldest goes first

  LogClock() = default;
  explicit LogClock(store::v1::ClockRow row) : row_(std::move(row)) {}

  // Before anything else is asked: the first record's append time.
  void Begin(int64_t append_micros) {
    if (row_.log_micros() == 0) row_.set_log_micros(append_micros);
  }
  // False when it is a tick that came before: it changes nothing.
  bool OnTick(const store::v1::Tick& tick, log::Offset offset, int64_t append_micros);
  // False when it names another gap, or none is open.
  bool OnAcceptTime(const store::v1::AcceptTime& accept);

  LogTime Now() const { return {row_.log_micros()}; }
  bool Closed() const { return row_.gap() != 0; }
  log::Offset Gap() const { return row_.gap() - 1; }
  bool GapSilent() const { return row_.gap_silent(); }
  uint64_t Ticks() const { return row_.ticks(); }
  // For a timer that is due and a partition that is open.
  Occurrence Resolve(const Timer& timer) const;

  store::v1::ClockRow& row() { return row_; }
  const store::v1::ClockRow& row() const { return row_; }

 private:
  void KeepGap();

  store::v1::ClockRow row_;
};

}  // namespace hilo::fold
