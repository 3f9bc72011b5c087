#include "state/cases/cases.h"

#include <string>
#include <utility>

#include "hilo/v1/customer.pb.h"
#include "state/types/ordered_list.h"
#include "state/types/origin.h"

namespace hilo::cases {
namespace {

using store::v1::CaseRow;
using store::v1::MemberRow;
using store::v1::PromiseRow;

uint64_t NextVersion(MemberRow& row) {
  row.set_versions(row.versions() + 1);
  return row.versions();
}

bool IsOpen(const CaseRow& c) { return c.state() != v1::CASE_STATE_CLOSED; }
bool IsOpen(const PromiseRow& promise) { return promise.end_micros() == 0; }

Status StaleVersion(std::string_view what, uint64_t given, uint64_t current) {
  return Error(StatusCode::kAborted, "stale_version",
               "version \"" + std::to_string(given) + "\" of the " + std::string(what) +
                   " was given, \"" + std::to_string(current) +
                   "\" is the current one: look again, then decide anew");
}

int IndexOfCase(const MemberRow& row, std::string_view id) {
  for (int i = 0; i < row.cases_size(); ++i) {
    if (row.cases(i).case_() == id) return i;
  }
  return -1;
}

int IndexOfPromise(const MemberRow& row, std::string_view id) {
  for (int i = 0; i < row.promises_size(); ++i) {
    if (row.promises(i).promise() == id) return i;
  }
  return -1;
}

Status CaseNotFound() {
  return Error(StatusCode::kNotFound, "case_not_found",
               "the customer has no case with this id; it may have been closed long ago");
}

void CountCase(MemberRow& row) { row.mutable_left_out()->set_cases(row.left_out().cases() + 1); }
void CountPromise(MemberRow& row) {
  row.mutable_left_out()->set_promises(row.left_out().promises() + 1);
}

}  // namespace

bool Before(const CaseRow& a, const CaseRow& b) {
  if (auto order = ComparePrecedence(a.origin(), b.origin()); order != 0) return order < 0;
  return a.case_() < b.case_();
}

bool Before(const PromiseRow& a, const PromiseRow& b) {
  if (auto order = ComparePrecedence(a.origin(), b.origin()); order != 0) return order < 0;
  return a.promise() < b.promise();
}

StatusOr<const CaseRow*> OpenCase(MemberRow& row, CaseRow c) {
  if (row.cases_size() >= kMaxCases && !DropClosedCase(row)) {
    return Error(StatusCode::kResourceExhausted, "too_many_open_cases",
                 "the customer has 200 open cases: close one first");
  }
  c.set_state(v1::CASE_STATE_OPEN);
  c.set_version(NextVersion(row));
  return InsertInOrder(*row.mutable_cases(), std::move(c),
                       [](const CaseRow& a, const CaseRow& b) { return Before(a, b); });
}

StatusOr<const CaseRow*> CloseCase(MemberRow& row, std::string_view id, const Closing& closing) {
  const int at = IndexOfCase(row, id);
  if (at < 0) return CaseNotFound();
  CaseRow& c = *row.mutable_cases(at);
  if (closing.version != 0 && closing.version != c.version()) {
    return StaleVersion("case", closing.version, c.version());
  }
  if (!IsOpen(c)) {
    return Error(StatusCode::kFailedPrecondition, "case_closed", "the case is closed already");
  }
  c.set_state(v1::CASE_STATE_CLOSED);
  c.set_close_micros(closing.at_micros);
  c.set_sealed_resolution(std::string(closing.sealed_resolution));
  c.set_satisfaction(closing.satisfaction);
  c.set_version(NextVersion(row));
  return &c;
}

const CaseRow* FindCase(const MemberRow& row, std::string_view id) {
  const int at = IndexOfCase(row, id);
  return at < 0 ? nullptr : &row.cases(at);
}

StatusOr<const PromiseRow*> MakePromise(MemberRow& row, PromiseRow promise) {
  if (!promise.case_().empty() && FindCase(row, promise.case_()) == nullptr) return CaseNotFound();
  if (row.promises_size() >= kMaxPromises && !DropEndedPromise(row)) {
    return Error(StatusCode::kResourceExhausted, "too_many_open_promises",
                 "the customer has 200 open promises: end one first");
  }
  promise.set_state(v1::PROMISE_STATE_OPEN);
  promise.set_version(NextVersion(row));
  return InsertInOrder(*row.mutable_promises(), std::move(promise),
                       [](const PromiseRow& a, const PromiseRow& b) { return Before(a, b); });
}

StatusOr<const PromiseRow*> EndPromise(MemberRow& row, std::string_view id, const Ending& ending) {
  if (ending.state != v1::PROMISE_STATE_KEPT && ending.state != v1::PROMISE_STATE_CANCELLED) {
    return Error(StatusCode::kInvalidArgument, "invalid_promise_state",
                 "a promise ends as kept or cancelled");
  }
  const int at = IndexOfPromise(row, id);
  if (at < 0) {
    return Error(StatusCode::kNotFound, "promise_not_found",
                 "the customer has no promise with this id; it may have ended long ago");
  }
  PromiseRow& promise = *row.mutable_promises(at);
  if (ending.version != 0 && ending.version != promise.version()) {
    return StaleVersion("promise", ending.version, promise.version());
  }
  if (!IsOpen(promise)) {
    return Error(StatusCode::kFailedPrecondition, "promise_ended", "the promise has ended already");
  }
  promise.set_state(ending.state);
  promise.set_end_micros(ending.at_micros);
  promise.set_version(NextVersion(row));
  return &promise;
}

const PromiseRow* FindPromise(const MemberRow& row, std::string_view id) {
  const int at = IndexOfPromise(row, id);
  return at < 0 ? nullptr : &row.promises(at);
}

uint32_t ShownState(const PromiseRow& promise, int64_t now_micros) {
  if (promise.state() == v1::PROMISE_STATE_OPEN && promise.due_micros() <= now_micros) {
    return v1::PROMISE_STATE_OVERDUE;
  }
  return promise.state();
}

bool DropClosedCase(MemberRow& row) {
  for (int i = 0; i < row.cases_size(); ++i) {
    if (IsOpen(row.cases(i))) continue;
    EraseAt(*row.mutable_cases(), i);
    CountCase(row);
    return true;
  }
  return false;
}

bool DropEndedPromise(MemberRow& row) {
  for (int i = 0; i < row.promises_size(); ++i) {
    if (IsOpen(row.promises(i))) continue;
    EraseAt(*row.mutable_promises(), i);
    CountPromise(row);
    return true;
  }
  return false;
}

bool DropOldestCase(MemberRow& row) {
  if (row.cases_size() == 0) return false;
  EraseAt(*row.mutable_cases(), 0);
  CountCase(row);
  return true;
}

bool DropOldestPromise(MemberRow& row) {
  if (row.promises_size() == 0) return false;
  EraseAt(*row.mutable_promises(), 0);
  CountPromise(row);
  return true;
}

}  // namespace hilo::cases
