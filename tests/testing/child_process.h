#pragma once

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "ops/base/check.h"

namespace hilo::testing {

// One test of this very binary in a process of its own, to be killed. The test is named
// `Suite.DISABLED_…` so that it runs only here; it finds its argument in Argument() and tells its
// parent lines with Say.
class ChildProcess {
 public:
  ChildProcess(const std::string& test, const std::string& argument) {
    int ends[2];
    HILO_CHECK(::pipe(ends) == 0, "a test may make a pipe");
    const std::string filter = "--gtest_filter=" + test;
    const std::string pipe_name = std::to_string(ends[1]);
    pid_ = ::fork();
    HILO_CHECK(pid_ >= 0, "a test may start a process");
    if (pid_ == 0) {
      // A new program at once: threads of this one do not exist in the copy.
      ::close(ends[0]);
      HILO_CHECK(::freopen("/dev/null", "w", stdout) != nullptr,
                 "only its lines and its errors are of interest");
      ::setenv("HILO_CHILD_ARGUMENT", argument.c_str(), 1);
      ::setenv("HILO_CHILD_PIPE", pipe_name.c_str(), 1);
      ::execl("/proc/self/exe", "child", filter.c_str(), "--gtest_also_run_disabled_tests",
              nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    lines_ = ::fdopen(ends[0], "r");
  }
  ~ChildProcess() {
    if (pid_ > 0) Kill();
    ::fclose(lines_);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line that the child said; nothing when it has ended.
  std::optional<std::string> Line() {
    char* line = nullptr;
    size_t capacity = 0;
    const ssize_t length = ::getline(&line, &capacity, lines_);
    std::optional<std::string> said;
    if (length > 0 && line[length - 1] == '\n') said.emplace(line, length - 1);
    ::free(line);
    return said;
  }
  // SIGKILL, and waits until it is gone.
  void Kill() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  // In the child.
  static std::string Argument() {
    const char* argument = ::getenv("HILO_CHILD_ARGUMENT");
    return argument == nullptr ? "" : argument;
  }
  static void Say(const std::string& line) {
    const int fd = ::atoi(::getenv("HILO_CHILD_PIPE"));
    const std::string text = line + "\n";
    HILO_CHECK(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()),
               "the parent reads until it kills");
  }

 private:
  pid_t pid_ = 0;
  FILE* lines_ = nullptr;
};

}  // namespace hilo::testing
