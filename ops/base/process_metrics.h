#pragma once

namespace hilo {

// What the kernel says about this process; a figure that cannot be read is 0.
struct ProcessFigures {
  double start_time_seconds = 0;
  double cpu_seconds = 0;
  double resident_bytes = 0;
  double virtual_bytes = 0;
  double open_fds = 0;
  double max_fds = 0;
};
// Reads /proc (see proc(5)): a few tens of microseconds, and longer with many open files.
ProcessFigures ReadProcessFigures();

}  // namespace hilo
