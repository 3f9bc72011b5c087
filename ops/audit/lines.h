#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ops/audit/audit.h"
#include "ops/base/clock.h"
#include "ops/keys/signer.h"

// How entries and heads are written. Writer and verifier share this and nothing else.
namespace hilo::audit {

// Where the chain stands: after `entries` entries and `bytes` bytes of the file. Default: before
// the first.
struct ChainHead {
  uint64_t entries = 0;
  uint64_t bytes = 0;
  keys::Hash32 hash{};
  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

// Beyond the longest line: six fields at their limits, hash, number and time.
inline constexpr size_t kMaxLineBytes = 2048;

// The entry as the line that follows `head`, with its newline; `head` moves behind it.
std::string EntryLine(const AuditEntry& entry, WallTime time, ChainHead& head);

enum class LineCheck { kHolds, kEdited, kReordered };
// Whether `line` (without its newline) is the one that follows `head`. Where it holds, `head` moves
// behind it.
LineCheck CheckLine(std::string_view line, ChainHead& head);

// The hash that an entry's line ends in; nullopt when it ends otherwise.
std::optional<keys::Hash32> HashOf(std::string_view line);

// A signed head as a line, with its newline.
std::string HeadLine(const ChainHead& head, WallTime time, const keys::Signer& signer);
// The head in `line` (without its newline), where `key` has signed it.
std::optional<ChainHead> ReadHead(std::string_view line, const keys::PublicKey& key);

}  // namespace hilo::audit
