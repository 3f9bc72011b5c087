#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/action.h"
#include "state/catalogue/predicate.h"
#include "state/types/time.h"

namespace hilo::catalogue {

// At most so many messages to a customer within a period. Counted are those whose actions are of
// class default; the limit holds for actions of class default too.
struct ContactLimit {
  static constexpr Micros kLongestPeriod{30LL * 86'400 * 1'000'000};  // messages are kept so long
  // What is counted together with the message in question.
  enum class Per : uint8_t {
    kAny,      // every message
    kChannel,  // those on its channel
    kAction,   // those of its action
    kGroup,    // those of its group
  };
  Per per = Per::kAny;
  uint32_t at_most = 1;  // 0: none at all; up to 1,000
  Micros period{0};
};
std::string_view NameOf(ContactLimit::Per per);

// Rests an action, or its whole group, after it met with an outcome several times.
struct Suppression {
  // within + pause; outcomes are kept so long.
  static constexpr Micros kLongest{90LL * 86'400 * 1'000'000};
  std::string outcome;        // "impression", "accepted", "declined", "snoozed", "no_response",
                              // "completed"
  int outcome_kind = 0;       // the same as hilo.v1.OutcomeKind
  uint32_t count = 1;         // from 1
  Micros within{0};           // so many within this long
  Micros pause{0};            // from the last of them
  bool of_group = false;      // else of the action alone
  bool all_channels = false;  // counts and rests on all; else each channel by itself
};

// No sending within these hours of the customer's day.
struct QuietHours {
  uint32_t from_minute = 0;  // 0 to 1,439
  uint32_t to_minute = 0;    // 0 to 1,439, exclusive, not equal to from; may lie on the next day
  std::string default_zone;  // IANA, where the customer's is not known
};

// Rules for many actions. What several policies say of one action holds together: all conditions,
// all limits, all suppressions, the union of the quiet hours, every lever.
struct Policy {
  std::string name;
  // Which actions it covers: those that meet every list that is not empty. All empty: all actions.
  std::vector<std::string> actions;   // ascending
  std::vector<std::string> groups;    // ascending
  std::vector<ActionClass> classes;   // ascending
  std::vector<std::string> channels;  // ascending
  Conditions conditions;
  std::vector<ContactLimit> limits;
  std::vector<Suppression> suppressions;
  std::optional<QuietHours> quiet_hours;
  std::vector<std::string> held_by_cases;  // kinds; while one is open nothing is offered or sent,
                                           // unless the agent released it. Ascending
  std::vector<Lever> levers;               // by name

  bool Covers(const Action& action, std::string_view channel) const;
};

}  // namespace hilo::catalogue
