#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "ops/base/mutex.h"

namespace hilo::serving {

// A thread for what would hold up a fold or a completion queue: rendering answers and changes.
//
// **Guarantees**: tasks run in order; at most kMaxQueued wait. **Threads**: thread-safe.
// **Lifetime**: the destructor runs what waits.
class Worker {
 public:
  static constexpr size_t kMaxQueued = 10'000;

  Worker();
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False when too much waits: the task is not taken.
  bool Post(std::function<void()> task);

 private:
  void Run();

  Mutex mutex_;
  ConditionVariable posted_;
  std::deque<std::function<void()>> tasks_ HILO_GUARDED_BY(mutex_);
  bool stopping_ HILO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace hilo::serving
