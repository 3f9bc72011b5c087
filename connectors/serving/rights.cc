#include "connectors/serving/rights.h"

#include <algorithm>
#include <iterator>

namespace hilo::serving {
namespace {

constexpr bool Y = true;
constexpr bool N = false;

constexpr MethodRights kTable[] = {
    //                                                  agent supervisor channel ops admin
    {"/hilo.v1.CustomerService/FindCustomers", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.CustomerService/GetContext", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.CustomerService/ListTimeline", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.CustomerService/ListFacts", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.CustomerService/ListCases", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.CustomerService/ListPromises", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.CustomerService/AddNote", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/RecordFact", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/RetractFact", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/AskQuestion", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/OpenCase", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/CloseCase", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/MakePromise", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/EndPromise", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/StartInteraction", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/VerifyInteraction", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/EndInteraction", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.CustomerService/RecordConsent", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.DecisionService/Decide", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.DecisionService/RecordOutcome", {Y, Y, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.DecisionService/ExplainAction", {Y, Y, N, N, Y}, Touch::kView},
    {"/hilo.v1.DecisionService/ReleaseSelling", {Y, Y, N, N, Y}, Touch::kWrite},
    {"/hilo.v1.DecisionService/ListMessages", {Y, Y, Y, N, Y}, Touch::kView},
    {"/hilo.v1.DecisionService/SearchProducts", {Y, Y, Y, N, Y}, Touch::kNothing},
    {"/hilo.v1.DeskService/WatchDesktop", {Y, Y, N, N, Y}, Touch::kView},
    {"/hilo.v1.DeskService/GetDesk", {Y, Y, N, N, Y}, Touch::kNothing},
    {"/hilo.v1.EventService/SendEvent", {N, N, Y, N, Y}, Touch::kWrite},
    {"/hilo.v1.CatalogueService/GetCatalogue", {Y, Y, Y, Y, Y}, Touch::kNothing},
    {"/hilo.v1.CatalogueService/ListRevisions", {Y, Y, Y, Y, Y}, Touch::kNothing},
    {"/hilo.v1.CatalogueService/UploadCatalogueFiles", {N, N, N, N, Y}, Touch::kOperate},
    {"/hilo.v1.CatalogueService/ApplyCatalogue", {N, N, N, N, Y}, Touch::kOperate},
    {"/hilo.v1.OperationsService/ListPartitions", {N, Y, N, Y, Y}, Touch::kNothing},
    {"/hilo.v1.OperationsService/ListRecords", {N, N, N, Y, Y}, Touch::kOperate},
    {"/hilo.v1.OperationsService/ListRows", {N, N, N, Y, Y}, Touch::kOperate},
    {"/hilo.v1.OperationsService/ListDeadLetters", {N, N, N, Y, Y}, Touch::kOperate},
    {"/hilo.v1.OperationsService/ReplayDeadLetter", {N, N, N, Y, Y}, Touch::kOperate},
    {"/hilo.v1.OperationsService/AcceptTime", {N, N, N, Y, Y}, Touch::kOperate},
    {"/hilo.v1.OperationsService/SkipRecord", {N, N, N, Y, Y}, Touch::kOperate},
};

}  // namespace

const MethodRights* RightsOf(std::string_view method) {
  const auto* found =
      std::find_if(std::begin(kTable), std::end(kTable),
                   [&](const MethodRights& rights) { return rights.method == method; });
  return found == std::end(kTable) ? nullptr : found;
}

}  // namespace hilo::serving
