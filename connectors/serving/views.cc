#include "connectors/serving/views.h"

#include <algorithm>

#include "connectors/serving/names.h"
#include "streams/command/command.h"
#include "streams/customer/reader.h"

namespace hilo::serving {

log::TopicPartition CustomersPartition(uint32_t partition) { return {"customers", partition}; }

LogTime ShownNow(const fold::Standing& standing, const Clock& clock) {
  return standing.log_time.micros != 0 ? standing.log_time
                                       : LogTime{clock.Wall().time_since_epoch().count()};
}

std::string TimelineMadeFor(CustomerId customer, uint32_t channel) {
  return "timeline " + customer.Hex() + " " + std::to_string(channel);
}

v1::Freshness FreshnessOf(const fold::Standing& standing, const Clock& clock) {
  v1::Freshness freshness;
  freshness.set_position_token(command::PositionToken{standing.of, standing.position}.ToString());
  const int64_t lag = std::max<int64_t>(0, standing.end - standing.position);
  freshness.set_lag_records(lag);
  if (lag > 0 && standing.last_append_micros > 0) {
    freshness.set_lag_millis(std::max<int64_t>(
        0, (clock.Wall().time_since_epoch().count() - standing.last_append_micros) / 1'000));
  }
  return freshness;
}

StatusOr<std::optional<v1::Context>> ReadContext(
    const Node& node, const keys::Sealer& sealer,
    std::shared_ptr<const catalogue::Catalogue> catalogue, CustomerId customer,
    size_t timeline_size, const Clock& clock) {
  const uint32_t partition = PartitionOfCustomer(node, customer);
  // The position is read before the state, so that the answer is never older than its token says.
  const fold::Standing where = node.StandingOf(CustomersPartition(partition));
  const auto view = node.CustomersStore(partition).NewView();
  HILO_ASSIGN_OR_RETURN(const auto row, customer::ReadCustomer(*view, customer));
  if (!row) return std::optional<v1::Context>();
  const Renderer renderer(sealer, std::move(catalogue), ShownNow(where, clock));
  v1::Context context = renderer.Context(*row);
  if (timeline_size > 0) {
    customer::TimelineQuery query;
    query.page_size = timeline_size;
    HILO_ASSIGN_OR_RETURN(const auto page,
                          customer::ReadTimeline(*view, customer, {BirthMember(customer)}, query));
    for (const auto& entry : page.entries)
      *context.add_timeline() = renderer.Entry(row->customer(), entry.place, entry.row);
    if (!page.next.empty())
      context.set_timeline_next_page_token(MakePageToken(TimelineMadeFor(customer, 0), page.next));
  }
  *context.mutable_freshness() = FreshnessOf(where, clock);
  return std::optional<v1::Context>(std::move(context));
}

}  // namespace hilo::serving
