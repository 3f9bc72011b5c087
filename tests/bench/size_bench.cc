// How much memory hilod takes with so many customers, and how soon it serves again after it was
// killed. A process with the same engine makes the customers, goes on taking events, and is killed
// at that; hilod starts over what it left.
//
//   build/release/bin/hilo_size_bench [--customers 1000000] [--cache-megabytes 256]
#include <algorithm>
#include <string>
#include <thread>
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
constexpr uint64_t kMaxAhead = 20'000;
constexpr uint64_t kNames = 20'000;        // customers that are read afterwards
constexpr uint64_t kEventsMore = 100'000;  // events that go on until the kill, at most

// Makes the customers and says so, then goes on with events until it is killed.
int FillUntilKilled(const std::string& directory, uint64_t customers, uint64_t cache_megabytes) {
  BenchNode node({.directory = directory, .cache_megabytes = cache_megabytes});
  node.Start();
  WebEvents source(5, customers);
  const auto send = [&](std::vector<kit::IncomingEvent> some, uint64_t sent) {
    node.intake().Accept(std::move(some), [](std::vector<kit::Accepted> results) {
      for (const kit::Accepted& result : results) Must(result.status);
    });
    if (sent > kMaxAhead) node.AwaitVisible(sent - kMaxAhead);
  };
  uint64_t sent = 0;
  while (sent < customers) {
    std::vector<kit::IncomingEvent> some;
    for (; some.size() < kBatch && sent < customers; ++sent) some.push_back(source.Of(sent));
    send(std::move(some), sent);
  }
  node.AwaitVisible(sent);
  const uint64_t step = std::max<uint64_t>(1, customers / kNames);
  for (uint64_t i = 0; i < customers; i += step) {
    const IdentifierHash hash = Must(
        node.intake().HashIdentifier({v1::IDENTIFIER_KIND_USER_ID, WebEvents::UserId(i)}, "ES"));
    const auto found = Must(
        identity::FindByIdentifier(node.node().IdentityStore(), v1::IDENTIFIER_KIND_USER_ID, hash));
    std::printf("%s\n", serving::CustomerName(found->place->customer.Bytes()).c_str());
  }
  std::printf("filled %.1f\n", ResidentMegabytes(0));
  std::fflush(stdout);
  for (uint64_t more = 0; more < kEventsMore; more += kBatch) {
    std::vector<kit::IncomingEvent> some;
    for (; some.size() < kBatch; ++sent) some.push_back(source.Next());
    send(std::move(some), sent);
  }
  for (;;) std::this_thread::sleep_for(std::chrono::seconds(1));
}

std::string Label(uint64_t customers) {
  if (customers % 1'000'000 == 0) return std::to_string(customers / 1'000'000) + "m";
  if (customers % 1'000 == 0) return std::to_string(customers / 1'000) + "k";
  return std::to_string(customers);
}

int Main(int argc, char** argv) {
  const auto customers =
      static_cast<uint64_t>(NumberArgument(argc, argv, "--customers", 1'000'000));
  const auto cache = static_cast<uint64_t>(NumberArgument(argc, argv, "--cache-megabytes", 256));
  const std::string fill = TextArgument(argc, argv, "--fill", "");
  if (!fill.empty()) return FillUntilKilled(fill, customers, cache);

  testing::TemporaryDirectory directory;
  const std::string data = directory.Sub("hilo");
  const std::string label = "_" + Label(customers);
  std::vector<std::string> names;
  {
    ChildProgram filling("", {"--fill", data, "--customers", std::to_string(customers),
                              "--cache-megabytes", std::to_string(cache)});
    for (;;) {
      const auto line = filling.Line();
      if (!line) return 1;
      if (line->starts_with("filled ")) {
        Print("memory_while_filling" + label, std::atof(line->c_str() + 7), "MB");
        break;
      }
      names.push_back(*line);
    }
    // While events are on their way.
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    filling.Kill();
  }
  const double killed = Seconds();
  HilodProgram hilod({.directory = data, .cache_megabytes = cache});
  hilod.AwaitReady();
  Print("ready_after_kill" + label, Seconds() - killed, "s");
  Print("memory_when_ready" + label, ResidentMegabytes(hilod.process().pid()), "MB");
  Run({.address = hilod.grpc_address(),
       .method = "/hilo.v1.CustomerService/GetContext",
       .authorization = hilod.authorization(),
       .request =
           [&](uint64_t n) {
             v1::GetContextRequest request;
             request.set_customer(names[n * 7'919 % names.size()]);
             return request.SerializeAsString();
           },
       .outstanding = 8,
       .warm_up_seconds = 0,
       .seconds = NumberArgument(argc, argv, "--seconds", 5)});
  Print("memory_after_reads" + label, ResidentMegabytes(hilod.process().pid()), "MB");
  return 0;
}

}  // namespace
}  // namespace hilo::bench

int main(int argc, char** argv) { return hilo::bench::Main(argc, argv); }
