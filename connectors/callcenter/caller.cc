#include "connectors/callcenter/caller.h"

#include "connectors/kit/identifiers.h"
#include "connectors/kit/text.h"

namespace hilo::callcenter {

std::string NumberOf(std::string_view caller) {
  caller = kit::Trim(caller);
  if (const size_t open = caller.find('<'); open != std::string_view::npos) {
    const size_t close = caller.find('>', open);
    if (close != std::string_view::npos) caller = caller.substr(open + 1, close - open - 1);
  }
  for (std::string_view scheme : {"sip:", "sips:", "tel:"}) {
    if (kit::AsciiLower(caller.substr(0, scheme.size())) != scheme) continue;
    caller.remove_prefix(scheme.size());
    caller = caller.substr(0, caller.find_first_of("@;"));
    break;
  }
  return std::string(kit::Trim(caller));
}

std::vector<kit::RawIdentifier> IdentifiersOf(std::string_view caller, std::string_view call_id,
                                              const kit::Source& source) {
  const kit::RawIdentifier phone{v1::IDENTIFIER_KIND_PHONE, NumberOf(caller)};
  if (kit::Normalise(phone, source.default_region).ok()) return {phone};
  return {{v1::IDENTIFIER_KIND_DEVICE_ID, "call:" + source.name + ":" + std::string(call_id)}};
}

}  // namespace hilo::callcenter
