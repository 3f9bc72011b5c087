#include "streams/fold/timer_queue.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "state/store/map_store.h"

namespace hilo::fold {
namespace {

using Due = std::pair<int64_t, std::string>;

// A store with a staging and a queue over it that can be closed and opened again.
class Bench {
 public:
  Bench() { Reopen(); }
  void Write() {
    staging_->Mark();
    EXPECT_TRUE(staging_->Resolve().ok());
    auto changes = store_.NewBatch();
    staging_->WriteTo(*changes);
    EXPECT_TRUE(store_.Write(std::move(changes)).ok());
    staging_->Written();
  }
  void Reopen() {
    timers_.reset();
    staging_ = std::make_unique<Staging>(store_, 1 << 20);
    timers_ = std::make_unique<TimerQueue>(*staging_);
  }
  void Begin() { staging_->Begin(); }
  void Commit() {
    staging_->Commit();
    timers_->Commit();
  }
  void Rollback() {
    staging_->Rollback();
    timers_->Rollback();
  }
  TimerQueue& timers() { return *timers_; }

 private:
  store::MapStore store_;
  std::unique_ptr<Staging> staging_;
  std::unique_ptr<TimerQueue> timers_;
};

TEST(TimerQueue, GivesTheLowestAsAPlainSetWould) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    Bench bench;
    std::map<std::string, int64_t> truth;
    for (int step = 0; step < 400; ++step) {
      const auto before = truth;
      const std::string name = "n" + std::to_string(random() % 40);
      bench.Begin();
      if (random() % 4 == 0) {
        ASSERT_TRUE(bench.timers().Cancel(name).ok());
        truth.erase(name);
      } else {
        truth[name] = static_cast<int64_t>(random() % 100);
        ASSERT_TRUE(bench.timers().Set({.name = name, .due = {truth[name]}}).ok());
      }
      if (random() % 5 == 0) {
        bench.Rollback();
        truth = before;
      } else {
        bench.Commit();
      }
      std::set<Due> dues;
      for (const auto& [known, due] : truth) dues.emplace(due, known);
      const int64_t now = static_cast<int64_t>(random() % 120);
      const auto lowest = bench.timers().Lowest({now});
      ASSERT_TRUE(lowest.ok());
      const bool any = !dues.empty() && dues.begin()->first <= now;
      ASSERT_EQ(lowest->has_value(), any);
      if (any) {
        ASSERT_EQ(Due((*lowest)->due.micros, (*lowest)->name), *dues.begin());
      }
      if (random() % 7 == 0) bench.Write();
      if (random() % 50 == 0) {
        bench.Write();
        bench.Reopen();
      }
    }
  }
}

TEST(TimerQueue, ReadsOnAfterTheNearestAreGone) {
  Bench bench;
  constexpr int kTimers = static_cast<int>(TimerQueue::kRefill * 3);
  bench.Begin();
  for (int i = 0; i < kTimers; ++i) {
    ASSERT_TRUE(bench.timers().Set({.name = std::to_string(i), .due = {i / 2}}).ok());
  }
  bench.Commit();
  bench.Write();
  bench.Reopen();

  int64_t last = -1;
  for (int i = 0; i < kTimers; ++i) {
    const auto lowest = bench.timers().Lowest({kTimers});
    ASSERT_TRUE(lowest.ok());
    ASSERT_TRUE(lowest->has_value()) << i;
    ASSERT_GE((*lowest)->due.micros, last);
    last = (*lowest)->due.micros;
    bench.Begin();
    ASSERT_TRUE(bench.timers().Cancel((*lowest)->name).ok());
    bench.Commit();
  }
  EXPECT_FALSE(bench.timers().Lowest({kTimers})->has_value());
}

TEST(TimerQueue, GivesBackWhatWasSet) {
  Bench bench;
  bench.Begin();
  ASSERT_TRUE(bench.timers()
                  .Set({.name = "visit",
                        .due = {-5},
                        .payload = "customer",
                        .catch_up = CatchUp::kSkip,
                        .period = std::chrono::seconds(3)})
                  .ok());
  bench.Commit();

  const auto timer = *bench.timers().Lowest({0});

  ASSERT_TRUE(timer.has_value());
  EXPECT_EQ(timer->name, "visit");
  EXPECT_EQ(timer->due.micros, -5);
  EXPECT_EQ(timer->payload, "customer");
  EXPECT_EQ(timer->catch_up, CatchUp::kSkip);
  EXPECT_EQ(timer->period, std::chrono::seconds(3));
}

}  // namespace
}  // namespace hilo::fold
