#pragma once

#include <string>
#include <vector>

#include "state/store/store.h"
#include "streams/fold/fold.h"

namespace hilo::simulation {

// On `sources` every event goes on to the target that it names; on `targets` it is written down in
// the order of arrival, by lane, with log time. An event of a multiple of 11 is refused at its
// target; of 7 sets a timer there.
class SimFold final : public fold::Fold {
 public:
  static bool Refuses(uint64_t id) { return id % 11 == 0; }
  // The record of an event.
  static store::v1::Record Event(uint64_t id, uint32_t target);
  // What lies in a store: the lane's entries in order, "id@offset in the source".
  static std::vector<std::string> Applied(const store::Reader& store,
                                          const log::TopicPartition& source);
  // The entry that a record of a source's log, or of a lane, makes; "" when it makes none.
  static std::string EntryOf(const store::v1::Record& record, log::Offset offset,
                             const log::TopicPartition& target);

  fold::Outcome Apply(const fold::FoldRecord& record, fold::Context& context) override;
  fold::Outcome Fire(const fold::Timer& timer, fold::Context& context) override;

 private:
  fold::Outcome Write(const std::string& of, const std::string& entry, fold::Context& context);
};

}  // namespace hilo::simulation
