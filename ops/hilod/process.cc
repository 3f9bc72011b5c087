#include "ops/hilod/process.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <random>
#include <utility>

#include "connectors/callcenter/call_center.h"
#include "connectors/desk/desk.h"
#include "connectors/http/server.h"
#include "connectors/http/tls.h"
#include "connectors/kit/intake.h"
#include "connectors/serving/catalogue_in_force.h"
#include "connectors/serving/chain.h"
#include "connectors/serving/connect_gateway.h"
#include "connectors/serving/context_cache.h"
#include "connectors/serving/contexts.h"
#include "connectors/serving/endpoints.h"
#include "connectors/serving/grpc_server.h"
#include "connectors/serving/hub.h"
#include "connectors/serving/services.h"
#include "connectors/web/web.h"
#include "ops/audit/audit.h"
#include "ops/base/logger.h"
#include "ops/base/metric_names.h"
#include "ops/base/thread.h"
#include "ops/hilod/health.h"
#include "ops/hilod/local_node.h"
#include "ops/hilod/outbound.h"
#include "ops/keys/master_key.h"
#include "ops/keys/sealer.h"
#include "ops/keys/signer.h"
#include "ops/keys/stored_key_store.h"
#include "streams/customer/catalogue_rows.h"
#include "streams/decide/decider.h"
#include "streams/decide/propensities.h"

namespace hilo::hilod {
namespace {

// How far a partition may be behind while the node says that it is ready.
constexpr int64_t kReadyLag = 10'000;
constexpr std::chrono::milliseconds kBeat{
    10};  // of the housekeeping thread: ends waits whose deadline has passed
constexpr int kBeatsASecond = 100;

// Counts what the HTTP server tells.
class HttpMetrics final : public http::Observer {
 public:
  explicit HttpMetrics(Registry& registry) : registry_(registry) {}
  void OnRequest(std::string_view route, int status, double) override {
    registry_.Get(metric::kHttpRequests, {route.empty() ? "none" : route, std::to_string(status)})
        .Increment();
  }
  void OnRefused(std::string_view code) override {
    registry_.Get(metric::kHttpRefused, {code}).Increment();
  }

 private:
  Registry& registry_;
};

LogOutput::Format FormatOf(const std::string& setting) {
  if (setting == "json") return LogOutput::Format::kJson;
  if (setting == "text") return LogOutput::Format::kText;
  return LogOutput::FormatFor(2);
}

class LocalProcess final : public Process {
 public:
  explicit LocalProcess(const Settings& settings)
      : settings_(settings),
        sink_(2),
        output_(LogOutput::Options{.format = FormatOf(settings.log_format)}, sink_, clock_,
                registry_),
        logger_(output_, "ops/hilod"),
        http_metrics_(registry_),
        messages_(registry_) {}
  ~LocalProcess() override {
    Stop();
    if (lock_ >= 0) ::close(lock_);
  }

  Status Build() {
    registry_.SetInfo(metric::kBuildInfo, {kVersion});
    HILO_RETURN_IF_ERROR(OpenSecrets());
    HILO_RETURN_IF_ERROR(OpenState());
    HILO_RETURN_IF_ERROR(OpenServing());
    node_->Start();
    decider_->Start();
    outbound_->Start();
    keeper_ = StartThread("housekeeping", [this](const std::stop_token& stop) { Keep(stop); });
    HILO_RETURN_IF_ERROR(OpenServers());
    grpc_->SetServing(true);
    return OkStatus();
  }

  uint16_t HttpPort() const override { return http_->Port(); }
  uint16_t GrpcPort() const override { return grpc_->Port(); }

  void Stop() override {
    if (stopped_) return;
    stopped_ = true;
    if (grpc_ != nullptr) grpc_->SetServing(false);
    if (hub_ != nullptr) hub_->Stop();
    if (http_ != nullptr) http_->Stop();
    if (grpc_ != nullptr) grpc_->Stop();
    // While commands are still answered.
    if (outbound_ != nullptr) outbound_->Stop();
    if (decider_ != nullptr) decider_->Stop();
    // It looks after all that follows, and no call waits any more.
    if (keeper_.joinable()) {
      keeper_.request_stop();
      keeper_.join();
    }
    intake_.reset();
    if (node_ != nullptr) node_->Stop();
    slow_worker_.reset();
    worker_.reset();
    if (log_ != nullptr) log_->Stop();
    audit_.reset();
  }

 private:
  Status OpenSecrets() {
    if (::mkdir(settings_.data_directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return Error(StatusCode::kFailedPrecondition, "config_invalid",
                   "data_directory: it cannot be made; is its parent there?");
    }
    HILO_RETURN_IF_ERROR(LockDirectory());
    struct stat info {};
    if (::stat(settings_.master_key_file.c_str(), &info) != 0) {
      HILO_RETURN_IF_ERROR(keys::CreateMasterKey(settings_.master_key_file));
    }
    HILO_ASSIGN_OR_RETURN(keys_,
                          keys::OpenStoredKeyStore({.directory = settings_.data_directory + "/keys",
                                                    .master_key_file = settings_.master_key_file},
                                                   clock_, registry_));
    sealer_ = std::make_unique<keys::Sealer>(*keys_, registry_);
    HILO_ASSIGN_OR_RETURN(const HashKey seed, keys_->PurposeKey("audit"));
    signer_ = std::make_unique<keys::Signer>(seed);
    HILO_ASSIGN_OR_RETURN(
        audit_,
        audit::Audit::Open({.path = settings_.data_directory + "/audit.jsonl", .heads_path = ""},
                           *signer_, clock_, logger_.Named("ops/audit"), registry_));
    if (settings_.principals_file.empty()) {
      principals_ = serving::Principals::FromTokens({});
      return OkStatus();
    }
    HILO_ASSIGN_OR_RETURN(principals_, serving::Principals::Load(settings_.principals_file));
    return OkStatus();
  }

  // One node a directory; the lock goes with the process, however it ends.
  Status LockDirectory() {
    const std::string path = settings_.data_directory + "/lock";
    lock_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (lock_ >= 0 && ::flock(lock_, LOCK_EX | LOCK_NB) == 0) return OkStatus();
    return Error(StatusCode::kFailedPrecondition, "data_directory_in_use",
                 "data_directory: another node runs on it, or it cannot be written");
  }

  Status OpenState() {
    log::EmbeddedLog::Options options{.directory = settings_.data_directory + "/log",
                                      .topics = LocalNode::Topics(),
                                      .clock = clock_};
    options.metrics = &registry_;
    HILO_ASSIGN_OR_RETURN(log_, log::EmbeddedLog::Open(options));
    HILO_ASSIGN_OR_RETURN(const HashKey id_key, keys_->IdentifierKey());
    HILO_ASSIGN_OR_RETURN(node_, LocalNode::Open({.directory = settings_.data_directory + "/state",
                                                  .cache_bytes = settings_.cache_megabytes << 20,
                                                  .id_key = id_key},
                                                 *log_, listeners_, clock_, registry_,
                                                 logger_.Named("streams/fold")));
    return OkStatus();
  }

  Status OpenServing() {
    HILO_ASSIGN_OR_RETURN(intake_, kit::Intake::Create({}, *log_, *keys_, clock_, registry_));
    catalogue_ = std::make_unique<serving::CatalogueInForce>(
        registry_, [this](std::shared_ptr<const catalogue::Catalogue> next) {
          intake_->UseCatalogue(std::move(next));
        });
    HILO_RETURN_IF_ERROR(catalogue_->OfferFrom(node_->CustomersStore(0)));
    catalogue_->ReadPastFrom([this](uint64_t past) {
      return customer::ReadCatalogueRevision(node_->CustomersStore(0), past);
    });
    commands_ = command::Commands::Create({.topic = "customers",
                                           .partitions = LocalNode::kCustomerPartitions,
                                           .registry = &registry_},
                                          *log_, clock_, [this](uint32_t partition) {
                                            return node_->View({"customers", partition});
                                          });
    context_cache_ = std::make_unique<serving::ContextCache>(serving::ContextCache::Options{},
                                                             *keys_, registry_);
    contexts_ =
        std::make_unique<serving::Contexts>(serving::Contexts::Options{.node = *node_,
                                                                       .sealer = *sealer_,
                                                                       .catalogue = *catalogue_,
                                                                       .cache = *context_cache_,
                                                                       .clock = clock_,
                                                                       .registry = registry_});
    worker_ = std::make_unique<serving::Worker>();
    slow_worker_ = std::make_unique<serving::Worker>();
    hub_ = std::make_unique<serving::Hub>(
        serving::Hub::Options{.node = *node_,
                              .sealer = *sealer_,
                              .catalogue = *catalogue_,
                              .worker = *worker_,
                              .clock = clock_,
                              .registry = registry_,
                              .partitions = LocalNode::kCustomerPartitions});
    listeners_.Add(*commands_);
    listeners_.Add(*hub_);
    HILO_RETURN_IF_ERROR(OpenDeciding());
    listeners_.OnCatalogueDo([this](const log::TopicPartition& of) {
      if (Status offered = catalogue_->OfferFrom(node_->CustomersStore(of.partition));
          !offered.ok())
        logger_.Error("catalogue not switched", {{"partition", of.partition}, {"cause", offered}});
    });
    HILO_ASSIGN_OR_RETURN(const HashKey content_key, keys_->PurposeKey("content"));
    const serving::Parts parts{.node = *node_,
                               .sealer = *sealer_,
                               .intake = *intake_,
                               .commands = *commands_,
                               .log = *log_,
                               .catalogue = *catalogue_,
                               .contexts = *contexts_,
                               .hub = *hub_,
                               .worker = *worker_,
                               .slow_worker = *slow_worker_,
                               .clock = clock_,
                               .registry = registry_,
                               .propensities = *propensities_,
                               .seed = [this] { return Seed(); },
                               .views = registry_.Get(metric::kViews),
                               .content_key = content_key,
                               .default_region = settings_.default_region};
    serving::AddCustomerReads(parts, endpoints_);
    serving::AddCustomerWrites(parts, endpoints_);
    serving::AddDecisionService(parts, endpoints_);
    serving::AddDeskService(parts, endpoints_);
    serving::AddEventService(parts, endpoints_);
    serving::AddCatalogueService(parts, endpoints_);
    serving::AddOperationsService(parts, endpoints_);
    chain_ = std::make_unique<serving::Chain>(
        serving::Chain::Options{.endpoints = endpoints_,
                                .principals = *principals_,
                                .audit = audit_.get(),
                                .clock = clock_,
                                .registry = registry_,
                                .logger = logger_.Named("connectors/serving"),
                                .space = settings_.space});
    return OkStatus();
  }

  // What is due is decided here, and what was decided is sent from here.
  Status OpenDeciding() {
    const auto store = [this](uint32_t partition) -> const store::Store& {
      return node_->CustomersStore(partition);
    };
    propensities_ =
        std::make_unique<decide::Propensities>(LocalNode::kCustomerPartitions, store, clock_);
    decider_ = decide::Decider::Create({.log = *log_,
                                        .partitions = LocalNode::kCustomerPartitions,
                                        .store = store,
                                        .view =
                                            [this](uint32_t partition) {
                                              return node_->View({"customers", partition});
                                            },
                                        .catalogue = [this] { return catalogue_->Get().catalogue; },
                                        .propensities = *propensities_,
                                        .seed = [this] { return Seed(); },
                                        .registry = registry_,
                                        .logger = logger_.Named("streams/decide")});
    listeners_.Add(*decider_);
    listeners_.Add(messages_);
    HILO_ASSIGN_OR_RETURN(
        outbound_, Outbound::Open(settings_, {.log = *log_,
                                              .commands = *commands_,
                                              .keys = *keys_,
                                              .sealer = *sealer_,
                                              .catalogue = *catalogue_,
                                              .clock = clock_,
                                              .registry = registry_,
                                              .logger = logger_,
                                              .partitions = LocalNode::kCustomerPartitions}));
    return OkStatus();
  }

  uint64_t Seed() {
    const std::lock_guard lock(seed_mutex_);
    return (uint64_t{random_()} << 32) | random_();
  }

  Status OpenServers() {
    http::Router router;
    AddHealth(
        {{"folds", [this] { return node_->NotReadyReason(kReadyLag); }},
         {"log", [this] { return log_->Failure().ok() ? "" : Describe(log_->Failure()); }},
         {"disk", [this] { return log_->CheckIntake().ok() ? "" : Describe(log_->CheckIntake()); }},
         {"intake", [this] { return intake_->PausedReason(); }},
         {"outbound", [this] { return outbound_->NotReadyReason(); }}},
        registry_, router);
    serving::AddConnectRoutes(*chain_, endpoints_, router);
    HILO_ASSIGN_OR_RETURN(
        web_, web::Web::Create({.sources = Sources(),
                                .analytics_js_directory = settings_.analytics_js_directory,
                                .rate_per_address = {settings_.http_events_per_second_per_address,
                                                     settings_.http_events_burst_per_address}},
                               *intake_, clock_, registry_));
    web_->AddRoutes(router);
    HILO_ASSIGN_OR_RETURN(auto call_center, callcenter::CallCenter::Create(
                                                CallCenterSettings(), *intake_, clock_, registry_));
    call_center->AddRoutes(router);
    outbound_->AddRoutes(router);
    call_center_.store(call_center);
    if (!settings_.desk_directory.empty()) {
      HILO_RETURN_IF_ERROR(desk::AddDesk({.page_directory = settings_.desk_directory}, router));
    }
    http::ServerOptions options;
    options.address = settings_.http_address;
    options.port = settings_.http_port;
    options.threads = static_cast<int>(settings_.http_threads);
    options.tls_certificate_file = settings_.http_tls_certificate_file;
    options.tls_key_file = settings_.http_tls_key_file;
    options.observer = &http_metrics_;
    if (!settings_.grpc_tls_certificate_file.empty()) {
      HILO_RETURN_IF_ERROR(
          http::LoadTls(settings_.grpc_tls_certificate_file, settings_.grpc_tls_key_file).status());
    }
    HILO_ASSIGN_OR_RETURN(http_, http::Server::Create(options, std::move(router)));
    HILO_ASSIGN_OR_RETURN(grpc_, serving::GrpcServer::Create(
                                     {.address = settings_.grpc_address,
                                      .tls_certificate_file = settings_.grpc_tls_certificate_file,
                                      .tls_key_file = settings_.grpc_tls_key_file,
                                      .reflection = settings_.grpc_reflection},
                                     *chain_, endpoints_));
    return OkStatus();
  }

  std::vector<kit::KeyedSource> Sources() const {
    std::vector<kit::KeyedSource> sources;
    for (const SourceSettings& source : settings_.sources) {
      kit::KeyedSource keyed;
      keyed.source = {source.name, source.default_region, source.group_kind, source.rank};
      keyed.key = source.write_key;
      keyed.origins = source.origins;
      keyed.rate = {source.events_per_second, source.events_burst};
      sources.push_back(std::move(keyed));
    }
    return sources;
  }

  callcenter::CallCenterOptions CallCenterSettings() const {
    callcenter::CallCenterOptions options;
    options.sources = Sources();
    for (const AgentSettings& agent : settings_.agents)
      options.agents.push_back({agent.name, agent.uri, agent.skills});
    for (const QueueSettings& queue : settings_.queues) {
      options.queues.push_back({queue.name, queue.numbers, queue.skill, queue.priority});
    }
    return options;
  }

  // What has to happen again and again: deadlines, heartbeats, gauges, and slowing intake before
  // something is full.
  void Keep(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    for (int beat = 0; !stop.stop_requested(); beat = (beat + 1) % kBeatsASecond) {
      commands_->Expire();
      if (const auto call_center = call_center_.load(); call_center != nullptr && beat % 10 == 0)
        call_center->Expire();
      if (beat == 0) {
        hub_->Beat();
        node_->UpdateGauges();
        outbound_->UpdateGauges();
        PauseWhen(node_->OutboxFull(), "outbox_full");
        PauseWhen(!log_->CheckIntake().ok(), "disk_full");
      }
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, kBeat, [] { return false; });
    }
  }

  void PauseWhen(bool condition, std::string_view reason) {
    const bool paused = intake_->PausedReason() == reason;
    if (condition && !paused) intake_->Pause(reason);
    if (!condition && paused) intake_->Resume(reason);
  }

  const Settings settings_;
  SystemClock clock_;
  Registry registry_;
  DescriptorSink sink_;
  LogOutput output_;
  Logger logger_;
  HttpMetrics http_metrics_;
  MessageCounter messages_;
  std::unique_ptr<keys::KeyStore> keys_;
  std::unique_ptr<keys::Sealer> sealer_;
  std::unique_ptr<keys::Signer> signer_;
  std::unique_ptr<audit::Audit> audit_;
  std::unique_ptr<serving::Principals> principals_;
  std::unique_ptr<log::EmbeddedLog> log_;
  Listeners listeners_;
  std::unique_ptr<LocalNode> node_;
  std::unique_ptr<kit::Intake> intake_;
  std::unique_ptr<serving::CatalogueInForce> catalogue_;
  std::unique_ptr<command::Commands> commands_;
  std::unique_ptr<serving::ContextCache> context_cache_;
  std::unique_ptr<serving::Contexts> contexts_;
  std::unique_ptr<serving::Worker> worker_;
  std::unique_ptr<serving::Worker> slow_worker_;
  std::unique_ptr<serving::Hub> hub_;
  std::unique_ptr<decide::Propensities> propensities_;
  std::unique_ptr<decide::Decider> decider_;
  std::unique_ptr<Outbound> outbound_;
  std::mutex seed_mutex_;
  std::random_device random_;
  serving::Endpoints endpoints_;
  std::unique_ptr<serving::Chain> chain_;
  std::shared_ptr<web::Web> web_;
  std::atomic<std::shared_ptr<callcenter::CallCenter>>
      call_center_;  // built after the housekeeping thread runs
  std::unique_ptr<http::Server> http_;
  std::unique_ptr<serving::GrpcServer> grpc_;
  std::jthread keeper_;
  int lock_ = -1;
  bool stopped_ = false;
};

}  // namespace

StatusOr<std::unique_ptr<Process>> Process::Start(const Settings& settings) {
  auto process = std::make_unique<LocalProcess>(settings);
  HILO_RETURN_IF_ERROR(process->Build());
  return process;
}

}  // namespace hilo::hilod
