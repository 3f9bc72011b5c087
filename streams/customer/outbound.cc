#include "streams/customer/outbound.h"

#include "hilo/v1/common.pb.h"
#include "state/store/keys.h"

namespace hilo::customer {
namespace {

using store::KeyBuilder;
using store::Table;

constexpr std::string_view kEmail = "outbound.email";
constexpr size_t kIdBytes = 16;
// Tag, bucket, member.
constexpr size_t kDuePrefixBytes = 1 + 1 + kIdBytes;

std::string MemberThing(Table table, CustomerId customer, MemberId member, std::string_view id) {
  return KeyBuilder(table).U8(BucketOf(customer)).Raw(member.Bytes()).Raw(id).Build();
}

}  // namespace

std::optional<std::string> OutboundTopic(uint32_t channel) {
  if (channel == v1::CHANNEL_EMAIL) return std::string(kEmail);
  return std::nullopt;
}

std::vector<log::TopicSpec> OutboundTopics(uint32_t customer_partitions) {
  return {{std::string(kEmail), customer_partitions}, {std::string(kSuppressionTopic), 1}};
}

std::vector<std::string> OutboundTopicNames() {
  return {std::string(kEmail), std::string(kSuppressionTopic)};
}

std::vector<log::TopicPartition> OutboundTargets(uint32_t partition) {
  return {{std::string(kEmail), partition}, {std::string(kSuppressionTopic), 0}};
}

std::string DueKey(CustomerId customer, MemberId member, std::string_view run) {
  return MemberThing(Table::kDue, customer, member, run);
}

std::optional<std::string> RunOfDueKey(std::string_view key) {
  if (key.size() != kDuePrefixBytes + kIdBytes) return std::nullopt;
  return std::string(key.substr(kDuePrefixBytes));
}

std::string DecisionKey(CustomerId customer, MemberId member, std::string_view decision) {
  return MemberThing(Table::kDecision, customer, member, decision);
}

std::string PropensityKey(std::string_view channel, std::string_view action) {
  return KeyBuilder(Table::kPropensity).Raw(channel).U8(0).Raw(action).Build();
}

}  // namespace hilo::customer
