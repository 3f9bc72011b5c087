#include "streams/customer/outbound_reader.h"

#include <utility>

#include "state/store/keys.h"
#include "streams/customer/outbound.h"
#include "streams/customer/reader.h"
#include "streams/fold/fold.h"

namespace hilo::customer {
namespace {

template <typename Row>
StatusOr<std::optional<Row>> ReadRow(const store::Reader& reader, const std::string& key) {
  HILO_ASSIGN_OR_RETURN(const auto bytes, reader.Get(key));
  if (!bytes.has_value()) return std::optional<Row>();
  std::optional<Row> row(std::in_place);
  HILO_RETURN_IF_ERROR(fold::Decode(*bytes, &*row));
  return row;
}

}  // namespace

StatusOr<DuePage> ReadDue(const store::Reader& reader, size_t page_size, std::string_view after) {
  store::KeyRange range = store::PrefixRange(store::KeyBuilder(store::Table::kDue).Build());
  if (!after.empty()) range.begin = std::string(after) + '\0';
  DuePage page;
  std::string last;
  const auto rows = reader.NewIterator(range);
  for (; rows->Valid(); rows->Next()) {
    if (page.runs.size() >= page_size) {
      page.next = last;
      return page;
    }
    store::v1::DueRow row;
    HILO_RETURN_IF_ERROR(fold::Decode(rows->Value(), &row));
    const auto customer = CustomerId::FromBytes(row.customer());
    const auto member = MemberId::FromBytes(row.member());
    auto run = RunOfDueKey(rows->Key());
    if (!customer || !member || !run) {
      return Error(StatusCode::kDataLoss, "state_corrupt", "a row of what is due is not ours");
    }
    last = std::string(rows->Key());
    page.runs.push_back({*customer, *member, *std::move(run), row.turn(), row.due_micros()});
  }
  HILO_RETURN_IF_ERROR(rows->status());
  return page;
}

StatusOr<std::vector<store::v1::MessageRow>> ReadMessages(const store::Reader& reader,
                                                          CustomerId customer, MemberId member) {
  HILO_ASSIGN_OR_RETURN(const auto row, ReadMember(reader, customer, member));
  std::vector<store::v1::MessageRow> messages;
  if (row.has_value()) messages.assign(row->messages().begin(), row->messages().end());
  return messages;
}

StatusOr<std::optional<store::v1::DecisionRow>> ReadDecision(const store::Reader& reader,
                                                             CustomerId customer, MemberId member,
                                                             std::string_view decision) {
  return ReadRow<store::v1::DecisionRow>(reader, DecisionKey(customer, member, decision));
}

StatusOr<std::optional<store::v1::PropensityRow>> ReadPropensity(const store::Reader& reader,
                                                                 std::string_view channel,
                                                                 std::string_view action) {
  return ReadRow<store::v1::PropensityRow>(reader, PropensityKey(channel, action));
}

}  // namespace hilo::customer
