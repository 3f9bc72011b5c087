#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "state/store/store.h"
#include "streams/fold/fold.h"

namespace hilo::driver {

// What a LedgerEvent asks for besides being written down.
enum class LedgerWish {
  kNone,
  kRefuse,  // writes, emits, then refuses
  kFail,    // a failure, as of a disk
  kEcho,    // where it arrives it is emitted again, to the same partition: a loop that only the hop
            // limit ends
  kManyTimers,  // sets ten timers for the next second
  kTimer,       // sets a timer, "t<id>", 60 s ahead
  kSkippedTimer,
  kPeriodic,  // fires each minute from then on, the latest only after a gap
  kTooMany,   // emits more than one record may
};

// An event for ledgers: where it goes, and what it asks for.
store::v1::Record LedgerEvent(uint64_t id, uint32_t target, LedgerWish wish = LedgerWish::kNone);

// The simplest folds that use everything of the runtime. On `events` an event is counted and goes
// on to a partition of `customers`; there it is written into a ledger in the order of arrival, with
// log time. A fired timer is written into the ledger too.
class LedgerFold final : public fold::Fold {
 public:
  fold::Outcome Apply(const fold::FoldRecord& record, fold::Context& context) override;
  fold::Outcome Fire(const fold::Timer& timer, fold::Context& context) override;

  // The ledger of a store, in order: ids of events, and "t<id>" for timers.
  static std::vector<std::string> Read(const store::Reader& store);

 private:
  fold::Outcome Write(std::string_view entry, fold::Context& context);
};

// The folds `events/0` and `customers/0..n-1` with lanes from the first to the others and among the
// others.
struct PartitionSpec;
std::vector<PartitionSpec> LedgerPartitions(uint32_t customers);

}  // namespace hilo::driver
