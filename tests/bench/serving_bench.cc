// A customer's context and a page of 20 of the timeline, asked of a real hilod over a unix socket;
// beside the limit: a bare gRPC echo of as many bytes, in the same run.
//
//   build/release/bin/hilo_serving_bench [--customers 2000] [--events 30] [--seconds 5]
#include <algorithm>
#include <string>
#include <vector>

#include "connectors/serving/names.h"
#include "hilo/v1/customer_service.pb.h"
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

int Main(int argc, char** argv) {
  const std::string echo_address = TextArgument(argc, argv, "--echo", "");
  if (!echo_address.empty()) {
    RunEcho(echo_address, static_cast<size_t>(NumberArgument(argc, argv, "--bytes", 2'000)));
    return 0;
  }
  const auto customers = static_cast<uint64_t>(NumberArgument(argc, argv, "--customers", 2'000));
  const auto events = static_cast<uint64_t>(NumberArgument(argc, argv, "--events", 30));
  const double seconds = NumberArgument(argc, argv, "--seconds", 5);
  testing::TemporaryDirectory directory;
  const std::vector<std::string> names = Fill(directory.Sub("hilo"), customers, events);
  HilodProgram hilod({.directory = directory.Sub("hilo")});
  hilod.AwaitReady();

  const auto customer_of = [&](uint64_t n) -> const std::string& {
    return names[n * 7'919 % names.size()];
  };
  ClosedLoop context{.address = hilod.grpc_address(),
                     .method = "/hilo.v1.CustomerService/GetContext",
                     .authorization = hilod.authorization(),
                     .request =
                         [&](uint64_t n) {
                           v1::GetContextRequest request;
                           request.set_customer(customer_of(n));
                           return request.SerializeAsString();
                         },
                     .seconds = seconds};
  ClosedLoop timeline = context;
  timeline.method = "/hilo.v1.CustomerService/ListTimeline";
  timeline.request = [&](uint64_t n) {
    v1::ListTimelineRequest request;
    request.set_customer(customer_of(n));
    request.set_page_size(20);
    return request.SerializeAsString();
  };
  LoopResult context_one = Run(context);
  context.outstanding = 32;
  LoopResult context_many = Run(context);
  LoopResult page_one = Run(timeline);
  timeline.outstanding = 32;
  LoopResult page_many = Run(timeline);

  const std::string socket = "unix:" + directory.Sub("echo.sock");
  ChildProgram echo("", {"--echo", socket, "--bytes", std::to_string(context_one.response_bytes)});
  if (!echo.Line()) return 1;
  ClosedLoop bare{.address = socket,
                  .method = "/echo/Echo",
                  .authorization = hilod.authorization(),
                  .request = context.request,
                  .seconds = seconds};
  LoopResult echo_one = Run(bare);
  bare.outstanding = 32;
  LoopResult echo_many = Run(bare);

  Print("context_bytes", static_cast<double>(context_one.response_bytes), "bytes");
  Print("context_at_1", context_one.per_second, "calls/s");
  Print("echo_at_1", echo_one.per_second, "calls/s");
  Print("context_of_echo_at_1", context_one.per_second / echo_one.per_second, "ratio");
  context_one.latencies.PrintMillis("context_at_1");
  Print("context_at_32", context_many.per_second, "calls/s");
  Print("echo_at_32", echo_many.per_second, "calls/s");
  Print("context_of_echo_at_32", context_many.per_second / echo_many.per_second, "ratio");
  context_many.latencies.PrintMillis("context_at_32");
  Print("context_refused", static_cast<double>(context_one.refused + context_many.refused),
        "calls");
  Print("timeline_page_at_1", page_one.per_second, "calls/s");
  page_one.latencies.PrintMillis("timeline_page_at_1");
  Print("timeline_page_at_32", page_many.per_second, "calls/s");
  page_many.latencies.PrintMillis("timeline_page_at_32");
  return 0;
}

}  // namespace
}  // namespace hilo::bench

int main(int argc, char** argv) { return hilo::bench::Main(argc, argv); }
