#pragma once

#include <string>
#include <string_view>

#include "hilo/store/v1/records.pb.h"
#include "ops/base/status.h"
#include "state/store/tables.h"

namespace hilo::serving {

// What operators may see of records and rows: everything open, as JSON; what is sealed shows as
// "sealed(n bytes)", never its bytes. Messages inside messages (an event's body, an event on its
// way) are opened too.

// "event", "tick", "command", …; "undecodable" when it cannot be read.
struct InspectedRecord {
  std::string kind;
  std::string lane;  // "events/0 → epoch 1 sequence 42"; empty for records outside lanes
  std::string json;
};
InspectedRecord InspectRecord(std::string_view header, std::string_view payload);

// The content of a row of that table as JSON; hexadecimal where it is no message.
std::string InspectRow(store::Table table, std::string_view value);

// "member" ↔ kMember. The name of a table that is not known is its number.
std::string TableName(store::Table table);
StatusOr<store::Table> ParseTable(std::string_view name);

}  // namespace hilo::serving
