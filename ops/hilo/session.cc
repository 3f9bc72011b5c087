#include "ops/hilo/session.h"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <random>

namespace hilo::cli {

std::string NewRequestId() {
  std::random_device random;
  const auto millis = static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                                std::chrono::system_clock::now().time_since_epoch())
                                                .count());
  const uint64_t high = (millis << 16) | 0x7000 | (random() & 0x0fff);
  const uint64_t low = (uint64_t{0x2} << 62) | ((uint64_t{random()} << 32 | random()) >> 2);
  char text[37];
  std::snprintf(text, sizeof text, "%08llx-%04llx-%04llx-%04llx-%012llx",
                static_cast<unsigned long long>(high >> 32),
                static_cast<unsigned long long>(high >> 16 & 0xffff),
                static_cast<unsigned long long>(high & 0xffff),
                static_cast<unsigned long long>(low >> 48),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

int Report(const Status& status) {
  if (!status.ok()) std::fprintf(stderr, "hilo: %s\n", Describe(status).c_str());
  return ExitCode(status);
}

void Run(CLI::App* app, Action* chosen, Action action) {
  app->callback([chosen, action = std::move(action)] { *chosen = action; });
}

}  // namespace hilo::cli
