#pragma once

#include <span>

#include "hilo/store/v1/rows.pb.h"

namespace hilo::profile {

// A customer as the join of its members: what is shown when somebody has been known under several
// ids.
//
// **Guarantees**: commutative, associative and idempotent, also over rows that are joins
// themselves; of two copies of one member the newer is taken. Pure. The join of one member is that
// member. A joined row keeps the members it was made of in `parts`, and everything else in it is
// computed from those: it is presented, never stored. Each list keeps to the limits of one member,
// but for messages, outcomes and decisions: contact budgets of the members add up.
// **Cost**: copies the rows; nothing but a copy for one member, which is nearly always.
// Source: state-based replicated data types (a join semilattice over sets of members), Shapiro et
// al. 2011.
store::v1::MemberRow Join(std::span<const store::v1::MemberRow> rows);

}  // namespace hilo::profile
