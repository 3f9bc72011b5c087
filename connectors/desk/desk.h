#pragma once

#include <filesystem>

#include "connectors/http/router.h"
#include "ops/base/status.h"

namespace hilo::desk {

struct DeskOptions {
  // What the build of connectors/desk/page wrote: index.html and the files beside it.
  std::filesystem::path page_directory;
};

// Adds the agent's page to the server's routes: "/" and one exact route for each file of the
// directory.
//
// The files are read once, here: what is served is what was there at the start, and no path of a
// request ever reaches the file system. The page may run only its own script, speak only to its own
// origin, be framed by nobody, and turn no text into markup (Trusted Types); the document is never
// stored, the files beside it are asked for anew by their ETag.
// **Limits**: 32 files of at most 4 MiB; names of letters, digits, ".", "-" and "_" with a known
// ending, else left out.
// **Errors**: `desk_page_missing` without a readable index.html, `desk_page_too_large` beyond the
// limits.
// **Threads**: call it while the router is being built; the handlers are thread-safe.
// **Cost**: the files in memory, about 400 KiB.
// **Source**: OWASP ASVS 5.0, 3.4 and 14.3.
Status AddDesk(const DeskOptions& options, http::Router& router);

}  // namespace hilo::desk
