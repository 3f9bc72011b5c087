// hilo_dump <data directory> <file>: writes what lies in the logs and stores of a node that does
// not run, as the checker reads it.
#include <cstdio>
#include <string>
#include <vector>

#include "ops/base/clock.h"
#include "state/store/rocksdb_store.h"
#include "streams/customer/outbound.h"
#include "streams/log/embedded_log.h"
#include "tests/checker/dump_file.h"

namespace {

using hilo::Status;

constexpr uint32_t kCustomerPartitions = 4;

std::vector<hilo::log::TopicSpec> Topics() {
  std::vector<hilo::log::TopicSpec> topics = hilo::customer::OutboundTopics(kCustomerPartitions);
  topics.push_back({"events", 1});
  topics.push_back({"customers", kCustomerPartitions});
  topics.push_back({"dead-letters", 1});
  return topics;
}

Status Dump(const std::string& data, const std::string& path) {
  using namespace hilo;
  SystemClock clock;
  HILO_ASSIGN_OR_RETURN(
      const auto log,
      log::EmbeddedLog::Open({.directory = data + "/log", .topics = Topics(), .clock = clock}));
  HILO_ASSIGN_OR_RETURN(const auto dump, checker::DumpFile::Create(path));
  store::SharedResources resources({.cache_bytes = 32 << 20, .write_buffer_bytes = 16 << 20});
  std::vector<log::TopicPartition> folded = {{"events", 0}};
  for (uint32_t i = 0; i < kCustomerPartitions; ++i) folded.push_back({"customers", i});
  for (const log::TopicPartition& of : folded) {
    HILO_RETURN_IF_ERROR(dump->WriteLog(*log, of));
    HILO_ASSIGN_OR_RETURN(
        const auto rows,
        store::RocksDbStore::Open(
            {data + "/state/" + of.topic + "-" + std::to_string(of.partition), resources}));
    HILO_RETURN_IF_ERROR(dump->WriteRows(*rows, of));
  }
  HILO_RETURN_IF_ERROR(dump->WriteLog(*log, {"dead-letters", 0}));
  for (const log::TopicSpec& topic : customer::OutboundTopics(kCustomerPartitions)) {
    for (uint32_t partition = 0; partition < topic.partitions; ++partition)
      HILO_RETURN_IF_ERROR(dump->WriteLog(*log, {topic.name, partition}));
  }
  return dump->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: hilo_dump <data directory> <file>\n");
    return 2;
  }
  const Status dumped = Dump(argv[1], argv[2]);
  if (dumped.ok()) return 0;
  std::fprintf(stderr, "hilo_dump: %s\n", hilo::Describe(dumped).c_str());
  return 1;
}
