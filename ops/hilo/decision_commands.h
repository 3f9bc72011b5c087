#pragma once

#include <CLI/CLI.hpp>

#include "ops/hilo/session.h"

namespace hilo::cli {

// `hilo decision explain`, `hilo message list` and `hilo product search`. None of them records
// anything: a decision that counts as shown is asked for by who shows it.
void AddDecisionCommands(CLI::App& root, Action* chosen);

}  // namespace hilo::cli
