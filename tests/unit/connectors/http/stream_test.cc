#include "connectors/http/stream.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace hilo::http {
namespace {

using Push = StreamQueue::Push;

TEST(StreamQueue, HandsOnChunksInOrderAndThenTheEnd) {
  StreamQueue queue;
  EXPECT_EQ(queue.Write("a"), Push::kQueued);
  EXPECT_EQ(queue.Write("b"), Push::kQueued);
  queue.End();
  EXPECT_EQ(queue.Write("c"), Push::kClosed);
  StreamQueue::Taken first = queue.Take(1);
  EXPECT_EQ(first.chunks, std::vector<std::string>{"a"});
  EXPECT_FALSE(first.ended);
  StreamQueue::Taken second = queue.Take(10);
  EXPECT_EQ(second.chunks, std::vector<std::string>{"b"});
  EXPECT_TRUE(second.ended);
}

TEST(StreamQueue, IsFullAtItsLimitOfChunks) {
  StreamQueue queue;
  for (size_t i = 0; i < kMaxQueuedChunks; ++i) ASSERT_EQ(queue.Write("x"), Push::kQueued);
  EXPECT_EQ(queue.Write("x"), Push::kFull);
  queue.Take(1);
  EXPECT_EQ(queue.Write("x"), Push::kQueued);
}

TEST(StreamQueue, IsFullAtItsLimitOfBytes) {
  StreamQueue queue;
  ASSERT_EQ(queue.Write(std::string(kMaxQueuedBytes - 1, 'x')), Push::kQueued);
  EXPECT_EQ(queue.Write("xy"), Push::kFull);
  EXPECT_EQ(queue.Write("x"), Push::kQueued);
  EXPECT_EQ(queue.Write("x"), Push::kFull);
}

TEST(StreamQueue, TakesOneChunkOfAnySizeWhenNothingWaits) {
  StreamQueue queue;
  EXPECT_EQ(queue.Write(std::string(3 * kMaxQueuedBytes, 'x')), Push::kQueued);
  EXPECT_EQ(queue.Write("x"), Push::kFull);
}

TEST(StreamQueue, SaysWhenHalfIsFreeAgainAfterEachRefusal) {
  StreamQueue queue;
  int writable = 0;
  queue.OnWritable([&] { ++writable; });
  while (queue.Write("x") == Push::kQueued) {
  }
  queue.Take(kMaxQueuedChunks / 2 - 1);
  EXPECT_EQ(writable, 0);
  queue.Take(1);
  EXPECT_EQ(writable, 1);
  queue.Take(kMaxQueuedChunks);
  EXPECT_EQ(writable, 1) << "nothing was refused since";
  while (queue.Write("x") == Push::kQueued) {
  }
  queue.Take(kMaxQueuedChunks);
  EXPECT_EQ(writable, 2);
}

TEST(StreamQueue, WakesForTheFirstChunkAndTheEnd) {
  StreamQueue queue;
  int woken = 0;
  queue.Write("before");
  queue.Attach([&] { ++woken; });
  EXPECT_EQ(woken, 1);
  queue.Take(10);
  queue.Write("a");
  queue.Write("b");
  EXPECT_EQ(woken, 2);
  queue.End();
  EXPECT_EQ(woken, 3);
}

TEST(StreamQueue, TellsOnceThatTheReaderIsGone) {
  StreamQueue queue;
  int closed = 0;
  queue.OnClosed([&] { ++closed; });
  queue.Close();
  queue.Close();
  EXPECT_EQ(closed, 1);
  EXPECT_EQ(queue.Write("x"), Push::kClosed);
  queue.OnClosed([&] { ++closed; });
  EXPECT_EQ(closed, 2) << "who asks later is told at once";
}

TEST(StreamQueue, DoesNotCallAProperEndAClosing) {
  StreamQueue queue;
  int closed = 0;
  queue.OnClosed([&] { ++closed; });
  queue.End();
  queue.Take(1);
  queue.Finish();
  queue.Close();
  EXPECT_EQ(closed, 0);
}

TEST(StreamQueue, AnEmptyChunkIsNotTheEnd) {
  StreamQueue queue;
  EXPECT_EQ(queue.Write(""), Push::kQueued);
  EXPECT_TRUE(queue.Take(1).chunks.empty());
  EXPECT_EQ(queue.Write("x"), Push::kQueued);
}

TEST(StreamQueue, StopEndsItUnlessSomebodyListens) {
  StreamQueue silent;
  silent.Stop();
  EXPECT_TRUE(silent.Take(1).ended);

  StreamQueue farewell;
  farewell.OnStopping([&] {
    farewell.Write("bye");
    farewell.End();
  });
  farewell.Stop();
  const StreamQueue::Taken taken = farewell.Take(2);
  EXPECT_EQ(taken.chunks, std::vector<std::string>{"bye"});
  EXPECT_TRUE(taken.ended);
}

TEST(StreamWriter, DestroyedWithoutEndIsACut) {
  const auto queue = std::make_shared<StreamQueue>();
  {
    StreamWriter writer(queue);
    writer.Write("x");
  }
  const StreamQueue::Taken taken = queue->Take(10);
  EXPECT_TRUE(taken.aborted);
  EXPECT_FALSE(taken.ended);
  EXPECT_TRUE(taken.chunks.empty());
}

TEST(StreamWriter, DestroyedAfterEndIsNone) {
  const auto queue = std::make_shared<StreamQueue>();
  {
    StreamWriter writer(queue);
    writer.Write("x");
    writer.End();
  }
  const StreamQueue::Taken taken = queue->Take(10);
  EXPECT_FALSE(taken.aborted);
  EXPECT_TRUE(taken.ended);
}

}  // namespace
}  // namespace hilo::http
