#include "connectors/http/exchange.h"

#include <utility>

namespace hilo::http {

Exchange::~Exchange() {
  if (!Claim()) return;
  sink_->Abandon();
}

bool Exchange::Respond(Response response) {
  if (!Claim()) return false;
  sink_->Send(std::move(response));
  return true;
}

bool Exchange::Refuse(const Refusal& refusal) {
  return Respond(JsonError(refusal, request_.request_id));
}

std::shared_ptr<StreamWriter> Exchange::BeginStream(int status, Headers headers) {
  if (!Claim()) return nullptr;
  auto queue = std::make_shared<StreamQueue>();
  Response head;
  head.status = status;
  head.headers = std::move(headers);
  sink_->SendStream(std::move(head), queue);
  return std::make_shared<StreamWriter>(std::move(queue));
}

}  // namespace hilo::http
