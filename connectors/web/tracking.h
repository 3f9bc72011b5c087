#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kit/incoming_event.h"
#include "connectors/kit/json.h"
#include "ops/base/status.h"

namespace hilo::web {

// A body of the tracking API, taken apart.
struct TrackingBody {
  std::string write_key;  // "" when the body has none
  struct Item {
    Status status;  // why it is no JSON of ours
    std::shared_ptr<const kit::json::Document> document;
    kit::json::Value value;
  };
  std::vector<Item> items;
  // Of a batch; they stand under each item's own.
  std::shared_ptr<const kit::json::Document> envelope_document;
  kit::json::Value envelope;
};

// One event: the whole body. A batch: the elements of "batch", each for itself where the text as a
// whole breaks a rule, so that one bad event does not spoil its neighbours.
// **Errors**: those of json::Document; `batch_size` for none or too many.
StatusOr<TrackingBody> ReadOne(std::string body);
StatusOr<TrackingBody> ReadBatch(std::string body, size_t max_items);

// The type behind a path or a "type" field: "t" and "track" give "track"; "" for anything else.
std::string_view TrackingType(std::string_view word);

// An item as an event. `type` is the path's; "" takes the item's own.
// **Errors**: INVALID_ARGUMENT `event_type`, `event_name`, `event_id`, `bad_time`; what kit::Intake
// refuses is left to it.
StatusOr<kit::IncomingEvent> ToIncomingEvent(const TrackingBody::Item& item,
                                             const TrackingBody& body, std::string_view type,
                                             const kit::Source& source, WallTime received);

}  // namespace hilo::web
