#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "state/types/ids.h"

namespace hilo::keys {

// A folder that is gone with everything in it at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = (std::filesystem::temp_directory_path() / "hilo-keys-XXXXXX").string();
    path_ = mkdtemp(path.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A subject of its own for each number, spread as hashes are.
inline SubjectId Subject(uint64_t number) {
  std::array<uint8_t, SubjectId::kSize> bytes{};
  uint64_t spread = number * 0x9e3779b97f4a7c15u + 1;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<uint8_t>(spread >> 8 * i);
    bytes[8 + i] = static_cast<uint8_t>(number >> 8 * i);
  }
  return SubjectId(bytes);
}

}  // namespace hilo::keys
