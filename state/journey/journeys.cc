#include "state/journey/journeys.h"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>
#include <utility>

#include "state/types/ordered_list.h"

namespace hilo::journey {
namespace {

using store::v1::JourneyRow;
using store::v1::JourneySignal;
using store::v1::MemberRow;

// Beyond any log time, so that sums stay within 64 bits.
constexpr int64_t kMaxSpanMicros = int64_t{1} << 60;

int64_t After(int64_t from, int64_t span) {
  return from + std::clamp<int64_t>(span, 0, kMaxSpanMicros);
}

bool IsOver(const JourneyRow& run) { return run.state() == JourneyRow::STATE_ENDED; }

// From when another run of it may begin.
int64_t ReenterMicros(const JourneyRow& run) {
  return After(run.begin_micros(), run.reenter_micros());
}

JourneyRow* NewestOf(MemberRow& row, std::string_view journey, std::string_view key) {
  for (int i = row.journeys_size() - 1; i >= 0; --i) {
    JourneyRow& run = *row.mutable_journeys(i);
    if (run.journey() == journey && run.key() == key) return &run;
  }
  return nullptr;
}

void SetTimes(JourneyRow& run, const JourneySignal& signal, LogTime now) {
  run.set_due_micros(After(now.micros, signal.wait_micros()));
  run.set_expire_micros(After(run.due_micros(), signal.expires_micros() > 0
                                                    ? signal.expires_micros()
                                                    : kDefaultExpiry.count()));
}

Entry Repeat(JourneyRow& run, const JourneySignal& signal, LogTime now) {
  const bool waits = run.state() == JourneyRow::STATE_WAITING && run.turn() == 0;
  if (waits && signal.restarts()) {
    SetTimes(run, signal, now);
    return {Entered::kRestarted, &run};
  }
  run.set_repeats(run.repeats() + 1);
  return {Entered::kRepeat, &run};
}

}  // namespace

Entry Enter(MemberRow& row, const JourneySignal& signal, const Begin& begin) {
  if (JourneyRow* last = NewestOf(row, signal.journey(), signal.key()); last != nullptr) {
    if (!IsOver(*last) || begin.now.micros < ReenterMicros(*last)) {
      return Repeat(*last, signal, begin.now);
    }
  }
  while (row.journeys_size() >= kMaxRuns) {
    if (DropEnded(row)) continue;
    row.mutable_left_out()->set_journeys(row.left_out().journeys() + 1);
    return {};
  }
  JourneyRow run;
  run.set_run(std::string(begin.run));
  run.set_journey(signal.journey());
  run.set_key(signal.key());
  run.set_state(JourneyRow::STATE_WAITING);
  run.set_begin_micros(begin.now.micros);
  run.set_reenter_micros(signal.reenter_micros());
  run.set_event_micros(begin.event_micros);
  run.set_event_offset(begin.event_offset);
  SetTimes(run, signal, begin.now);
  return {Entered::kBegan,
          InsertInOrder(*row.mutable_journeys(), std::move(run),
                        [](const JourneyRow& a, const JourneyRow& b) { return Before(a, b); })};
}

int Leave(MemberRow& row, const JourneySignal& signal, LogTime now) {
  int ended = 0;
  for (JourneyRow& run : *row.mutable_journeys()) {
    if (run.journey() != signal.journey() || IsOver(run)) continue;
    if (!signal.key().empty() && run.key() != signal.key()) continue;
    End(run, signal.reason().empty() ? "left" : signal.reason(), now);
    ++ended;
  }
  return ended;
}

bool Wake(MemberRow& row, std::string_view id, LogTime now) {
  JourneyRow* run = Find(row, id);
  if (run == nullptr) return false;
  const bool under_way =
      run->state() == JourneyRow::STATE_WAITING || run->state() == JourneyRow::STATE_DUE;
  if (!under_way) return false;
  if (now.micros >= run->expire_micros()) {
    End(*run, "expired", now);
    return true;
  }
  if (run->state() != JourneyRow::STATE_WAITING || now.micros < run->due_micros()) return false;
  run->set_state(JourneyRow::STATE_DUE);
  run->set_turn(run->turn() + 1);
  return true;
}

std::optional<LogTime> WakeTime(const JourneyRow& run) {
  switch (run.state()) {
    case JourneyRow::STATE_WAITING:
      return LogTime{std::min(run.due_micros(), run.expire_micros())};
    case JourneyRow::STATE_DUE:
      return LogTime{run.expire_micros()};
    default:
      return std::nullopt;
  }
}

bool IsDue(const JourneyRow& run, uint32_t turn) {
  return run.state() == JourneyRow::STATE_DUE && run.turn() == turn;
}

void Postpone(JourneyRow& run, LogTime again, std::string_view reason) {
  run.set_state(JourneyRow::STATE_WAITING);
  run.set_due_micros(again.micros);
  run.set_reason(std::string(reason));
}

void BeginSending(JourneyRow& run) {
  run.set_state(JourneyRow::STATE_SENDING);
  run.clear_reason();
}

void End(JourneyRow& run, std::string_view reason, LogTime now) {
  if (IsOver(run)) return;
  run.set_state(JourneyRow::STATE_ENDED);
  run.set_reason(std::string(reason));
  run.set_end_micros(now.micros);
}

JourneyRow* Find(MemberRow& row, std::string_view id) {
  for (JourneyRow& run : *row.mutable_journeys()) {
    if (run.run() == id) return &run;
  }
  return nullptr;
}

const JourneyRow* Find(const MemberRow& row, std::string_view id) {
  for (const JourneyRow& run : row.journeys()) {
    if (run.run() == id) return &run;
  }
  return nullptr;
}

bool DropEnded(MemberRow& row) {
  int least = -1;
  for (int i = 0; i < row.journeys_size(); ++i) {
    if (!IsOver(row.journeys(i))) continue;
    if (least < 0 || ReenterMicros(row.journeys(i)) < ReenterMicros(row.journeys(least))) least = i;
  }
  if (least < 0) return false;
  EraseAt(*row.mutable_journeys(), least);
  row.mutable_left_out()->set_journeys(row.left_out().journeys() + 1);
  return true;
}

bool Before(const JourneyRow& a, const JourneyRow& b) {
  return std::make_tuple(a.begin_micros(), std::string_view(a.run())) <
         std::make_tuple(b.begin_micros(), std::string_view(b.run()));
}

}  // namespace hilo::journey
