#include "ops/base/status.h"

#include "absl/strings/cord.h"

namespace hilo {
namespace {

constexpr char kReasonUrl[] = "hilo/reason";

std::string SnakeCase(StatusCode code) {
  std::string name = absl::StatusCodeToString(code);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

}  // namespace

Status Error(StatusCode code, std::string_view reason, std::string_view message) {
  Status status(code, absl::string_view(message.data(), message.size()));
  status.SetPayload(kReasonUrl, absl::Cord(absl::string_view(reason.data(), reason.size())));
  return status;
}

std::string Reason(const Status& status) {
  if (status.ok()) return "";
  if (auto reason = status.GetPayload(kReasonUrl)) return std::string(*reason);
  return SnakeCase(status.code());
}

bool IsRetryable(const Status& status) {
  switch (status.code()) {
    case StatusCode::kUnavailable:
    case StatusCode::kResourceExhausted:
    case StatusCode::kAborted:
    case StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

std::string Describe(const Status& status) {
  if (status.ok()) return "ok";
  std::string text = SnakeCase(status.code());
  if (const std::string reason = Reason(status); reason != text) text += ": " + reason;
  const absl::string_view message = status.message();
  if (!message.empty()) text.append(": ").append(message.data(), message.size());
  return text;
}

}  // namespace hilo
