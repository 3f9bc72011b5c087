#pragma once

#include <condition_variable>
#include <mutex>

// clang's thread-safety analysis; nothing under other compilers.
#if defined(__clang__)
#define HILO_ATTRIBUTE(x) __attribute__((x))
#else
#define HILO_ATTRIBUTE(x)
#endif
#define HILO_GUARDED_BY(x) HILO_ATTRIBUTE(guarded_by(x))
#define HILO_REQUIRES(...) HILO_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define HILO_EXCLUDES(...) HILO_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace hilo {

// std::mutex with annotations: Abseil's own mutex makes ThreadSanitizer report races that are none.
class HILO_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() HILO_ATTRIBUTE(acquire_capability()) { mutex_.lock(); }
  void unlock() HILO_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  bool try_lock() HILO_ATTRIBUTE(try_acquire_capability(true)) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class HILO_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HILO_ATTRIBUTE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() HILO_ATTRIBUTE(release_capability()) { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits on a Mutex that the caller holds.
using ConditionVariable = std::condition_variable_any;

}  // namespace hilo
