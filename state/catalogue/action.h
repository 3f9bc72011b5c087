#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/predicate.h"
#include "state/catalogue/translated.h"
#include "state/types/money.h"
#include "state/types/time.h"

namespace hilo::catalogue {

// Where actions are shown or sent.
inline constexpr std::string_view kActionChannels[] = {"call", "desk", "email", "sms", "web"};
// Those of them on which messages are sent, and which need a template.
inline constexpr std::string_view kOutboundChannels[] = {"email", "sms"};

// What rules an action is under. Values are those of store.v1.MessageOrder.Class.
enum class ActionClass : uint8_t {
  kDefault = 1,        // needs consent, counts against limits, competes
  kTransactional = 2,  // outside consent and limits
  kMandatory = 3,      // outside limits and arbitration, inside consent
};
// "default", "transactional", "mandatory".
std::string_view NameOf(ActionClass action_class);

// A factor in percent that managers set. 100 changes nothing, 0 takes the action out.
struct Lever {
  std::string name;        // such as "summer-sale"
  uint32_t percent = 100;  // 0 to 1,000
};

// A factor in percent while its condition holds; 100 changes nothing, 0 takes the action out.
struct ContextWeight {
  Predicate when;
  uint32_t percent = 100;  // 0 to 1,000
};

// Factors in percent made into one, in parts per million: what each adds to 100 % or takes off is
// added up, so that their order does not matter; 155 and 110 make 1,650,000. One 0 makes 0, and so
// does a sum below 0.
int64_t CombinedPpm(std::span<const uint32_t> percents);

// A reason for a no, as agents choose it. "other" is always there and needs no label.
struct DeclineReason {
  std::string name;  // recorded
  Translated label;
};

// What is believed before anything was observed: so many times taken up, so many times not.
struct Prior {
  uint32_t positives = 1;  // 1 to 1,000,000
  uint32_t negatives = 9;  // 1 to 1,000,000
};

// Something the company may do next. Texts are in at least "en".
struct Action {
  std::string name;
  std::string group;  // such as "retention"; limits, suppressions and policies may name it
  ActionClass action_class = ActionClass::kDefault;
  Translated title;          // what to do, at most 80 characters
  Translated talk_track;     // what to say to the customer, at most 500 characters
  Translated accept_label;   // at most 80 characters; of "desk" only
  Translated decline_label;  // at most 80 characters; of "desk" only
  std::vector<DeclineReason> decline_reasons;  // as written
  Money value;                                 // what it is worth when it is taken up
  Money cost;               // what it costs when it is taken up; the currency is that of `value`
  Micros effort{0};         // of the agent; 0: not said
  Micros expires_after{0};  // after the decision it is no longer offered or sent; 0: never
  std::vector<std::string> channels;                          // kActionChannels, ascending
  std::map<std::string, std::string, std::less<>> templates;  // outbound channel → Template
  std::string purpose;  // of the consent it needs; "": none. "marketing" where class default says
                        // nothing
  Conditions conditions;
  std::vector<ContextWeight> context_weights;
  std::vector<Lever> levers;  // by name
  Prior prior;

  bool IsOn(std::string_view channel) const;
};

}  // namespace hilo::catalogue
