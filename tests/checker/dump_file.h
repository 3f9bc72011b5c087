#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "ops/base/status.h"
#include "state/store/store.h"
#include "streams/log/log.h"

namespace hilo::checker {

// "a1b2": lower-case hexadecimal.
std::string Hex(std::string_view bytes);
// RFC 4648, with padding.
std::string Base64(std::string_view bytes);

// What lies in logs and stores, as lines of JSON that the checker reads (tests/checker/README.md).
// Bytes as they lie there; nothing is decoded.
// **Errors**: `file_unwritable`, and those of the log and the store.
// **Threads**: confined to one.
class DumpFile {
 public:
  static StatusOr<std::unique_ptr<DumpFile>> Create(const std::string& path);

  // A partition's bounds and all of its records. `stopped`: why its fold stopped, if it did.
  Status WriteLog(log::Log& log, const log::TopicPartition& of, std::string_view stopped = "");
  // All rows of the store that the fold of `of` keeps.
  Status WriteRows(const store::Reader& rows, const log::TopicPartition& of);
  Status Close();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  explicit DumpFile(std::FILE* file) : file_(file) {}
  void Line(const std::string& line);

  std::unique_ptr<std::FILE, CloseFile> file_;
  bool failed_ = false;
};

}  // namespace hilo::checker
