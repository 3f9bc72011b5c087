#include "ops/base/thread.h"

#include <cxxabi.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <typeinfo>

namespace hilo {
namespace {

constexpr std::chrono::nanoseconds kShortSlice{200'000};  // the kernel's shortest is 100 us

}  // namespace

void ThreadFailed(const std::string& name, const std::exception* exception) {
  int failed = 0;
  const char* type = exception == nullptr ? "of an unknown type" : typeid(*exception).name();
  const char* readable =
      exception == nullptr ? nullptr : abi::__cxa_demangle(type, nullptr, nullptr, &failed);
  std::fprintf(stderr, "thread \"%s\": exception let through: %s\n", name.c_str(),
               readable == nullptr ? type : readable);
  std::abort();
}

void NameThisThread(const std::string& name) {
  // The kernel's limit is 16 bytes with the terminating zero. A thread without a name still works.
  (void)pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

void PreferShortWaits() {
  // As the kernel defines it; Debian 12's C library has neither the structure nor the calls.
  struct Attributes {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime;  // nanoseconds; for an ordinary thread its slice
    uint64_t deadline;
    uint64_t period;
  } attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0) != 0) return;
  attributes.size = sizeof(attributes);
  attributes.runtime = kShortSlice.count();
  (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

}  // namespace hilo
