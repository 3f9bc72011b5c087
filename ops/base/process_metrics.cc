#include "ops/base/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace hilo {
namespace {

// Seconds since the Unix epoch at which the machine booted.
double BootTime() {
  std::ifstream file("/proc/stat");
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
  }
  return 0;
}

double CountOpenFds() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) return 0;
  double count = 0;
  while (const dirent* entry = readdir(directory)) {
    if (entry->d_name[0] != '.') ++count;
  }
  closedir(directory);
  // Less the one that this function had open.
  return count - 1;
}

}  // namespace

ProcessFigures ReadProcessFigures() {
  ProcessFigures figures;
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  // The name in the second field may hold anything; what follows its closing parenthesis is
  // numbers, from field 3 on.
  if (const size_t end = text.rfind(')'); end != std::string::npos) {
    std::istringstream fields(text.substr(end + 1));
    std::string field;
    const double ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    for (int number = 3; fields >> field && number <= 24; ++number) {
      const double value = std::strtod(field.c_str(), nullptr);
      if (number == 14 || number == 15) figures.cpu_seconds += value / ticks;
      if (number == 22) figures.start_time_seconds = BootTime() + value / ticks;
      if (number == 23) figures.virtual_bytes = value;
      if (number == 24) figures.resident_bytes = value * static_cast<double>(sysconf(_SC_PAGESIZE));
    }
  }
  figures.open_fds = CountOpenFds();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_fds = static_cast<double>(limit.rlim_cur);
  return figures;
}

}  // namespace hilo
