#include "streams/identity/rows.h"

#include <algorithm>

#include "hilo/store/v1/rows.pb.h"
#include "streams/fold/fold.h"

namespace hilo::identity {
namespace {

Status Broken() {
  return Error(StatusCode::kDataLoss, "undecodable", "a row of identity holds a broken id");
}

// An id that must be there.
template <typename T>
Status ReadId(std::string_view bytes, T* id) {
  const std::optional<T> read = T::FromBytes(bytes);
  if (!read) return Broken();
  *id = *read;
  return OkStatus();
}

// An id that may be empty.
template <typename T>
Status ReadId(std::string_view bytes, std::optional<T>* id) {
  if (bytes.empty()) return OkStatus();
  *id = T::FromBytes(bytes);
  return *id ? OkStatus() : Broken();
}

template <typename T, typename Repeated>
Status ReadIds(const Repeated& from, std::vector<T>* ids) {
  ids->resize(static_cast<size_t>(from.size()));
  for (int i = 0; i < from.size(); ++i) {
    HILO_RETURN_IF_ERROR(ReadId(from[i], &(*ids)[static_cast<size_t>(i)]));
  }
  return OkStatus();
}

std::string Text(std::string_view bytes) { return std::string(bytes); }

}  // namespace

bool IdentifierState::WasSeenWith(CustomerId customer) const {
  return std::find(seen_with.begin(), seen_with.end(), customer) != seen_with.end();
}

uint32_t CustomerState::Identifiers() const {
  uint32_t all = 0;
  for (const KindTally& tally : tallies_) all += tally.count;
  return all;
}

bool CustomerState::Known() const {
  for (uint8_t kind = 1; kind <= kLastKind; ++kind) {
    if (StrengthOf(kind, false) != Strength::kWeak && Tally(kind, false).count > 0) return true;
  }
  return false;
}

std::string EncodeIdentifier(const IdentifierState& state) {
  store::v1::IdentifierRow row;
  if (state.member) row.set_member(Text(state.member->Bytes()));
  if (state.home) row.set_home(Text(state.home->Bytes()));
  row.set_shared(state.shared);
  row.set_weak(state.weak);
  row.set_first_micros(state.first_micros);
  row.set_last_micros(state.last_micros);
  for (const CustomerId& customer : state.seen_with) row.add_seen_with(Text(customer.Bytes()));
  return fold::Encode(row);
}

StatusOr<IdentifierState> DecodeIdentifier(std::string_view bytes) {
  store::v1::IdentifierRow row;
  HILO_RETURN_IF_ERROR(fold::Decode(bytes, &row));
  IdentifierState state;
  HILO_RETURN_IF_ERROR(ReadId(row.member(), &state.member));
  HILO_RETURN_IF_ERROR(ReadId(row.home(), &state.home));
  state.shared = row.shared();
  state.weak = row.weak();
  state.first_micros = row.first_micros();
  state.last_micros = row.last_micros();
  HILO_RETURN_IF_ERROR(ReadIds(row.seen_with(), &state.seen_with));
  if (!state.shared && !state.member) return Broken();
  return state;
}

std::string EncodeCustomer(const CustomerState& state) {
  store::v1::CustomerRow row;
  row.set_birth(state.birth);
  for (const MemberId& member : state.members) row.add_members(Text(member.Bytes()));
  if (state.strong) row.set_strong(Text(state.strong->Bytes()));
  if (state.moved_to) row.set_moved_to(Text(state.moved_to->Bytes()));
  row.set_suggestions(state.suggestions);
  for (uint8_t kind = 1; kind <= kLastKind; ++kind) {
    for (const bool weak : {false, true}) {
      const KindTally& tally = state.Tally(kind, weak);
      if (tally == KindTally{}) continue;
      store::v1::KindCount& count = *row.add_counts();
      count.set_kind(kind);
      count.set_weak(weak);
      count.set_count(tally.count);
      count.set_this_week(tally.this_week);
      count.set_week(tally.week);
    }
  }
  return fold::Encode(row);
}

StatusOr<CustomerState> DecodeCustomer(std::string_view bytes) {
  store::v1::CustomerRow row;
  HILO_RETURN_IF_ERROR(fold::Decode(bytes, &row));
  CustomerState state;
  state.birth = row.birth();
  HILO_RETURN_IF_ERROR(ReadIds(row.members(), &state.members));
  HILO_RETURN_IF_ERROR(ReadId(row.strong(), &state.strong));
  HILO_RETURN_IF_ERROR(ReadId(row.moved_to(), &state.moved_to));
  state.suggestions = row.suggestions();
  for (const store::v1::KindCount& count : row.counts()) {
    if (count.kind() < 1 || count.kind() > kLastKind) return Broken();
    state.Tally(static_cast<uint8_t>(count.kind()), count.weak()) = {
        .count = count.count(), .this_week = count.this_week(), .week = count.week()};
  }
  return state;
}

}  // namespace hilo::identity
