#pragma once

#include <span>

#include "hilo/store/v1/rows.pb.h"

// Consent for each channel and purpose, with what proves it. Pure rules over a member's row.
//
// Of each (channel, purpose, status, source rank) the latest signal is kept; what is in force
// follows from those alone, so that neither the order in which signals come nor the order in which
// members are joined changes it:
//  - a withdrawal stands against every grant of a lower-ranked source, also one stamped later,
//  until a source of its own rank or above grants anew;
//  - among the signals that are left the latest by (event time, source rank, event id) is in force.
namespace hilo::consent {

// Of channel, purpose, status and source rank together.
inline constexpr int kMaxSignals = 256;

// Takes a signal in and works out `consents` anew for its channel and purpose. Returns what is now
// in force there. Above kMaxSignals the oldest *grant* goes, and only then the oldest withdrawal.
store::v1::ConsentRow Record(store::v1::MemberRow& row, const store::v1::ConsentRow& signal);

// What is in force among `signals` of one channel and purpose; `signals` is not empty.
const store::v1::ConsentRow& InForce(std::span<const store::v1::ConsentRow* const> signals);

// Takes over another member's signals by the same rules.
void Absorb(store::v1::MemberRow& into, const store::v1::MemberRow& from);

}  // namespace hilo::consent
