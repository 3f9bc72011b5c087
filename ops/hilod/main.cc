// hilod: one node of the hub.
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "ops/base/status.h"
#include "ops/hilod/health.h"
#include "ops/hilod/process.h"
#include "ops/hilod/settings.h"

namespace {

constexpr int kConfigurationError = 78;  // EX_CONFIG of sysexits.h
constexpr rlim_t kDescriptors = 65'536;

// Many agents and browsers need many descriptors; whatever the hard limit allows, up to what we ask
// for.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kDescriptors) return;
  limit.rlim_cur = limit.rlim_max < kDescriptors ? limit.rlim_max : kDescriptors;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

// A core would hold opened keys and customers' data.
void ForbidCoreDumps() {
  const rlimit none{};
  (void)setrlimit(RLIMIT_CORE, &none);
}

bool IsConfigurationError(const hilo::Status& status) {
  const std::string reason = hilo::Reason(status);
  return reason == "config_invalid" || reason.starts_with("secret_") || reason == "http_tls" ||
         reason == "http_address" || reason == "master_key_mismatch" ||
         reason == "data_directory_in_use" || reason == "desk_page_missing" ||
         reason == "log_locked" || reason == "store_locked";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"hilod: one node of the Hilo hub"};
  app.set_version_flag("--version", std::string("hilod ") + hilo::hilod::kVersion);
  std::string config;
  bool print_config = false;
  bool check_config = false;
  app.add_option("--config", config, "YAML file with the settings")->envname("HILO_CONFIG");
  app.add_flag("--print-config", print_config,
               "Show what is in force and where each value comes from, then end");
  app.add_flag("--check-config", check_config, "Only check the settings");
  CLI11_PARSE(app, argc, argv);

  std::vector<std::pair<std::string, std::string>> origins;
  const auto settings = hilo::hilod::LoadSettings(config, &origins);
  if (!settings.ok()) {
    std::fprintf(stderr, "hilod: %s\n", hilo::Describe(settings.status()).c_str());
    return kConfigurationError;
  }
  if (print_config) std::printf("%s", hilo::hilod::PrintSettings(*settings, origins).c_str());
  if (print_config || check_config) return 0;

  RaiseDescriptorLimit();
  ForbidCoreDumps();
  // Signals are taken by this thread alone; every other inherits the block.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto process = hilo::hilod::Process::Start(*settings);
  if (!process.ok()) {
    std::fprintf(stderr, "hilod: %s\n", hilo::Describe(process.status()).c_str());
    return IsConfigurationError(process.status()) ? kConfigurationError : 1;
  }
  std::printf("{\"http_port\":%u,\"grpc_port\":%u}\n", (*process)->HttpPort(),
              (*process)->GrpcPort());
  std::fflush(stdout);
  int signal_number = SIGHUP;
  while (signal_number == SIGHUP) sigwait(&signals, &signal_number);
  (*process)->Stop();
  return 0;
}
