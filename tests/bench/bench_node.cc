#include "tests/bench/bench_node.h"

#include <sys/stat.h>

#include <filesystem>
#include <thread>
#include <utility>

#include "ops/keys/master_key.h"
#include "ops/keys/stored_key_store.h"

namespace hilo::bench {
namespace {

constexpr std::chrono::microseconds kLookAgain{200};

}  // namespace

void BenchNode::Visible::OnNotice(const log::TopicPartition& of, const fold::Notice& notice) {
  if (notice.kind != fold::Notice::Kind::kMemberChanged || notice.receive_micros == 0) return;
  if (callback) callback(notice.receive_micros);
  count.fetch_add(1, std::memory_order_release);
}

BenchNode::BenchNode(const Options& options)
    : output_(LogOutput::Options{.format = LogOutput::Format::kText}, sink_, clock_, registry_),
      logger_(output_, "tests/bench") {
  std::filesystem::create_directories(options.directory);
  const std::string master_key = options.directory + "/master.key";
  if (!std::filesystem::exists(master_key)) Must(keys::CreateMasterKey(master_key));
  keys_ = Must(keys::OpenStoredKeyStore(
      {.directory = options.directory + "/keys", .master_key_file = master_key}, clock_,
      registry_));
  sealer_ = std::make_unique<keys::Sealer>(*keys_, registry_);
  log::EmbeddedLog::Options log_options{.directory = options.directory + "/log",
                                        .topics = hilod::LocalNode::Topics(),
                                        .clock = clock_};
  log_options.metrics = &registry_;
  log_ = Must(log::EmbeddedLog::Open(log_options));
  listeners_.Add(visible_);
  node_ = Must(hilod::LocalNode::Open({.directory = options.directory + "/state",
                                       .cache_bytes = options.cache_megabytes << 20,
                                       .id_key = Must(keys_->IdentifierKey())},
                                      *log_, listeners_, clock_, registry_, logger_));
  intake_ = Must(kit::Intake::Create({}, *log_, *keys_, clock_, registry_));
}

BenchNode::~BenchNode() { Stop(); }

void BenchNode::Stop() {
  intake_.reset();
  if (node_) node_->Stop();
  if (log_) log_->Stop();
}

void BenchNode::OnVisible(std::function<void(int64_t)> callback) {
  visible_.callback = std::move(callback);
}

void BenchNode::AwaitVisible(uint64_t events) const {
  while (visible() < events) std::this_thread::sleep_for(kLookAgain);
}

}  // namespace hilo::bench
