#include "state/decision/profile.h"

#include <algorithm>
#include <set>
#include <string>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "state/cases/cases.h"
#include "state/facts/facts.h"

namespace hilo::decision {
namespace {

using store::v1::MemberRow;
using v1::DecisionProfile;

struct ChannelName {
  v1::Channel channel;
  std::string_view word;
};
constexpr ChannelName kChannels[] = {{v1::CHANNEL_WEB, "web"},   {v1::CHANNEL_EMAIL, "email"},
                                     {v1::CHANNEL_SMS, "sms"},   {v1::CHANNEL_CALL, "call"},
                                     {v1::CHANNEL_DESK, "desk"}, {v1::CHANNEL_SYSTEM, "system"}};

struct IdentifierName {
  v1::IdentifierKind kind;
  std::string_view word;
};
constexpr IdentifierName kIdentifiers[] = {{v1::IDENTIFIER_KIND_USER_ID, "user_id"},
                                           {v1::IDENTIFIER_KIND_EMAIL, "email"},
                                           {v1::IDENTIFIER_KIND_PHONE, "phone"},
                                           {v1::IDENTIFIER_KIND_ANONYMOUS_ID, "anonymous_id"},
                                           {v1::IDENTIFIER_KIND_DEVICE_ID, "device_id"}};

void SetTime(int64_t micros, google::protobuf::Timestamp* time) {
  // Rounded down, also before 1970.
  int64_t seconds = micros / 1'000'000;
  if (micros % 1'000'000 < 0) --seconds;
  time->set_seconds(seconds);
  time->set_nanos(static_cast<int32_t>((micros - seconds * 1'000'000) * 1'000));
}

using Words = std::set<std::string, std::less<>>;
void SetWords(const Words& words, google::protobuf::RepeatedPtrField<std::string>* list) {
  for (const std::string& word : words) list->Add(std::string(word));
}

void AddPurchases(const MemberRow& row, DecisionProfile& profile) {
  const store::v1::PurchaseRow* most = nullptr;
  int64_t last = 0;
  for (const auto& purchase : row.purchases()) {
    if (most == nullptr || purchase.total_minor() > most->total_minor()) most = &purchase;
    if (purchase.count() > 0) last = std::max(last, purchase.last_micros());
  }
  if (most == nullptr) return;
  profile.set_orders(most->count());
  profile.set_spent_minor(most->total_minor());
  profile.set_currency(most->currency());
  if (last != 0) SetTime(last, profile.mutable_last_order_time());
}

void AddCases(const MemberRow& row, const catalogue::Catalogue& catalogue, LogTime now,
              DecisionProfile& profile) {
  Words kinds;
  const store::v1::CaseRow* last_asked = nullptr;
  for (const auto& c : row.cases()) {
    if (c.satisfaction() != 0 &&
        (last_asked == nullptr || c.close_micros() >= last_asked->close_micros())) {
      last_asked = &c;
    }
    if (c.state() != v1::CASE_STATE_OPEN) continue;
    profile.set_open_cases(profile.open_cases() + 1);
    const catalogue::CaseKind* kind = catalogue.FindCaseKind(c.kind());
    if (kind != nullptr && kind->complaint) {
      profile.set_open_complaints(profile.open_complaints() + 1);
    }
    kinds.insert(c.kind());
  }
  SetWords(kinds, profile.mutable_open_case_kinds());
  if (last_asked != nullptr) profile.set_satisfaction(last_asked->satisfaction());
  for (const auto& promise : row.promises()) {
    const uint32_t state = cases::ShownState(promise, now.micros);
    if (state != v1::PROMISE_STATE_OPEN && state != v1::PROMISE_STATE_OVERDUE) continue;
    profile.set_open_promises(profile.open_promises() + 1);
    if (state == v1::PROMISE_STATE_OVERDUE) {
      profile.set_overdue_promises(profile.overdue_promises() + 1);
    }
  }
}

void AddConsents(const MemberRow& row, DecisionProfile& profile) {
  Words granted;
  Words denied;
  for (const auto& consent : row.consents()) {
    const auto& signal = consent.signal();
    const std::string_view channel = signal.channel() == 0 ? "*" : ChannelWord(signal.channel());
    std::string word = std::string(channel) + "." + signal.purpose();
    if (signal.status() == v1::CONSENT_STATUS_GRANTED) granted.insert(std::move(word));
    if (signal.status() == v1::CONSENT_STATUS_DENIED) denied.insert(std::move(word));
  }
  SetWords(granted, profile.mutable_granted());
  SetWords(denied, profile.mutable_denied());
}

bool HasItsPlace(const store::v1::MessageRow& message) {
  switch (message.state()) {
    case v1::MESSAGE_STATE_FAILED:
    case v1::MESSAGE_STATE_EXPIRED:
    case v1::MESSAGE_STATE_CANCELLED:
    case v1::MESSAGE_STATE_REFUSED:
      return false;
    default:
      return true;
  }
}

void AddHistory(const MemberRow& row, LogTime now, DecisionProfile& profile) {
  for (const auto& message : row.messages()) {
    if (!HasItsPlace(message) || message.decide_micros() < now.micros - kMessageWindow.count())
      continue;
    v1::PastMessage* past = profile.add_messages();
    past->set_action(message.order().action());
    past->set_group(message.order().group());
    past->set_channel(std::string(ChannelWord(message.order().channel())));
    past->set_counts(message.order().class_() == store::v1::MessageOrder::CLASS_DEFAULT);
    SetTime(message.decide_micros(), past->mutable_time());
  }
  for (const auto& outcome : row.outcomes()) {
    // A snooze counts as long as it lasts.
    if (std::max(outcome.micros(), outcome.snooze_until_micros()) <
        now.micros - kOutcomeWindow.count()) {
      continue;
    }
    v1::PastOutcome* past = profile.add_outcomes();
    past->set_action(outcome.action());
    past->set_group(outcome.group());
    past->set_channel(outcome.channel());
    past->set_outcome(static_cast<v1::OutcomeKind>(outcome.outcome()));
    SetTime(outcome.micros(), past->mutable_time());
    if (outcome.snooze_until_micros() != 0)
      SetTime(outcome.snooze_until_micros(), past->mutable_snooze_until_time());
  }
}

}  // namespace

std::string_view ChannelWord(uint32_t channel) {
  for (const ChannelName& name : kChannels) {
    if (static_cast<uint32_t>(name.channel) == channel) return name.word;
  }
  return "";
}

uint32_t ChannelOf(std::string_view word) {
  for (const ChannelName& name : kChannels) {
    if (name.word == word) return name.channel;
  }
  return 0;
}

v1::DecisionProfile ProfileOf(const store::v1::MemberRow& customer,
                              const catalogue::Catalogue& catalogue, LogTime now) {
  DecisionProfile profile;
  profile.set_language(customer.language());
  profile.set_time_zone(customer.time_zone());
  if (customer.events() > 0) {
    SetTime(customer.first_micros(), profile.mutable_first_seen_time());
    SetTime(customer.last_micros(), profile.mutable_last_seen_time());
  }
  profile.set_events(static_cast<int64_t>(customer.events()));
  AddPurchases(customer, profile);
  AddCases(customer, catalogue, now, profile);
  AddConsents(customer, profile);
  AddHistory(customer, now, profile);

  Words facts;
  for (const auto& fact : customer.facts()) {
    if (facts::IsKnown(fact, now)) facts.insert(fact.kind());
  }
  SetWords(facts, profile.mutable_fact_kinds());
  Words identifiers;
  for (const auto& known : customer.identifiers()) {
    for (const IdentifierName& name : kIdentifiers) {
      if (static_cast<uint32_t>(name.kind) == known.identifier().kind())
        identifiers.insert(std::string(name.word));
    }
  }
  SetWords(identifiers, profile.mutable_identifier_kinds());
  Words groups;
  for (const auto& group : customer.groups()) groups.insert(group.group().kind());
  SetWords(groups, profile.mutable_group_kinds());
  Words journeys;
  for (const auto& run : customer.journeys()) {
    if (run.state() != store::v1::JourneyRow::STATE_ENDED) journeys.insert(run.journey());
  }
  SetWords(journeys, profile.mutable_journeys());
  Words channels;
  for (const auto& interaction : customer.interactions()) {
    if (interaction.last_micros() >= now.micros - kOutcomeWindow.count())
      channels.insert(std::string(ChannelWord(interaction.channel())));
  }
  SetWords(channels, profile.mutable_channels());
  return profile;
}

}  // namespace hilo::decision
