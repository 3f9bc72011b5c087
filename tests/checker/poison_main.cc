// hilo_poison <data directory> <ledger file> <records> <seed>: appends what cannot be folded to the
// logs of a node that does not run, and writes it down.
#include <unistd.h>

#include <cstdio>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/clock.h"
#include "state/types/hash.h"
#include "streams/customer/outbound.h"
#include "streams/fold/fold.h"
#include "streams/log/embedded_log.h"
#include "tests/checker/dump_file.h"

namespace {

using namespace hilo;

constexpr uint32_t kCustomerPartitions = 4;

std::vector<hilo::log::TopicSpec> Topics() {
  std::vector<hilo::log::TopicSpec> topics = hilo::customer::OutboundTopics(kCustomerPartitions);
  topics.push_back({"events", 1});
  topics.push_back({"customers", kCustomerPartitions});
  topics.push_back({"dead-letters", 1});
  return topics;
}

log::Record Poison(std::mt19937_64& random) {
  const std::string unique = std::to_string(random());
  log::Record record;
  switch (random() % 4) {
    case 0:
      record.payload = "\x01\xff\xff\xff poison " + unique;  // no message
      break;
    case 1:
      record.payload = "\x07 poison " + unique;  // no format we know
      break;
    case 2:
      record.header = "\xff\xff\xff";
      record.payload = "\x01 poison " + unique;
      break;
    default: {
      store::v1::Record wrong;  // belongs in no log that is folded
      wrong.mutable_done()->set_position(static_cast<int64_t>(random() >> 1));
      record.payload = fold::Encode(wrong);
    }
  }
  return record;
}

Status PoisonLogs(const std::string& data, std::FILE* ledger, int records, uint64_t seed) {
  SystemClock clock;
  HILO_ASSIGN_OR_RETURN(
      const auto log,
      log::EmbeddedLog::Open({.directory = data + "/log", .topics = Topics(), .clock = clock}));
  std::mt19937_64 random(seed);
  for (int i = 0; i < records; ++i) {
    const auto which = static_cast<uint32_t>(random() % (1 + kCustomerPartitions));
    const log::TopicPartition to =
        which == 0 ? log::TopicPartition{"events", 0} : log::TopicPartition{"customers", which - 1};
    log::Record record = Poison(random);
    std::fprintf(ledger, "{\"op\":\"poison\",\"partition\":\"%s/%u\",\"payload_hash\":\"%s\"}\n",
                 to.topic.c_str(), to.partition, checker::Hex(Bytes(Hash(record.payload))).c_str());
    if (std::fflush(ledger) != 0 || fsync(fileno(ledger)) != 0)
      return Error(StatusCode::kDataLoss, "file_unwritable", "the ledger cannot be written");
    std::vector<log::Record> one;
    one.push_back(std::move(record));
    HILO_RETURN_IF_ERROR(AppendAndWait(*log, to, std::move(one)).status());
  }
  return OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  std::FILE* ledger = argc == 5 ? std::fopen(argv[2], "a") : nullptr;
  if (ledger == nullptr) {
    std::fprintf(stderr, "usage: hilo_poison <data directory> <ledger file> <records> <seed>\n");
    return 2;
  }
  const Status poisoned = PoisonLogs(argv[1], ledger, std::stoi(argv[3]), std::stoull(argv[4]));
  std::fclose(ledger);
  if (poisoned.ok()) return 0;
  std::fprintf(stderr, "hilo_poison: %s\n", Describe(poisoned).c_str());
  return 1;
}
