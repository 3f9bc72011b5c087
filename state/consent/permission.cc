#include "state/consent/permission.h"

#include <algorithm>
#include <vector>

#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/fault.h"
#include "state/consent/consents.h"

namespace hilo::consent {
namespace {

using store::v1::ConsentRow;
using store::v1::ContactLimit;
using store::v1::MemberRow;
using store::v1::MessageOrder;
using store::v1::MessageRow;

bool Matches(const MessageOrder& order, const ContactLimit& limit) {
  return (limit.channel() == 0 || limit.channel() == order.channel()) &&
         (limit.action().empty() || limit.action() == order.action()) &&
         (limit.group().empty() || limit.group() == order.group());
}

// Whether it may still be sent, whenever that will be.
bool IsToCome(const MessageRow& message) {
  if (fault::Enabled("reserved_not_counted")) return false;
  return message.state() == v1::MESSAGE_STATE_DECIDED ||
         message.state() == v1::MESSAGE_STATE_PERMITTED ||
         message.state() == v1::MESSAGE_STATE_HELD;
}

bool IsWithin(const MessageRow& message, int64_t period_micros, LogTime now) {
  return IsToCome(message) || message.permit_end_micros() > now.micros - period_micros;
}

}  // namespace

std::string_view PurposeOf(const MessageOrder& order) {
  if (order.class_() == MessageOrder::CLASS_TRANSACTIONAL) return {};
  if (order.purpose().empty() && order.class_() != MessageOrder::CLASS_MANDATORY) return kMarketing;
  return order.purpose();
}

uint32_t StatusOf(const MemberRow& row, uint32_t channel, std::string_view purpose) {
  std::vector<const ConsentRow*> said;
  for (const ConsentRow& signal : row.consent_signals()) {
    const bool about_it = signal.signal().channel() == 0 || signal.signal().channel() == channel;
    if (about_it && signal.signal().purpose() == purpose) said.push_back(&signal);
  }
  if (said.empty()) return v1::CONSENT_STATUS_UNSPECIFIED;
  return InForce(said).signal().status();
}

std::string_view Objection(const MemberRow& row, const MessageOrder& order) {
  const std::string_view purpose = PurposeOf(order);
  if (purpose.empty()) return {};
  switch (StatusOf(row, order.channel(), purpose)) {
    case v1::CONSENT_STATUS_GRANTED:
      return {};
    case v1::CONSENT_STATUS_DENIED:
      return "opted_out";
    default:
      return "no_consent";
  }
}

bool IsHeldByCase(const MemberRow& row, const MessageOrder& order) {
  const auto holds = [&order](const store::v1::CaseRow& open) {
    const auto& kinds = order.held_by_cases();
    return open.state() == v1::CASE_STATE_OPEN &&
           std::find(kinds.begin(), kinds.end(), open.kind()) != kinds.end();
  };
  if (std::none_of(row.cases().begin(), row.cases().end(), holds)) return false;
  return std::none_of(row.interactions().begin(), row.interactions().end(),
                      [](const store::v1::InteractionRow& contact) {
                        return contact.released() && contact.state() != v1::INTERACTION_STATE_ENDED;
                      });
}

bool Counts(const MessageRow& message) {
  if (message.order().class_() != MessageOrder::CLASS_DEFAULT) return false;
  return IsToCome(message) || message.state() == v1::MESSAGE_STATE_SENT ||
         message.state() == v1::MESSAGE_STATE_UNKNOWN;
}

LimitReached CheckLimits(const MemberRow& row, const MessageOrder& order, LogTime now) {
  if (order.class_() != MessageOrder::CLASS_DEFAULT) return {};
  for (const ContactLimit& limit : order.limits()) {
    if (!Matches(order, limit)) continue;
    const auto counted =
        std::count_if(row.messages().begin(), row.messages().end(), [&](const MessageRow& message) {
          return Counts(message) && Matches(message.order(), limit) &&
                 IsWithin(message, limit.period_micros(), now);
        });
    if (counted >= static_cast<int64_t>(limit.at_most())) return {true, limit.policy()};
  }
  return {};
}

}  // namespace hilo::consent
