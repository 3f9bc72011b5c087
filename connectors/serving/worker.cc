#include "connectors/serving/worker.h"

#include <utility>

#include "ops/base/thread.h"

namespace hilo::serving {

Worker::Worker() : thread_([this] { Run(); }) {}

Worker::~Worker() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  posted_.notify_one();
  thread_.join();
}

bool Worker::Post(std::function<void()> task) {
  {
    MutexLock lock(mutex_);
    if (stopping_ || tasks_.size() >= kMaxQueued) return false;
    tasks_.push_back(std::move(task));
  }
  posted_.notify_one();
  return true;
}

void Worker::Run() {
  PreferShortWaits();
  for (;;) {
    std::function<void()> task;
    {
      MutexLock lock(mutex_);
      while (tasks_.empty() && !stopping_) posted_.wait(mutex_);
      if (tasks_.empty()) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    task();
  }
}

}  // namespace hilo::serving
