#include <algorithm>
#include <string>
#include <utility>

#include "hilo/v1/common.pb.h"
#include "hilo/v1/customer.pb.h"
#include "state/cases/cases.h"
#include "state/consent/consents.h"
#include "state/facts/facts.h"
#include "state/profile/traits.h"
#include "state/timeline/interactions.h"
#include "state/value/purchases.h"
#include "streams/customer/apply.h"
#include "streams/customer/timers.h"

namespace hilo::customer {
namespace {

using store::v1::EventBody;
using store::v1::MemberRow;
using store::v1::OriginRow;

// Beyond any event time, so that sums of times stay within 64 bits.
constexpr int64_t kMaxSpanMicros = int64_t{1} << 60;

int64_t After(int64_t event_micros, int64_t span_micros) {
  return span_micros > 0 ? event_micros + std::min(span_micros, kMaxSpanMicros) : 0;
}

int64_t EventMicros(const OpenedEvent& opened) {
  return opened.envelope.event_micros() != 0 ? opened.envelope.event_micros()
                                             : opened.event.event_micros();
}

// The interaction it belongs to, 16 bytes, or empty.
std::string ApplyInteraction(const OpenedEvent& opened, Change& change) {
  const EventBody& body = opened.body;
  const timeline::Touch touch{.channel = body.channel(),
                              .assurance = body.assurance(),
                              .event_micros = EventMicros(opened),
                              .now = change.context().Now(),
                              .known_before = !opened.envelope.begins()};
  timeline::Moved moved;
  if (body.has_call()) {
    moved = timeline::ApplyCallStep(change.row(), change.member(), body.call(), touch);
  } else if (body.channel() == v1::CHANNEL_WEB) {
    const int64_t idle = IdleMicros(body.channel(), change.context().Parameters());
    const auto fresh = [&change] { return *InteractionId::FromBytes(change.NextId()); };
    moved = timeline::ApplyVisit(change.row(), fresh, idle, touch);
  } else {
    return "";
  }
  const std::string interaction(moved.interaction.Bytes());
  if (moved.created) change.WatchSilence(interaction);
  return interaction;
}

void ApplyProfile(const OpenedEvent& opened, const OriginRow& origin, MemberRow& row) {
  for (uint32_t index : opened.envelope.bound()) {
    profile::See(row, opened.event.identifiers(static_cast<int>(index)), origin.event_micros());
  }
  for (const auto& group : opened.event.groups()) profile::JoinGroup(row, group, origin);
  for (const auto& trait : opened.body.traits()) profile::SetTrait(row, trait, origin);
  profile::SetLanguage(row, opened.body.language(), origin);
  profile::SetTimeZone(row, opened.body.time_zone(), origin);
}

void ApplyFacts(const EventBody& body, const OriginRow& origin, Change& change) {
  for (const auto& extracted : body.facts()) {
    store::v1::FactRow fact;
    fact.set_fact(change.NextId());
    fact.set_kind(extracted.kind());
    fact.set_sealed(extracted.sealed());
    fact.set_confidence(extracted.confidence());
    fact.set_expire_micros(After(origin.event_micros(), extracted.expires_after_micros()));
    *fact.mutable_origin() = origin;
    facts::Add(change.row(), std::move(fact), change.context().Now());
  }
}

void ApplyConsents(const EventBody& body, const OriginRow& origin, MemberRow& row) {
  for (const auto& signal : body.consents()) {
    if (signal.status() != v1::CONSENT_STATUS_GRANTED &&
        signal.status() != v1::CONSENT_STATUS_DENIED) {
      continue;  // says nothing
    }
    store::v1::ConsentRow consent;
    *consent.mutable_signal() = signal;
    *consent.mutable_origin() = origin;
    consent::Record(row, consent);
  }
}

void ApplyCase(const EventBody& body, const OriginRow& origin, Change& change) {
  if (!body.has_case_()) return;
  store::v1::CaseRow opened;
  opened.set_case_(change.NextId());
  opened.set_kind(body.case_().kind());
  opened.set_sealed_title(body.case_().sealed_title());
  opened.set_due_micros(After(origin.event_micros(), body.case_().due_after_micros()));
  *opened.mutable_origin() = origin;
  MemberRow& row = change.row();
  if (!cases::OpenCase(row, std::move(opened)).ok()) {
    // All are open: there is nobody to answer, so it is counted.
    row.mutable_left_out()->set_cases(row.left_out().cases() + 1);
  }
}

void ApplyTimes(int64_t event_micros, MemberRow& row) {
  const bool first = row.events() == 0;
  if (first || event_micros < row.first_micros()) row.set_first_micros(event_micros);
  if (first || event_micros > row.last_micros()) row.set_last_micros(event_micros);
  row.set_events(row.events() + 1);
}

}  // namespace

void ApplyEvent(const fold::FoldRecord& record, const OpenedEvent& opened, Change& change) {
  MemberRow& row = change.row();
  row.set_customer(opened.envelope.customer());
  const int64_t event_micros = EventMicros(opened);
  for (const auto& note : opened.envelope.suggestions()) {
    profile::NoteSuggestion(row, note, opened.envelope.identity_offset(), event_micros);
  }
  if (opened.envelope.event().empty()) return;

  OriginRow origin;
  origin.set_channel(opened.body.channel());
  origin.set_source(opened.body.source());
  origin.set_event_micros(event_micros);
  origin.set_source_rank(opened.body.source_rank());
  origin.set_event_id(opened.event.event_id());
  origin.set_interaction(ApplyInteraction(opened, change));

  ApplyTimes(event_micros, row);
  ApplyProfile(opened, origin, row);
  ApplyFacts(opened.body, origin, change);
  ApplyConsents(opened.body, origin, row);
  ApplyCase(opened.body, origin, change);
  ApplyJourneys(opened.body, event_micros, change);
  if (opened.body.has_purchase()) value::Apply(row, opened.body.purchase(), event_micros);

  store::v1::TimelineRow entry;
  entry.set_event(opened.envelope.event());
  entry.set_interaction(origin.interaction());
  entry.set_event_micros(event_micros);
  entry.set_channel(opened.body.channel());
  change.AddEntry(record, entry);
}

}  // namespace hilo::customer
