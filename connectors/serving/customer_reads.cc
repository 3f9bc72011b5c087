#include <algorithm>
#include <utility>

#include "connectors/serving/access.h"
#include "connectors/serving/names.h"
#include "connectors/serving/services.h"
#include "connectors/serving/views.h"
#include "hilo/v1/customer_service.pb.h"
#include "streams/customer/reader.h"
#include "streams/identity/lookup.h"

// The reading half of CustomerService. The writing half is in customer_writes.cc.
namespace hilo::serving {
namespace {

using CallPointer = std::shared_ptr<Call>;

Status CustomerNotFound() {
  return Error(StatusCode::kNotFound, "customer_not_found",
               "no customer with this name is known; find them by an identifier");
}

// Audited: this principal saw that customer.
Status Viewed(const Parts& parts, const Call& call, CustomerId customer,
              std::string_view field_group) {
  HILO_RETURN_IF_ERROR(call.Audit(customer.Hex(), field_group));
  parts.views.Increment();
  return OkStatus();
}

Renderer RendererFor(const Parts& parts, uint32_t partition) {
  return Renderer(parts.sealer, parts.catalogue.Catalogue(),
                  ShownNow(parts.node.StandingOf(CustomersPartition(partition)), parts.clock));
}

StatusOr<std::optional<store::v1::MemberRow>> ReadRow(const Parts& parts, CustomerId customer) {
  const auto view = parts.node.CustomersStore(PartitionOfCustomer(parts.node, customer)).NewView();
  return customer::ReadCustomer(*view, customer);
}

// A customer as a search result; false when its partition has not folded its first event yet, or
// they are not this principal's to see.
StatusOr<bool> AddFound(const Parts& parts, const Call& call, CustomerId customer,
                        std::string_view role, bool shared, v1::FindCustomersResponse* response) {
  const Status access = CheckAccess(parts.node, call.principal(), customer);
  if (access.code() == StatusCode::kPermissionDenied) return false;
  HILO_RETURN_IF_ERROR(access);
  HILO_ASSIGN_OR_RETURN(const auto row, ReadRow(parts, customer));
  if (!row) return false;
  HILO_RETURN_IF_ERROR(Viewed(parts, call, customer, "summary"));
  v1::FoundCustomer* found = response->add_customers();
  *found->mutable_customer() =
      RendererFor(parts, PartitionOfCustomer(parts.node, customer)).Customer(*row);
  found->set_role(std::string(role));
  found->set_shared(shared);
  return true;
}

StatusOr<v1::FindCustomersResponse> FindByIdentifier(const Parts& parts, const Call& call,
                                                     const v1::FindCustomersRequest& request,
                                                     size_t page_size) {
  HILO_ASSIGN_OR_RETURN(
      const IdentifierHash hash,
      parts.intake.HashIdentifier({request.identifier().kind(), request.identifier().value()},
                                  parts.default_region));
  const std::string made_for = "find " + hash.Hex();
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  const auto view = parts.node.IdentityStore().NewView();
  HILO_ASSIGN_OR_RETURN(
      const auto found,
      identity::FindByIdentifier(*view, static_cast<uint32_t>(request.identifier().kind()), hash));
  v1::FindCustomersResponse response;
  *response.mutable_freshness() = FreshnessOf(parts.node.StandingOf({"events", 0}), parts.clock);
  if (!found) return response;
  std::vector<CustomerId> customers;
  if (found->place) customers.push_back(found->place->customer);
  if (found->home) customers.push_back(found->home->customer);
  for (const CustomerId& seen : found->seen_with) {
    if (std::find(customers.begin(), customers.end(), seen) == customers.end())
      customers.push_back(seen);
  }
  // Who has it comes first; those it was only seen with follow when it is shared.
  if (!found->shared && found->place) customers.resize(1);
  size_t begin = 0;
  if (!after.empty()) {
    for (begin = 0; begin < customers.size() && customers[begin].Bytes() != after; ++begin) {
    }
    ++begin;
  }
  for (size_t i = begin; i < customers.size(); ++i) {
    if (static_cast<size_t>(response.customers_size()) == page_size) {
      response.set_next_page_token(MakePageToken(made_for, customers[i - 1].Bytes()));
      break;
    }
    HILO_ASSIGN_OR_RETURN([[maybe_unused]] const bool shown,
                          AddFound(parts, call, customers[i], "", found->shared, &response));
  }
  return response;
}

StatusOr<v1::FindCustomersResponse> FindByGroup(const Parts& parts, const Call& call,
                                                const v1::FindCustomersRequest& request,
                                                size_t page_size) {
  HILO_ASSIGN_OR_RETURN(const GroupId group,
                        parts.intake.HashGroup(request.group().kind(), request.group().id()));
  const std::string made_for = "group " + group.Hex();
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  const auto view = parts.node.IdentityStore().NewView();
  HILO_ASSIGN_OR_RETURN(
      const auto page,
      identity::FindByGroup(*view, group, MemberId::FromBytes(after), static_cast<int>(page_size)));
  v1::FindCustomersResponse response;
  *response.mutable_freshness() = FreshnessOf(parts.node.StandingOf({"events", 0}), parts.clock);
  for (const auto& member : page.members) {
    HILO_ASSIGN_OR_RETURN(
        [[maybe_unused]] const bool shown,
        AddFound(parts, call, member.place.customer, member.role, false, &response));
  }
  if (page.next) response.set_next_page_token(MakePageToken(made_for, page.next->Bytes()));
  return response;
}

StatusOr<v1::FindCustomersResponse> FindCustomers(const Parts& parts, const Call& call,
                                                  const v1::FindCustomersRequest& request) {
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestPage));
  if (request.has_identifier() == request.has_group()) {
    return Error(StatusCode::kInvalidArgument, "query_invalid",
                 "give exactly one of 'identifier' and 'group'");
  }
  // Searching is told as such, since it may find nobody.
  HILO_RETURN_IF_ERROR(call.Audit("", "search"));
  return request.has_identifier() ? FindByIdentifier(parts, call, request, page_size)
                                  : FindByGroup(parts, call, request, page_size);
}

// Answers are serialised already: see Contexts.
StatusOr<std::string> GetContext(const Parts& parts, const Call& call,
                                 const v1::GetContextRequest& request) {
  HILO_ASSIGN_OR_RETURN(const CustomerId customer, ParseCustomer(request.customer(), "customer"));
  HILO_RETURN_IF_ERROR(CheckAccess(parts.node, call.principal(), customer));
  size_t timeline_size = 0;
  if (request.timeline_size() != -1) {
    HILO_ASSIGN_OR_RETURN(timeline_size,
                          PageSize(request.timeline_size(), kStandardPage, kLargestPage));
  }
  HILO_ASSIGN_OR_RETURN(auto response, parts.contexts.ContextResponse(customer, timeline_size));
  if (!response) return CustomerNotFound();
  HILO_RETURN_IF_ERROR(Viewed(parts, call, customer, "context"));
  return *std::move(response);
}

StatusOr<std::string> ListTimeline(const Parts& parts, const Call& call,
                                   const v1::ListTimelineRequest& request) {
  HILO_ASSIGN_OR_RETURN(const CustomerId customer, ParseCustomer(request.customer(), "customer"));
  HILO_RETURN_IF_ERROR(CheckAccess(parts.node, call.principal(), customer));
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestPage));
  const uint32_t channel = static_cast<uint32_t>(request.channel());
  const std::string made_for = TimelineMadeFor(customer, channel);
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  if (after.empty() && channel == 0) {
    HILO_ASSIGN_OR_RETURN(auto first, parts.contexts.TimelineResponse(customer, page_size));
    if (!first) return CustomerNotFound();
    HILO_RETURN_IF_ERROR(Viewed(parts, call, customer, "timeline"));
    return *std::move(first);
  }
  const uint32_t partition = PartitionOfCustomer(parts.node, customer);
  const auto view = parts.node.CustomersStore(partition).NewView();
  HILO_ASSIGN_OR_RETURN(const auto row, customer::ReadCustomer(*view, customer));
  if (!row) return CustomerNotFound();
  HILO_ASSIGN_OR_RETURN(
      const auto page,
      customer::ReadTimeline(*view, customer, {BirthMember(customer)},
                             {.page_size = page_size, .after = after, .channel = channel}));
  HILO_RETURN_IF_ERROR(Viewed(parts, call, customer, "timeline"));
  const Renderer renderer = RendererFor(parts, partition);
  v1::ListTimelineResponse response;
  for (const auto& entry : page.entries)
    *response.add_entries() = renderer.Entry(row->customer(), entry.place, entry.row);
  if (!page.next.empty()) response.set_next_page_token(MakePageToken(made_for, page.next));
  return response.SerializeAsString();
}

// A page of one of a row's lists, newest first. `id_of` names an element; `render` adds it to the
// response.
template <typename Rows, typename IdOf, typename RenderOne>
StatusOr<std::string> Page(const Rows& rows, size_t page_size, std::string_view page_token,
                           const std::string& made_for, const IdOf& id_of,
                           const RenderOne& render) {
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(page_token, made_for));
  auto row = rows.rbegin();
  if (!after.empty()) {
    row = std::find_if(row, rows.rend(),
                       [&](const auto& candidate) { return id_of(candidate) == after; });
    if (row != rows.rend()) ++row;
  }
  std::string last;
  for (size_t count = 0; row != rows.rend(); ++row, ++count) {
    if (count == page_size) return MakePageToken(made_for, last);
    render(*row);
    last = id_of(*row);
  }
  return std::string();
}

// What the three lists of a row have in common: which customer, audited, and a renderer.
template <typename Request, typename Response, typename RenderAll>
StatusOr<Response> ListOfRow(const Parts& parts, const Call& call, const Request& request,
                             std::string_view field_group, const RenderAll& render_all) {
  HILO_ASSIGN_OR_RETURN(const CustomerId customer, ParseCustomer(request.customer(), "customer"));
  HILO_RETURN_IF_ERROR(CheckAccess(parts.node, call.principal(), customer));
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestPage));
  HILO_ASSIGN_OR_RETURN(const auto row, ReadRow(parts, customer));
  if (!row) return CustomerNotFound();
  HILO_RETURN_IF_ERROR(Viewed(parts, call, customer, field_group));
  Response response;
  const std::string made_for = std::string(field_group) + " " + customer.Hex();
  HILO_ASSIGN_OR_RETURN(
      const std::string next,
      render_all(*row, RendererFor(parts, PartitionOfCustomer(parts.node, customer)), page_size,
                 made_for, &response));
  response.set_next_page_token(next);
  return response;
}

StatusOr<v1::ListFactsResponse> ListFacts(const Parts& parts, const Call& call,
                                          const v1::ListFactsRequest& request) {
  return ListOfRow<v1::ListFactsRequest, v1::ListFactsResponse>(
      parts, call, request, "facts",
      [&](const store::v1::MemberRow& row, const Renderer& renderer, size_t page_size,
          const std::string& made_for, v1::ListFactsResponse* response) {
        return Page(
            row.facts(), page_size, request.page_token(), made_for,
            [](const auto& fact) { return fact.fact(); },
            [&](const auto& fact) {
              *response->add_facts() = renderer.Fact(row.customer(), fact);
            });
      });
}

StatusOr<v1::ListCasesResponse> ListCases(const Parts& parts, const Call& call,
                                          const v1::ListCasesRequest& request) {
  return ListOfRow<v1::ListCasesRequest, v1::ListCasesResponse>(
      parts, call, request, "cases",
      [&](const store::v1::MemberRow& row, const Renderer& renderer, size_t page_size,
          const std::string& made_for, v1::ListCasesResponse* response) {
        return Page(
            row.cases(), page_size, request.page_token(), made_for,
            [](const auto& c) { return c.case_(); },
            [&](const auto& c) { *response->add_cases() = renderer.Case(row.customer(), c); });
      });
}

StatusOr<v1::ListPromisesResponse> ListPromises(const Parts& parts, const Call& call,
                                                const v1::ListPromisesRequest& request) {
  return ListOfRow<v1::ListPromisesRequest, v1::ListPromisesResponse>(
      parts, call, request, "promises",
      [&](const store::v1::MemberRow& row, const Renderer& renderer, size_t page_size,
          const std::string& made_for, v1::ListPromisesResponse* response) {
        return Page(
            row.promises(), page_size, request.page_token(), made_for,
            [](const auto& promise) { return promise.promise(); },
            [&](const auto& promise) {
              *response->add_promises() = renderer.Promise(row.customer(), promise);
            });
      });
}

template <typename Response>
void Answer(const Reply<Response>& reply, StatusOr<Response> response) {
  response.ok() ? reply(*std::move(response)) : reply(response.status());
}

template <typename Response>
void AnswerWire(const Reply<Response>& reply, StatusOr<std::string> wire) {
  wire.ok() ? reply.Wire(*std::move(wire)) : reply(wire.status());
}

// Whether this node has folded up to there, as far as that can be told without waiting.
bool IsFolded(const Parts& parts, const command::PositionToken& token) {
  return token.of.topic == "customers" && token.of.partition < parts.node.CustomerPartitions() &&
         parts.node.StandingOf(token.of).position >= token.position;
}

// GetContext may first wait until a position is folded.
void GetContextAt(const Parts& parts, const CallPointer& call, const v1::GetContextRequest& request,
                  const Reply<v1::GetContextResponse>& reply) {
  if (request.position_token().empty()) return AnswerWire(reply, GetContext(parts, *call, request));
  const auto token = command::PositionToken::Parse(request.position_token());
  if (!token) {
    return reply(Error(StatusCode::kInvalidArgument, "position_token_invalid",
                       "'position_token' is not one that this service gave"));
  }
  if (IsFolded(parts, *token)) return AnswerWire(reply, GetContext(parts, *call, request));
  parts.commands.WaitFor(*token, call->deadline(), [parts, call, request, reply](Status reached) {
    if (!reached.ok()) return reply(std::move(reached));
    const bool taken = parts.worker.Post(
        [parts, call, request, reply] { AnswerWire(reply, GetContext(parts, *call, request)); });
    if (!taken)
      reply(Error(StatusCode::kResourceExhausted, "serving_overloaded",
                  "too many calls wait; try again shortly"));
  });
}

}  // namespace

void AddCustomerReads(const Parts& parts, Endpoints& endpoints) {
  using namespace v1;  // NOLINT: messages of the one service that this file serves
  endpoints.Unary<FindCustomersRequest, FindCustomersResponse>(
      "/hilo.v1.CustomerService/FindCustomers",
      [parts](CallPointer call, const FindCustomersRequest& request, auto reply) {
        Answer(reply, FindCustomers(parts, *call, request));
      });
  endpoints.Unary<GetContextRequest, GetContextResponse>(
      "/hilo.v1.CustomerService/GetContext",
      [parts](CallPointer call, const GetContextRequest& request, auto reply) {
        GetContextAt(parts, call, request, reply);
      });
  endpoints.Unary<ListTimelineRequest, ListTimelineResponse>(
      "/hilo.v1.CustomerService/ListTimeline",
      [parts](CallPointer call, const ListTimelineRequest& request, auto reply) {
        AnswerWire(reply, ListTimeline(parts, *call, request));
      });
  endpoints.Unary<ListFactsRequest, ListFactsResponse>(
      "/hilo.v1.CustomerService/ListFacts",
      [parts](CallPointer call, const ListFactsRequest& request, auto reply) {
        Answer(reply, ListFacts(parts, *call, request));
      });
  endpoints.Unary<ListCasesRequest, ListCasesResponse>(
      "/hilo.v1.CustomerService/ListCases",
      [parts](CallPointer call, const ListCasesRequest& request, auto reply) {
        Answer(reply, ListCases(parts, *call, request));
      });
  endpoints.Unary<ListPromisesRequest, ListPromisesResponse>(
      "/hilo.v1.CustomerService/ListPromises",
      [parts](CallPointer call, const ListPromisesRequest& request, auto reply) {
        Answer(reply, ListPromises(parts, *call, request));
      });
}

}  // namespace hilo::serving
