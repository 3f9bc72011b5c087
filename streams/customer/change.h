#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "state/timeline/interactions.h"
#include "state/types/ids.h"
#include "streams/customer/member_cache.h"
#include "streams/customer/outbound_effects.h"
#include "streams/fold/fold.h"

namespace hilo::customer {

// What one record or timer does to one member: the row while it is changed, and afterwards what
// follows from the difference: which calls are at which agents, what is sent, who is told.
// **Threads**: confined to its partition's thread. **Lifetime**: within one Apply or Fire.
class Change {
 public:
  using Subject = OutboundEffects::Subject;
  // `row` is the cache's and stays its front until Finish.
  Change(Subject subject, store::v1::MemberRow& row, fold::Context& context);

  store::v1::MemberRow& row() { return row_; }
  fold::Context& context() { return context_; }
  CustomerId customer() const { return subject_.customer; }
  MemberId member() const { return subject_.member; }

  // Names for what a record makes: H(member ‖ partition ‖ offset ‖ 0, 1, 2, …), the same wherever
  // and whenever it is folded.
  void NameAfter(const fold::FoldRecord& record);
  std::string NextId();

  // Puts an entry on the timeline; its time, channel and interaction are set, its offset is
  // record's.
  void AddEntry(const fold::FoldRecord& record, store::v1::TimelineRow& entry);

  OutboundEffects& outbound() { return outbound_; }
  // Of the record, or behind all records for a timer.
  log::Offset offset() const { return offset_; }

  // An interaction began: it will be ended when it is silent for too long.
  void WatchSilence(std::string_view interaction);

  // Lets messages follow from what changed, saves the row, moves the rows of calls at agents, tells
  // who listens. `receive_micros` is when the edge took in what caused it, 0: nothing did.
  void Finish(MemberCache& cache, int64_t receive_micros);

 private:
  void UpdateAgents(int64_t receive_micros);
  void TellAgent(const timeline::AgentPlace& place, bool began_ringing, int64_t receive_micros);

  const Subject subject_;
  store::v1::MemberRow& row_;
  fold::Context& context_;
  const std::vector<timeline::AgentPlace> places_before_;
  OutboundEffects outbound_;
  uint32_t partition_ = 0;
  log::Offset offset_ = std::numeric_limits<log::Offset>::max();
  uint32_t named_ = 0;
};

}  // namespace hilo::customer
