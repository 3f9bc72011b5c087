#include "streams/decide/order.h"

#include <algorithm>
#include <bitset>
#include <set>

#include "state/decision/profile.h"

namespace hilo::decide {
namespace {

using catalogue::Policy;
using store::v1::MessageOrder;

constexpr uint32_t kMinutes = 24 * 60;

void AddLimits(const Policy& policy, const Occasion& occasion, MessageOrder& order) {
  using Per = catalogue::ContactLimit::Per;
  for (const catalogue::ContactLimit& limit : policy.limits) {
    store::v1::ContactLimit* kept = order.add_limits();
    kept->set_policy(policy.name);
    kept->set_at_most(limit.at_most);
    kept->set_period_micros(limit.period.count());
    if (limit.per == Per::kChannel) kept->set_channel(order.channel());
    if (limit.per == Per::kAction) kept->set_action(occasion.action.name);
    if (limit.per == Per::kGroup) kept->set_group(occasion.action.group);
  }
}

// The shortest stretch that covers every minute of `quiet`: what is left when the longest stretch
// without any is taken out.
void SetQuiet(const std::bitset<kMinutes>& quiet, MessageOrder& order) {
  if (quiet.none()) return;
  if (quiet.all()) {
    // No minute is free; the last one has to be, or nothing would ever be sent.
    order.set_quiet_from_minute(0);
    order.set_quiet_to_minute(kMinutes - 1);
    return;
  }
  uint32_t best_begin = 0;
  uint32_t best_length = 0;
  for (uint32_t begin = 0; begin < kMinutes; ++begin) {
    if (quiet[begin] || !quiet[(begin + kMinutes - 1) % kMinutes]) continue;
    uint32_t length = 0;
    while (length < kMinutes && !quiet[(begin + length) % kMinutes]) ++length;
    if (length > best_length) {
      best_begin = begin;
      best_length = length;
    }
  }
  order.set_quiet_from_minute((best_begin + best_length) % kMinutes);
  order.set_quiet_to_minute(best_begin);
}

}  // namespace

MessageOrder OrderFor(const Occasion& occasion) {
  const catalogue::Action& action = occasion.action;
  const std::string& channel = occasion.journey.channel;
  MessageOrder order;
  order.set_action(action.name);
  order.set_group(action.group);
  order.set_channel(decision::ChannelOf(channel));
  order.set_class_(static_cast<MessageOrder::Class>(action.action_class));
  order.set_purpose(action.purpose);
  order.set_catalogue_revision(occasion.catalogue.revision());
  order.set_language(occasion.language.empty() ? "en" : occasion.language);
  order.set_max_attempts(occasion.journey.max_attempts);
  order.set_retry_micros(occasion.journey.retry.count());
  int64_t expire = occasion.expire_micros;
  if (action.expires_after.count() > 0) {
    const int64_t own = (occasion.now + action.expires_after).micros;
    expire = expire == 0 ? own : std::min(expire, own);
  }
  order.set_expire_micros(expire);

  std::set<std::string> held_by;
  std::bitset<kMinutes> quiet;
  for (const catalogue::Offer& offer : occasion.catalogue.ActionsFor(channel)) {
    if (offer.action->name != action.name) continue;
    for (const Policy* policy : *offer.policies) {
      AddLimits(*policy, occasion, order);
      held_by.insert(policy->held_by_cases.begin(), policy->held_by_cases.end());
      if (!policy->quiet_hours.has_value()) continue;
      const catalogue::QuietHours& hours = *policy->quiet_hours;
      for (uint32_t at = hours.from_minute; at != hours.to_minute; at = (at + 1) % kMinutes) {
        quiet.set(at);
      }
      if (order.default_zone().empty()) order.set_default_zone(hours.default_zone);
    }
  }
  for (const std::string& kind : held_by) order.add_held_by_cases(kind);
  // What the customer asked for by acting is answered at any hour.
  if (action.action_class != catalogue::ActionClass::kTransactional) SetQuiet(quiet, order);

  if (const auto named = action.templates.find(channel); named != action.templates.end()) {
    order.set_template_(named->second);
    if (const auto* shown = occasion.catalogue.FindTemplate(named->second); shown != nullptr) {
      for (const std::string& trait : shown->traits) order.add_traits(trait);
      for (const std::string& fact : shown->facts) order.add_facts(fact);
    }
  }
  return order;
}

}  // namespace hilo::decide
