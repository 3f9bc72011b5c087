#include "connectors/email/unsubscribe.h"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "connectors/kit/message_token.h"
#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "ops/base/metric_names.h"

namespace hilo::email {
namespace {

using ExchangePointer = std::shared_ptr<http::Exchange>;

constexpr std::chrono::seconds kAnswerWait{10};
constexpr size_t kMaxBody = 4 << 10;
constexpr std::string_view kOneClick = "List-Unsubscribe=One-Click";

http::Response Page(int status, std::string_view body) {
  http::Response response;
  response.status = status;
  response.headers.Add("Content-Type", "text/html; charset=utf-8");
  response.headers.Add("Cache-Control", "no-store");
  response.headers.Add("Referrer-Policy", "no-referrer");
  response.headers.Add("X-Robots-Tag", "noindex");
  response.headers.Add("Content-Security-Policy",
                       "default-src 'none'; form-action 'self'; frame-ancestors 'none'");
  response.body =
      "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>Mail</title></head><body><main>" +
      std::string(body) + "</main></body></html>\n";
  return response;
}

std::optional<kit::MessageToken> TokenOf(const UnsubscribeParts& parts,
                                         const http::Request& request) {
  return kit::ParseToken(parts.token_key, request.Parameter("token").value_or(""));
}

void NotFound(const ExchangePointer& exchange) {
  exchange->Respond(
      Page(404,
           "<h1>This link is not valid.</h1><p>Copy it whole from the mail, or answer "
           "the mail.</p><p lang=\"es\">Este enlace no es válido. Cópielo entero del "
           "correo, o responda al correo.</p>"));
}

// The body of RFC 8058, urlencoded or as a form of parts.
bool IsOneClick(const http::Request& request) {
  const std::string type = request.ContentType();
  if (type == "application/x-www-form-urlencoded") return request.body == kOneClick;
  if (type != "multipart/form-data") return false;
  return request.body.find("name=\"List-Unsubscribe\"") != std::string::npos &&
         request.body.find("One-Click") != std::string::npos;
}

store::v1::Command Withdrawal(const UnsubscribeParts& parts, const kit::MessageToken& token) {
  store::v1::Command command;
  command.set_customer(std::string(token.customer.Bytes()));
  command.set_member(std::string(token.member.Bytes()));
  command.set_caller(std::string(Bytes(Hash("hilo.unsubscribe"))));
  const RequestId request = command::NewRequestId(parts.clock.Wall());
  command.set_request_id(std::string(request.Bytes()));
  command.set_content_hash(std::string(Bytes(Hash(request.Bytes()))));
  command.set_principal("unsubscribe");
  command.set_channel(v1::CHANNEL_EMAIL);
  command.set_receive_micros(parts.clock.Wall().time_since_epoch().count());
  store::v1::ConsentSignal* signal = command.mutable_record_consent()->mutable_signal();
  signal->set_channel(v1::CHANNEL_EMAIL);
  signal->set_purpose(token.purpose);
  signal->set_status(v1::CONSENT_STATUS_DENIED);
  signal->set_mechanism("unsubscribe_link");
  // Which message was answered: what proves it.
  signal->set_evidence_hash(std::string(token.message.Bytes()));
  return command;
}

void Stop(const UnsubscribeParts& parts, const ExchangePointer& exchange) {
  const auto token = TokenOf(parts, exchange->request());
  if (!token) return NotFound(exchange);
  if (!IsOneClick(exchange->request())) {
    exchange->Respond(Page(400,
                           "<h1>Nothing was changed.</h1><p>The request has another body than "
                           "List-Unsubscribe=One-Click.</p>"));
    return;
  }
  parts.commands.Send(
      Withdrawal(parts, *token), parts.clock.Monotonic() + kAnswerWait,
      [exchange, &registry = parts.registry](StatusOr<command::Answered> answered) {
        const bool gone = answered.ok() && answered->answer.reason() == "customer_not_found";
        if (!answered.ok() || (answered->answer.code() != 0 && !gone)) {
          http::Response later =
              Page(503,
                   "<h1>Please try again in a minute.</h1><p lang=\"es\">Inténtelo de nuevo dentro "
                   "de un minuto.</p>");
          later.headers.Add("Retry-After", "60");
          exchange->Respond(std::move(later));
          return;
        }
        registry.Get(metric::kEmailUnsubscribed).Increment();
        exchange->Respond(Page(200,
                               "<h1>You will get no more of these mails.</h1><p lang=\"es\">No "
                               "recibirá más correos de este tipo.</p>"));
      });
}

}  // namespace

void AddUnsubscribe(const UnsubscribeParts& parts, http::Router& router) {
  router.Add("GET", "/u/{token}", [parts](const ExchangePointer& exchange) {
    if (!TokenOf(parts, exchange->request())) return NotFound(exchange);
    exchange->Respond(Page(200,
                           "<h1>Stop these mails?</h1><form method=\"post\"><input type=\"hidden\" "
                           "name=\"List-Unsubscribe\" value=\"One-Click\"><button "
                           "type=\"submit\">Stop them · <span lang=\"es\">No recibir "
                           "más</span></button></form>"));
  });
  http::RouteOptions options;
  options.max_body_bytes = kMaxBody;
  router.Add("POST", "/u/{token}", options,
             [parts](const ExchangePointer& exchange) { Stop(parts, exchange); });
}

}  // namespace hilo::email
