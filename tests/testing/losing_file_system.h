#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <utility>

namespace hilo::testing {

// A disk that a power cut can be tried on: what was written and not synced is held back in memory,
// and PowerCut drops it but for a torn, seeded beginning. After that nothing works any more; what
// is left is in the real directory.
// **Threads**: thread-safe. **Lifetime**: outlives the database that is opened on it.
class LosingFileSystem final : public rocksdb::FileSystemWrapper {
 public:
  static constexpr int kNever = -1;

  explicit LosingFileSystem(uint64_t seed)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), random_(seed) {}
  const char* Name() const override { return "LosingFileSystem"; }

  // Syncs wait from now on.
  void HoldSyncs() {
    std::lock_guard lock(mutex_);
    held_ = true;
  }
  void ReleaseSyncs() {
    std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Returns when a sync is waiting.
  void AwaitHeldSync() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  // The power goes at the `syncs`-th sync from now, before it has done its work.
  void PowerCutAtSync(int syncs) {
    std::lock_guard lock(mutex_);
    syncs_left_ = syncs;
  }
  void PowerCut() {
    std::lock_guard lock(mutex_);
    Cut();
  }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    std::lock_guard lock(mutex_);
    if (cut_) return Gone();
    std::unique_ptr<rocksdb::FSWritableFile> file;
    rocksdb::IOStatus status = target()->NewWritableFile(name, options, &file, debug);
    if (status.ok()) *result = std::make_unique<File>(*this, std::move(file));
    return status;
  }

 private:
  static rocksdb::IOStatus Gone() { return rocksdb::IOStatus::IOError("the power is off"); }

  class File final : public rocksdb::FSWritableFileOwnerWrapper {
   public:
    File(LosingFileSystem& disk, std::unique_ptr<rocksdb::FSWritableFile> file)
        : FSWritableFileOwnerWrapper(std::move(file)), disk_(disk) {
      disk_.files_.insert(this);  // made under mutex_
    }
    ~File() override {
      std::lock_guard lock(disk_.mutex_);
      disk_.files_.erase(this);
    }

    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions&,
                             rocksdb::IODebugContext*) override {
      std::lock_guard lock(disk_.mutex_);
      if (disk_.cut_) return Gone();
      unsynced_.append(data.data(), data.size());
      return rocksdb::IOStatus::OK();
    }
    rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                             const rocksdb::DataVerificationInfo&,
                             rocksdb::IODebugContext* debug) override {
      return Append(data, options, debug);
    }
    rocksdb::IOStatus Flush(const rocksdb::IOOptions&, rocksdb::IODebugContext*) override {
      return rocksdb::IOStatus::OK();
    }
    rocksdb::IOStatus RangeSync(uint64_t, uint64_t, const rocksdb::IOOptions&,
                                rocksdb::IODebugContext*) override {
      return rocksdb::IOStatus::OK();
    }
    rocksdb::IOStatus Sync(const rocksdb::IOOptions& options,
                           rocksdb::IODebugContext* debug) override {
      std::unique_lock lock(disk_.mutex_);
      ++disk_.waiting_;
      disk_.changed_.notify_all();
      disk_.changed_.wait(lock, [this] { return !disk_.held_ || disk_.cut_; });
      --disk_.waiting_;
      if (disk_.syncs_left_ > 0 && --disk_.syncs_left_ == 0) disk_.Cut();
      if (disk_.cut_) return Gone();
      return WriteOut(unsynced_.size(), options, debug);
    }
    rocksdb::IOStatus Fsync(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      return Sync(options, debug);
    }
    // A file that is closed without a sync is taken to have reached the disk: kinder than the
    // world.
    rocksdb::IOStatus Close(const rocksdb::IOOptions& options,
                            rocksdb::IODebugContext* debug) override {
      std::lock_guard lock(disk_.mutex_);
      const rocksdb::IOStatus written =
          disk_.cut_ ? Gone() : WriteOut(unsynced_.size(), options, debug);
      const rocksdb::IOStatus closed = target()->Close(options, debug);
      return written.ok() ? closed : written;
    }
    uint64_t GetFileSize(const rocksdb::IOOptions& options,
                         rocksdb::IODebugContext* debug) override {
      std::lock_guard lock(disk_.mutex_);
      return target()->GetFileSize(options, debug) + unsynced_.size();
    }

    // Under mutex_: the first `bytes` of what is unsynced reach the disk.
    rocksdb::IOStatus WriteOut(size_t bytes, const rocksdb::IOOptions& options,
                               rocksdb::IODebugContext* debug) {
      if (bytes == 0) return rocksdb::IOStatus::OK();
      rocksdb::IOStatus status =
          target()->Append(rocksdb::Slice(unsynced_.data(), bytes), options, debug);
      if (status.ok()) status = target()->Flush(options, debug);
      unsynced_.erase(0, bytes);
      return status;
    }
    size_t unsynced_bytes() const { return unsynced_.size(); }

   private:
    LosingFileSystem& disk_;
    std::string unsynced_;  // guarded by disk_.mutex_
  };

  // Under mutex_.
  void Cut() {
    if (std::exchange(cut_, true)) return;
    for (File* file : files_) {
      file->WriteOut(random_() % (file->unsynced_bytes() + 1), rocksdb::IOOptions(), nullptr)
          .PermitUncheckedError();
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::mt19937_64 random_;
  std::set<File*> files_;
  bool held_ = false, cut_ = false;
  int waiting_ = 0;
  int syncs_left_ = kNever;
};

}  // namespace hilo::testing
