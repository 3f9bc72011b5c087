#include <utility>

#include "connectors/serving/services.h"
#include "hilo/v1/desk_service.pb.h"

namespace hilo::serving {
namespace {

v1::GetDeskResponse GetDesk(const Parts& parts, const Principal& principal) {
  v1::GetDeskResponse response;
  response.set_agent(principal.agent);
  response.set_display_name(principal.display_name.empty() ? principal.name
                                                           : principal.display_name);
  response.set_role(std::string(RoleName(principal.role)));
  const auto catalogue = parts.catalogue.Catalogue();
  for (const auto& [name, kind] : catalogue->case_kinds()) {
    v1::CaseKind* shown = response.add_case_kinds();
    shown->set_kind(name);
    for (const auto& [language, text] : kind.title.all())
      (*shown->mutable_titles())[language] = text;
  }
  for (const auto& [name, kind] : catalogue->fact_kinds()) {
    v1::FactKind* shown = response.add_fact_kinds();
    shown->set_kind(name);
    for (const auto& [language, text] : kind.question.all())
      (*shown->mutable_questions())[language] = text;
  }
  return response;
}

}  // namespace

void AddDeskService(const Parts& parts, Endpoints& endpoints) {
  endpoints.Unary<v1::GetDeskRequest, v1::GetDeskResponse>(
      "/hilo.v1.DeskService/GetDesk",
      [parts](std::shared_ptr<Call> call, const v1::GetDeskRequest&, auto reply) {
        reply(GetDesk(parts, call->principal()));
      });
  endpoints.Stream<v1::WatchDesktopRequest>(
      "/hilo.v1.DeskService/WatchDesktop",
      [parts](std::shared_ptr<Call> call, const v1::WatchDesktopRequest& request,
              std::shared_ptr<MessageSink> sink) {
        parts.hub.Watch(std::move(call), request, std::move(sink));
      });
}

}  // namespace hilo::serving
