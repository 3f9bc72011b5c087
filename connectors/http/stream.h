#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "ops/base/mutex.h"

namespace hilo::http {

// Bounds of what a stream holds for a reader that does not keep up.
inline constexpr size_t kMaxQueuedChunks = 256;
inline constexpr size_t kMaxQueuedBytes = 1 << 20;

// What waits between the writer of a stream and its connection. Handlers see it as StreamWriter;
// the other half is for the connection, or for a test that plays it.
// **Threads**: thread-safe. Callbacks run without a lock, each at most once, on whichever thread
// caused them; they must not block.
class StreamQueue {
 public:
  enum class Push { kQueued, kFull, kClosed };

  // The writer's half.
  Push Write(std::string chunk) HILO_EXCLUDES(mutex_);
  void End() HILO_EXCLUDES(mutex_);
  // Ends the stream in a way that the reader can tell from a proper end.
  void Abort() HILO_EXCLUDES(mutex_);
  void OnClosed(std::function<void()> callback) HILO_EXCLUDES(mutex_);
  void OnWritable(std::function<void()> callback) HILO_EXCLUDES(mutex_);
  void OnStopping(std::function<void()> callback) HILO_EXCLUDES(mutex_);

  // The connection's half. `wake` is called, on any thread, when there is something new to take.
  void Attach(std::function<void()> wake) HILO_EXCLUDES(mutex_);
  struct Taken {
    std::vector<std::string> chunks;
    bool ended = false;    // nothing comes after these chunks
    bool aborted = false;  // cut the connection instead
  };
  Taken Take(size_t max_chunks) HILO_EXCLUDES(mutex_);
  // The proper end has been written: nobody needs to hear of the closing that follows.
  void Finish() HILO_EXCLUDES(mutex_);
  // The reader is gone: nothing more is accepted.
  void Close() HILO_EXCLUDES(mutex_);
  // The server is stopping: whoever listens may write a farewell and must end; without a listener
  // the stream ends here.
  void Stop() HILO_EXCLUDES(mutex_);

 private:
  Mutex mutex_;
  std::deque<std::string> chunks_ HILO_GUARDED_BY(mutex_);
  size_t bytes_ HILO_GUARDED_BY(mutex_) = 0;
  bool ended_ HILO_GUARDED_BY(mutex_) = false;
  bool aborted_ HILO_GUARDED_BY(mutex_) = false;
  bool closed_ HILO_GUARDED_BY(mutex_) = false;
  bool stopping_ HILO_GUARDED_BY(mutex_) = false;
  bool refused_ HILO_GUARDED_BY(mutex_) = false;  // a Write has met kFull since OnWritable last ran
  std::function<void()> wake_ HILO_GUARDED_BY(mutex_);
  std::function<void()> on_closed_ HILO_GUARDED_BY(mutex_);
  std::function<void()> on_writable_ HILO_GUARDED_BY(mutex_);
  std::function<void()> on_stopping_ HILO_GUARDED_BY(mutex_);
};

// The sending end of a streamed answer: each Write becomes one chunk, flushed at once.
//
// At most kMaxQueuedChunks and kMaxQueuedBytes wait for a slow reader (one chunk of any size is
// taken when nothing waits); a reader without progress for `ServerLimits::stall_timeout` is cut
// off. Chunks arrive in order or not at all; that one was queued does not say that it arrived.
// **Threads**: thread-safe.
// **Lifetime**: destroyed before End(), the connection is cut without the last chunk, which the
// reader can tell from a proper end. It may outlive the server.
class StreamWriter {
 public:
  using Result = StreamQueue::Push;

  explicit StreamWriter(std::shared_ptr<StreamQueue> queue) : queue_(std::move(queue)) {}
  ~StreamWriter() { queue_->Abort(); }
  StreamWriter(const StreamWriter&) = delete;
  StreamWriter& operator=(const StreamWriter&) = delete;

  // kFull: nothing was taken; the reader is slow, and OnWritable tells when half of the queue is
  // free again. kClosed: the reader is gone, or the stream has ended.
  Result Write(std::string chunk) { return queue_->Write(std::move(chunk)); }
  // What is queued is sent, then the stream ends properly.
  void End() { queue_->End(); }

  // Runs once, when the reader has gone away or the server cut it off, on the connection's thread,
  // or at once if that is past already. It does not run after an End() that reached the reader.
  void OnClosed(std::function<void()> callback) { queue_->OnClosed(std::move(callback)); }
  // Runs after each kFull, when the queue is half empty again.
  void OnWritable(std::function<void()> callback) { queue_->OnWritable(std::move(callback)); }
  // Runs once, when the server begins to stop: write the farewell and End() within
  // `ServerLimits::stop_grace`. Without it the server ends the stream itself.
  void OnStopping(std::function<void()> callback) { queue_->OnStopping(std::move(callback)); }

 private:
  std::shared_ptr<StreamQueue> queue_;
};

}  // namespace hilo::http
