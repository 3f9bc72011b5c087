#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "ops/base/check.h"

namespace hilo::testing {

// A fresh directory that goes, with all in it, at the end of its scope.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "hilo-test-XXXXXX").string();
    HILO_CHECK(::mkdtemp(name.data()) != nullptr, "tests need a writable temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  // A path in it; nothing is made there.
  std::string Sub(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace hilo::testing
