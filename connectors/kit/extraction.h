#pragma once

#include "connectors/kit/draft.h"

namespace hilo::kit {

// What the catalogue's rules find in an event, written into the draft's event and body; what is
// personal goes into `to_seal`. Expects that the draft has its event id.
//
// Nothing found here refuses an event: a fact that is too long is cut, an amount that cannot be
// read leaves an open field `purchase_problem` on the timeline, what has no rule is sealed with the
// rest.
void Extract(const IncomingEvent& event, const catalogue::Catalogue& catalogue, const HashKey& key,
             Draft& draft);

}  // namespace hilo::kit
