#include "streams/customer/agent_key.h"

#include "state/store/keys.h"
#include "state/types/hash.h"

namespace hilo::customer {

std::string AgentKey(std::string_view agent, std::string_view interaction) {
  return store::KeyBuilder(store::Table::kAgent).Raw(Bytes(Hash(agent))).Raw(interaction).Build();
}

store::KeyRange CallsAt(std::string_view agent) { return store::PrefixRange(AgentKey(agent, "")); }

std::optional<InteractionId> InteractionOfAgentKey(std::string_view key) {
  constexpr size_t kInteractionAt = 1 + sizeof(Hash16);
  if (key.size() != kInteractionAt + InteractionId::kSize) return std::nullopt;
  return InteractionId::FromBytes(key.substr(kInteractionAt));
}

}  // namespace hilo::customer
