#include "ops/audit/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "ops/audit/lines.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"
#include "ops/base/thread.h"
#include "state/types/ids.h"

namespace hilo::audit {
namespace {

// How often the writer looks whether a head is due while nothing is recorded.
constexpr std::chrono::seconds kIdleCheck{1};
// The part of the queue that is written without waiting for more.
constexpr size_t kMuch = 8;
// How much is written and synced at once.
constexpr size_t kMaxWriteBytes = 1 << 20;
// How much of the file is read at a time when its end is checked.
constexpr size_t kReadBytes = 1 << 16;

Status Unavailable(std::string_view what) {
  return Error(StatusCode::kUnavailable, "audit_unavailable",
               fmt::format("the audit takes nothing: {}", what));
}

Status Failed(const std::string& path, std::string_view doing) {
  return Unavailable(fmt::format("cannot {} \"{}\": {}", doing, path, std::strerror(errno)));
}

Status Damaged(std::string_view reason, const std::string& path, std::string_view what) {
  return Error(StatusCode::kDataLoss, reason,
               fmt::format("\"{}\": {}; verify it, set it and its heads aside, and begin new ones",
                           path, what));
}

constexpr auto kInWords = [] {
  std::array<bool, 256> in{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789_.:/-")) {
    in[static_cast<unsigned char>(c)] = true;
  }
  return in;
}();

bool IsWord(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return kInWords[static_cast<unsigned char>(c)]; });
}

bool IsName(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
  });
}

Status CheckFields(const AuditEntry& entry) {
  const auto check = [](std::string_view field, std::string_view value, bool allowed) {
    if (allowed && value.size() <= AuditEntry::kMaxFieldBytes) return OkStatus();
    return Error(StatusCode::kInvalidArgument, "audit_field",
                 fmt::format("the field \"{}\" has a value that the audit does not take", field));
  };
  HILO_RETURN_IF_ERROR(check("principal", entry.principal, IsName(entry.principal)));
  HILO_RETURN_IF_ERROR(
      check("method", entry.method, IsWord(entry.method) && !entry.method.empty()));
  HILO_RETURN_IF_ERROR(
      check("customer", entry.customer,
            entry.customer.empty() || (entry.customer.size() == 2 * CustomerId::kSize &&
                                       CustomerId::FromHex(entry.customer).has_value())));
  HILO_RETURN_IF_ERROR(check("field_group", entry.field_group, IsWord(entry.field_group)));
  HILO_RETURN_IF_ERROR(check("reason", entry.reason, IsWord(entry.reason)));
  return check("result", entry.result, IsWord(entry.result) && !entry.result.empty());
}

// A file that only grows, and that one process at a time holds.
class AppendFile {
 public:
  explicit AppendFile(std::string path) : path_(std::move(path)) {}
  ~AppendFile() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  Status Open() {
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (descriptor_ < 0) return Failed(path_, "open");
    if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) return Failed(path_, "lock");
    struct stat about {};
    if (fstat(descriptor_, &about) != 0) return Failed(path_, "read");
    size_ = static_cast<uint64_t>(about.st_size);
    // A new file exists only once its directory says so.
    const std::string parent = std::filesystem::absolute(path_).parent_path().string();
    const int directory = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool synced = directory >= 0 && fsync(directory) == 0;
    if (directory >= 0) close(directory);
    return synced ? OkStatus() : Failed(parent, "sync");
  }

  Status Append(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return Failed(path_, "write");
      text.remove_prefix(static_cast<size_t>(written));
      size_ += static_cast<uint64_t>(written);
    }
    // After a failed sync the kernel may drop the pages: the caller must not try again.
    return fdatasync(descriptor_) == 0 ? OkStatus() : Failed(path_, "sync");
  }

  // Up to `length` bytes at `offset`; fewer at the end.
  StatusOr<std::string> Read(uint64_t offset, size_t length) const {
    std::string bytes(length, '\0');
    size_t have = 0;
    while (have < length) {
      const ssize_t count =
          pread(descriptor_, bytes.data() + have, length - have, static_cast<off_t>(offset + have));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Failed(path_, "read");
      if (count == 0) break;
      have += static_cast<size_t>(count);
    }
    bytes.resize(have);
    return bytes;
  }

  // Removes what follows `size`: a line that a crash left half written.
  Status CutTo(uint64_t size) {
    if (ftruncate(descriptor_, static_cast<off_t>(size)) != 0 || fsync(descriptor_) != 0)
      return Failed(path_, "cut");
    size_ = size;
    return OkStatus();
  }

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  const std::string path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

}  // namespace

class Audit::Writer {
 public:
  Writer(AuditOptions options, const keys::Signer& signer, const Clock& clock, Logger logger,
         Registry& registry)
      : options_(std::move(options)),
        signer_(signer),
        clock_(clock),
        logger_(logger.Named("ops/audit")),
        entries_(registry.Get(metric::kAuditEntries)),
        queue_full_(registry.Get(metric::kAuditRefused, {"queue_full"})),
        writer_broken_(registry.Get(metric::kAuditRefused, {"writer_broken"})),
        field_malformed_(registry.Get(metric::kAuditRefused, {"field_malformed"})),
        queued_(registry.Get(metric::kAuditQueued)),
        file_(options_.path),
        heads_(options_.heads_path.empty() ? options_.path + ".heads" : options_.heads_path) {}

  ~Writer() {
    if (!thread_.joinable()) return;
    // What is recorded is on disk and signed before the thread is asked to stop. An error was
    // logged by the thread.
    (void)SignHead();
    thread_.request_stop();
    thread_.join();
  }

  Status Open();
  Status Record(AuditEntry entry);
  Status Flush() { return WaitFor(/*head=*/false); }
  Status SignHead() { return WaitFor(/*head=*/true); }

 private:
  struct Queued {
    AuditEntry entry;
    WallTime time;
  };

  // The last head that was signed; the beginning when there is none.
  StatusOr<ChainHead> LastHead();
  // Follows the chain from `head` to the end of the file.
  StatusOr<ChainHead> FollowFrom(ChainHead head, bool& torn);
  Status WaitFor(bool head);
  void Run(std::stop_token stop);
  // Writes and syncs these, and a head where one is due or `sign`.
  Status Write(const std::vector<Queued>& batch, bool sign);

  const AuditOptions options_;
  const keys::Signer& signer_;
  const Clock& clock_;
  const Logger logger_;
  Counter& entries_;
  Counter& queue_full_;
  Counter& writer_broken_;
  Counter& field_malformed_;
  Gauge& queued_;

  // Of the thread alone, once it runs.
  AppendFile file_;
  AppendFile heads_;
  ChainHead head_;
  uint64_t signed_entries_ = 0;
  MonotonicTime signed_at_{};

  Mutex mutex_;
  ConditionVariable work_;
  ConditionVariable progress_;
  std::vector<Queued> queue_ HILO_GUARDED_BY(mutex_);
  // Entries ever taken, and how many of them are on disk.
  uint64_t taken_ HILO_GUARDED_BY(mutex_) = 0;
  uint64_t written_ HILO_GUARDED_BY(mutex_) = 0;
  // Somebody waits until so many are.
  uint64_t flush_wanted_ HILO_GUARDED_BY(mutex_) = 0;
  // Heads asked for, and answered.
  uint64_t heads_wanted_ HILO_GUARDED_BY(mutex_) = 0;
  uint64_t heads_done_ HILO_GUARDED_BY(mutex_) = 0;
  // Not ok for ever after the first write that failed.
  Status broken_ HILO_GUARDED_BY(mutex_);

  // Last, so that it ends before what it uses.
  std::jthread thread_;
};

StatusOr<ChainHead> Audit::Writer::LastHead() {
  const uint64_t from = heads_.size() - std::min<uint64_t>(heads_.size(), kMaxLineBytes);
  HILO_ASSIGN_OR_RETURN(std::string end, heads_.Read(from, kMaxLineBytes));
  const size_t newline = end.rfind('\n');
  if (newline == std::string::npos) {
    if (from != 0) return Damaged("audit_broken", heads_.path(), "its end is no signed head");
    if (!end.empty()) HILO_RETURN_IF_ERROR(heads_.CutTo(0));
    return ChainHead();
  }
  if (newline + 1 < end.size()) HILO_RETURN_IF_ERROR(heads_.CutTo(from + newline + 1));
  end.resize(newline);
  const size_t before = end.rfind('\n');
  const std::string_view line =
      std::string_view(end).substr(before == std::string::npos ? 0 : before + 1);
  const std::optional<ChainHead> head = ReadHead(line, signer_.public_key());
  if (!head)
    return Damaged("audit_broken", heads_.path(),
                   "its last head was changed, or signed by another key");
  return *head;
}

StatusOr<ChainHead> Audit::Writer::FollowFrom(ChainHead head, bool& torn) {
  if (file_.size() < head.bytes) {
    return Damaged("audit_cut", file_.path(),
                   fmt::format("it ends before its {} signed entries", head.entries));
  }
  if (head.entries > 0) {
    // The line that ends at the signed head must be the one that was signed.
    const uint64_t from = head.bytes - std::min<uint64_t>(head.bytes, kMaxLineBytes);
    HILO_ASSIGN_OR_RETURN(std::string end, file_.Read(from, head.bytes - from));
    if (!end.ends_with('\n'))
      return Damaged("audit_broken", file_.path(), "the signed head is not in it");
    end.pop_back();
    const size_t before = end.rfind('\n');
    if (HashOf(std::string_view(end).substr(before == std::string::npos ? 0 : before + 1)) !=
        head.hash) {
      return Damaged("audit_broken", file_.path(), "the signed head is not in it");
    }
  }
  std::string pending;
  for (uint64_t offset = head.bytes; offset < file_.size();) {
    HILO_ASSIGN_OR_RETURN(const std::string bytes, file_.Read(offset, kReadBytes));
    if (bytes.empty()) break;
    offset += bytes.size();
    pending += bytes;
    size_t begin = 0;
    for (size_t end; (end = pending.find('\n', begin)) != std::string::npos; begin = end + 1) {
      if (CheckLine(std::string_view(pending).substr(begin, end - begin), head) !=
          LineCheck::kHolds) {
        return Damaged("audit_broken", file_.path(),
                       fmt::format("line {} does not follow", head.entries + 1));
      }
    }
    pending.erase(0, begin);
    if (pending.size() > kMaxLineBytes) {
      return Damaged("audit_broken", file_.path(),
                     fmt::format("line {} does not end", head.entries + 1));
    }
  }
  torn = !pending.empty();
  return head;
}

Status Audit::Writer::Open() {
  HILO_RETURN_IF_ERROR(file_.Open());
  HILO_RETURN_IF_ERROR(heads_.Open());
  HILO_ASSIGN_OR_RETURN(const ChainHead last, LastHead());
  bool torn = false;
  HILO_ASSIGN_OR_RETURN(head_, FollowFrom(last, torn));
  signed_entries_ = last.entries;
  signed_at_ = clock_.Monotonic();
  if (torn) {
    HILO_RETURN_IF_ERROR(file_.CutTo(head_.bytes));
    logger_.Warning("removed a half-written line from the audit", {{"entries", head_.entries}});
  }
  const AuditEntry opened{.principal = "hilod",
                          .method = "audit.opened",
                          .field_group = "audit",
                          .reason = torn ? "half_written_line_removed" : "start",
                          .result = "OK"};
  HILO_RETURN_IF_ERROR(Write({{opened, clock_.Wall()}}, /*sign=*/false));
  thread_ = StartThread("audit", [this](std::stop_token stop) { Run(std::move(stop)); });
  return OkStatus();
}

Status Audit::Writer::Record(AuditEntry entry) {
  if (Status status = CheckFields(entry); !status.ok()) {
    field_malformed_.Increment();
    return status;
  }
  MutexLock lock(mutex_);
  if (!broken_.ok()) {
    writer_broken_.Increment();
    return broken_;
  }
  if (taken_ - written_ >= options_.max_queued) {
    queue_full_.Increment();
    return Unavailable("too many entries wait for the disk");
  }
  queue_.push_back({std::move(entry), clock_.Wall()});
  ++taken_;
  entries_.Increment();
  queued_.Set(static_cast<double>(taken_ - written_));
  // The writer sleeps until there is something, and then until there is much.
  if (queue_.size() == 1 || queue_.size() == options_.max_queued / kMuch) work_.notify_one();
  return OkStatus();
}

Status Audit::Writer::WaitFor(bool head) {
  MutexLock lock(mutex_);
  const uint64_t entries = taken_;
  flush_wanted_ = entries;
  if (head) ++heads_wanted_;
  const uint64_t heads = head ? heads_wanted_ : 0;
  work_.notify_one();
  progress_.wait(mutex_, [&]() HILO_REQUIRES(mutex_) {
    return !broken_.ok() || (written_ >= entries && heads_done_ >= heads);
  });
  return broken_;
}

Status Audit::Writer::Write(const std::vector<Queued>& batch, bool sign) {
  std::string text;
  for (size_t i = 0; i < batch.size(); ++i) {
    text += EntryLine(batch[i].entry, batch[i].time, head_);
    if (text.size() < kMaxWriteBytes && i + 1 < batch.size()) continue;
    HILO_RETURN_IF_ERROR(file_.Append(text));
    text.clear();
  }
  const bool due = sign || clock_.Monotonic() - signed_at_ >= options_.head_interval;
  if (!due || head_.entries == signed_entries_) return OkStatus();
  HILO_RETURN_IF_ERROR(heads_.Append(HeadLine(head_, clock_.Wall(), signer_)));
  signed_entries_ = head_.entries;
  signed_at_ = clock_.Monotonic();
  return OkStatus();
}

void Audit::Writer::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    std::vector<Queued> batch;
    uint64_t heads = 0;
    bool sign = false;
    {
      MutexLock lock(mutex_);
      work_.wait_for(mutex_, stop, kIdleCheck, [&]() HILO_REQUIRES(mutex_) {
        return !queue_.empty() || heads_wanted_ > heads_done_;
      });
      if (!queue_.empty()) {
        work_.wait_for(mutex_, stop, options_.gather, [&]() HILO_REQUIRES(mutex_) {
          return queue_.size() >= options_.max_queued / kMuch || flush_wanted_ > written_ ||
                 heads_wanted_ > heads_done_;
        });
      }
      batch = std::exchange(queue_, {});
      heads = heads_wanted_;
      sign = heads_wanted_ > heads_done_;
    }
    const Status status = Write(batch, sign);
    MutexLock lock(mutex_);
    if (!status.ok()) {
      logger_.Error("audit stopped: calls that must be audited are refused", {{"cause", status}});
      broken_ = status;
      progress_.notify_all();
      return;
    }
    written_ += batch.size();
    heads_done_ = heads;
    queued_.Set(static_cast<double>(taken_ - written_));
    progress_.notify_all();
  }
}

StatusOr<std::unique_ptr<Audit>> Audit::Open(AuditOptions options, const keys::Signer& signer,
                                             const Clock& clock, Logger logger,
                                             Registry& registry) {
  auto writer = std::make_unique<Writer>(std::move(options), signer, clock, logger, registry);
  HILO_RETURN_IF_ERROR(writer->Open());
  return std::unique_ptr<Audit>(new Audit(std::move(writer)));
}

Audit::Audit(std::unique_ptr<Writer> writer) : writer_(std::move(writer)) {}
Audit::~Audit() = default;

Status Audit::Record(AuditEntry entry) { return writer_->Record(std::move(entry)); }
Status Audit::Flush() { return writer_->Flush(); }
Status Audit::SignHead() { return writer_->SignHead(); }

}  // namespace hilo::audit
