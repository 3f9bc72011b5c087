#include "ops/keys/master_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace hilo::keys {
namespace {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
  ~Descriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Status Failed(const std::string& path, const char* what) {
  return Error(StatusCode::kUnavailable, "secret_unwritten",
               fmt::format("\"{}\": {}: {}; check the directory and its disk", path, what,
                           std::strerror(errno)));
}

Status SyncDirectory(const std::string& path) {
  const std::string parent = std::filesystem::absolute(path).parent_path().string();
  const Descriptor directory(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || fsync(directory.get()) != 0) return Failed(parent, "cannot sync");
  return OkStatus();
}

}  // namespace

Status CreateMasterKey(const std::string& path) {
  const Descriptor file(
      open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) {
    if (errno != EEXIST) return Failed(path, "cannot create");
    return Error(
        StatusCode::kAlreadyExists, "secret_exists",
        fmt::format("\"{}\" exists; a master key is never replaced, or all it wraps would be lost",
                    path));
  }
  const Secret secret = Secret::Random();
  const bool written = write(file.get(), secret.data(), Secret::kSize) == Secret::kSize &&
                       fchmod(file.get(), 0400) == 0 && fsync(file.get()) == 0;
  if (!written) {
    const Status failed = Failed(path, "cannot write");
    unlink(path.c_str());
    return failed;
  }
  return SyncDirectory(path);
}

StatusOr<Secret> ReadMasterKey(const std::string& path) {
  // Not blocking, in case the path is a pipe.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat about {};
  if (file.get() < 0 || fstat(file.get(), &about) != 0) {
    return Error(StatusCode::kNotFound, "secret_missing",
                 fmt::format("\"{}\": cannot open: {}", path, std::strerror(errno)));
  }
  if ((about.st_mode & 077) != 0 || (about.st_uid != geteuid() && about.st_uid != 0)) {
    return Error(StatusCode::kFailedPrecondition, "secret_readable",
                 fmt::format("\"{}\" may be used by others: make it ours with mode 0400", path));
  }
  Secret secret;
  const bool whole =
      S_ISREG(about.st_mode) && about.st_size == static_cast<off_t>(Secret::kSize) &&
      read(file.get(), secret.data(), Secret::kSize) == static_cast<ssize_t>(Secret::kSize);
  if (!whole) {
    return Error(
        StatusCode::kFailedPrecondition, "secret_malformed",
        fmt::format("\"{}\" is no master key: it must be a file of {} bytes", path, Secret::kSize));
  }
  return secret;
}

}  // namespace hilo::keys
