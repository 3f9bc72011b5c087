// A customer's context and a page of 20 of the timeline, asked of a real hilod over a unix socket;
// beside the limit: a bare gRPC echo of as many bytes, in the same run.
//
// Cold: each customer's very first read after hilod started, so keys, rows and entries come from
// files. Hot: half of the customers, asked again and again while events of theirs come in, so that
// some of what hilod keeps of them has to be rendered anew.
//
//   build/release/bin/hilo_serving_bench [--customers 2000] [--events 30] [--seconds 5]
//                                        [--changes 100]
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "connectors/serving/names.h"
#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/event_service.pb.h"
#include "streams/identity/lookup.h"
#include "tests/bench/bench_node.h"
#include "tests/bench/child_program.h"
#include "tests/bench/figures.h"
#include "tests/bench/grpc_load.h"
#include "tests/bench/web_events.h"
#include "tests/testing/temporary_directory.h"

namespace hilo::bench {
namespace {

constexpr uint64_t kBatch = 500;

// Customers with a history; their names.
std::vector<std::string> Fill(const std::string& directory, uint64_t customers, uint64_t events) {
  BenchNode node({.directory = directory});
  node.Start();
  WebEvents source(4, customers);
  uint64_t sent = 0;
  for (uint64_t round = 0; round < events; ++round) {
    for (uint64_t first = 0; first < customers; first += kBatch) {
      std::vector<kit::IncomingEvent> some;
      for (uint64_t i = first; i < std::min(first + kBatch, customers); ++i)
        some.push_back(source.Of(i));
      sent += some.size();
      node.intake().Accept(std::move(some), [](std::vector<kit::Accepted> results) {
        for (const kit::Accepted& result : results) Must(result.status);
      });
      if (sent > 20'000) node.AwaitVisible(sent - 20'000);
    }
  }
  node.AwaitVisible(sent);
  std::vector<std::string> names;
  for (uint64_t i = 0; i < customers; ++i) {
    const IdentifierHash hash = Must(
        node.intake().HashIdentifier({v1::IDENTIFIER_KIND_USER_ID, WebEvents::UserId(i)}, "ES"));
    const auto found = Must(
        identity::FindByIdentifier(node.node().IdentityStore(), v1::IDENTIFIER_KIND_USER_ID, hash));
    names.push_back(serving::CustomerName(found->place->customer.Bytes()));
  }
  return names;
}

// Events of customers below `customers`, so many a second, for as long as it lives.
class Changes {
 public:
  Changes(const HilodProgram& hilod, uint64_t customers, double per_second) {
    if (per_second <= 0) return;
    thread_ = std::jthread([&hilod, customers, per_second](std::stop_token stop) {
      const auto step = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
          std::chrono::duration<double>(1 / per_second));
      auto due = std::chrono::steady_clock::now();
      const std::string run = std::to_string(WallMicros());
      for (uint64_t n = 0; !stop.stop_requested(); ++n, due += step) {
        std::this_thread::sleep_until(due);
        v1::SendEventRequest request;
        v1::IncomingEvent& event = *request.mutable_event();
        event.set_id(run + "-" + std::to_string(n));
        event.set_type("order.shipped");
        event.set_channel(v1::CHANNEL_SYSTEM);
        v1::Identifier& identifier = *event.add_identifiers();
        identifier.set_kind(v1::IDENTIFIER_KIND_USER_ID);
        identifier.set_value(WebEvents::UserId(n * 7'919 % customers));
        Run({.address = hilod.grpc_address(),
             .method = "/hilo.v1.EventService/SendEvent",
             .authorization = hilod.authorization(),
             .request = [&](uint64_t) { return request.SerializeAsString(); },
             .calls = 1});
      }
    });
  }

 private:
  std::jthread thread_;
};

// A loop and what it cost the server, in microseconds of CPU a call.
struct Costed {
  LoopResult result;
  double cpu_micros = 0;
};
Costed RunCosted(const ClosedLoop& loop, int server) {
  const double before = CpuSeconds(server);
  Costed costed{.result = Run(loop)};
  costed.cpu_micros =
      (CpuSeconds(server) - before) * 1e6 / static_cast<double>(costed.result.calls);
  return costed;
}

void PrintLoop(const std::string& name, Costed& costed) {
  Print(name, costed.result.per_second, "calls/s");
  Print(name + "_cpu", costed.cpu_micros, "us/call");
  costed.result.latencies.PrintMillis(name);
}

int Main(int argc, char** argv) {
  const std::string echo_address = TextArgument(argc, argv, "--echo", "");
  if (!echo_address.empty()) {
    RunEcho(echo_address, static_cast<size_t>(NumberArgument(argc, argv, "--bytes", 2'000)));
    return 0;
  }
  const auto customers = static_cast<uint64_t>(NumberArgument(argc, argv, "--customers", 2'000));
  const auto events = static_cast<uint64_t>(NumberArgument(argc, argv, "--events", 30));
  const double seconds = NumberArgument(argc, argv, "--seconds", 5);
  const double changes = NumberArgument(argc, argv, "--changes", 100);
  testing::TemporaryDirectory directory;
  const std::vector<std::string> names = Fill(directory.Sub("hilo"), customers, events);
  HilodProgram hilod({.directory = directory.Sub("hilo")});
  hilod.AwaitReady();
  const int server = hilod.process().pid();

  const uint64_t hot = customers / 2;
  const auto context_of = [](const std::string& customer) {
    v1::GetContextRequest request;
    request.set_customer(customer);
    return request.SerializeAsString();
  };
  ClosedLoop cold{.address = hilod.grpc_address(),
                  .method = "/hilo.v1.CustomerService/GetContext",
                  .authorization = hilod.authorization(),
                  .request = [&](uint64_t n) { return context_of(names[n]); },
                  .calls = hot};
  Costed cold_one = RunCosted(cold, server);
  cold.request = [&](uint64_t n) { return context_of(names[hot + n]); };
  cold.outstanding = 32;
  cold.calls = customers - hot;
  Costed cold_many = RunCosted(cold, server);

  ClosedLoop context = cold;
  context.request = [&](uint64_t n) { return context_of(names[n * 7'919 % hot]); };
  context.outstanding = 1;
  context.calls = 0;
  context.seconds = seconds;
  ClosedLoop timeline = context;
  timeline.method = "/hilo.v1.CustomerService/ListTimeline";
  timeline.request = [&](uint64_t n) {
    v1::ListTimelineRequest request;
    request.set_customer(names[n * 7'919 % hot]);
    request.set_page_size(20);
    return request.SerializeAsString();
  };
  Costed context_one;
  Costed context_many;
  Costed page_one;
  Costed page_many;
  {
    const Changes going_on(hilod, hot, changes);
    context_one = RunCosted(context, server);
    context.outstanding = 32;
    context_many = RunCosted(context, server);
    page_one = RunCosted(timeline, server);
    timeline.outstanding = 32;
    page_many = RunCosted(timeline, server);
  }

  const std::string socket = "unix:" + directory.Sub("echo.sock");
  ChildProgram echo(
      "", {"--echo", socket, "--bytes", std::to_string(context_one.result.response_bytes)});
  if (!echo.Line()) return 1;
  ClosedLoop bare{.address = socket,
                  .method = "/echo/Echo",
                  .authorization = hilod.authorization(),
                  .request = context.request,
                  .seconds = seconds};
  Costed echo_one = RunCosted(bare, echo.pid());
  bare.outstanding = 32;
  Costed echo_many = RunCosted(bare, echo.pid());

  Print("context_bytes", static_cast<double>(context_one.result.response_bytes), "bytes");
  PrintLoop("context_at_1", context_one);
  PrintLoop("context_cold_at_1", cold_one);
  PrintLoop("echo_at_1", echo_one);
  const auto of_echo = [](const Costed& some, const Costed& bare_echo) {
    return some.result.per_second / bare_echo.result.per_second;
  };
  Print("context_of_echo_at_1", of_echo(context_one, echo_one), "ratio");
  Print("context_cold_of_echo_at_1", of_echo(cold_one, echo_one), "ratio");
  PrintLoop("context_at_32", context_many);
  PrintLoop("context_cold_at_32", cold_many);
  PrintLoop("echo_at_32", echo_many);
  Print("context_of_echo_at_32", of_echo(context_many, echo_many), "ratio");
  Print("context_cold_of_echo_at_32", of_echo(cold_many, echo_many), "ratio");
  Print("context_refused",
        static_cast<double>(context_one.result.refused + context_many.result.refused), "calls");
  PrintLoop("timeline_page_at_1", page_one);
  PrintLoop("timeline_page_at_32", page_many);
  return 0;
}

}  // namespace
}  // namespace hilo::bench

int main(int argc, char** argv) { return hilo::bench::Main(argc, argv); }
