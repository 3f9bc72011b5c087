#pragma once

#include <string>

#include "ops/base/status.h"
#include "ops/keys/secret.h"

namespace hilo::keys {

// The master key, which wraps every other key: 32 random bytes in a file of their own, apart from
// the key store's files and from its backups.

// Makes a new one, mode 0400, durable when this returns. Never replaces a file: `secret_exists`
// (already_exists).
Status CreateMasterKey(const std::string& path);

// Reads it. Errors name the file and never its content: `secret_missing` (not_found);
// `secret_readable` (failed_precondition) when the group or others may do anything with the file,
// or it belongs to neither us nor root; `secret_malformed` (failed_precondition) when it is no
// regular file of 32 bytes.
StatusOr<Secret> ReadMasterKey(const std::string& path);

}  // namespace hilo::keys
