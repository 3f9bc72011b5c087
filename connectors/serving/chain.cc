#include "connectors/serving/chain.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "connectors/serving/access.h"
#include "connectors/serving/wire_error.h"
#include "ops/base/metric_names.h"

namespace hilo::serving {
namespace {

constexpr std::string_view kBearer = "Bearer ";

std::optional<std::string_view> TokenOf(std::optional<std::string_view> authorization) {
  if (!authorization || authorization->size() <= kBearer.size()) return std::nullopt;
  for (size_t i = 0; i < kBearer.size(); ++i) {
    if ((static_cast<unsigned char>((*authorization)[i]) | 0x20) !=
        (static_cast<unsigned char>(kBearer[i]) | 0x20)) {
      return std::nullopt;
    }
  }
  return authorization->substr(kBearer.size());
}

Status TokenInvalid() {
  return Error(StatusCode::kUnauthenticated, "token_invalid",
               "the call has no valid token; send 'authorization: Bearer <token>'");
}

struct Labels {
  std::string_view type;
  std::string_view service;
  std::string_view name;
};

// Of "/service/name".
Labels LabelsOf(std::string_view method, bool stream) {
  const size_t slash = method.rfind('/');
  return {.type = stream ? "server_stream" : "unary",
          .service = method.substr(1, slash - 1),
          .name = method.substr(slash + 1)};
}

// Counts a stream when it ends.
class CountedSink final : public MessageSink {
 public:
  CountedSink(std::shared_ptr<MessageSink> sink, std::function<void(StatusCode)> ended)
      : sink_(std::move(sink)), ended_(std::move(ended)) {}
  Result Send(const google::protobuf::Message& message) override { return sink_->Send(message); }
  void Finish(const Status& status) override {
    ended_(status.code());
    sink_->Finish(status);
  }
  void OnWritable(std::function<void()> callback) override {
    sink_->OnWritable(std::move(callback));
  }
  void OnClosed(std::function<void()> callback) override { sink_->OnClosed(std::move(callback)); }

 private:
  const std::shared_ptr<MessageSink> sink_;
  const std::function<void(StatusCode)> ended_;
};

}  // namespace

// Looking a metric up by its labels costs as much as a small call does.
struct Chain::Figures {
  static constexpr size_t kCodes = 17;  // of absl::StatusCode
  explicit Figures(Histogram& seconds) : seconds(seconds) {}
  Histogram& seconds;
  std::array<std::atomic<Counter*>, kCodes> handled{};  // null until the first call that ended so
};

Chain::Chain(Options options) : options_(options) {
  for (const auto& [method, endpoint] : options_.endpoints.All()) {
    const Labels labels = LabelsOf(method, endpoint.stream != nullptr);
    figures_.emplace(
        method, std::make_unique<Figures>(options_.registry.Get(
                    metric::kGrpcHandlingSeconds, {labels.type, labels.service, labels.name})));
  }
}

Chain::~Chain() = default;

StatusOr<Chain::Admitted> Chain::Admit(const Incoming& incoming) const {
  auto admitted = AdmitUncounted(incoming);
  if (!admitted.ok()) CountRefused(incoming.method, admitted.status());
  return admitted;
}

StatusOr<Chain::Admitted> Chain::AdmitUncounted(const Incoming& incoming) const {
  const auto token = TokenOf(incoming.authorization);
  const Principal* principal = token ? options_.principals.Find(*token) : nullptr;
  if (principal == nullptr) return TokenInvalid();
  if (!principal->space.empty() && principal->space != options_.space) return NotPermitted();
  const Endpoint* endpoint = options_.endpoints.Find(incoming.method);
  if (endpoint == nullptr) {
    return Error(StatusCode::kUnimplemented, "method_unknown",
                 "this server has no such method; ask reflection which there are");
  }
  const MethodRights* rights = RightsOf(incoming.method);
  if (!MayCall(rights, principal->role)) return NotPermitted();
  MonotonicTime deadline = MonotonicTime::max();
  if (endpoint->unary) {
    std::chrono::microseconds timeout = kDefaultDeadline;
    if (incoming.timeout)
      timeout = std::min<std::chrono::microseconds>(*incoming.timeout, kMaxDeadline);
    if (timeout <= std::chrono::microseconds::zero()) {
      return Error(StatusCode::kDeadlineExceeded, "deadline_passed",
                   "the deadline had passed before the call began");
    }
    deadline = options_.clock.Monotonic() + timeout;
  }
  return Admitted{
      std::make_shared<Call>(*rights, *principal, deadline, incoming.request_id, options_.audit),
      endpoint};
}

void Chain::Run(const Admitted& admitted, std::unique_ptr<google::protobuf::Message> request,
                AnyDone done) const {
  const MonotonicTime began = options_.clock.Monotonic();
  const std::shared_ptr<Call> call = admitted.call;
  AnyDone counted = [this, call, began, done = std::move(done)](Status status,
                                                                AnyResponse response) {
    const bool must_be_audited = call->touch() == Touch::kView || call->touch() == Touch::kWrite;
    if (status.ok() && must_be_audited && !call->Audited()) {
      status = Error(StatusCode::kInternal, "not_audited",
                     "the answer is withheld, as its handler left nothing in the audit");
      response = {};
    }
    Count(call->method(), false, status.code(), began);
    done(std::move(status), std::move(response));
  };
  if (Status known = CheckKnown(*request); !known.ok()) return counted(std::move(known), {});
  admitted.endpoint->unary(call, std::move(request), std::move(counted));
}

void Chain::Run(const Admitted& admitted, std::unique_ptr<google::protobuf::Message> request,
                std::shared_ptr<MessageSink> sink) const {
  const MonotonicTime began = options_.clock.Monotonic();
  const std::shared_ptr<Call> call = admitted.call;
  auto counted = std::make_shared<CountedSink>(
      std::move(sink),
      [this, call, began](StatusCode code) { Count(call->method(), true, code, began); });
  if (Status known = CheckKnown(*request); !known.ok()) return counted->Finish(known);
  admitted.endpoint->stream(call, std::move(request), std::move(counted));
}

void Chain::CountRefused(std::string_view method, const Status& status) const {
  const Endpoint* endpoint = options_.endpoints.Find(method);
  Count(endpoint == nullptr ? "/unknown/unknown" : method, endpoint != nullptr && endpoint->stream,
        status.code(), options_.clock.Monotonic());
}

void Chain::Count(std::string_view method, bool stream, StatusCode code,
                  MonotonicTime began) const {
  const Labels labels = LabelsOf(method, stream);
  const auto lasted = options_.clock.Monotonic() - began;
  const auto handled = [&]() -> Counter& {
    return options_.registry.Get(metric::kGrpcHandled,
                                 {labels.type, labels.service, labels.name, MetricCodeName(code)});
  };
  const auto found = figures_.find(method);
  const auto place = static_cast<size_t>(code);
  if (found == figures_.end() || place >= Figures::kCodes) {
    handled().Increment();
    options_.registry.Get(metric::kGrpcHandlingSeconds, {labels.type, labels.service, labels.name})
        .Observe(lasted);
    return;
  }
  std::atomic<Counter*>& counter = found->second->handled[place];
  if (counter.load(std::memory_order_acquire) == nullptr) {
    counter.store(&handled(), std::memory_order_release);
  }
  counter.load(std::memory_order_acquire)->Increment();
  found->second->seconds.Observe(lasted);
}

}  // namespace hilo::serving
