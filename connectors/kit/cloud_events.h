#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "ops/base/status.h"

namespace hilo::kit {

// What a request must show to be read as CloudEvents.
struct CloudEventsRequest {
  std::string media_type;  // lower case, without parameters; "" when absent
  std::vector<std::pair<std::string, std::string>>
      headers;  // those whose name begins with "ce-", any case
  std::string body;
};

// One event, its attributes checked, its data not understood yet.
struct CloudEvent {
  std::string id;
  std::string source;
  std::string type;
  std::string subject;
  std::optional<std::string> time;
  std::map<std::string, std::string, std::less<>> extensions;
  std::shared_ptr<const json::Document> document;  // null without data
  json::Value data;                                // an object, or absent
  std::string body;                                // what a repeat has in common
};

struct ReadCloudEvents {
  bool batch = false;
  std::vector<StatusOr<CloudEvent>> events;
};

// Reads CloudEvents 1.0 over HTTP in binary, structured or batch mode; a plain JSON array of events
// counts as a batch, a plain JSON object with `specversion` as structured.
// **Errors**: of the whole request: those of json::Document, `batch_size` (more than
// kMaxCloudEvents), `media_type` (UNIMPLEMENTED: data that is not JSON). Of one event:
// INVALID_ARGUMENT `ce_specversion`, `ce_attribute`, `ce_data`, those of json::Document.
// **Source**: CloudEvents HTTP protocol binding 1.0.2.
StatusOr<ReadCloudEvents> ReadCloudEventsRequest(CloudEventsRequest request);
inline constexpr size_t kMaxCloudEvents = 5'000;

// A system's event onto Hilo's words: identifiers from the extensions `customerid` and `userid`,
// and from the data's user_id, customer_id, email, phone, anonymous_id and device_id in snake or
// camel case; `channel` from the extension, by default the system's own.
IncomingEvent ToIncomingEvent(CloudEvent event, const Source& source, WallTime received);

}  // namespace hilo::kit
