#pragma once

#include <cstdint>
#include <string_view>

#include "hilo/store/v1/rows.pb.h"
#include "ops/base/status.h"

// Open matters and what we said we would do. Pure rules over a member's row. Versions are etags:
// each change of a case or promise takes the row's next number.
namespace hilo::cases {

inline constexpr int kMaxCases = 200;
inline constexpr int kMaxPromises = 200;

// Opens `c` (its state and version are set here). **Errors**: `too_many_open_cases`
// (resource_exhausted) while kMaxCases are open; otherwise the oldest closed one makes room and is
// counted.
StatusOr<const store::v1::CaseRow*> OpenCase(store::v1::MemberRow& row, store::v1::CaseRow c);

struct Closing {
  uint64_t version = 0;  // last seen; 0: whatever it is
  int64_t at_micros = 0;
  std::string_view sealed_resolution;
  uint32_t satisfaction = 0;
};
// **Errors**: `case_not_found`, `stale_version` (aborted; names both versions), `case_closed`
// (failed_precondition).
StatusOr<const store::v1::CaseRow*> CloseCase(store::v1::MemberRow& row, std::string_view id,
                                              const Closing& closing);

// The case with this id; null when there is none.
const store::v1::CaseRow* FindCase(const store::v1::MemberRow& row, std::string_view id);

// **Errors**: `too_many_open_promises` (resource_exhausted), `case_not_found` when it names a case
// that is not there.
StatusOr<const store::v1::PromiseRow*> MakePromise(store::v1::MemberRow& row,
                                                   store::v1::PromiseRow promise);

struct Ending {
  uint64_t version = 0;  // last seen; 0: whatever it is
  int64_t at_micros = 0;
  uint32_t state = 0;  // hilo.v1.PromiseState: KEPT or CANCELLED
};
// **Errors**: `invalid_promise_state`, `promise_not_found`, `stale_version` (aborted; names both
// versions), `promise_ended`.
StatusOr<const store::v1::PromiseRow*> EndPromise(store::v1::MemberRow& row, std::string_view id,
                                                  const Ending& ending);

const store::v1::PromiseRow* FindPromise(const store::v1::MemberRow& row, std::string_view id);

// hilo.v1.PromiseState as it is shown at `now_micros` of log time: an open promise past its time is
// overdue. Never stored.
uint32_t ShownState(const store::v1::PromiseRow& promise, int64_t now_micros);

// Makes room: lets the oldest closed case or ended promise go; false when there is none.
bool DropClosedCase(store::v1::MemberRow& row);
bool DropEndedPromise(store::v1::MemberRow& row);
// The same for those that are open: only when nothing else is left to go.
bool DropOldestCase(store::v1::MemberRow& row);
bool DropOldestPromise(store::v1::MemberRow& row);

// Order in which they are kept: oldest first.
bool Before(const store::v1::CaseRow& a, const store::v1::CaseRow& b);
bool Before(const store::v1::PromiseRow& a, const store::v1::PromiseRow& b);

}  // namespace hilo::cases
