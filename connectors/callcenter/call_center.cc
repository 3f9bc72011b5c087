#include "connectors/callcenter/call_center.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "connectors/callcenter/call_table.h"
#include "connectors/callcenter/caller.h"
#include "connectors/callcenter/routing.h"
#include "connectors/kit/batch_answer.h"
#include "connectors/kit/cloud_events.h"
#include "connectors/kit/event_time.h"
#include "connectors/kit/text.h"
#include "ops/base/metric_names.h"
#include "ops/base/mutex.h"

namespace hilo::callcenter {
namespace {

constexpr std::string_view kTypePrefix = "call.";
constexpr size_t kMaxCallIdBytes = 256;

bool IsStep(std::string_view name) {
  return std::find(std::begin(metric::kCallTypeValues), std::end(metric::kCallTypeValues), name) !=
         std::end(metric::kCallTypeValues);
}

Status Refused(std::string_view reason, std::string_view message) {
  return Error(StatusCode::kInvalidArgument, reason, message);
}

std::string TextOf(kit::json::Value value) {
  return value.IsString() || value.IsNumber() ? std::string(value.Text()) : std::string();
}

std::string HashHex(std::string_view bytes) { return Id<struct CallDigestTag>(Hash(bytes)).Hex(); }

// A call's event, understood but not yet placed.
struct CallEvent {
  kit::IncomingEvent event;
  Step step;
  std::optional<std::string> from;  // nullopt: not said
  std::string key;                  // of the call in the table
};

// A request on its way to its answer.
struct Batch {
  std::shared_ptr<http::Exchange> exchange;
  bool single = true;
  std::vector<std::string> steps;  // of each result, for metrics
  Mutex mutex;
  std::vector<kit::Accepted> results HILO_GUARDED_BY(mutex);
  size_t undecided HILO_GUARDED_BY(mutex) = 0;
};

struct Placed {
  std::shared_ptr<Batch> batch;
  size_t place = 0;
  CallEvent call;
};

struct Parked {
  Placed placed;
  MonotonicTime deadline;
};

// What is to happen once the table's lock is released, in order.
struct Outcomes {
  std::vector<Placed> accept;
  std::vector<std::pair<Placed, Status>> refuse;
};

class RoutedCallCenter final : public CallCenter,
                               public std::enable_shared_from_this<RoutedCallCenter> {
 public:
  RoutedCallCenter(CallCenterOptions options, kit::SourceKeys keys, kit::Intake& intake,
                   const Clock& clock, Registry& registry)
      : options_(std::move(options)),
        keys_(std::move(keys)),
        routing_(options_.agents, options_.queues, options_.ring_time),
        intake_(intake),
        clock_(clock),
        registry_(registry),
        calls_(kMaxCalls, options_.call_lifetime) {}

  void AddRoutes(http::Router& router) override {
    const auto self = shared_from_this();
    router.Add("POST", "/v1/calls/events", [self](std::shared_ptr<http::Exchange> exchange) {
      self->Events(std::move(exchange));
    });
    router.Add("POST", "/v1/calls/{id}/disposition",
               [self](std::shared_ptr<http::Exchange> exchange) {
                 self->Disposition(std::move(exchange));
               });
    router.Add("POST", "/v1/route", [self](const std::shared_ptr<http::Exchange>& exchange) {
      self->Question(*exchange);
    });
  }

  void Expire() override {
    Outcomes outcomes;
    {
      MutexLock lock(mutex_);
      const MonotonicTime now = clock_.Monotonic();
      calls_.Forget(now);
      while (!parked_.empty() && parked_.front().deadline <= now) {
        outcomes.refuse.emplace_back(std::move(parked_.front().placed), OutOfOrder());
        parked_.pop_front();
      }
    }
    CarryOut(std::move(outcomes));
  }

 private:
  static Status OutOfOrder() {
    return Refused(
        "cti_out_of_order",
        "the call is not known; send its first event first, or the caller with each event");
  }

  // Null when the request was refused, and answered.
  const kit::KeyedSource* LetIn(http::Exchange& exchange) const {
    const http::Request& request = exchange.request();
    std::vector<std::string> keys;
    if (const auto header = request.headers.Find("Authorization"))
      keys.push_back(kit::KeyOfAuthorization(*header).value_or(""));
    if (const auto token = request.Query("access_token")) keys.emplace_back(*token);
    const kit::KeyedSource* source = keys_.FindAgreed(keys);
    if (source == nullptr) exchange.Refuse({401, "bad_key", "the key is missing or not valid", {}});
    return source;
  }

  static void Refuse(http::Exchange& exchange, const Status& status) {
    const int code =
        status.code() == StatusCode::kUnimplemented ? 415 : kit::HttpStatusOf(status, {});
    exchange.Refuse(
        {code, Reason(status), std::string(status.message().data(), status.message().size()), {}});
  }

  void Events(std::shared_ptr<http::Exchange> exchange) {
    const kit::KeyedSource* source = LetIn(*exchange);
    if (source == nullptr) return;
    kit::CloudEventsRequest request{.media_type = exchange->request().ContentType(),
                                    .headers = {},
                                    .body = std::move(exchange->mutable_request().body)};
    for (const http::Headers::Field& field : exchange->request().headers) {
      if (kit::AsciiLower(std::string_view(field.name).substr(0, 3)) == "ce-")
        request.headers.emplace_back(field.name, field.value);
    }
    StatusOr<kit::ReadCloudEvents> read = kit::ReadCloudEventsRequest(std::move(request));
    if (!read.ok()) return Refuse(*exchange, read.status());
    std::vector<StatusOr<CallEvent>> calls;
    for (StatusOr<kit::CloudEvent>& event : read->events)
      calls.push_back(ToCall(std::move(event), source->source));
    Take(std::move(exchange), !read->batch, std::move(calls));
  }

  StatusOr<CallEvent> ToCall(StatusOr<kit::CloudEvent> event, const kit::Source& source) const {
    HILO_RETURN_IF_ERROR(event.status());
    const std::string subject = event->subject;
    CallEvent call{.event = kit::ToIncomingEvent(*std::move(event), source, clock_.Wall())};
    if (!std::string_view(call.event.type).starts_with(kTypePrefix) ||
        !IsStep(call.event.type.substr(kTypePrefix.size()))) {
      return Refused(
          "event_type",
          "a call's event is of type call.offered, call.routed, call.queued, call.agent_ringing, "
          "call.agent_failed, call.answered, call.held, call.resumed, call.transferred, "
          "call.abandoned, call.ended, call.wrapup_started, call.disposition or call.transcript");
    }
    call.step.name = call.event.type.substr(kTypePrefix.size());
    HILO_RETURN_IF_ERROR(Complete(subject, call));
    return call;
  }

  // Reads what every way in has in common from the event's properties.
  Status Complete(const std::string& call_id_otherwise, CallEvent& call) const {
    const kit::json::Value data = call.event.properties;
    call.step.call_id = TextOf(data["call_id"]);
    if (call.step.call_id.empty()) call.step.call_id = call_id_otherwise;
    if (call.step.call_id.empty() || call.step.call_id.size() > kMaxCallIdBytes ||
        kit::HasControl(call.step.call_id)) {
      return Refused("cti_call_id", "data needs the call's id in \"call_id\", 1 to 256 bytes");
    }
    call.step.agent = TextOf(data["agent"]);
    call.step.to_agent = TextOf(data["to_agent"]);
    for (const std::string& agent : {call.step.agent, call.step.to_agent}) {
      if (!agent.empty() && !routing_.KnowsAgent(agent)) {
        return Refused("cti_agent_unknown", "no agent of this name is configured");
      }
    }
    if (call.step.name == "transferred" && !call.step.agent.empty() &&
        call.step.agent == call.step.to_agent) {
      return Refused("cti_transfer_to_self",
                     "a call cannot be transferred to the agent who has it");
    }
    if (const kit::json::Value from = data["from"]; from.IsString() || from.IsNumber())
      call.from = from.Text();
    call.key = call.event.source.name + '\n' + call.step.call_id;
    call.event.channel = v1::CHANNEL_CALL;
    call.event.assurance = v1::ASSURANCE_CLAIMED;
    call.event.call = kit::RawCall{
        .call_id = call.step.call_id,
        .step = call.step.name,
        // After a transfer the call is with the other one.
        .agent = call.step.name == "transferred" && !call.step.to_agent.empty() ? call.step.to_agent
                                                                                : call.step.agent,
        .queue = TextOf(data["queue"]),
        .disposition = TextOf(data["disposition"])};
    return CorrectClock(call.event);
  }

  // A switch whose clock is off is ordered by arrival.
  static Status CorrectClock(kit::IncomingEvent& event) {
    if (!event.time) return OkStatus();
    const auto time = kit::ParseTime(*event.time);
    if (!time) return Refused("bad_time", "a time must be ISO 8601, as 2026-03-01T10:00:00.000Z");
    if (*time < event.received - kMaxClockError || *time > event.received + kMaxClockError)
      event.time.reset();
    return OkStatus();
  }

  void Disposition(std::shared_ptr<http::Exchange> exchange) {
    const kit::KeyedSource* source = LetIn(*exchange);
    if (source == nullptr) return;
    const std::string call_id(exchange->request().Parameter("id").value_or(""));
    auto document = kit::json::Document::Parse(std::move(exchange->mutable_request().body));
    if (!document.ok()) return Refuse(*exchange, document.status());
    CallEvent call{.event = {.source = source->source,
                             .type = "call.disposition",
                             .received = clock_.Wall(),
                             .document = *document,
                             .properties = (*document)->root()},
                   .step = {.name = "disposition"}};
    Status status = Complete(call_id, call);
    call.event.call->disposition = TextOf(call.event.properties["code"]);
    if (status.ok() && call.event.call->disposition.empty()) {
      status = Refused("cti_disposition", "a disposition needs its \"code\"");
    }
    if (status.ok() && call.step.call_id != call_id) {
      status = Refused("cti_call_id", "the body names another call than the path");
    }
    if (!status.ok()) return Refuse(*exchange, status);
    call.event.body = "disposition\n" + call_id + '\n';
    call.event.properties.Write(call.event.body);
    call.event.id = "disposition:" + HashHex(call.event.body);
    std::vector<StatusOr<CallEvent>> calls;
    calls.push_back(std::move(call));
    Take(std::move(exchange), true, std::move(calls));
  }

  void Take(std::shared_ptr<http::Exchange> exchange, bool single,
            std::vector<StatusOr<CallEvent>> calls) {
    auto batch = std::make_shared<Batch>();
    batch->exchange = std::move(exchange);
    batch->single = single;
    for (const auto& call : calls) batch->steps.push_back(call.ok() ? call->step.name : "");
    {
      MutexLock lock(batch->mutex);
      batch->results.resize(calls.size());
      batch->undecided = calls.size();
    }
    if (calls.empty()) return Answer(*batch);
    Outcomes outcomes;
    {
      MutexLock lock(mutex_);
      for (size_t i = 0; i < calls.size(); ++i) {
        if (calls[i].ok()) {
          Place({batch, i, *std::move(calls[i])}, outcomes);
        } else {
          outcomes.refuse.push_back({Placed{batch, i, {}}, calls[i].status()});
        }
      }
    }
    CarryOut(std::move(outcomes));
  }

  // Accepts, refuses or parks an event, and lets go what waited for it.
  void Place(Placed placed, Outcomes& outcomes) HILO_REQUIRES(mutex_) {
    const MonotonicTime now = clock_.Monotonic();
    CallEvent& call = placed.call;
    CallTable::Call* known = calls_.Find(call.key);
    if (known == nullptr) {
      // An offered call without a caller is one whose caller withholds it.
      if (!call.from && call.step.name != "offered") {
        if (parked_.size() < kMaxParked) {
          parked_.push_back({std::move(placed), now + options_.patience});
        } else {
          outcomes.refuse.emplace_back(std::move(placed), OutOfOrder());
        }
        return;
      }
      known = &calls_.Begin(
          call.key, IdentifiersOf(call.from.value_or(""), call.step.call_id, call.event.source),
          now);
    } else if (Status status = CallTable::Check(*known, call.step.name); !status.ok()) {
      outcomes.refuse.emplace_back(std::move(placed), std::move(status));
      return;
    }
    AddIdentifiers(*known, call.event);
    calls_.Apply(call.key, call.step, now);
    const std::string key = call.key;
    outcomes.accept.push_back(std::move(placed));
    Release(key, outcomes);
  }

  // What the caller's number says, then what the switch has learned besides (an IVR asked for a
  // customer number).
  static void AddIdentifiers(const CallTable::Call& call, kit::IncomingEvent& event) {
    event.identifiers.insert(event.identifiers.begin(), call.identifiers.begin(),
                             call.identifiers.end());
  }

  void Release(const std::string& key, Outcomes& outcomes) HILO_REQUIRES(mutex_) {
    std::vector<Placed> waiting;
    for (auto it = parked_.begin(); it != parked_.end();) {
      if (it->placed.call.key == key) {
        waiting.push_back(std::move(it->placed));
        it = parked_.erase(it);
      } else {
        ++it;
      }
    }
    for (Placed& placed : waiting) Place(std::move(placed), outcomes);
  }

  void CarryOut(Outcomes outcomes) {
    for (auto& [placed, status] : outcomes.refuse) {
      kit::Accepted result;
      result.status = status;
      Decide(*placed.batch, placed.place, std::move(result));
    }
    if (outcomes.accept.empty()) return;
    std::vector<kit::IncomingEvent> events;
    std::vector<std::pair<std::shared_ptr<Batch>, size_t>> places;
    for (Placed& placed : outcomes.accept) {
      events.push_back(std::move(placed.call.event));
      places.emplace_back(std::move(placed.batch), placed.place);
    }
    intake_.Accept(std::move(events),
                   [self = shared_from_this(), places](std::vector<kit::Accepted> accepted) {
                     for (size_t i = 0; i < accepted.size(); ++i)
                       self->Decide(*places[i].first, places[i].second, std::move(accepted[i]));
                   });
  }

  void Decide(Batch& batch, size_t place, kit::Accepted result) {
    Count(batch.steps[place], result);
    bool last;
    {
      MutexLock lock(batch.mutex);
      batch.results[place] = std::move(result);
      last = --batch.undecided == 0;
    }
    if (last) Answer(batch);
  }

  void Count(const std::string& step, const kit::Accepted& result) {
    const StatusCode code = result.status.code();
    const std::string_view outcome =
        result.status.ok() ? (result.repeated ? "duplicate" : "accepted")
        : code == StatusCode::kInvalidArgument || code == StatusCode::kAlreadyExists
            ? "rejected"
            : "unavailable";
    registry_.Get(metric::kCallEvents, {step, outcome}).Increment();
    if (outcome == "rejected") {
      registry_.Get(metric::kCallRejected, {Reason(result.status)}).Increment();
    }
  }

  void Answer(Batch& batch) {
    MutexLock lock(batch.mutex);
    const std::string& request_id = batch.exchange->request().request_id;
    kit::BatchAnswer answer = batch.single
                                  ? kit::AnswerOne(batch.results.front(), intake_, request_id)
                                  : kit::AnswerBatch(batch.results, intake_, request_id);
    http::Response response{.status = answer.status, .body = std::move(answer.body)};
    response.headers.Set("Content-Type", "application/json");
    response.headers.Set("Cache-Control", "no-store");
    if (answer.retry_after_seconds)
      response.headers.Set("Retry-After", std::to_string(*answer.retry_after_seconds));
    batch.exchange->Respond(std::move(response));
  }

  // The routing question. It is answered from memory; that it was asked and answered goes into the
  // log by the way.
  void Question(http::Exchange& exchange) {
    const kit::KeyedSource* source = LetIn(exchange);
    if (source == nullptr) return;
    auto document = kit::json::Document::Parse(std::move(exchange.mutable_request().body));
    if (!document.ok()) return Refuse(exchange, document.status());
    CallEvent offered{.event = {.source = source->source,
                                .type = "call.offered",
                                .received = clock_.Wall(),
                                .document = *document,
                                .properties = (*document)->root()},
                      .step = {.name = "offered"}};
    if (Status status = Complete({}, offered); !status.ok()) return Refuse(exchange, status);
    std::vector<kit::IncomingEvent> events;
    std::string answer;
    {
      MutexLock lock(mutex_);
      answer = DecideRoute(std::move(offered), events);
    }
    http::Response response{.status = 200, .body = std::move(answer)};
    response.headers.Set("Content-Type", "application/json");
    response.headers.Set("Cache-Control", "no-store");
    exchange.Respond(std::move(response));
    if (events.empty()) return;
    std::vector<std::string> steps;
    steps.reserve(events.size());
    for (const kit::IncomingEvent& event : events) steps.push_back(event.call->step);
    intake_.Accept(std::move(events),
                   [self = shared_from_this(), steps](std::vector<kit::Accepted> accepted) {
                     for (size_t i = 0; i < accepted.size(); ++i)
                       self->Count(steps[i], accepted[i]);
                   });
  }

  // A question that comes again, as SIP sends its INVITEs, gets the first answer.
  std::string DecideRoute(CallEvent offered, std::vector<kit::IncomingEvent>& events)
      HILO_REQUIRES(mutex_) {
    const MonotonicTime now = clock_.Monotonic();
    CallTable::Call* call = calls_.Find(offered.key);
    if (call != nullptr && !call->route_answer.empty()) return call->route_answer;
    const bool fresh = call == nullptr;
    if (fresh) {
      call = &calls_.Begin(
          offered.key,
          IdentifiersOf(offered.from.value_or(""), offered.step.call_id, offered.event.source),
          now);
    }
    const std::string digest = HashHex(offered.key);
    const std::string decision_id = digest.substr(0, 16);
    const Route route = routing_.Decide(TextOf(offered.event.properties["to"]), calls_);
    call->route_answer = routing_.ToJson(route, decision_id);

    kit::IncomingEvent routed = offered.event;
    offered.event.id = "offered:" + digest;
    offered.event.body = "offered\n" + digest;
    offered.event.call->queue = route.queue;
    routed.type = "call.routed";
    routed.id = "routed:" + digest;
    routed.body = "routed\n" + digest;
    routed.call->step = "routed";
    routed.call->queue = route.queue;
    if (auto decision = kit::json::Document::Parse(DecisionJson(route, decision_id));
        decision.ok()) {
      routed.document = *decision;
      routed.properties = (*decision)->root();
    }
    AddIdentifiers(*call, offered.event);
    AddIdentifiers(*call, routed);
    if (fresh) events.push_back(std::move(offered.event));
    events.push_back(std::move(routed));
    return call->route_answer;
  }

  static std::string DecisionJson(const Route& route, const std::string& decision_id) {
    std::string agents;
    for (const Agent& agent : route.agents)
      agents += (agents.empty() ? "" : ",") + kit::JsonString(agent.name);
    return R"({"decision_id":)" + kit::JsonString(decision_id) + R"(,"queue":)" +
           kit::JsonString(route.queue) + R"(,"skill":)" + kit::JsonString(route.skill) +
           R"(,"reason":)" + kit::JsonString(route.reason) + R"(,"agents":[)" + agents + "]}";
  }

  const CallCenterOptions options_;
  const kit::SourceKeys keys_;
  const Routing routing_;
  kit::Intake& intake_;
  const Clock& clock_;
  Registry& registry_;

  Mutex mutex_;
  CallTable calls_ HILO_GUARDED_BY(mutex_);
  std::deque<Parked> parked_ HILO_GUARDED_BY(mutex_);  // by deadline, as all wait equally long
};

}  // namespace

StatusOr<std::shared_ptr<CallCenter>> CallCenter::Create(CallCenterOptions options,
                                                         kit::Intake& intake, const Clock& clock,
                                                         Registry& registry) {
  HILO_RETURN_IF_ERROR(CheckRouting(options.agents, options.queues));
  HILO_ASSIGN_OR_RETURN(kit::SourceKeys keys, kit::SourceKeys::Create(options.sources));
  return std::shared_ptr<CallCenter>(std::make_shared<RoutedCallCenter>(
      std::move(options), std::move(keys), intake, clock, registry));
}

}  // namespace hilo::callcenter
