#include "tests/bench/figures.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace hilo::bench {

void Print(std::string_view name, double value, std::string_view unit) {
  std::printf("%.*s %.6g %.*s\n", static_cast<int>(name.size()), name.data(), value,
              static_cast<int>(unit.size()), unit.data());
  std::fflush(stdout);
}

double Seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

int64_t WallMicros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

double CpuSeconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double CpuSeconds(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  // Behind the name, which may hold anything: state, ten numbers, user and system time.
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double ResidentMegabytes(int pid) {
  std::ifstream file("/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid)) + "/statm");
  double pages = 0;
  double resident = 0;
  file >> pages >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double Latencies::Quantile(double quantile) {
  if (seconds_.empty()) return 0;
  const auto place = static_cast<size_t>(quantile * static_cast<double>(seconds_.size() - 1));
  std::nth_element(seconds_.begin(), seconds_.begin() + static_cast<int64_t>(place),
                   seconds_.end());
  return seconds_[place];
}

void Latencies::PrintMillis(const std::string& name) {
  Print(name + "_p50", Quantile(0.5) * 1e3, "ms");
  Print(name + "_p99", Quantile(0.99) * 1e3, "ms");
  Print(name + "_p999", Quantile(0.999) * 1e3, "ms");
}

std::string TextArgument(int argc, char** argv, std::string_view name, std::string fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (name == argv[i]) return argv[i + 1];
  }
  return fallback;
}

double NumberArgument(int argc, char** argv, std::string_view name, double fallback) {
  const std::string text = TextArgument(argc, argv, name, "");
  return text.empty() ? fallback : std::atof(text.c_str());
}

}  // namespace hilo::bench
