#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "connectors/http/server.h"
#include "tests/unit/connectors/http/raw_peer.h"

namespace hilo::http {
namespace {

using std::chrono::milliseconds;
using Result = StreamWriter::Result;

// A flag that one thread raises and another waits for.
class Signal {
 public:
  void Raise() {
    std::lock_guard lock(mutex_);
    raised_ = true;
    changed_.notify_all();
  }
  void Lower() {
    std::lock_guard lock(mutex_);
    raised_ = false;
  }
  bool Await() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return raised_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

// A server with one streaming route whose writer the test holds.
class ServerStream : public testing::Test {
 protected:
  void Start(ServerOptions options = {}) {
    options.observer = &observer_;
    Router router = EchoRouter();
    router.Add("GET", "/stream", [this](std::shared_ptr<Exchange> exchange) {
      writer_ = exchange->BeginStream(
          200, {{"Content-Type", "application/connect+json"}, {"Cache-Control", "no-store"}});
      begun_.Raise();
    });
    server_ = StartServer(std::move(router), options);
  }
  StreamWriter& Writer() {
    EXPECT_TRUE(begun_.Await());
    return *writer_;
  }

  RecordingObserver observer_;
  Signal begun_;
  std::shared_ptr<StreamWriter> writer_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerStream, SendsHeadersBeforeTheFirstChunkAndEachChunkAtOnce) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  const std::string head = peer.ReceiveSome();
  EXPECT_NE(head.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  writer.Write("one");
  EXPECT_EQ(peer.ReceiveSome(), "3\r\none\r\n");
  writer.Write("and two");
  EXPECT_EQ(peer.ReceiveSome(), "7\r\nand two\r\n");
  writer.End();
  EXPECT_EQ(peer.ReceiveSome(), "0\r\n\r\n");
  EXPECT_EQ(writer.Write("more"), Result::kClosed);
  // The connection goes on.
  peer.Send(Get("/hello"));
  EXPECT_EQ(peer.Receive().body, "hello");
  ASSERT_TRUE(observer_.AwaitAnswered(1));
  EXPECT_EQ(observer_.answered()[0].route, "/stream");
}

TEST_F(ServerStream, ServesWhatWasPipelinedBehindIt) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream") + Get("/hello"));
  Writer().Write("x");
  peer.Send(Post("/echo", "third"));
  Writer().End();
  EXPECT_EQ(peer.Receive().body, "x");
  EXPECT_EQ(peer.Receive().body, "hello");
  EXPECT_EQ(peer.Receive().body, "third");
}

TEST_F(ServerStream, CarriesManyChunksInOrder) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  std::string expected;
  std::thread thread([&] {
    std::mutex mutex;
    std::condition_variable writable;
    bool free = true;
    writer.OnWritable([&] {
      std::lock_guard lock(mutex);
      free = true;
      writable.notify_all();
    });
    for (int i = 0; i < 20'000; ++i) {
      const std::string chunk = std::to_string(i) + ",";
      expected += chunk;
      {
        std::lock_guard lock(mutex);
        free = false;
      }
      while (writer.Write(chunk) == Result::kFull) {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(writable.wait_for(lock, kPatience, [&] { return free; }));
        free = false;
      }
    }
    writer.End();
  });
  const RawAnswer answer = peer.Receive();
  thread.join();
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.body == expected);
}

TEST_F(ServerStream, EndsWithTheConnectionForHttp10) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send("GET /stream HTTP/1.0\r\n\r\n");
  Writer().Write("one");
  Writer().Write("two");
  Writer().End();
  const RawAnswer answer = peer.Receive();
  EXPECT_FALSE(answer.headers.Find("Transfer-Encoding").has_value());
  EXPECT_EQ(answer.body, "onetwo");
}

TEST_F(ServerStream, AnswersHeadWithoutAStream) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  Signal closed;
  Writer().OnClosed([&] { closed.Raise(); });
  EXPECT_TRUE(closed.Await());
  EXPECT_EQ(peer.Receive(false, true).status, 200);
  peer.Send(Get("/hello"));
  EXPECT_EQ(peer.Receive().body, "hello");
}

TEST_F(ServerStream, NoticesThatAnIdleReaderHasLeft) {
  for (const bool reset : {false, true}) {
    Signal begun;
    std::shared_ptr<StreamWriter> writer;
    Signal closed;
    Router router;
    router.Add("GET", "/stream", [&](std::shared_ptr<Exchange> exchange) {
      writer = exchange->BeginStream(200, {});
      writer->OnClosed([&] { closed.Raise(); });
      begun.Raise();
    });
    const auto server = StartServer(std::move(router));
    {
      RawPeer peer(server->Port());
      peer.Send(Get("/stream"));
      ASSERT_TRUE(begun.Await());
      if (reset) peer.Reset();
    }
    EXPECT_TRUE(closed.Await()) << (reset ? "reset" : "closed");
    EXPECT_EQ(writer->Write("x"), Result::kClosed);
  }
}

TEST_F(ServerStream, BoundsWhatWaitsForASlowReader) {
  Start();
  RawPeer peer(server_->Port(), 4096);
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  Signal writable;
  writer.OnWritable([&] { writable.Raise(); });
  // The reader takes nothing, so the sockets' buffers fill up and then the queue.
  const std::string chunk(64 << 10, 'x');
  size_t written = 0;
  Result result;
  while ((result = writer.Write(chunk)) == Result::kQueued) {
    ++written;
    ASSERT_LT(written, 1000u) << "the queue takes without end";
  }
  EXPECT_EQ(result, Result::kFull);
  // When it reads again the writer hears of it, and what was queued arrives whole.
  std::thread reader([&] {
    const RawAnswer answer = peer.Receive();
    EXPECT_TRUE(answer.complete);
    EXPECT_EQ(answer.body.size(), (written + 1) * chunk.size());
  });
  EXPECT_TRUE(writable.Await());
  EXPECT_EQ(writer.Write(chunk), Result::kQueued);
  writer.End();
  reader.join();
}

TEST_F(ServerStream, CutsOffAReaderWithoutProgress) {
  ServerOptions options;
  options.limits.stall_timeout = milliseconds(200);
  Start(options);
  RawPeer peer(server_->Port(), 4096);
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  Signal closed;
  writer.OnClosed([&] { closed.Raise(); });
  const std::string chunk(64 << 10, 'x');
  while (writer.Write(chunk) == Result::kQueued) {
  }
  EXPECT_TRUE(closed.Await());
  EXPECT_TRUE(observer_.AwaitAllGone());
}

TEST_F(ServerStream, AnIdleStreamIsNotCutOff) {
  ServerOptions options;
  options.limits.stall_timeout = milliseconds(100);
  options.limits.idle_timeout = milliseconds(100);
  options.limits.head_timeout = milliseconds(100);
  Start(options);
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  peer.ReceiveSome();
  EXPECT_FALSE(peer.EndsNow(milliseconds(400)));
  EXPECT_EQ(writer.Write("x"), Result::kQueued);
  EXPECT_EQ(peer.ReceiveSome(), "1\r\nx\r\n");
}

TEST_F(ServerStream, ReaderCanTellACutFromAnEnd) {
  Start();
  for (const std::string version : {"1.1", "1.0"}) {
    RawPeer peer(server_->Port());
    peer.Send("GET /stream HTTP/" + version + "\r\nHost: h\r\n\r\n");
    Writer().Write("half");
    writer_.reset();
    EXPECT_FALSE(peer.Receive().complete) << version;
    begun_.Lower();
  }
}

TEST_F(ServerStream, BytesFromAReaderAreBounded) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  // The sockets' buffers take a few megabytes, the server no more than it reads ahead.
  constexpr size_t kFlood = 256 << 20;
  EXPECT_LT(peer.SendUntilStuck(kFlood), kFlood);
  writer.Write("x");
  writer.End();
  EXPECT_EQ(peer.Receive().body, "x");
  // What the reader had sent is no request.
  EXPECT_EQ(peer.Receive().status, 400);
}

TEST_F(ServerStream, StopAsksForAFarewell) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream"));
  StreamWriter& writer = Writer();
  writer.Write("before,");
  writer.OnStopping([&] {
    writer.Write("farewell");
    writer.End();
  });
  std::thread stopping([&] { server_->Stop(); });
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.body, "before,farewell");
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(peer.EndsNow());
  stopping.join();
}

TEST_F(ServerStream, StopEndsAStreamThatDoesNotListen) {
  Start();
  RawPeer peer(server_->Port());
  peer.Send(Get("/stream"));
  Writer().Write("all");
  std::thread stopping([&] { server_->Stop(); });
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.body, "all");
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(peer.EndsNow());
  stopping.join();
  server_.reset();
  EXPECT_EQ(writer_->Write("x"), Result::kClosed);
}

}  // namespace
}  // namespace hilo::http
