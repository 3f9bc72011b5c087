#pragma once

#include <CLI/CLI.hpp>

#include "ops/hilo/session.h"

namespace hilo::cli {

// `hilo catalogue check|diff|apply|export|list|rollback`. Exit code 6: the catalogue has problems.
void AddCatalogueCommands(CLI::App& root, Action* chosen);

}  // namespace hilo::cli
