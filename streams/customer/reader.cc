#include "streams/customer/reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "state/timeline/entry_key.h"
#include "state/timeline/interactions.h"
#include "state/types/bucket.h"
#include "streams/customer/agent_key.h"
#include "streams/fold/fold.h"

namespace hilo::customer {
namespace {

using store::v1::MemberRow;

template <typename Row>
StatusOr<std::optional<Row>> ReadRow(const store::Reader& reader, const std::string& key) {
  HILO_ASSIGN_OR_RETURN(const auto bytes, reader.Get(key));
  if (!bytes.has_value()) return std::optional<Row>();
  std::optional<Row> row(std::in_place);
  HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &*row));
  return row;
}

// Newest first; of one time and offset by member.
bool ComesBefore(const timeline::EntryPlace& a, const timeline::EntryPlace& b) {
  if (a.event_micros != b.event_micros) return a.event_micros > b.event_micros;
  if (a.offset != b.offset) return a.offset > b.offset;
  return a.member < b.member;
}

// The entries of several members as one timeline.
class Merged {
 public:
  Merged(const store::Reader& reader, CustomerId customer, const std::vector<MemberId>& members,
         const std::optional<timeline::EntryPlace>& after) {
    const Bucket bucket = BucketOf(customer);
    for (MemberId member : members) {
      store::KeyRange range = timeline::EntriesOf(bucket, member);
      if (after.has_value()) {
        // The place of another member is a place in this one's entries too: the member comes last.
        timeline::EntryPlace from = *after;
        from.member = member;
        range.begin = timeline::EntryKey(bucket, from);
        const bool was_given = !ComesBefore(*after, from);
        if (was_given) range.begin.push_back('\0');
      }
      iterators_.push_back(reader.NewIterator(range));
    }
  }

  // The iterator that stands at the newest entry; null at the end.
  StatusOr<store::Iterator*> Newest() const {
    store::Iterator* newest = nullptr;
    std::optional<timeline::EntryPlace> best;
    for (const auto& iterator : iterators_) {
      if (!iterator->Valid()) {
        HILO_RETURN_IF_ERROR(iterator->status());
        continue;
      }
      const auto place = timeline::PlaceOf(iterator->Key());
      if (!place.has_value()) {
        return Error(StatusCode::kDataLoss, "state_corrupt", "a timeline key is not of our making");
      }
      if (best.has_value() && !ComesBefore(*place, *best)) continue;
      best = place;
      newest = iterator.get();
    }
    return newest;
  }

 private:
  std::vector<std::unique_ptr<store::Iterator>> iterators_;
};

}  // namespace

StatusOr<std::optional<MemberRow>> ReadMember(const store::Reader& reader, CustomerId customer,
                                              MemberId member) {
  return ReadRow<MemberRow>(reader, timeline::MemberKey(BucketOf(customer), member));
}

StatusOr<std::optional<MemberRow>> ReadCustomer(const store::Reader& reader, CustomerId customer) {
  // The join of one member is that member, and nobody is merged yet.
  return ReadMember(reader, customer, BirthMember(customer));
}

StatusOr<std::optional<std::string>> ReadCustomerBytes(const store::Reader& reader,
                                                       CustomerId customer) {
  // Every change counts up MemberRow.changes.
  return reader.Get(timeline::MemberKey(BucketOf(customer), BirthMember(customer)));
}

Status DecodeCustomer(std::string_view bytes, MemberRow* row) { return fold::Decode(bytes, row); }

StatusOr<std::string> VisitTimeline(const store::Reader& reader, CustomerId customer,
                                    const std::vector<MemberId>& members, size_t limit,
                                    const EntryVisitor& visit) {
  const Merged merged(reader, customer, members, std::nullopt);
  std::string last_place;
  for (size_t visited = 0;; ++visited) {
    HILO_ASSIGN_OR_RETURN(store::Iterator * at, merged.Newest());
    if (at == nullptr) return std::string();
    if (visited == limit) return last_place;
    last_place = timeline::PlaceOf(at->Key())->Bytes();
    HILO_RETURN_IF_ERROR(visit(last_place, at->Value()));
    at->Next();
  }
}

StatusOr<TimelinePage> ReadTimeline(const store::Reader& reader, CustomerId customer,
                                    const std::vector<MemberId>& members,
                                    const TimelineQuery& query) {
  std::optional<timeline::EntryPlace> after;
  if (!query.after.empty()) {
    after = timeline::EntryPlace::FromBytes(query.after);
    if (!after.has_value()) {
      return Error(StatusCode::kInvalidArgument, "page_token_invalid",
                   "the page token is not from an answer of this list");
    }
  }
  const Merged merged(reader, customer, members, after);
  TimelinePage page;
  std::string last_place;
  for (size_t scanned = 0;; ++scanned) {
    HILO_ASSIGN_OR_RETURN(store::Iterator * at, merged.Newest());
    if (at == nullptr) return page;
    if (page.entries.size() >= query.page_size || scanned >= kMaxRowsScanned) {
      page.next = last_place;
      return page;
    }
    last_place = timeline::PlaceOf(at->Key())->Bytes();
    store::v1::TimelineRow row;
    HILO_RETURN_IF_ERROR(fold::Decode(at->Value(), &row));
    at->Next();
    if (query.channel != 0 && row.channel() != query.channel) continue;
    page.entries.push_back({last_place, std::move(row)});
  }
}

StatusOr<std::vector<AgentCall>> CallsOfAgent(const store::Reader& reader, std::string_view agent) {
  std::vector<AgentCall> calls;
  const auto iterator = reader.NewIterator(CallsAt(agent));
  for (; iterator->Valid() && calls.size() < kMaxCallsOfAgent; iterator->Next()) {
    store::v1::AgentCallRow row;
    HILO_RETURN_IF_ERROR(fold::Decode(iterator->Value(), &row));
    const auto customer = CustomerId::FromBytes(row.customer());
    const auto member = MemberId::FromBytes(row.member());
    const auto interaction = InteractionOfAgentKey(iterator->Key());
    if (!customer || !member || !interaction) {
      return Error(StatusCode::kDataLoss, "state_corrupt",
                   "a row of calls at agents is not of our making");
    }
    HILO_ASSIGN_OR_RETURN(const auto known, ReadMember(reader, *customer, *member));
    if (!known.has_value()) continue;
    const auto* call = timeline::Find(*known, interaction->Bytes());
    // Between two reads that do not share a view the call may have gone on.
    if (call != nullptr) calls.push_back({*customer, *member, *call});
  }
  HILO_RETURN_IF_ERROR(iterator->status());
  std::sort(calls.begin(), calls.end(), [](const AgentCall& a, const AgentCall& b) {
    return timeline::Before(a.interaction, b.interaction);
  });
  return calls;
}

}  // namespace hilo::customer
