#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "state/catalogue/trigger.h"
#include "state/types/time.h"

namespace hilo::catalogue {

// A follow-up of one step: an event begins it, a wait passes, then the best of its actions is
// decided for and sent, unless another event ended it meanwhile.
struct Journey {
  struct Exit {
    Trigger when;
    std::string reason;    // a machine word, such as "bought"
    std::string key_from;  // path of what it is about; "": ends every run
  };
  std::string name;
  Trigger begins;
  std::string key_from;   // path of what it is about (a basket, an order); "": one run a customer
  Micros wait{0};         // 0: due at once
  bool restarts = false;  // each further signal while it waits begins the wait anew
  std::vector<Exit> exits;
  Micros expires_after{0};  // after it was due; more than 0
  Micros reenter_after{0};  // after its beginning no other run begins; more than 0
  std::string channel;      // kOutboundChannels
  // What it may choose from: these actions and all of these groups that are on its channel.
  std::vector<std::string> actions;    // ascending
  std::vector<std::string> groups;     // ascending
  uint32_t max_attempts = 3;           // 1 to 20
  Micros retry{5LL * 60 * 1'000'000};  // first pause; doubles each time

  bool MayChoose(std::string_view action, std::string_view group) const;
};

}  // namespace hilo::catalogue
