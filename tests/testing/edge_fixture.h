#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/http/exchange.h"
#include "connectors/http/router.h"
#include "connectors/kit/intake.h"
#include "hilo/store/v1/records.pb.h"
#include "ops/base/clock.h"
#include "ops/base/metrics.h"
#include "ops/keys/memory_key_store.h"
#include "ops/keys/sealer.h"
#include "streams/fold/fold.h"
#include "streams/log/memory_log.h"

namespace hilo::testing {

// An event as it lies in the log, its sealed parts opened.
struct StoredEvent {
  store::v1::Event event;
  store::v1::EventBody body;
};

// An edge without sockets: routes are called by hand, events land in a log in memory, clocks stand
// still.
class Edge {
 public:
  explicit Edge(kit::Intake::Options options = {.worker = false},
                log::MemoryLog::Options log_options = {})
      : clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 3 / 1) +
                       std::chrono::hours(10))),
        log({{"events", 1}}, clock, log_options),
        sealer(keys, registry),
        intake(kit::Intake::Create(std::move(options), log, keys, clock, registry).value()) {}

  struct Answer {
    int status = 0;  // 0: not answered
    http::Headers headers;
    std::string body;
    bool Has(std::string_view text) const { return body.find(text) != std::string::npos; }
    std::string Header(std::string_view name) const {
      return std::string(headers.Find(name).value_or(""));
    }
  };

  // Calls a route as the server would. The answer may come later.
  std::shared_ptr<Answer> Begin(const std::string& method, const std::string& target,
                                http::Headers headers = {}, std::string body = {}) {
    http::Request request;
    request.method = method;
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) {
      const std::string query = target.substr(mark + 1);
      const size_t equals = query.find('=');
      request.query.push_back({query.substr(0, equals), query.substr(equals + 1)});
    }
    request.headers = std::move(headers);
    if (!request.headers.Find("Host")) request.headers.Add("Host", "hilo.example");
    request.body = std::move(body);
    request.request_id = "request-1";
    auto answer = std::make_shared<Answer>();
    const auto match = router.Find(method, request.path);
    if (match.route == nullptr) {
      answer->status = match.pattern.empty() ? 404 : 405;
      return answer;
    }
    request.parameters = match.parameters;
    auto exchange =
        std::make_shared<http::Exchange>(std::move(request), std::make_unique<Sink>(answer));
    match.route->handler(std::move(exchange));
    return answer;
  }
  Answer Call(const std::string& method, const std::string& target, http::Headers headers = {},
              std::string body = {}) {
    return *Begin(method, target, std::move(headers), std::move(body));
  }

  std::vector<StoredEvent> Stored() {
    std::vector<StoredEvent> stored;
    auto cursor = log.OpenCursor({"events", 0}, 0).value();
    for (;;) {
      const auto records = cursor->Read(1'000, std::chrono::milliseconds(0)).value();
      if (records.empty()) return stored;
      for (const log::StoredRecord& one : records) {
        store::v1::Record record;
        StoredEvent event;
        if (!fold::Decode(one.record.payload, &record).ok() ||
            !event.event.ParseFromString(record.event()) ||
            !event.body.ParseFromString(event.event.body())) {
          std::abort();
        }
        stored.push_back(std::move(event));
      }
    }
  }
  // Every byte of the log, to look for what may not be there.
  std::string RawLog() {
    std::string raw;
    auto cursor = log.OpenCursor({"events", 0}, 0).value();
    for (;;) {
      const auto records = cursor->Read(1'000, std::chrono::milliseconds(0)).value();
      if (records.empty()) return raw;
      for (const log::StoredRecord& one : records)
        raw += one.record.key + one.record.header + one.record.payload;
    }
  }

  std::string Open(const std::string& sealed, std::string_view field) const {
    const auto opened = sealer.Open(sealed, field);
    return opened.ok() ? *opened : "cannot be opened: " + Describe(opened.status());
  }
  // "email:ana@example.com, user_id:u-ana", strongest first.
  std::string Identifiers(const store::v1::Event& event) const {
    static constexpr const char* kNames[] = {"none",  "user_id",      "email",
                                             "phone", "anonymous_id", "device_id"};
    std::string out;
    for (const auto& identifier : event.identifiers()) {
      out += (out.empty() ? "" : ", ") + std::string(kNames[identifier.kind()]) + ":" +
             Open(identifier.sealed(), "identifier") + (identifier.weak() ? " weak" : "");
    }
    return out;
  }
  // "return_reason=arrived torn; shoe_size=42".
  std::string Facts(const store::v1::EventBody& body) const {
    std::string out;
    for (const auto& fact : body.facts()) {
      out += (out.empty() ? "" : "; ") + fact.kind() + "=" + Open(fact.sealed(), "fact");
    }
    return out;
  }
  std::string Traits(const store::v1::EventBody& body) const {
    std::string out;
    for (const auto& trait : body.traits()) {
      out += (out.empty() ? "" : "; ") + trait.name() + "=" + Open(trait.sealed(), "trait");
    }
    return out;
  }
  std::string Properties(const store::v1::EventBody& body) const {
    return body.sealed_properties().empty() ? "" : Open(body.sealed_properties(), "properties");
  }

  ManualClock clock;
  Registry registry;
  keys::MemoryKeyStore keys;
  log::MemoryLog log;
  keys::Sealer sealer;
  std::unique_ptr<kit::Intake> intake;
  http::Router router;

 private:
  class Sink final : public http::AnswerSink {
   public:
    explicit Sink(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
    void Send(http::Response response) override {
      answer_->status = response.status;
      answer_->headers = std::move(response.headers);
      answer_->body = std::move(response.body);
    }
    void SendStream(http::Response head, std::shared_ptr<http::StreamQueue>) override {
      answer_->status = head.status;
    }

    void Abandon() override { answer_->status = 500; }

   private:
    std::shared_ptr<Answer> answer_;
  };
};

}  // namespace hilo::testing
