#include "connectors/http/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/connectors/http/raw_peer.h"

namespace hilo::http {
namespace {

using std::chrono::milliseconds;

// Keeps exchanges for a test to answer when it likes.
class Desk {
 public:
  Handler Take() {
    return [this](std::shared_ptr<Exchange> exchange) {
      std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(exchange));
      changed_.notify_all();
    };
  }
  std::shared_ptr<Exchange> Next() {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return !waiting_.empty(); }));
    if (waiting_.empty()) return nullptr;
    std::shared_ptr<Exchange> first = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    return first;
  }
  size_t waiting() const {
    std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<Exchange>> waiting_;
};

Router DeskRouter(Desk& desk, RouteOptions options = {}) {
  Router router = EchoRouter();
  router.Add("GET", "/late", options, desk.Take());
  return router;
}

TEST(Server, AnswersWithItsOwnHeaders) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send(Get("/hello"));
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.headers.Find("Content-Type"), "text/plain");
  EXPECT_EQ(answer.headers.Find("Date").value_or("").size(), 29u);
  EXPECT_TRUE(answer.headers.Find("X-Request-Id").has_value());
  EXPECT_FALSE(answer.headers.Find("Connection").has_value());
}

TEST(Server, KeepsTheConnectionForManyRequests) {
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  const auto server = StartServer(EchoRouter(), options);
  RawPeer peer(server->Port());
  std::string last_id;
  for (int i = 0; i < 1000; ++i) {
    const std::string body(static_cast<size_t>(i) * 37, 'x');
    ASSERT_TRUE(peer.Send(Post("/echo", body)));
    const RawAnswer answer = peer.Receive();
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body, body);
    ASSERT_NE(answer.headers.Find("X-Request-Id"), last_id);
    last_id = answer.headers.Find("X-Request-Id").value_or("");
  }
  ASSERT_TRUE(observer.AwaitAnswered(1000));
  EXPECT_EQ(observer.answered()[0].route, "/echo");
  EXPECT_EQ(observer.answered()[0].status, 200);
  EXPECT_TRUE(observer.refused().empty());
}

TEST(Server, ClosesWhenAskedTo) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: x, CLOSE\r\n\r\n");
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Find("Connection"), "close");
  EXPECT_TRUE(peer.EndsNow());
}

TEST(Server, ClosesAfterHttp10) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(peer.Receive().body, "hello");
  EXPECT_TRUE(peer.EndsNow());
}

TEST(Server, ClosesWhatIsIdle) {
  ServerOptions options;
  options.limits.idle_timeout = milliseconds(300);
  const auto server = StartServer(EchoRouter(), options);
  RawPeer silent(server->Port());
  EXPECT_TRUE(silent.EndsNow());
  RawPeer peer(server->Port());
  peer.Send(Get("/hello"));
  EXPECT_EQ(peer.Receive().status, 200);
  EXPECT_TRUE(peer.EndsNow());
}

TEST(Server, AnswersThePeerThatHasEndedItsSending) {
  Desk desk;
  const auto server = StartServer(DeskRouter(desk));
  RawPeer peer(server->Port());
  peer.Send(Get("/late"));
  peer.EndSending();
  desk.Next()->Respond({200, {}, "still here"});
  EXPECT_EQ(peer.Receive().body, "still here");
  EXPECT_TRUE(peer.EndsNow());
}

TEST(Server, AnswersHeadWithoutABody) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawAnswer answer = peer.Receive(false, true);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.Find("Content-Length"), "5");
  peer.Send(Get("/hello"));
  EXPECT_EQ(peer.Receive().body, "hello");
}

TEST(Server, Answers204WithoutALength) {
  Router router;
  router.Add("OPTIONS", "/v1/batch", [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({204, {{"Access-Control-Max-Age", "7200"}}, ""});
  });
  const auto server = StartServer(std::move(router));
  RawPeer peer(server->Port());
  peer.Send("OPTIONS /v1/batch HTTP/1.1\r\nHost: h\r\n\r\n");
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 204);
  EXPECT_FALSE(answer.headers.Find("Content-Length").has_value());
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
  Desk desk;
  const auto server = StartServer(DeskRouter(desk));
  RawPeer peer(server->Port());
  peer.Send(Get("/late") + Post("/echo", "second") + Get("/hello") + Get("/late"));
  std::shared_ptr<Exchange> first = desk.Next();
  // The second waits for the first: nothing else can have been taken up.
  EXPECT_EQ(desk.waiting(), 0u);
  first->Respond({200, {}, "first"});
  EXPECT_EQ(peer.Receive().body, "first");
  EXPECT_EQ(peer.Receive().body, "second");
  EXPECT_EQ(peer.Receive().body, "hello");
  desk.Next()->Respond({200, {}, "fourth"});
  EXPECT_EQ(peer.Receive().body, "fourth");
}

TEST(Server, AnswersManyPipelinedRequests) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  std::string all;
  for (int i = 0; i < 2000; ++i) all += Post("/echo", std::to_string(i));
  std::thread sender([&] { peer.Send(all); });
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(peer.Receive().body, std::to_string(i));
  sender.join();
}

TEST(Server, SaysContinueBeforeAnAnnouncedBody) {
  const auto server = StartServer(EchoRouter());
  RawPeer peer(server->Port());
  peer.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(peer.Receive(true).status, 100);
  peer.Send("hello");
  EXPECT_EQ(peer.Receive(true).body, "hello");
  // Who does not wait for it is not told.
  peer.Send(Post("/echo", "again", "Expect: 100-continue\r\n"));
  EXPECT_EQ(peer.Receive(true).body, "again");
}

TEST(Server, CarriesLargeBodiesBothWays) {
  Router router;
  RouteOptions large;
  large.max_body_bytes = 32 << 20;
  router.Add("POST", "/large", large, [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, {}, std::move(exchange->mutable_request().body)});
  });
  const auto server = StartServer(std::move(router));
  RawPeer peer(server->Port());
  std::string body;
  for (int i = 0; body.size() < (20u << 20); ++i) body += std::to_string(i) + ",";
  peer.Send(Post("/large", body));
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.body == body);
}

TEST(Server, TakesAnswersFromOtherThreads) {
  Desk desk;
  ServerOptions options;
  options.threads = 2;
  const auto server = StartServer(DeskRouter(desk), options);
  std::vector<RawPeer> peers;
  for (int i = 0; i < 8; ++i) peers.emplace_back(server->Port());
  for (int round = 0; round < 50; ++round) {
    for (RawPeer& peer : peers) peer.Send(Get("/late?round=" + std::to_string(round)));
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 2; ++k) {
          const std::shared_ptr<Exchange> exchange = desk.Next();
          const std::string round_text(exchange->request().Query("round").value_or(""));
          EXPECT_TRUE(exchange->Respond({200, {}, round_text}));
          EXPECT_FALSE(exchange->Respond({500, {}, "twice"}));
        }
      });
    }
    for (RawPeer& peer : peers) ASSERT_EQ(peer.Receive().body, std::to_string(round));
    for (std::thread& thread : threads) thread.join();
  }
}

TEST(Server, AnswersForWhoeverLetsGoOfAnExchange) {
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  Router router = EchoRouter();
  router.Add("GET", "/forgotten", [](std::shared_ptr<Exchange>) {});
  const auto server = StartServer(std::move(router), options);
  RawPeer peer(server->Port());
  peer.Send(Get("/forgotten"));
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.Code(), "no_answer");
  EXPECT_TRUE(observer.AwaitRefusal("no_answer"));
  peer.Send(Get("/hello"));
  EXPECT_EQ(peer.Receive().status, 200);
}

TEST(Server, AnswersForWhoeverTakesTooLong) {
  Desk desk;
  RouteOptions hasty;
  hasty.answer_timeout = milliseconds(500);
  const auto server = StartServer(DeskRouter(desk, hasty));
  RawPeer peer(server->Port());
  peer.Send(Get("/late"));
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 504);
  EXPECT_EQ(answer.Code(), "answer_timeout");
  // What comes after all must not become the answer to the next request.
  const std::shared_ptr<Exchange> late = desk.Next();
  peer.Send(Get("/late"));
  const std::shared_ptr<Exchange> next = desk.Next();
  late->Respond({200, {}, "too late"});
  next->Respond({200, {}, "in time"});
  EXPECT_EQ(peer.Receive().body, "in time");
}

TEST(Server, NeverWritesAHeaderThatSplitsTheAnswer) {
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  Router router;
  router.Add("GET", "/split", [](std::shared_ptr<Exchange> exchange) {
    const std::string evil(exchange->request().Query("value").value_or(""));
    exchange->Respond({200, {{"X-Echo", evil}}, ""});
  });
  const auto server = StartServer(std::move(router), options);
  RawPeer peer(server->Port());
  peer.Send(Get("/split?value=a%0d%0aSet-Cookie:%20b"));
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(answer.Code(), "bad_answer");
  EXPECT_FALSE(answer.headers.Find("Set-Cookie").has_value());
  EXPECT_TRUE(observer.AwaitRefusal("bad_answer"));
}

TEST(Server, TellsWhoAsks) {
  Request seen;
  Router router;
  router.Add("GET", "/who", [&](std::shared_ptr<Exchange> exchange) {
    seen = exchange->request();
    exchange->Respond({});
  });
  const auto before = std::chrono::steady_clock::now();
  const auto server = StartServer(std::move(router));
  RawPeer peer(server->Port());
  peer.Send("GET /who HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n");
  const RawAnswer answer = peer.Receive();
  EXPECT_EQ(seen.peer_address, "127.0.0.1");
  EXPECT_NE(seen.peer_port, 0);
  EXPECT_FALSE(seen.secure);
  EXPECT_GE(seen.arrived, before);
  EXPECT_EQ(seen.request_id, answer.headers.Find("X-Request-Id"));
}

TEST(Server, CutsOffAPeerThatDoesNotReadItsAnswer) {
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  options.limits.stall_timeout = milliseconds(200);
  Router router;
  router.Add("GET", "/huge", [](std::shared_ptr<Exchange> exchange) {
    exchange->Respond({200, {}, std::string(64 << 20, 'x')});
  });
  const auto server = StartServer(std::move(router), options);
  RawPeer peer(server->Port(), 4096);
  peer.Send(Get("/huge"));
  EXPECT_TRUE(observer.AwaitAllGone());
}

TEST(Server, ServesAGoodPeerBesideTwoThousandIdleOnes) {
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  const rlimit wanted{std::min<rlim_t>(descriptors.rlim_max, 8192), descriptors.rlim_max};
  ASSERT_GE(wanted.rlim_cur, 4096u) << "this machine allows too few descriptors for the test";
  setrlimit(RLIMIT_NOFILE, &wanted);
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  const auto server = StartServer(EchoRouter(), options);
  std::vector<RawPeer> idle;
  for (int i = 0; i < 2000; ++i) {
    idle.emplace_back(server->Port());
    ASSERT_TRUE(idle.back().connected());
  }
  ASSERT_TRUE(observer.AwaitConnections(2000));
  RawPeer good(server->Port());
  good.Send(Get("/hello"));
  EXPECT_EQ(good.Receive().status, 200);
  idle.back().Send(Get("/hello"));
  EXPECT_EQ(idle.back().Receive().status, 200);
  EXPECT_TRUE(observer.refused().empty());
}

TEST(Server, TurnsConnectionsAwayAtItsLimits) {
  for (const bool per_peer : {false, true}) {
    RecordingObserver observer;
    ServerOptions options;
    options.observer = &observer;
    (per_peer ? options.limits.max_connections_per_peer : options.limits.max_connections) = 3;
    const auto server = StartServer(EchoRouter(), options);
    std::vector<RawPeer> peers;
    for (int i = 0; i < 3; ++i) peers.emplace_back(server->Port());
    ASSERT_TRUE(observer.AwaitConnections(3));
    {
      RawPeer one_too_many(server->Port());
      const RawAnswer answer = one_too_many.Receive();
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.Code(), "too_many_connections");
      EXPECT_EQ(answer.headers.Find("Retry-After"), "1");
      EXPECT_TRUE(one_too_many.EndsNow());
    }
    peers.pop_back();
    ASSERT_TRUE(observer.AwaitConnections(2));
    RawPeer next(server->Port());
    next.Send(Get("/hello"));
    EXPECT_EQ(next.Receive().status, 200);
  }
}

TEST(Server, GoesOnAcceptingAfterItRanOutOfDescriptors) {
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  const auto server = StartServer(EchoRouter(), options);
  // A peer's socket is there before the limit falls; the server's end of it is not.
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<RawPeer> open;
  open.emplace_back(server->Port());
  ASSERT_TRUE(observer.AwaitConnections(1));
  const int last = dup(0);
  const rlimit none{static_cast<rlim_t>(last + 1), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  close(last);
  // The one descriptor left goes to the peer, and the server has none for its end.
  RawPeer waiting(server->Port());
  ASSERT_TRUE(waiting.connected());
  waiting.Send(Get("/hello"));
  EXPECT_TRUE(observer.AwaitRefusal("out_of_descriptors"));
  open.clear();
  EXPECT_EQ(waiting.Receive().status, 200);
  setrlimit(RLIMIT_NOFILE, &before);
}

TEST(Server, StopLetsTheRequestUnderWayFinish) {
  Desk desk;
  RecordingObserver observer;
  ServerOptions options;
  options.observer = &observer;
  const auto server = StartServer(DeskRouter(desk), options);
  RawPeer idle(server->Port());
  RawPeer busy(server->Port());
  busy.Send(Get("/late"));
  const std::shared_ptr<Exchange> exchange = desk.Next();
  ASSERT_TRUE(observer.AwaitConnections(2));
  std::thread stopping([&] { server->Stop(); });
  EXPECT_TRUE(idle.EndsNow());
  exchange->Respond({200, {}, "finished"});
  const RawAnswer answer = busy.Receive();
  EXPECT_EQ(answer.body, "finished");
  EXPECT_EQ(answer.headers.Find("Connection"), "close");
  EXPECT_TRUE(busy.EndsNow());
  stopping.join();
  EXPECT_FALSE(RawPeer(server->Port()).connected());
}

TEST(Server, StopDoesNotWaitForEver) {
  Desk desk;
  ServerOptions options;
  options.limits.stop_grace = milliseconds(100);
  auto server = StartServer(DeskRouter(desk), options);
  RawPeer busy(server->Port());
  busy.Send(Get("/late"));
  const std::shared_ptr<Exchange> exchange = desk.Next();
  server->Stop();
  server->Stop();
  EXPECT_TRUE(busy.EndsNow());
  server.reset();
  // The exchange has outlived the server; its answer goes nowhere.
  EXPECT_EQ(exchange->request().route, "/late");
  EXPECT_TRUE(exchange->Respond({}));
}

TEST(Server, CreateSaysWhatIsWrong) {
  ServerOptions options;
  options.address = "localhost";
  EXPECT_EQ(Reason(Server::Create(options, Router()).status()), "http_address");
  options.address = "127.0.0.1";
  options.tls_certificate_file = "only.pem";
  EXPECT_EQ(Reason(Server::Create(options, Router()).status()), "http_tls");
  options.tls_key_file = "none.pem";
  EXPECT_EQ(Reason(Server::Create(options, Router()).status()), "http_tls");
  const auto first = StartServer(EchoRouter());
  ServerOptions taken;
  taken.port = first->Port();
  EXPECT_EQ(Reason(Server::Create(taken, Router()).status()), "http_listen");
}

}  // namespace
}  // namespace hilo::http
