#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "ops/base/status.h"
#include "ops/hilo/client.h"
#include "ops/hilo/output.h"

namespace hilo::cli {

// What every command shares.
struct Session {
  Client::Options client_options;
  std::string token_file;
  Output output;
  std::unique_ptr<Client> client;
};

// UUIDv7: milliseconds since 1970, then random bits.
std::string NewRequestId();

// Tells of an error on stderr; the exit code that goes with it, 0 when ok.
int Report(const Status& status);

// Prints a message as JSON, or by `print`.
template <typename Message, typename Print>
void Show(const Session& session, const Message& message, const Print& print) {
  session.output.json ? PrintJson(message) : print(message);
}

using Action = std::function<int(Session&)>;

// Registers what runs when this subcommand was chosen.
void Run(CLI::App* app, Action* chosen, Action action);

}  // namespace hilo::cli
