#include "tests/bench/child_program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ops/base/check.h"

namespace hilo::bench {
namespace {

constexpr std::string_view kToken = "bench-token-0123456789";
constexpr std::chrono::milliseconds kAskAgain{2};

void WritePrivately(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  HILO_CHECK(::chmod(path.c_str(), 0600) == 0, "the file was just written");
}

bool AnswersReady(int port) {
  const int peer = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  constexpr std::string_view kQuestion =
      "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  char answer[16] = {};
  const bool ready =
      ::connect(peer, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(peer, kQuestion.data(), kQuestion.size(), 0) > 0 &&
      ::recv(peer, answer, sizeof answer - 1, MSG_WAITALL) > 0 &&
      std::string_view(answer).find(" 200") != std::string_view::npos;
  ::close(peer);
  return ready;
}

}  // namespace

ChildProgram::ChildProgram(const std::string& program, const std::vector<std::string>& arguments) {
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe");
  const std::string path = program.empty() ? own.string() : (own.parent_path() / program).string();
  std::vector<char*> argv = {const_cast<char*>(path.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  HILO_CHECK(::pipe2(ends, O_CLOEXEC) == 0, "a bench may make a pipe");
  pid_ = ::fork();
  HILO_CHECK(pid_ >= 0, "a bench may start a process");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a bench that gives up leaves nothing behind
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  lines_ = ::fdopen(ends[0], "r");
}

ChildProgram::~ChildProgram() {
  Kill();
  std::fclose(lines_);
}

std::optional<std::string> ChildProgram::Line() {
  char* line = nullptr;
  size_t capacity = 0;
  const ssize_t length = ::getline(&line, &capacity, lines_);
  std::optional<std::string> said;
  if (length > 0) said.emplace(line, static_cast<size_t>(length - (line[length - 1] == '\n')));
  std::free(line);
  return said;
}

void ChildProgram::Kill() { End(SIGKILL); }
void ChildProgram::Terminate() { End(SIGTERM); }

void ChildProgram::End(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

HilodProgram::HilodProgram(const Options& options)
    : grpc_address_("unix:" + options.directory + "/grpc.sock"),
      authorization_("Bearer " + std::string(kToken)) {
  ::unlink((options.directory + "/grpc.sock").c_str());
  WritePrivately(options.directory + "/bench.token", std::string(kToken));
  WritePrivately(options.directory + "/principals.yaml",
                 "principals:\n  - {name: bench, role: admin, token_file: \"" + options.directory +
                     "/bench.token\"}\n");
  WritePrivately(options.directory + "/hilo.yaml",
                 "data_directory: \"" + options.directory + "\"\nprincipals_file: \"" +
                     options.directory + "/principals.yaml\"\nmaster_key_file: \"" +
                     options.directory +
                     "/master.key\"\ncache_megabytes: " + std::to_string(options.cache_megabytes) +
                     "\nhttp: {port: 0}\ngrpc: {address: \"" + grpc_address_ + "\"}\n");
  process_.emplace("hilod", std::vector<std::string>{"--config", options.directory + "/hilo.yaml"});
  const auto ports = process_->Line();
  if (!ports) {
    std::fprintf(stderr, "bench: hilod did not start\n");
    std::exit(1);
  }
  const size_t at = ports->find(":");
  http_port_ = std::atoi(ports->c_str() + at + 1);
}

void HilodProgram::AwaitReady() const {
  while (!AnswersReady(http_port_)) std::this_thread::sleep_for(kAskAgain);
}

}  // namespace hilo::bench
