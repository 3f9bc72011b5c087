#pragma once

#include <sys/types.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace hilo::bench {

// A program of the build's bin directory in a process of its own, whose standard output is read
// here. **Threads**: confined to one thread. **Lifetime**: killed with this object.
class ChildProgram {
 public:
  // `program` is a name beside this program's own file; empty: this very program.
  ChildProgram(const std::string& program, const std::vector<std::string>& arguments);
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  // The next line it says; nothing when it has ended.
  std::optional<std::string> Line();
  void Kill();       // SIGKILL, and waits until it is gone
  void Terminate();  // SIGTERM, likewise
  int pid() const { return pid_; }

 private:
  void End(int signal);

  pid_t pid_ = -1;
  std::FILE* lines_ = nullptr;
};

// A hilod over `directory`, with one principal `bench` of all rights.
// **Errors**: ends the program when hilod does not start.
class HilodProgram {
 public:
  struct Options {
    std::string directory;  // as BenchNode lays it out
    uint64_t cache_megabytes = 256;
  };
  explicit HilodProgram(const Options& options);

  ChildProgram& process() { return *process_; }
  const std::string& grpc_address() const { return grpc_address_; }  // a unix socket
  const std::string& authorization() const { return authorization_; }
  // Waits for 200 of /readyz, asking every 2 ms.
  void AwaitReady() const;

 private:
  std::optional<ChildProgram> process_;
  std::string grpc_address_;
  std::string authorization_;
  int http_port_ = 0;
};

}  // namespace hilo::bench
