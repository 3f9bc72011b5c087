#include "streams/fold/log_clock.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/unit/streams/fold/log_time_world.h"

namespace hilo::fold {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kStart = 1'000'000 * kSecond;

// Counts what is sent to a customer in a day of the world (4 hours).
class Budget {
 public:
  bool Reserve(int customer, int64_t now) {
    std::vector<int64_t>& sent = sent_[customer];
    std::erase_if(sent, [now](int64_t at) { return at <= now - 24 * 600 * kSecond; });
    if (sent.size() >= static_cast<size_t>(TimeSubject::kCap)) return false;
    sent.push_back(now);
    return true;
  }

 private:
  std::map<int, std::vector<int64_t>> sent_;
};

// LogClock with the simplest timers.
class ClockSubject final : public TimeSubject {
 public:
  void SetTimer(int64_t due, int name, int customer, CatchUp policy, int64_t period) override {
    timers_.insert({due, name, customer, policy, period});
  }
  std::vector<Fired> Tick(const store::v1::Tick& tick, int64_t append_micros) override {
    clock_.Begin(append_micros);
    clock_.OnTick(tick, offset_++, append_micros);
    return Fire();
  }
  std::vector<Fired> Accept(const store::v1::AcceptTime& accept) override {
    ++offset_;
    clock_.OnAcceptTime(accept);
    return Fire();
  }
  int64_t Now() const override { return clock_.Now().micros; }
  bool Closed() const override { return clock_.Closed(); }
  bool GapSilent() const override { return clock_.GapSilent(); }
  log::Offset Gap() const override { return clock_.Gap(); }
  size_t Gaps() const override { return static_cast<size_t>(clock_.row().gaps_size()); }
  std::optional<int64_t> LowestDue() const override {
    return timers_.empty() ? std::nullopt : std::optional<int64_t>(timers_.begin()->due);
  }

 private:
  struct Set {
    int64_t due;
    int name;
    int customer;
    CatchUp policy;
    int64_t period;
    auto operator<=>(const Set&) const = default;
  };

  std::vector<Fired> Fire() {
    std::vector<Fired> fired;
    while (!clock_.Closed() && !timers_.empty() && timers_.begin()->due <= Now() &&
           fired.size() < kFire) {
      Set timer = *timers_.begin();
      timers_.erase(timers_.begin());
      const Occurrence occurrence = clock_.Resolve(
          {.due = {timer.due}, .catch_up = timer.policy, .period = Micros(timer.period)});
      if (occurrence.again) {
        Set next = timer;
        next.due = occurrence.again->micros;
        timers_.insert(next);
      }
      if (!occurrence.fires) continue;
      fired.push_back({occurrence.due.micros, timer.name, timer.customer, timer.policy,
                       budget_.Reserve(timer.customer, Now())});
    }
    return fired;
  }

  LogClock clock_;
  std::set<Set> timers_;
  Budget budget_;
  log::Offset offset_ = 0;
};

TEST(LogClock, KeepsItsPromisesInAHostileWorld) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    ClockSubject subject;
    ASSERT_EQ(LogTimeWorld(seed, subject).Run(), "") << "seed " << seed;
  }
}

store::v1::Tick Tick(uint64_t incarnation, uint64_t count, int64_t wall, int64_t elapsed) {
  store::v1::Tick tick;
  tick.set_incarnation(incarnation);
  tick.set_count(count);
  tick.set_wall_micros(wall);
  tick.set_elapsed_micros(elapsed);
  return tick;
}

// A clock that one owner has ticked `ticks` times, a second each.
LogClock Ticked(int ticks) {
  LogClock clock;
  clock.Begin(kStart);
  for (int i = 0; i < ticks; ++i) {
    const int64_t wall = kStart + i * kSecond;
    clock.OnTick(Tick(1, static_cast<uint64_t>(i) + 1, wall, i == 0 ? 0 : kSecond), i, wall);
  }
  return clock;
}

TEST(LogClock, BeginsWithTheFirstRecord) {
  EXPECT_EQ(Ticked(1).Now().micros, kStart);
  EXPECT_FALSE(Ticked(1).Closed());
}

TEST(LogClock, GrowsByElapsedTime) { EXPECT_EQ(Ticked(11).Now().micros, kStart + 10 * kSecond); }

TEST(LogClock, CountsATickThatComesTwiceOnce) {
  LogClock clock = Ticked(2);

  EXPECT_FALSE(clock.OnTick(Tick(1, 2, kStart + kSecond, kSecond), 2, kStart + kSecond));

  EXPECT_EQ(clock.Now().micros, kStart + kSecond);
  EXPECT_EQ(clock.Ticks(), 2u);
}

TEST(LogClock, TwoOwnersDoNotDoubleItsSpeed) {
  LogClock clock = Ticked(1);
  for (int i = 1; i <= 60; ++i) {
    const int64_t wall = kStart + i * kSecond;
    clock.OnTick(Tick(1, static_cast<uint64_t>(i) + 1, wall, kSecond), 2 * i, wall);
    clock.OnTick(Tick(2, static_cast<uint64_t>(i), wall, i == 1 ? 0 : kSecond), 2 * i + 1, wall);
  }
  EXPECT_LE(clock.Now().micros, kStart + 61 * kSecond);
}

TEST(LogClock, ClosesWhenTheWallJumpsAndRunsOn) {
  LogClock clock = Ticked(5);
  const int64_t jump = 48 * 3'600 * kSecond;

  clock.OnTick(Tick(1, 6, kStart + 5 * kSecond + jump, kSecond), 5, kStart + 5 * kSecond);

  EXPECT_TRUE(clock.Closed());
  EXPECT_EQ(clock.Gap(), 5);
  EXPECT_FALSE(clock.GapSilent());
  EXPECT_EQ(clock.Now().micros, kStart + 5 * kSecond);
}

TEST(LogClock, AcceptTimeBridgesOnlyTheGapItNames) {
  LogClock clock = Ticked(5);
  const int64_t later = kStart + 3'600 * kSecond;
  clock.OnTick(Tick(2, 1, later, 0), 5, later);
  ASSERT_TRUE(clock.Closed());
  ASSERT_TRUE(clock.GapSilent());
  store::v1::AcceptTime other;
  other.set_gap(4);
  other.set_wall_micros(later + 48 * 3'600 * kSecond);
  EXPECT_FALSE(clock.OnAcceptTime(other));

  store::v1::AcceptTime accept;
  accept.set_gap(5);
  accept.set_wall_micros(later);
  EXPECT_TRUE(clock.OnAcceptTime(accept));

  EXPECT_FALSE(clock.Closed());
  EXPECT_EQ(clock.Now().micros, later);
  EXPECT_FALSE(clock.OnAcceptTime(accept)) << "the gap is closed already";
  for (const store::v1::LineRow& line : clock.row().lines()) EXPECT_EQ(line.micros(), later);
}

TEST(LogClock, ResolvesTimersThatAGapSwallowed) {
  LogClock clock = Ticked(5);
  const int64_t later = kStart + 3'600 * kSecond;
  clock.OnTick(Tick(2, 1, later, 0), 5, later);
  store::v1::AcceptTime accept;
  accept.set_gap(5);
  accept.set_wall_micros(later);
  ASSERT_TRUE(clock.OnAcceptTime(accept));
  const Timer missed{.due = {kStart + 60 * kSecond}, .period = std::chrono::minutes(10)};

  Timer all = missed, latest = missed, skip = missed;
  latest.catch_up = CatchUp::kLatest;
  skip.catch_up = CatchUp::kSkip;

  EXPECT_EQ(clock.Resolve(all).due, missed.due);
  EXPECT_EQ(clock.Resolve(all).again, missed.due + missed.period);
  EXPECT_EQ(clock.Resolve(latest).due.micros, kStart + 51 * 60 * kSecond);
  EXPECT_EQ(clock.Resolve(latest).again->micros, kStart + 61 * 60 * kSecond);
  EXPECT_FALSE(clock.Resolve(skip).fires);
  EXPECT_EQ(clock.Resolve(skip).again->micros, kStart + 61 * 60 * kSecond);
}

TEST(LogClock, KeepsFewLinesAndGaps) {
  LogClock clock = Ticked(1);
  for (uint64_t i = 2; i < 100; ++i) {
    clock.OnTick(Tick(i, 1, kStart + 900 * kSecond, 0), static_cast<int64_t>(i), kStart);
    clock.OnTick(Tick(i, 2, kStart, 0), static_cast<int64_t>(i), kStart);
  }
  EXPECT_EQ(clock.row().lines_size(), LogClock::kMaxLines);
  EXPECT_LE(clock.row().gaps_size(), LogClock::kMaxGaps);
}

}  // namespace
}  // namespace hilo::fold
