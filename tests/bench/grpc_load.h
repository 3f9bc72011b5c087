#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/bench/figures.h"

namespace hilo::bench {

// Calls of one kind over one channel, as many outstanding as told, from one thread on one
// completion queue.
struct ClosedLoop {
  std::string address;
  std::string method;
  std::string authorization;                     // empty: none
  std::function<std::string(uint64_t)> request;  // the bytes of the n-th
  int outstanding = 1;
  double warm_up_seconds = 1;
  double seconds = 5;
  uint64_t calls = 0;  // not 0: so many, without a warm-up, however long it takes
};
struct LoopResult {
  double per_second = 0;
  uint64_t calls = 0;         // all that were answered, the warm-up's too
  size_t response_bytes = 0;  // of an average answer
  uint64_t refused = 0;       // UNAVAILABLE: the server was at one of its limits
  Latencies latencies;
};
// **Errors**: ends the program when a call fails otherwise.
LoopResult Run(const ClosedLoop& loop);

// Answers every call with the same `bytes`, for ever: the least that gRPC costs. Says its readiness
// on stdout.
void RunEcho(const std::string& address, size_t bytes);

}  // namespace hilo::bench
