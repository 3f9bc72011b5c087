#include "connectors/serving/wire_error.h"

#include <array>

#include "google/rpc/error_details.pb.h"
#include "ops/base/json_text.h"
#include "ops/base/text_encoding.h"

namespace hilo::serving {
namespace {

struct CodeRow {
  std::string_view connect;
  std::string_view metric;
  int http;
};

// By code number, 0 to 16. Source: the Connect protocol's table of codes.
constexpr std::array<CodeRow, 17> kCodes = {{
    {"ok", "OK", 200},
    {"canceled", "Canceled", 499},
    {"unknown", "Unknown", 500},
    {"invalid_argument", "InvalidArgument", 400},
    {"deadline_exceeded", "DeadlineExceeded", 504},
    {"not_found", "NotFound", 404},
    {"already_exists", "AlreadyExists", 409},
    {"permission_denied", "PermissionDenied", 403},
    {"resource_exhausted", "ResourceExhausted", 429},
    {"failed_precondition", "FailedPrecondition", 400},
    {"aborted", "Aborted", 409},
    {"out_of_range", "OutOfRange", 400},
    {"unimplemented", "Unimplemented", 501},
    {"internal", "Internal", 500},
    {"unavailable", "Unavailable", 503},
    {"data_loss", "DataLoss", 500},
    {"unauthenticated", "Unauthenticated", 401},
}};

const CodeRow& RowOf(StatusCode code) {
  const int number = static_cast<int>(code);
  return kCodes[number >= 0 && number < static_cast<int>(kCodes.size()) ? number : 2];
}

std::string UpperSnake(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text.substr(0, 63);
}

google::rpc::ErrorInfo InfoOf(const Status& status) {
  google::rpc::ErrorInfo info;
  info.set_reason(UpperSnake(Reason(status)));
  info.set_domain("hilo");
  return info;
}

std::string Text(const Status& status) {
  const absl::string_view message = status.message();
  return std::string(message.data(), message.size());
}

}  // namespace

google::rpc::Status WireStatus(const Status& status) {
  google::rpc::Status wire;
  wire.set_code(static_cast<int>(status.code()));
  wire.set_message(Text(status));
  wire.add_details()->PackFrom(InfoOf(status));
  return wire;
}

std::string ConnectErrorJson(const Status& status) {
  const google::rpc::ErrorInfo info = InfoOf(status);
  std::string json = "{\"code\":\"";
  json += RowOf(status.code()).connect;
  json += "\",\"message\":";
  AppendJsonString(Text(status), json);
  json += ",\"details\":[{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"" +
          Base64(info.SerializeAsString()) + "\",\"debug\":{\"reason\":";
  AppendJsonString(info.reason(), json);
  json += ",\"domain\":\"hilo\"}}]}";
  return json;
}

int ConnectHttpStatus(StatusCode code) { return RowOf(code).http; }
std::string_view ConnectCodeName(StatusCode code) { return RowOf(code).connect; }
std::string_view MetricCodeName(StatusCode code) { return RowOf(code).metric; }

}  // namespace hilo::serving
