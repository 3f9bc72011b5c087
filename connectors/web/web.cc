#include "connectors/web/web.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <utility>

#include "connectors/kit/batch_answer.h"
#include "connectors/kit/cloud_events.h"
#include "connectors/kit/rate_limit.h"
#include "connectors/kit/text.h"
#include "connectors/web/cross_origin.h"
#include "connectors/web/rejections.h"
#include "connectors/web/tracking.h"
#include "ops/base/metric_names.h"

namespace hilo::web {
namespace {

constexpr std::string_view kOnePaths[] = {"identify", "track", "page", "screen", "group", "alias",
                                          "i",        "t",     "p",    "s",      "g",     "a"};
constexpr std::string_view kBatchPaths[] = {"/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch"};
constexpr char kSuccess[] = R"({"success":true})";
constexpr char kHandshakeRate[] =
    "1000";  // events a minute that a webhook's sender may send at first
constexpr size_t kMaxScriptBytes = 4 << 20;

// SDKs cut batches at 480 KB; the routes take twice that, so that no SDK of today meets the limit.
http::RouteOptions IntakeRoute() {
  http::RouteOptions options;
  options.max_body_bytes = 1 << 20;
  options.max_inflated_bytes = 2 << 20;
  return options;
}

http::Refusal BadKey() { return {401, "bad_key", "the write key is missing or not valid", {}}; }

std::string_view OutcomeOf(const kit::Accepted& result) {
  if (result.status.ok()) return result.repeated ? "duplicate" : "accepted";
  const StatusCode code = result.status.code();
  return code == StatusCode::kInvalidArgument || code == StatusCode::kAlreadyExists ? "rejected"
                                                                                    : "unavailable";
}

std::string IsoTime(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(seconds - day);
  char text[32];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

class RoutedWeb final : public Web, public std::enable_shared_from_this<RoutedWeb> {
 public:
  RoutedWeb(kit::SourceKeys keys, std::map<std::string, std::string> scripts,
            kit::Rate rate_per_address, kit::Intake& intake, const Clock& clock, Registry& registry)
      : keys_(std::move(keys)),
        scripts_(std::move(scripts)),
        cross_origin_(keys_),
        intake_(intake),
        clock_(clock),
        registry_(registry),
        counters_(MakeCounters(registry)),
        by_key_({.by = "write_key", .rate = {}}, clock, registry),
        by_address_({.by = "address", .rate = rate_per_address}, clock, registry) {}

  void AddRoutes(http::Router& router) override {
    const auto self = shared_from_this();
    const auto with_preflight = [&](std::string_view method, std::string_view path,
                                    http::Handler handler) {
      router.Add(method, path, IntakeRoute(), std::move(handler));
      router.Add("OPTIONS", path, [self](const std::shared_ptr<http::Exchange>& exchange) {
        exchange->Respond(self->cross_origin_.Preflight(exchange->request()));
      });
    };
    for (std::string_view word : kOnePaths) {
      const std::string_view type = TrackingType(word);
      with_preflight("POST", "/v1/" + std::string(word),
                     [self, type](std::shared_ptr<http::Exchange> exchange) {
                       self->Track(std::move(exchange), type);
                     });
    }
    for (std::string_view path : kBatchPaths) {
      with_preflight("POST", path, [self](std::shared_ptr<http::Exchange> exchange) {
        self->Track(std::move(exchange), {});
      });
    }
    with_preflight("POST", "/v1/m", [self](const std::shared_ptr<http::Exchange>& exchange) {
      self->Answer(*exchange, nullptr, {200, {}, kSuccess});
    });
    with_preflight("GET", "/v1/projects/{key}/settings",
                   [self](const std::shared_ptr<http::Exchange>& exchange) {
                     self->Settings(*exchange, *exchange->request().Parameter("key"), false);
                   });
    with_preflight(
        "GET", "/sourceConfig/", [self](const std::shared_ptr<http::Exchange>& exchange) {
          self->Settings(*exchange, std::string(exchange->request().Query("writeKey").value_or("")),
                         true);
        });
    with_preflight("GET", "/v1/rejected", [self](const std::shared_ptr<http::Exchange>& exchange) {
      self->Rejected(*exchange);
    });
    router.Add("POST", "/v1/events", IntakeRoute(),
               [self](std::shared_ptr<http::Exchange> exchange) {
                 self->CloudEvents(std::move(exchange));
               });
    router.Add("OPTIONS", "/v1/events", [self](const std::shared_ptr<http::Exchange>& exchange) {
      self->Handshake(*exchange);
    });
    if (scripts_.empty()) return;
    router.Add("GET", "/analytics.js/v1/{key}/analytics.min.js",
               [self](const std::shared_ptr<http::Exchange>& exchange) {
                 self->Script(*exchange, "standalone.js");
               });
    router.Add("GET", "/analytics-next/bundles/*",
               [self](const std::shared_ptr<http::Exchange>& exchange) {
                 self->Script(*exchange,
                              std::string(exchange->request().Parameter("*").value_or("")));
               });
  }

  std::vector<Rejection> LastRejections(std::string_view source) const override {
    return rejections_.Last(source);
  }

 private:
  using Counters = std::map<std::pair<std::string_view, std::string_view>, Counter*>;

  // What is on its way to an answer.
  struct Batch {
    std::shared_ptr<http::Exchange> exchange;
    const kit::KeyedSource* source = nullptr;
    bool single = false;
    std::vector<kit::Accepted> results;
    std::vector<std::string> types;  // of each result, for metrics: "track"
    std::vector<size_t> places;      // of the events given to the intake, in `results`
    std::vector<kit::IncomingEvent> events;

    void Add(std::string type, StatusOr<kit::IncomingEvent> event) {
      types.push_back(std::move(type));
      results.emplace_back();
      if (event.ok()) {
        places.push_back(results.size() - 1);
        events.push_back(*std::move(event));
      } else {
        results.back().status = event.status();
      }
    }
  };

  void Answer(http::Exchange& exchange, const kit::KeyedSource* source,
              http::Response response) const {
    response.headers.Set("Content-Type", "application/json");
    response.headers.Set("Cache-Control", "no-store");
    cross_origin_.AddHeaders(exchange.request(), source, response.headers);
    exchange.Respond(std::move(response));
  }
  void Refuse(http::Exchange& exchange, const kit::KeyedSource* source,
              http::Refusal refusal) const {
    if (refusal.code != "origin_denied")
      cross_origin_.AddHeaders(exchange.request(), source, refusal.headers);
    registry_.Get(metric::kWebRejected, {refusal.code}).Increment();
    exchange.Refuse(refusal);
  }
  void Refuse(http::Exchange& exchange, const kit::KeyedSource* source,
              const Status& status) const {
    const int code =
        status.code() == StatusCode::kUnimplemented ? 415 : kit::HttpStatusOf(status, {});
    Refuse(
        exchange, source,
        {code, Reason(status), std::string(status.message().data(), status.message().size()), {}});
  }

  // The keys that stand outside the body.
  static std::vector<std::string> KeysOf(const http::Request& request) {
    std::vector<std::string> keys;
    if (const auto header = request.headers.Find("Authorization")) {
      keys.push_back(kit::KeyOfAuthorization(*header).value_or(""));
    }
    for (std::string_view name : {"writeKey", "access_token"}) {
      if (const auto key = request.Query(name)) keys.emplace_back(*key);
    }
    return keys;
  }

  // Null when the request is refused, and answered.
  const kit::KeyedSource* LetIn(http::Exchange& exchange,
                                const std::vector<std::string>& keys) const {
    const kit::KeyedSource* source = keys_.FindAgreed(keys);
    if (source == nullptr) {
      Refuse(exchange, nullptr, BadKey());
    } else if (!cross_origin_.Allows(exchange.request(), source)) {
      Refuse(exchange, source, CrossOrigin::Denied());
      return nullptr;
    }
    return source;
  }

  void RefuseRate(http::Exchange& exchange, const kit::KeyedSource* source,
                  std::chrono::seconds wait) const {
    http::Refusal refusal{429, "rate_limited", "events come too fast; send it again later", {}};
    SetRetryAfter(wait, refusal.headers);
    Refuse(exchange, source, std::move(refusal));
  }
  // A request costs its address something before it is read. False when it is refused, and
  // answered.
  bool AdmitAddress(http::Exchange& exchange) {
    const auto wait = by_address_.Take(kit::AddressKey(exchange.request().peer_address), 1);
    if (wait) RefuseRate(exchange, nullptr, *wait);
    return !wait;
  }
  // The same for its events, all or none of them.
  bool AdmitEvents(http::Exchange& exchange, const kit::KeyedSource& source, size_t events) {
    const auto wait = by_key_.Take(source.source.name, source.rate, events);
    if (wait) {
      RefuseRate(exchange, &source, *wait);
      return false;
    }
    if (events > 1)
      by_address_.Charge(kit::AddressKey(exchange.request().peer_address), events - 1);
    return true;
  }
  void SetRetryAfter(std::chrono::seconds wait, http::Headers& headers) const {
    headers.Set("Retry-After", std::to_string(wait.count()));
    const auto reset = (clock_.Wall() + wait).time_since_epoch();
    headers.Set("X-RateLimit-Reset",
                std::to_string(std::chrono::duration_cast<std::chrono::seconds>(reset).count()));
  }

  // `type` is "" for a batch.
  void Track(std::shared_ptr<http::Exchange> exchange, std::string_view type) {
    const WallTime received = clock_.Wall();
    if (!AdmitAddress(*exchange)) return;
    std::vector<std::string> keys = KeysOf(exchange->request());
    // A wrong key outside the body is told before the body is read.
    if (!keys.empty() && LetIn(*exchange, keys) == nullptr) return;
    std::string text = std::move(exchange->mutable_request().body);
    StatusOr<TrackingBody> body =
        type.empty() ? ReadBatch(std::move(text), kMaxBatch) : ReadOne(std::move(text));
    if (!body.ok()) {
      Refuse(*exchange, keys.empty() ? nullptr : keys_.FindAgreed(keys), body.status());
      return;
    }
    if (!body->write_key.empty()) keys.push_back(body->write_key);
    const kit::KeyedSource* source = LetIn(*exchange, keys);
    if (source == nullptr || !AdmitEvents(*exchange, *source, body->items.size())) return;

    auto batch = std::make_shared<Batch>();
    batch->source = source;
    batch->single = !type.empty();
    const bool opt_out =
        exchange->request().headers.Find("Sec-GPC") == std::optional<std::string_view>("1");
    for (const TrackingBody::Item& item : body->items) {
      StatusOr<kit::IncomingEvent> event =
          ToIncomingEvent(item, *body, type, source->source, received);
      if (event.ok()) event->global_privacy_control = opt_out;
      std::string_view item_type = type;
      if (item_type.empty() && item.value)
        item_type = TrackingType(item.value["type"].String().value_or(""));
      batch->Add(std::string(item_type), std::move(event));
    }
    batch->exchange = std::move(exchange);
    Accept(std::move(batch));
  }

  void Accept(std::shared_ptr<Batch> batch) {
    std::vector<kit::IncomingEvent> events = std::move(batch->events);
    intake_.Accept(std::move(events),
                   [self = shared_from_this(), batch](std::vector<kit::Accepted> accepted) {
                     for (size_t i = 0; i < accepted.size(); ++i)
                       batch->results[batch->places[i]] = std::move(accepted[i]);
                     self->Finish(*batch);
                   });
  }

  // Metrics of the hot path, asked for once.
  Counter& CounterOf(std::string_view type, std::string_view outcome) const {
    const auto found = counters_.find({type, outcome});
    return found == counters_.end() ? registry_.Get(metric::kWebEvents, {type, outcome})
                                    : *found->second;
  }
  static Counters MakeCounters(Registry& registry) {
    Counters counters;
    for (std::string_view type : metric::kWebTypeValues) {
      for (std::string_view outcome : metric::kEventOutcomeValues) {
        counters[{type, outcome}] = &registry.Get(metric::kWebEvents, {type, outcome});
      }
    }
    return counters;
  }

  void Finish(const Batch& batch) {
    for (size_t i = 0; i < batch.results.size(); ++i) {
      const kit::Accepted& result = batch.results[i];
      CounterOf(batch.types[i], OutcomeOf(result)).Increment();
      if (OutcomeOf(result) != "rejected") continue;
      registry_.Get(metric::kWebRejected, {Reason(result.status)}).Increment();
      rejections_.Add(batch.source->source.name,
                      {clock_.Wall(), batch.types[i], Reason(result.status)});
    }
    const std::string& request_id = batch.exchange->request().request_id;
    kit::BatchAnswer answer = batch.single
                                  ? kit::AnswerOne(batch.results.front(), intake_, request_id)
                                  : kit::AnswerBatch(batch.results, intake_, request_id);
    http::Response response{.status = answer.status, .body = std::move(answer.body)};
    if (answer.status == 429 && answer.retry_after_seconds) {
      SetRetryAfter(std::chrono::seconds(*answer.retry_after_seconds), response.headers);
    } else if (answer.retry_after_seconds) {
      response.headers.Set("Retry-After", std::to_string(*answer.retry_after_seconds));
    }
    Answer(*batch.exchange, batch.source, std::move(response));
  }

  void CloudEvents(std::shared_ptr<http::Exchange> exchange) {
    const WallTime received = clock_.Wall();
    if (!AdmitAddress(*exchange)) return;
    const kit::KeyedSource* source = LetIn(*exchange, KeysOf(exchange->request()));
    if (source == nullptr) return;
    kit::CloudEventsRequest request{.media_type = exchange->request().ContentType(),
                                    .headers = {},
                                    .body = std::move(exchange->mutable_request().body)};
    for (const http::Headers::Field& field : exchange->request().headers) {
      if (kit::AsciiLower(std::string_view(field.name).substr(0, 3)) == "ce-")
        request.headers.emplace_back(field.name, field.value);
    }
    StatusOr<kit::ReadCloudEvents> read = kit::ReadCloudEventsRequest(std::move(request));
    if (!read.ok()) {
      Refuse(*exchange, source, read.status());
      return;
    }
    if (read->events.empty()) {  // allowed by the binding: nothing to do
      Answer(*exchange, source, {200, {}, kSuccess});
      return;
    }
    if (!AdmitEvents(*exchange, *source, read->events.size())) return;
    auto batch = std::make_shared<Batch>();
    batch->source = source;
    batch->single = !read->batch;
    for (StatusOr<kit::CloudEvent>& event : read->events)
      batch->Add("cloudevent", Convert(std::move(event), *source, received));
    batch->exchange = std::move(exchange);
    Accept(std::move(batch));
  }

  static StatusOr<kit::IncomingEvent> Convert(StatusOr<kit::CloudEvent> event,
                                              const kit::KeyedSource& source, WallTime received) {
    HILO_RETURN_IF_ERROR(event.status());
    for (std::string_view reserved : {"web.", "call.", "desk."}) {
      if (event->type.starts_with(reserved)) {
        return Error(StatusCode::kInvalidArgument, "event_type",
                     "types that begin with web., call. and desk. have ways in of their own; calls "
                     "go to /v1/calls/events");
      }
    }
    return kit::ToIncomingEvent(*std::move(event), source.source, received);
  }

  // The permission that a webhook's sender asks for. The status code says nothing; the headers do.
  void Handshake(http::Exchange& exchange) const {
    const auto origin = exchange.request().headers.Find("WebHook-Request-Origin");
    if (!origin) {
      exchange.Respond(cross_origin_.Preflight(exchange.request()));
      return;
    }
    http::Response response{.status = 200};
    response.headers.Set("WebHook-Allowed-Origin", std::string(*origin));
    response.headers.Set("WebHook-Allowed-Rate", kHandshakeRate);
    response.headers.Set("Allow", "POST, OPTIONS");
    exchange.Respond(std::move(response));
  }

  // Without these answers the browsers' SDKs do not start.
  void Settings(http::Exchange& exchange, std::string_view key, bool rudder) const {
    const kit::KeyedSource* source = LetIn(exchange, {std::string(key)});
    if (source == nullptr) return;
    const std::string host(exchange.request().headers.Find("Host").value_or(""));
    const std::string quoted_key = kit::JsonString(key);
    std::string body;
    if (rudder) {
      const std::string name = kit::JsonString(source->source.name);
      body =
          R"({"source":{"id":)" + name + R"(,"name":)" + name + R"(,"writeKey":)" + quoted_key +
          R"(,"enabled":true,"workspaceId":"hilo","connections":[],"destinations":[],)"
          R"("config":{"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}},"dataplanes":{}}})";
    } else {
      body = R"({"integrations":{"Segment.io":{"apiKey":)" + quoted_key + R"(,"apiHost":)" +
             kit::JsonString(host + "/v1") + R"(,"protocol":")" +
             (exchange.request().secure ? "https" : "http") + R"("}},)" +
             R"("plan":{},"metrics":{"sampleRate":0}})";
    }
    Answer(exchange, source, {200, {}, std::move(body)});
  }

  void Rejected(http::Exchange& exchange) const {
    const kit::KeyedSource* source = LetIn(exchange, KeysOf(exchange.request()));
    if (source == nullptr) return;
    std::string list;
    for (const Rejection& rejection : rejections_.Last(source->source.name)) {
      list += list.empty() ? "" : ",";
      list += R"({"time":)" + kit::JsonString(IsoTime(rejection.time)) + R"(,"type":)" +
              kit::JsonString(rejection.type) + R"(,"code":)" + kit::JsonString(rejection.code) +
              "}";
    }
    Answer(exchange, source, {200, {}, R"({"rejected":[)" + list + "]}"});
  }

  void Script(http::Exchange& exchange, const std::string& name) const {
    const auto found = scripts_.find(name);
    if (found == scripts_.end()) {
      exchange.Refuse({404, "not_found", "there is no such script", {}});
      return;
    }
    http::Response response{.status = 200, .body = found->second};
    response.headers.Set("Content-Type", "text/javascript; charset=utf-8");
    response.headers.Set("Cache-Control", "public, max-age=300");
    response.headers.Set("X-Content-Type-Options", "nosniff");
    exchange.Respond(std::move(response));
  }

  const kit::SourceKeys keys_;
  const std::map<std::string, std::string> scripts_;  // by file name
  const CrossOrigin cross_origin_;
  kit::Intake& intake_;
  const Clock& clock_;
  Registry& registry_;
  const Counters counters_;
  Rejections rejections_;
  kit::RateLimit by_key_;  // by the source's name
  kit::RateLimit by_address_;
};

StatusOr<std::map<std::string, std::string>> ReadScripts(const std::string& directory) {
  std::map<std::string, std::string> scripts;
  if (directory.empty()) return scripts;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!entry.is_regular_file(error) || entry.path().extension() != ".js" ||
        entry.file_size(error) > kMaxScriptBytes)
      continue;
    std::ifstream file(entry.path(), std::ios::binary);
    scripts[entry.path().filename().string()] =
        std::string(std::istreambuf_iterator<char>(file), {});
  }
  if (error || !scripts.contains("standalone.js")) {
    return Error(StatusCode::kFailedPrecondition, "config_invalid",
                 "the directory of analytics.js holds no standalone.js; give dist/umd of "
                 "@segment/analytics-next");
  }
  return scripts;
}

}  // namespace

StatusOr<std::shared_ptr<Web>> Web::Create(WebOptions options, kit::Intake& intake,
                                           const Clock& clock, Registry& registry) {
  HILO_ASSIGN_OR_RETURN(kit::SourceKeys keys, kit::SourceKeys::Create(std::move(options.sources)));
  HILO_ASSIGN_OR_RETURN(auto scripts, ReadScripts(options.analytics_js_directory));
  return std::shared_ptr<Web>(std::make_shared<RoutedWeb>(
      std::move(keys), std::move(scripts), options.rate_per_address, intake, clock, registry));
}

}  // namespace hilo::web
