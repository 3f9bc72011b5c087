#include "ops/base/thread.h"

#include <cxxabi.h>
#include <pthread.h>

#include <cstdio>
#include <cstdlib>
#include <typeinfo>

namespace hilo {

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

}  // namespace hilo
