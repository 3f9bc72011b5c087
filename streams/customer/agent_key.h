#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "state/store/store.h"
#include "state/types/ids.h"

namespace hilo::customer {

// Key of a call that is at an agent. Agents are found by the hash of their name, so that a key has
// one length and holds no name.
std::string AgentKey(std::string_view agent, std::string_view interaction);
// All calls at an agent.
store::KeyRange CallsAt(std::string_view agent);
// The interaction of a key; nullopt when it is no such key.
std::optional<InteractionId> InteractionOfAgentKey(std::string_view key);

}  // namespace hilo::customer
