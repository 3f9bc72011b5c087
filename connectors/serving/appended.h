#pragma once

#include <optional>
#include <string_view>

#include "ops/base/clock.h"
#include "ops/base/status.h"
#include "streams/log/log.h"

namespace hilo::serving {

// The first record with this key that the partition took in at `since` or later; nullopt when there
// is none. For writes outside the folds, which remember no request ids: the key of what is appended
// names its request, so that a retry finds it whatever has been started again meanwhile.
//
// **Cost**: a search for the place by append time, then a read of all that came since. For
// operators, not for a path that customers wait on.
StatusOr<std::optional<log::StoredRecord>> FindAppended(log::Log& log,
                                                        const log::TopicPartition& of,
                                                        std::string_view key, WallTime since);

}  // namespace hilo::serving
