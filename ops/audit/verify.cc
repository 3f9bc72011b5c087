#include <fmt/format.h>

#include <fstream>
#include <string>
#include <vector>

#include "ops/audit/audit.h"
#include "ops/audit/lines.h"

namespace hilo::audit {
namespace {

Status Found(std::string_view reason, const std::string& path, uint64_t line,
             std::string_view what) {
  return Error(StatusCode::kDataLoss, reason, fmt::format("\"{}\", line {}: {}", path, line, what));
}

Status Unreadable(const std::string& path) {
  return Error(StatusCode::kNotFound, "audit_missing", fmt::format("cannot read \"{}\"", path));
}

// The next line that ends in a newline. What follows the last newline is being written, or was cut
// by a crash.
bool NextLine(std::ifstream& file, std::string& line) {
  return std::getline(file, line) && !file.eof();
}

StatusOr<std::vector<ChainHead>> ReadHeads(const std::string& path, const keys::PublicKey& key) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path);
  std::vector<ChainHead> heads;
  std::string line;
  while (NextLine(file, line)) {
    const std::optional<ChainHead> head = ReadHead(line, key);
    if (!head)
      return Found("audit_head", path, heads.size() + 1, "not signed by this key, or changed");
    if (!heads.empty() && head->entries < heads.back().entries) {
      return Found("audit_head", path, heads.size() + 1, "stands after a later head");
    }
    heads.push_back(*head);
  }
  return heads;
}

}  // namespace

StatusOr<Verification> VerifyFile(const std::string& path, const std::string& heads_path,
                                  const keys::PublicKey& key) {
  // Heads first: what they sign was on disk before them, also when the file grows while it is read.
  HILO_ASSIGN_OR_RETURN(const std::vector<ChainHead> heads, ReadHeads(heads_path, key));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Unreadable(path);
  Verification verification;
  ChainHead position;
  size_t next_head = 0;
  std::string line;
  while (NextLine(file, line)) {
    switch (CheckLine(line, position)) {
      case LineCheck::kEdited:
        return Found("audit_edited", path, position.entries + 1, "its hash or form is wrong");
      case LineCheck::kReordered:
        return Found("audit_reordered", path, position.entries + 1,
                     "its number is not the next one");
      case LineCheck::kHolds:
        break;
    }
    for (; next_head < heads.size() && heads[next_head].entries <= position.entries; ++next_head) {
      if (heads[next_head] != position) {
        return Found("audit_head", path, position.entries, "another chain was signed here");
      }
      verification.signed_entries = position.entries;
    }
  }
  if (file.bad()) return Unreadable(path);
  if (next_head < heads.size()) {
    return Found("audit_cut", path, position.entries + 1,
                 fmt::format("the file ends, but {} entries were signed", heads.back().entries));
  }
  verification.entries = position.entries;
  return verification;
}

}  // namespace hilo::audit
