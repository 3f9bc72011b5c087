#include "connectors/kit/batch_answer.h"

#include "connectors/kit/text.h"

namespace hilo::kit {
namespace {

constexpr char kSuccess[] = R"({"success":true})";

std::string Message(const Status& status) {
  return JsonString(std::string_view(status.message().data(), status.message().size()));
}

std::string ErrorBody(const Status& status, std::string_view request_id) {
  return R"({"success":false,"code":)" + JsonString(Reason(status)) + R"(,"message":)" +
         Message(status) + R"(,"requestId":)" + JsonString(request_id) + "}";
}

bool IsRefused(const Status& status) {
  return status.code() == StatusCode::kInvalidArgument ||
         status.code() == StatusCode::kAlreadyExists;
}

}  // namespace

BatchAnswer AnswerOne(const Accepted& result, const Intake& intake, std::string_view request_id) {
  if (result.status.ok()) return {200, kSuccess, std::nullopt};
  if (IsRefused(result.status)) {
    return {HttpStatusOf(result.status, {}), ErrorBody(result.status, request_id), std::nullopt};
  }
  const Overload overload = intake.AnswerTo(result.status);
  return {overload.status, ErrorBody(result.status, request_id), overload.retry_after_seconds};
}

BatchAnswer AnswerBatch(const std::vector<Accepted>& results, const Intake& intake,
                        std::string_view request_id) {
  size_t accepted = 0;
  const Accepted* refused = nullptr;
  std::string rejected;
  for (size_t i = 0; i < results.size(); ++i) {
    const Status& status = results[i].status;
    if (status.ok()) {
      ++accepted;
      continue;
    }
    if (!IsRefused(status)) return AnswerOne(results[i], intake, request_id);
    if (refused == nullptr) refused = &results[i];
    rejected += rejected.empty() ? "" : ",";
    rejected += R"({"index":)" + std::to_string(i) + R"(,"code":)" + JsonString(Reason(status)) +
                R"(,"message":)" + Message(status) + "}";
  }
  if (refused == nullptr) return {200, kSuccess, std::nullopt};
  const int status = accepted > 0 ? 207 : HttpStatusOf(refused->status, {});
  std::string body = R"({"success":false,"code":)" +
                     JsonString(accepted > 0 ? "partly_rejected" : Reason(refused->status)) +
                     R"(,"accepted":)" + std::to_string(accepted) + R"(,"rejected":[)" + rejected +
                     R"(],"requestId":)" + JsonString(request_id) + "}";
  return {status, std::move(body), std::nullopt};
}

}  // namespace hilo::kit
