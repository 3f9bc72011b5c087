#include "state/catalogue/action.h"

#include <algorithm>

#include "state/catalogue/journey.h"
#include "state/catalogue/policy.h"

namespace hilo::catalogue {
namespace {

// An empty list names everything.
template <typename List, typename Value>
bool Names(const List& list, const Value& value) {
  return list.empty() || std::binary_search(list.begin(), list.end(), value);
}

}  // namespace

std::string_view NameOf(ActionClass action_class) {
  switch (action_class) {
    case ActionClass::kDefault:
      return "default";
    case ActionClass::kTransactional:
      return "transactional";
    case ActionClass::kMandatory:
      return "mandatory";
  }
  return {};
}

std::string_view NameOf(ContactLimit::Per per) {
  switch (per) {
    case ContactLimit::Per::kAny:
      return "any";
    case ContactLimit::Per::kChannel:
      return "channel";
    case ContactLimit::Per::kAction:
      return "action";
    case ContactLimit::Per::kGroup:
      return "group";
  }
  return {};
}

int64_t CombinedPpm(std::span<const uint32_t> percents) {
  int64_t sum = 100;
  for (uint32_t percent : percents) {
    if (percent == 0) return 0;
    sum += static_cast<int64_t>(percent) - 100;
  }
  return std::max<int64_t>(sum, 0) * 10'000;
}

bool Action::IsOn(std::string_view channel) const {
  return std::binary_search(channels.begin(), channels.end(), channel);
}

bool Policy::Covers(const Action& action, std::string_view channel) const {
  return Names(actions, action.name) && Names(groups, action.group) &&
         Names(classes, action.action_class) && Names(channels, channel);
}

bool Journey::MayChoose(std::string_view action, std::string_view group) const {
  return std::binary_search(actions.begin(), actions.end(), action) ||
         std::binary_search(groups.begin(), groups.end(), group);
}

}  // namespace hilo::catalogue
