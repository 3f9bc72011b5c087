#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "connectors/kit/incoming_event.h"

namespace hilo::callcenter {

// The user part of what a switch writes for a caller: `"Ana" <sip:+34600111222@pbx;user=phone>` and
// `tel:+34600111222` give
// "+34600111222"; anything else stays as it is.
std::string NumberOf(std::string_view caller);

// Who calls: the number, when it can be dialled, else the call itself.
std::vector<kit::RawIdentifier> IdentifiersOf(std::string_view caller, std::string_view call_id,
                                              const kit::Source& source);

}  // namespace hilo::callcenter
