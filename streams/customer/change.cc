#include "streams/customer/change.h"

#include <algorithm>
#include <string_view>

#include "state/message/messages.h"
#include "state/store/keys.h"
#include "state/timeline/entry_key.h"
#include "state/types/bucket.h"
#include "state/types/hash.h"
#include "streams/customer/agent_key.h"
#include "streams/customer/timers.h"

namespace hilo::customer {
namespace {

using timeline::AgentPlace;

// The place of the same agent in the same interaction; null when there is none.
const AgentPlace* SamePlace(const std::vector<AgentPlace>& places, const AgentPlace& place) {
  for (const AgentPlace& other : places) {
    if (other.agent == place.agent && other.interaction == place.interaction) return &other;
  }
  return nullptr;
}

}  // namespace

Change::Change(Subject subject, store::v1::MemberRow& row, fold::Context& context)
    : subject_(subject),
      row_(row),
      context_(context),
      places_before_(timeline::AgentPlaces(row)),
      outbound_(subject, row, context) {}

void Change::NameAfter(const fold::FoldRecord& record) {
  partition_ = record.from.partition;
  offset_ = record.offset;
  named_ = 0;
}

std::string Change::NextId() {
  // The key builder's big-endian numbers, without its table.
  const std::string place = store::KeyBuilder(store::Table::kMember)
                                .U32(partition_)
                                .U64(static_cast<uint64_t>(offset_))
                                .U32(named_++)
                                .Build();
  return std::string(Bytes(Hash(subject_.member.Bytes(), std::string_view(place).substr(1))));
}

void Change::AddEntry(const fold::FoldRecord& record, store::v1::TimelineRow& entry) {
  entry.set_offset(record.offset);
  const timeline::EntryPlace place{entry.event_micros(), record.offset, subject_.member};
  context_.Insert(timeline::EntryKey(BucketOf(subject_.customer), place), fold::Encode(entry));
}

void Change::WatchSilence(std::string_view interaction) {
  const auto* begun = timeline::Find(static_cast<const store::v1::MemberRow&>(row_), interaction);
  if (begun == nullptr || !timeline::IsOpen(*begun)) return;
  const Micros idle(IdleMicros(begun->channel(), context_.Parameters()));
  context_.SetTimer(
      MakeTimer({TimerKind::kSilence, subject_.customer, subject_.member, std::string(interaction)},
                context_.Now() + idle));
}

void Change::Finish(MemberCache& cache, int64_t receive_micros) {
  row_.set_changes(row_.changes() + 1);
  if (row_.messages_size() > 0) message::Review(row_, context_.Now());
  outbound_.Apply(offset_);
  cache.Save(subject_.customer, subject_.member, context_);
  UpdateAgents(receive_micros);
  fold::Notice notice;
  notice.kind = fold::Notice::Kind::kMemberChanged;
  notice.member = subject_.member;
  notice.customer = subject_.customer;
  notice.receive_micros = receive_micros;
  context_.Tell(notice);
}

void Change::UpdateAgents(int64_t receive_micros) {
  const std::vector<AgentPlace> places = timeline::AgentPlaces(row_);
  if (places == places_before_) return;
  for (const AgentPlace& before : places_before_) {
    if (SamePlace(places, before) != nullptr) continue;
    context_.Delete(AgentKey(before.agent, before.interaction));
    TellAgent(before, false, receive_micros);
  }
  for (const AgentPlace& place : places) {
    const AgentPlace* before = SamePlace(places_before_, place);
    if (before != nullptr && *before == place) continue;
    if (before == nullptr) {
      store::v1::AgentCallRow call;
      call.set_customer(std::string(subject_.customer.Bytes()));
      call.set_member(std::string(subject_.member.Bytes()));
      context_.Put(AgentKey(place.agent, place.interaction), fold::Encode(call));
    }
    TellAgent(place, place.rings && (before == nullptr || !before->rings), receive_micros);
  }
}

void Change::TellAgent(const AgentPlace& place, bool began_ringing, int64_t receive_micros) {
  fold::Notice notice;
  notice.kind = fold::Notice::Kind::kAgentCall;
  notice.member = subject_.member;
  notice.customer = subject_.customer;
  notice.agent = place.agent;
  notice.interaction = *InteractionId::FromBytes(place.interaction);
  notice.began_ringing = began_ringing;
  notice.receive_micros = receive_micros;
  context_.Tell(notice);
}

}  // namespace hilo::customer
