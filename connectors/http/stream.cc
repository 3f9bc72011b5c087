#include "connectors/http/stream.h"

#include <utility>

namespace hilo::http {

StreamQueue::Push StreamQueue::Write(std::string chunk) {
  std::function<void()> wake;
  {
    MutexLock lock(mutex_);
    if (ended_ || aborted_ || closed_) return Push::kClosed;
    // An empty chunk would be the end of the body on the wire.
    if (chunk.empty()) return Push::kQueued;
    if (!chunks_.empty() &&
        (chunks_.size() >= kMaxQueuedChunks || bytes_ + chunk.size() > kMaxQueuedBytes)) {
      refused_ = true;
      return Push::kFull;
    }
    bytes_ += chunk.size();
    chunks_.push_back(std::move(chunk));
    // The connection takes until it finds nothing, so only the first chunk has to wake it.
    if (chunks_.size() == 1) wake = wake_;
  }
  if (wake) wake();
  return Push::kQueued;
}

void StreamQueue::End() {
  std::function<void()> wake, dropped_closed, dropped_writable, dropped_stopping;
  {
    MutexLock lock(mutex_);
    if (ended_ || aborted_ || closed_) return;
    ended_ = true;
    wake = wake_;
    dropped_writable = std::exchange(on_writable_, nullptr);
    dropped_stopping = std::exchange(on_stopping_, nullptr);
  }
  if (wake) wake();
}

void StreamQueue::Abort() {
  std::function<void()> wake, dropped_closed, dropped_writable, dropped_stopping;
  {
    MutexLock lock(mutex_);
    if (ended_ || aborted_ || closed_) return;
    aborted_ = true;
    chunks_.clear();
    bytes_ = 0;
    wake = wake_;
    // Whoever aborts knows that it is over.
    dropped_closed = std::exchange(on_closed_, nullptr);
    dropped_writable = std::exchange(on_writable_, nullptr);
    dropped_stopping = std::exchange(on_stopping_, nullptr);
  }
  if (wake) wake();
}

void StreamQueue::OnClosed(std::function<void()> callback) {
  {
    MutexLock lock(mutex_);
    if (!closed_) {
      if (!aborted_) std::swap(on_closed_, callback);
      return;
    }
  }
  callback();
}

void StreamQueue::OnWritable(std::function<void()> callback) {
  MutexLock lock(mutex_);
  if (!ended_ && !aborted_ && !closed_) std::swap(on_writable_, callback);
}

void StreamQueue::OnStopping(std::function<void()> callback) {
  {
    MutexLock lock(mutex_);
    if (ended_ || aborted_ || closed_) return;
    if (!stopping_) {
      std::swap(on_stopping_, callback);
      return;
    }
  }
  callback();
}

void StreamQueue::Attach(std::function<void()> wake) {
  {
    MutexLock lock(mutex_);
    wake_ = wake;
  }
  wake();
}

StreamQueue::Taken StreamQueue::Take(size_t max_chunks) {
  Taken taken;
  std::function<void()> on_writable;
  {
    MutexLock lock(mutex_);
    while (!chunks_.empty() && taken.chunks.size() < max_chunks) {
      bytes_ -= chunks_.front().size();
      taken.chunks.push_back(std::move(chunks_.front()));
      chunks_.pop_front();
    }
    taken.ended = ended_ && chunks_.empty();
    taken.aborted = aborted_;
    if (refused_ && chunks_.size() <= kMaxQueuedChunks / 2 && bytes_ <= kMaxQueuedBytes / 2) {
      refused_ = false;
      on_writable = on_writable_;
    }
  }
  if (on_writable) on_writable();
  return taken;
}

void StreamQueue::Finish() {
  std::function<void()> dropped_closed;
  MutexLock lock(mutex_);
  closed_ = true;
  dropped_closed = std::exchange(on_closed_, nullptr);
}

void StreamQueue::Close() {
  std::function<void()> on_closed, dropped_wake, dropped_writable, dropped_stopping;
  std::deque<std::string> dropped_chunks;
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    closed_ = true;
    bytes_ = 0;
    dropped_chunks.swap(chunks_);
    on_closed = std::exchange(on_closed_, nullptr);
    dropped_wake = std::exchange(wake_, nullptr);
    dropped_writable = std::exchange(on_writable_, nullptr);
    dropped_stopping = std::exchange(on_stopping_, nullptr);
  }
  if (on_closed) on_closed();
}

void StreamQueue::Stop() {
  std::function<void()> on_stopping;
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    stopping_ = true;
    on_stopping = std::exchange(on_stopping_, nullptr);
  }
  if (on_stopping) {
    on_stopping();
  } else {
    End();
  }
}

}  // namespace hilo::http
