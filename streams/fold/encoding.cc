#include <google/protobuf/message_lite.h>

#include "streams/fold/fold.h"

namespace hilo::fold {
namespace {

constexpr char kFormat = 1;

}  // namespace

std::string Encode(const google::protobuf::MessageLite& message) {
  // Our messages have no map fields (proto/hilo/store/v1), so that serialising is deterministic.
  std::string bytes;
  const size_t size = message.ByteSizeLong();
  bytes.resize(1 + size);
  bytes[0] = kFormat;
  message.SerializeWithCachedSizesToArray(reinterpret_cast<uint8_t*>(bytes.data()) + 1);
  return bytes;
}

Status Decode(std::string_view bytes, google::protobuf::MessageLite* message) {
  if (bytes.empty()) return Error(StatusCode::kDataLoss, "undecodable", "it has no bytes");
  if (bytes[0] != kFormat) {
    return Error(StatusCode::kDataLoss, "schema_unknown", "its format is unknown to this version");
  }
  if (!message->ParseFromArray(bytes.data() + 1, static_cast<int>(bytes.size() - 1))) {
    return Error(StatusCode::kDataLoss, "undecodable", "its bytes are no message of its type");
  }
  return OkStatus();
}

}  // namespace hilo::fold
