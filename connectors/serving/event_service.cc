#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "connectors/serving/services.h"
#include "hilo/v1/event_service.pb.h"

namespace hilo::serving {
namespace {

using google::protobuf::util::TimeUtil;

constexpr size_t kMaxIdBytes = 100;

StatusOr<kit::IncomingEvent> ToIncoming(const Parts& parts, const Principal& principal,
                                        const v1::IncomingEvent& event) {
  if (event.id().empty() || event.id().size() > kMaxIdBytes) {
    return Error(StatusCode::kInvalidArgument, "event_id", "'event.id' is 1 to 100 bytes");
  }
  if (event.channel() == v1::CHANNEL_UNSPECIFIED) {
    return Error(StatusCode::kInvalidArgument, "field_invalid", "'event.channel' is required");
  }
  kit::IncomingEvent incoming;
  incoming.source.name = principal.name;
  incoming.source.default_region = parts.default_region;
  if (const auto* rule = parts.catalogue.Get().catalogue->FindSource(principal.name))
    incoming.source.rank = rule->rank;
  incoming.channel = event.channel();
  incoming.assurance =
      event.channel() == v1::CHANNEL_CALL ? v1::ASSURANCE_CLAIMED : v1::ASSURANCE_MATCHED;
  incoming.id = event.id();
  incoming.type = event.type();
  incoming.received = parts.clock.Wall();
  if (event.has_event_time()) {
    const google::protobuf::Timestamp& time = event.event_time();
    if (time.seconds() < TimeUtil::kTimestampMinSeconds ||
        time.seconds() > TimeUtil::kTimestampMaxSeconds || time.nanos() < 0 ||
        time.nanos() > 999'999'999) {
      return Error(StatusCode::kInvalidArgument, "bad_time", "'event.event_time' is no time");
    }
    incoming.time = TimeUtil::ToString(time);
  }
  for (const v1::Identifier& identifier : event.identifiers())
    incoming.identifiers.push_back({identifier.kind(), identifier.value()});
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(event.properties(), &json).ok()) {
    return Error(StatusCode::kInvalidArgument, "field_invalid",
                 "'event.properties' cannot be written as JSON");
  }
  HILO_ASSIGN_OR_RETURN(incoming.document, kit::json::Document::Parse(std::move(json)));
  incoming.properties = incoming.document->root();
  incoming.body = event.SerializeAsString();
  return incoming;
}

}  // namespace

void AddEventService(const Parts& parts, Endpoints& endpoints) {
  endpoints.Unary<v1::SendEventRequest, v1::SendEventResponse>(
      "/hilo.v1.EventService/SendEvent",
      [parts](std::shared_ptr<Call> call, const v1::SendEventRequest& request,
              Reply<v1::SendEventResponse> reply) {
        auto incoming = ToIncoming(parts, call->principal(), request.event());
        if (!incoming.ok()) return reply(incoming.status());
        if (Status audited = call->Audit("", "event"); !audited.ok())
          return reply(std::move(audited));
        parts.intake.Accept(*std::move(incoming), [reply](kit::Accepted accepted) {
          if (!accepted.status.ok()) return reply(std::move(accepted.status));
          v1::SendEventResponse response;
          response.set_event_id(accepted.event_id.Hex());
          if (accepted.offset >= 0) {
            response.set_position_token(
                command::PositionToken{{"events", 0}, accepted.offset + 1}.ToString());
          }
          reply(std::move(response));
        });
      });
}

}  // namespace hilo::serving
