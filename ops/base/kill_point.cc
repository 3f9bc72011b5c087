#include "ops/base/kill_point.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>

namespace hilo::kill_point {
namespace {

const char* Wanted() { return std::getenv("HILO_KILL_AT"); }

struct Aim {
  std::string place;
  std::atomic<long> passes_left{1};
};

// Made at the first pass, when the environment is all there.
Aim& TheAim() {
  static Aim aim;
  [[maybe_unused]] static const bool read = [] {
    const std::string wanted = Wanted();
    const size_t colon = wanted.find(':');
    aim.place = wanted.substr(0, colon);
    if (colon != std::string::npos) aim.passes_left = std::atol(wanted.c_str() + colon + 1);
    return true;
  }();
  return aim;
}

}  // namespace

const bool kArmed = Wanted() != nullptr;

void Pass(std::string_view place) {
  Aim& aim = TheAim();
  if (place != aim.place || --aim.passes_left != 0) return;
  // No handler, no destructor, no buffer that is flushed.
  (void)kill(getpid(), SIGKILL);
  while (true) (void)pause();
}

}  // namespace hilo::kill_point
