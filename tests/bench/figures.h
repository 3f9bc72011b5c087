#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What bench programs measure with, and how they tell it: run.py reads their lines.
namespace hilo::bench {

// One line on stdout: `name value unit`. Everything else that a program says goes to stderr.
void Print(std::string_view name, double value, std::string_view unit);

double Seconds();                   // monotonic
int64_t WallMicros();               // since 1970
double CpuSeconds();                // of this process, all threads, user and system
double CpuSeconds(int pid);         // of another, in hundredths; 0 when it is gone
double ResidentMegabytes(int pid);  // 0: this process

// Latencies of one run. **Threads**: thread-compatible.
class Latencies {
 public:
  void Add(double seconds) { seconds_.push_back(seconds); }
  size_t size() const { return seconds_.size(); }
  // `quantile` in 0 to 1; 0 when nothing was added.
  double Quantile(double quantile);
  // <name>_p50, _p99 and _p999 in milliseconds.
  void PrintMillis(const std::string& name);

 private:
  std::vector<double> seconds_;
};

// `--name value` among a program's arguments, else `fallback`.
double NumberArgument(int argc, char** argv, std::string_view name, double fallback);
std::string TextArgument(int argc, char** argv, std::string_view name, std::string fallback);

}  // namespace hilo::bench
