#include "ops/base/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>

#include <condition_variable>
#include <stdexcept>
#include <string>

#include "ops/base/mutex.h"

namespace hilo {
namespace {

TEST(Thread, CarriesItsNameAndStopsWhenAsked) {
  std::string name;
  bool stopped = false;
  {
    std::jthread thread = StartThread("fold-customers-2-long", [&](std::stop_token stop) {
      char buffer[32] = {};
      pthread_getname_np(pthread_self(), buffer, sizeof buffer);
      name = buffer;
      Mutex mutex;
      ConditionVariable wakeup;
      mutex.lock();
      wakeup.wait(mutex, stop, [] { return false; });
      mutex.unlock();
      stopped = stop.stop_requested();
    });
  }
  EXPECT_EQ(name, "fold-customers-");
  EXPECT_TRUE(stopped);
}

TEST(Thread, ThatPrefersShortWaitsKeepsItsShareOfTheCpu) {
  int policy = -1;
  int nice = -1;
  StartThread("log", [&](std::stop_token) {
    setpriority(PRIO_PROCESS, 0, 5);  // of this thread alone
    PreferShortWaits();
    policy = sched_getscheduler(0);
    nice = getpriority(PRIO_PROCESS, 0);
  }).join();
  EXPECT_EQ(policy, SCHED_OTHER);
  EXPECT_EQ(nice, 5);
}

TEST(ThreadDeathTest, EndsTheProcessOnAForeignExceptionWithoutItsText) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      StartThread("reader", [](std::stop_token) { throw std::out_of_range("ana@example.org"); })
          .join(),
      testing::KilledBySignal(SIGABRT),
      "^thread \"reader\": exception let through: std::out_of_range\n$");
  EXPECT_EXIT(StartThread("reader", [](std::stop_token) { throw 7; }).join(),
              testing::KilledBySignal(SIGABRT), "of an unknown type");
}

}  // namespace
}  // namespace hilo
