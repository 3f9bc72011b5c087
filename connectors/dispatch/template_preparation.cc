#include "connectors/dispatch/template_preparation.h"

#include <absl/time/time.h>

#include <utility>

#include "state/catalogue/display.h"
#include "state/catalogue/template_render.h"

namespace hilo::dispatch {
namespace {

using store::v1::OutboundMessage;

// What a sealed value says; a Status only where asking again may help, "" where it is gone for
// good.
StatusOr<std::string> OpenIfThere(const keys::Sealer& sealer, std::string_view sealed,
                                  std::string_view field) {
  auto opened = sealer.Open(sealed, field);
  if (opened.ok() || opened.status().code() == StatusCode::kUnavailable) return opened;
  return std::string();
}

Status AddEvent(const OutboundMessage& message, catalogue::Variables& variables) {
  if (message.event().empty()) return OkStatus();
  store::v1::Event event;
  store::v1::EventBody body;
  if (!event.ParseFromString(message.event()) || !body.ParseFromString(event.body())) {
    return Error(StatusCode::kDataLoss, "event_unreadable",
                 "the event that began the journey cannot be read");
  }
  for (const store::v1::OpenField& field : body.open())
    variables["event." + field.name()] = field.value();
  return OkStatus();
}

const catalogue::Product* ProductOf(const catalogue::Catalogue& catalogue,
                                    const catalogue::Template& shown,
                                    const catalogue::Variables& variables) {
  if (!shown.shows_product) return nullptr;
  const auto named = variables.find("event." + shown.product_from);
  return named == variables.end() ? nullptr : catalogue.FindProduct(named->second);
}

// The calendar's day in that zone; in UTC when it is not known.
catalogue::Day DayIn(WallTime time, const std::string& zone) {
  absl::TimeZone local;
  if (zone.empty() || !absl::LoadTimeZone(zone, &local)) local = absl::UTCTimeZone();
  const absl::CivilDay day(local.At(absl::FromUnixMicros(time.time_since_epoch().count())).cs);
  return {.year = static_cast<int>(day.year()), .month = day.month(), .day = day.day()};
}

}  // namespace

StatusOr<Outgoing> TemplatePreparation::Prepare(const OutboundMessage& message) const {
  const store::v1::MessageOrder& order = message.order();
  auto address = parts_.sealer.Open(message.address().sealed(), "identifier");
  if (!address.ok()) return address.status();
  if (address->empty()) {
    return Error(StatusCode::kFailedPrecondition, "address_unreadable", "there is no address");
  }
  HILO_ASSIGN_OR_RETURN(const auto catalogue, parts_.catalogue(order.catalogue_revision()));
  const catalogue::Template* shown = catalogue->FindTemplate(order.template_());
  if (shown == nullptr) {
    return Error(StatusCode::kFailedPrecondition, "template_gone",
                 "the catalogue has no such template");
  }
  catalogue::Variables variables;
  for (const store::v1::SealedValue& trait : message.traits()) {
    HILO_ASSIGN_OR_RETURN(std::string value, OpenIfThere(parts_.sealer, trait.sealed(), "trait"));
    if (trait.name() == "first_name") variables["first_name"] = value;
    variables["traits." + trait.name()] = std::move(value);
  }
  for (const store::v1::SealedValue& fact : message.facts()) {
    HILO_ASSIGN_OR_RETURN(variables["facts." + fact.name()],
                          OpenIfThere(parts_.sealer, fact.sealed(), "fact"));
  }
  HILO_RETURN_IF_ERROR(AddEvent(message, variables));
  if (const catalogue::Product* product = ProductOf(*catalogue, *shown, variables)) {
    catalogue::AddProduct(*product, order.language(), variables);
  }
  const std::string& zone =
      message.time_zone().empty() ? order.default_zone() : message.time_zone();
  variables["today"] = catalogue::ShownDay(DayIn(parts_.clock.Wall(), zone), order.language());

  Outgoing outgoing;
  outgoing.marketing = !order.purpose().empty();
  if (outgoing.marketing) outgoing.unsubscribe_url = parts_.unsubscribe_url(message);
  variables["unsubscribe_url"] = outgoing.unsubscribe_url;
  HILO_ASSIGN_OR_RETURN(catalogue::Rendered rendered,
                        catalogue::Render(*shown, order.language(), variables));
  outgoing.message = message.message();
  outgoing.attempt = message.attempt();
  outgoing.customer = message.customer();
  outgoing.member = message.member();
  outgoing.address = *std::move(address);
  outgoing.subject = std::move(rendered.subject);
  outgoing.text = std::move(rendered.text);
  outgoing.html = std::move(rendered.html);
  outgoing.language = std::move(rendered.language);
  outgoing.action = order.action();
  return outgoing;
}

}  // namespace hilo::dispatch
