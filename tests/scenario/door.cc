#include "tests/scenario/door.h"

#include <algorithm>
#include <array>
#include <utility>

#include "connectors/http/exchange.h"
#include "connectors/kit/json.h"
#include "tests/scenario/details.h"

namespace hilo::scenario {
namespace {

// Keeps the answer.
struct Answer {
  int status = 0;  // 0: none yet
  std::string body;
};
class Sink final : public http::AnswerSink {
 public:
  explicit Sink(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
  void Send(http::Response response) override {
    answer_->status = response.status;
    answer_->body = std::move(response.body);
  }
  void SendStream(http::Response head, std::shared_ptr<http::StreamQueue>) override {
    answer_->status = head.status;
  }
  void Abandon() override { answer_->status = 500; }

 private:
  std::shared_ptr<Answer> answer_;
};

// Where a field of a `web` line belongs in a body of the tracking API; everything else is a
// property.
std::string WebPath(std::string_view type, const std::string& key) {
  const bool profile = type == "identify" || type == "group";
  if (key == "user") return "userId";
  if (key == "anonymous") return "anonymousId";
  if (key == "group") return "groupId";
  if (key == "previous") return "previousId";
  if (key == "id") return "messageId";
  if (key == "device") return "context.device.id";
  if (key == "event" && type == "track") return "event";
  if (key == "name" && (type == "page" || type == "screen")) return "name";
  if (key == "email" || key == "phone")
    return (type == "identify" ? "traits." : "context.traits.") + key;
  if (key.starts_with("trait."))
    return (profile ? "traits." : "context.traits.") +
           key.substr(std::string_view("trait.").size());
  if (key.starts_with("context.")) return key;
  if (key.starts_with("consent."))
    return "context.consent.categoryPreferences." + key.substr(std::string_view("consent.").size());
  return (profile ? "traits." : "properties.") + key;
}

// Fields of a `web` line that are texts, whatever they look like.
bool IsText(const std::string& path) {
  return path == "userId" || path == "anonymousId" || path == "groupId" || path == "previousId" ||
         path == "messageId" || path == "event" || path == "name" ||
         path.ends_with("traits.phone") || path.ends_with("traits.email");
}

// Takes `happened=-8d` out: how long before now it happened, as its source says.
WallTime TakeHappened(std::vector<Token>& fields, WallTime now, Sentence& sentence) {
  const auto field = std::find_if(fields.begin(), fields.end(),
                                  [](const Token& token) { return token.key == "happened"; });
  if (field == fields.end()) return now;
  const auto span = ParseDuration(field->text);
  if (!span) sentence.Fail("expected a span of time such as happened=-8d");
  fields.erase(field);
  return now + span.value_or(std::chrono::seconds(0));
}

std::string StepOf(const std::string& word) {
  if (word == "ringing") return "agent_ringing";
  if (word == "failed") return "agent_failed";
  if (word == "wrap-up") return "wrapup_started";
  return word;
}

}  // namespace

StatusOr<std::unique_ptr<Door>> Door::Create(Sources sources, kit::Intake& intake,
                                             const Clock& clock, Registry& registry) {
  auto door = std::unique_ptr<Door>(new Door(clock));
  door->sources_ = std::move(sources);
  if (!door->sources_.pages.empty())
    door->region_ = door->sources_.pages.front().source.default_region;
  HILO_ASSIGN_OR_RETURN(
      door->web_, web::Web::Create({.sources = door->sources_.pages}, intake, clock, registry));
  HILO_ASSIGN_OR_RETURN(door->calls_,
                        callcenter::CallCenter::Create({.sources = door->sources_.switches}, intake,
                                                       clock, registry));
  door->web_->AddRoutes(door->router_);
  door->calls_->AddRoutes(door->router_);
  return door;
}

StatusOr<std::string> Door::Web(Sentence& sentence, const std::string& id) {
  const std::string type = sentence.Word("identify, page, screen, track, group or alias");
  std::vector<Token> fields = sentence.Fields();
  const WallTime happened = TakeHappened(fields, clock_.Wall(), sentence);
  HILO_RETURN_IF_ERROR(sentence.Finish());
  Details body;
  body.PutText("messageId", id);
  body.PutText("timestamp", Rfc3339(happened));
  body.PutText("sentAt", Rfc3339(clock_.Wall()));
  for (const Token& field : fields) {
    const std::string path = WebPath(type, field.key);
    if (IsText(path)) {
      body.PutText(path, field.text);
    } else {
      body.Put(path, field);
    }
  }
  return Post("/v1/" + type, "application/json", sources_.pages, body.Json());
}

StatusOr<std::string> Door::System(Sentence& sentence, const std::string& id) {
  const std::string type = sentence.Word("an event's type, such as order.placed");
  std::vector<Token> fields = sentence.Fields();
  const WallTime happened = TakeHappened(fields, clock_.Wall(), sentence);
  HILO_RETURN_IF_ERROR(sentence.Finish());
  Details body;
  body.PutText("specversion", "1.0");
  body.PutText("id", id);
  body.PutText("source", "/shop");
  body.PutText("type", type);
  body.PutText("time", Rfc3339(happened));
  for (const Token& field : fields) {
    if (field.key == "id") {
      body.PutText("id", field.text);
    } else if (field.key == "user" || field.key == "anonymous") {
      body.PutText("data." + field.key + "_id", field.text);
    } else if (field.key == "phone" || field.key == "email") {
      body.PutText("data." + field.key, field.text);
    } else {
      body.Put("data." + field.key, field);
    }
  }
  return Post("/v1/events", "application/cloudevents+json", sources_.pages, body.Json());
}

StatusOr<std::string> Door::Call(Sentence& sentence, const std::string& id) {
  const std::string step = StepOf(sentence.Word("a call's step, such as ringing"));
  const std::vector<Token> fields = sentence.Fields();
  HILO_RETURN_IF_ERROR(sentence.Finish());
  Details body;
  body.PutText("specversion", "1.0");
  body.PutText("id", id);
  body.PutText("source", "/switch");
  body.PutText("type", "call." + step);
  body.PutText("time", Rfc3339(clock_.Wall()));
  for (const Token& field : fields) {
    if (field.key == "call") {
      body.PutText("data.call_id", field.text);
    } else if (field.key == "id") {
      body.PutText("id", field.text);
    } else {
      body.PutText("data." + field.key, field.text);
    }
  }
  return Post("/v1/calls/events", "application/cloudevents+json", sources_.switches, body.Json());
}

StatusOr<std::string> Door::Post(const std::string& path, const std::string& content_type,
                                 const std::vector<kit::KeyedSource>& from, std::string body) {
  const auto invalid = [](const std::string& problem) {
    return Error(StatusCode::kInvalidArgument, "story_invalid", problem);
  };
  if (from.empty()) return invalid("nobody is given who could send this");
  http::Request request;
  request.method = "POST";
  request.path = path;
  request.headers = {{"Host", "hilo.example"},
                     {"Content-Type", content_type},
                     {"Authorization", "Bearer " + from.front().key}};
  request.body = std::move(body);
  request.request_id = "story";
  const auto match = router_.Find(request.method, request.path);
  if (match.route == nullptr) return invalid("there is no route for " + path);
  request.parameters = match.parameters;
  auto answer = std::make_shared<Answer>();
  match.route->handler(
      std::make_shared<http::Exchange>(std::move(request), std::make_unique<Sink>(answer)));
  if (answer->status == 200) return std::string();
  const auto document = kit::json::Document::Parse(answer->body);
  const std::string reason(document.ok() ? (*document)->root()["code"].Text() : "");
  return reason.empty() ? "http_" + std::to_string(answer->status) : reason;
}

}  // namespace hilo::scenario
