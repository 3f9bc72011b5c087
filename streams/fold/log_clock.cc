#include "streams/fold/log_clock.h"

#include <algorithm>
#include <cstdlib>

namespace hilo::fold {
namespace {

bool Agree(int64_t one_micros, int64_t other_micros) {
  return std::abs(one_micros - other_micros) <= LogClock::kStep.count();
}

// The line of a silence: nothing grows by itself, up to a step if the wall agrees.
int64_t SilentLine(int64_t before, int64_t wall) {
  const int64_t ahead = wall - before;
  return ahead > 0 && ahead <= LogClock::kStep.count() ? wall : before;
}

int64_t GrownLine(int64_t line, int64_t elapsed, int64_t wall) {
  line += elapsed;
  if (!Agree(wall, line)) return line;
  const int64_t most = elapsed / LogClock::kSlewDivisor;
  return line + std::clamp(wall - line, -most, most);
}

}  // namespace

bool LogClock::OnTick(const store::v1::Tick& tick, log::Offset offset, int64_t append_micros) {
  const auto lines = row_.mutable_lines();
  const auto known = std::find_if(
      lines->begin(), lines->end(),
      [&](const store::v1::LineRow& line) { return line.incarnation() == tick.incarnation(); });
  if (known != lines->end() && tick.count() <= known->count()) return false;

  row_.set_ticks(row_.ticks() + 1);
  const int64_t before = row_.log_micros();
  // Elapsed time comes from a node: below zero it is nonsense, and no time.
  const int64_t elapsed = std::max<int64_t>(tick.elapsed_micros(), 0);
  const bool silence = known == lines->end() || elapsed > kStep.count();
  const int64_t line = silence ? SilentLine(before, tick.wall_micros())
                               : GrownLine(known->micros(), elapsed, tick.wall_micros());
  store::v1::LineRow& row = known == lines->end() ? *lines->Add() : *known;
  row.set_incarnation(tick.incarnation());
  row.set_micros(line);
  row.set_count(tick.count());
  if (lines->size() > kMaxLines) lines->DeleteSubrange(0, lines->size() - kMaxLines);
  row_.set_log_micros(std::max(before, line));

  if (Agree(tick.wall_micros(), row_.log_micros()) && Agree(tick.wall_micros(), append_micros)) {
    if (Closed()) KeepGap();  // what fell due while closed was missed as well
  } else if (!Closed()) {
    row_.set_gap(offset + 1);
    row_.set_gap_silent(silence);
    row_.set_gap_since_micros(before);
  } else {
    row_.set_gap_silent(row_.gap_silent() || silence);
  }
  return true;
}

bool LogClock::OnAcceptTime(const store::v1::AcceptTime& accept) {
  if (!Closed() || accept.gap() != Gap()) return false;
  row_.set_log_micros(std::max(row_.log_micros(), accept.wall_micros()));
  // The gap is true for every owner.
  for (store::v1::LineRow& line : *row_.mutable_lines()) line.set_micros(row_.log_micros());
  KeepGap();
  return true;
}

void LogClock::KeepGap() {
  store::v1::SpanRow& span = *row_.add_gaps();
  span.set_begin_micros(row_.gap_since_micros());
  span.set_end_micros(row_.log_micros());
  if (row_.gaps_size() > kMaxGaps)
    row_.mutable_gaps()->DeleteSubrange(0, row_.gaps_size() - kMaxGaps);
  row_.clear_gap();
  row_.clear_gap_silent();
  row_.clear_gap_since_micros();
}

Occurrence LogClock::Resolve(const Timer& timer) const {
  std::optional<int64_t> missed_until;
  for (const store::v1::SpanRow& gap : row_.gaps()) {
    if (gap.begin_micros() < timer.due.micros && timer.due.micros <= gap.end_micros()) {
      missed_until = std::max(missed_until.value_or(gap.end_micros()), gap.end_micros());
    }
  }
  Occurrence occurrence{.due = timer.due};
  if (timer.period.count() > 0) {
    occurrence.again = timer.due + timer.period;
    if (missed_until && timer.catch_up != CatchUp::kAll &&
        occurrence.again->micros <= *missed_until) {
      const int64_t skipped = (*missed_until - occurrence.again->micros) / timer.period.count() + 1;
      occurrence.due = timer.due + timer.period * skipped;
      occurrence.again = *occurrence.again + timer.period * skipped;
    }
  }
  occurrence.fires = !(missed_until && timer.catch_up == CatchUp::kSkip);
  return occurrence;
}

}  // namespace hilo::fold
