#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/store/store.h"
#include "state/types/bucket.h"
#include "state/types/ids.h"
#include "streams/log/log.h"

// Where what the customer fold sends goes, and where its rows about it stand.
namespace hilo::customer {

// "outbound.email" for hilo.v1.Channel; nullopt: there is no dispatcher for that channel.
std::optional<std::string> OutboundTopic(uint32_t channel);
inline constexpr std::string_view kSuppressionTopic = "suppression";

// The topics behind which no fold stands, with their partitions: one a customers partition for each
// channel, and the set of suppressed addresses.
std::vector<log::TopicSpec> OutboundTopics(uint32_t customer_partitions);
// Their names, for fold::Partition::Options::durable_is_accepted beside "dead-letters".
std::vector<std::string> OutboundTopicNames();
// Where customers partition `partition` emits, apart from dead letters.
std::vector<log::TopicPartition> OutboundTargets(uint32_t partition);

// Key of a run that is due.
std::string DueKey(CustomerId customer, MemberId member, std::string_view run);
// The run of such a key, 16 bytes; nullopt when it is no such key.
std::optional<std::string> RunOfDueKey(std::string_view key);
// Key of a recorded decision.
std::string DecisionKey(CustomerId customer, MemberId member, std::string_view decision);
// Key of the sums of outcomes of one action on one channel ("desk", "email", …).
std::string PropensityKey(std::string_view channel, std::string_view action);

}  // namespace hilo::customer
