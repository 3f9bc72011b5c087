#include "state/consent/consents.h"

#include <algorithm>
#include <compare>
#include <vector>

#include "hilo/v1/customer.pb.h"
#include "state/types/ordered_list.h"
#include "state/types/origin.h"

namespace hilo::consent {
namespace {

using store::v1::ConsentRow;
using store::v1::MemberRow;

// Order of `consents`, and the first part of the order of `consent_signals`: what a consent is
// about.
std::strong_ordering CompareSubject(const ConsentRow& a, const ConsentRow& b) {
  if (auto order = a.signal().channel() <=> b.signal().channel(); order != 0) return order;
  return a.signal().purpose().compare(b.signal().purpose()) <=> 0;
}

std::strong_ordering CompareSignal(const ConsentRow& a, const ConsentRow& b) {
  if (auto order = CompareSubject(a, b); order != 0) return order;
  if (auto order = a.signal().status() <=> b.signal().status(); order != 0) return order;
  return a.origin().source_rank() <=> b.origin().source_rank();
}

bool IsGrant(const ConsentRow& row) { return row.signal().status() == v1::CONSENT_STATUS_GRANTED; }

// Whether some grant of the withdrawal's rank or above came after it.
bool IsLifted(const ConsentRow& withdrawal, std::span<const ConsentRow* const> signals) {
  return std::any_of(signals.begin(), signals.end(), [&](const ConsentRow* other) {
    return IsGrant(*other) && other->origin().source_rank() >= withdrawal.origin().source_rank() &&
           Supersedes(other->origin(), withdrawal.origin());
  });
}

bool IsBarred(const ConsentRow& grant, std::span<const ConsentRow* const> signals) {
  return std::any_of(signals.begin(), signals.end(), [&](const ConsentRow* other) {
    return !IsGrant(*other) && other->origin().source_rank() > grant.origin().source_rank() &&
           !IsLifted(*other, signals);
  });
}

void DropOldestSignal(MemberRow& row) {
  int oldest = 0;
  for (int i = 1; i < row.consent_signals_size(); ++i) {
    const ConsentRow& candidate = row.consent_signals(i);
    const ConsentRow& current = row.consent_signals(oldest);
    const bool older = ComparePrecedence(candidate.origin(), current.origin()) < 0;
    if (IsGrant(candidate) != IsGrant(current) ? IsGrant(candidate) : older) oldest = i;
  }
  EraseAt(*row.mutable_consent_signals(), oldest);
  row.mutable_left_out()->set_consents(row.left_out().consents() + 1);
}

// Replaces `consents` by what all the signals say.
void Recompute(MemberRow& row) {
  row.clear_consents();
  std::vector<const ConsentRow*> subject;
  for (int i = 0; i < row.consent_signals_size(); ++i) {
    subject.push_back(&row.consent_signals(i));
    const bool last = i + 1 == row.consent_signals_size() ||
                      CompareSubject(row.consent_signals(i), row.consent_signals(i + 1)) != 0;
    if (!last) continue;
    *row.add_consents() = InForce(subject);
    subject.clear();
  }
}

// Whether something changed.
bool Take(MemberRow& row, const ConsentRow& signal) {
  auto& signals = *row.mutable_consent_signals();
  auto at = std::lower_bound(
      signals.begin(), signals.end(), signal,
      [](const ConsentRow& a, const ConsentRow& b) { return CompareSignal(a, b) < 0; });
  if (at != signals.end() && CompareSignal(*at, signal) == 0) {
    if (!Supersedes(signal.origin(), at->origin())) return false;
    *at = signal;
    return true;
  }
  InsertInOrder(signals, signal,
                [](const ConsentRow& a, const ConsentRow& b) { return CompareSignal(a, b) < 0; });
  while (signals.size() > kMaxSignals) DropOldestSignal(row);
  return true;
}

}  // namespace

const ConsentRow& InForce(std::span<const ConsentRow* const> signals) {
  const ConsentRow* best = nullptr;
  for (const ConsentRow* signal : signals) {
    if (IsGrant(*signal) && IsBarred(*signal, signals)) continue;
    if (best == nullptr) {
      best = signal;
      continue;
    }
    const auto order = ComparePrecedence(signal->origin(), best->origin());
    // One event that says both is taken at its stricter word.
    if (order > 0 || (order == 0 && !IsGrant(*signal))) best = signal;
  }
  return *best;
}

ConsentRow Record(MemberRow& row, const ConsentRow& signal) {
  if (Take(row, signal)) Recompute(row);
  for (const ConsentRow& consent : row.consents()) {
    if (CompareSubject(consent, signal) == 0) return consent;
  }
  return signal;
}

void Absorb(MemberRow& into, const MemberRow& from) {
  for (const ConsentRow& signal : from.consent_signals()) Take(into, signal);
  Recompute(into);
}

}  // namespace hilo::consent
