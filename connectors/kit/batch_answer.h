#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/kit/intake.h"

namespace hilo::kit {

// What an HTTP edge answers to a batch.
struct BatchAnswer {
  int status = 200;
  std::string body;                        // JSON
  std::optional<int> retry_after_seconds;  // with 429 and 503
};

// All well: 200 {"success":true}. Something to be sent again: 503 or 429 for the whole batch, as
// what was taken in before is recognised. Some refused: 207 with a code for each of them; all
// refused: the first one's status. `request_id` goes into errors.
BatchAnswer AnswerBatch(const std::vector<Accepted>& results, const Intake& intake,
                        std::string_view request_id);
// The same for a batch of one.
BatchAnswer AnswerOne(const Accepted& result, const Intake& intake, std::string_view request_id);

}  // namespace hilo::kit
