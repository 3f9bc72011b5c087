#pragma once

#include <functional>
#include <optional>
#include <string>

#include "hilo/v1/customer.pb.h"
#include "ops/base/status.h"
#include "tests/scenario/story.h"

namespace hilo::scenario {

// Whether something is so, and what is found instead, for the message.
struct Finding {
  bool holds = false;
  std::string found;
};

// What a story says of a customer: `told shoe_size "42" from web`, `case return open`. Read once,
// checked as often as it takes.
using Claim = std::function<Finding(const v1::Context&)>;

// Finds the name of a customer ("customers/…") by an identifier in a story, such as user=u-bea;
// nullopt when there is none, or several.
using NameOf = std::function<std::optional<std::string>(const Token&)>;

// nullopt when the sentence does not begin with a claim. What follows the claim is left.
std::optional<Claim> TakeClaim(Sentence& sentence, const NameOf& name_of);

// user, email, phone, anonymous, device; unspecified for anything else.
v1::IdentifierKind KindOf(std::string_view key);

// "CHANNEL_WEB" as stories write it: "web".
std::string WordOf(std::string_view enum_name, std::string_view prefix);

}  // namespace hilo::scenario
