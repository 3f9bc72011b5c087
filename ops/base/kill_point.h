#pragma once

#include <string_view>

namespace hilo {

// Places where the process can be told to die at once, as by `kill -9`: they prove that what comes
// before and after may be separated. HILO_KILL_AT=after_batch:7 dies at the seventh pass of that
// place. With after_batch:7:30 the thread that passes first waits 30 ms, so that what the others do
// meanwhile gets out: an answer that was given too early reaches whoever asked. Without the
// variable a place costs one test of a constant.
//
// **Threads**: thread-safe.
namespace kill_point {
extern const bool kArmed;
void Pass(std::string_view place);
}  // namespace kill_point

inline void KillPoint(std::string_view place) {
  if (kill_point::kArmed) [[unlikely]] {
    kill_point::Pass(place);
  }
}

}  // namespace hilo
