#pragma once

namespace hilo {
// Prints where and why, then aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition, const char* why);
}  // namespace hilo

// Always on, also in release: for programmer errors and broken invariants, never for what came from
// a network, a disk, a configuration or a customer. `why` says why the condition holds.
#define HILO_CHECK(condition, why)              \
  (__builtin_expect(!!(condition), 1) ? (void)0 \
                                      : ::hilo::CheckFailed(__FILE__, __LINE__, #condition, why))
