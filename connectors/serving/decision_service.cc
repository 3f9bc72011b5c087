#include <algorithm>
#include <optional>
#include <utility>

#include "connectors/serving/access.h"
#include "connectors/serving/write.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/metric_names.h"
#include "state/decision/decide.h"
#include "state/decision/profile.h"
#include "state/decision/record.h"
#include "state/timeline/interactions.h"
#include "streams/customer/outbound_reader.h"
#include "streams/customer/reader.h"

// DecisionService: the next best action, and what came of it.
namespace hilo::serving {
namespace {

using store::v1::CommandResult;
using store::v1::MemberRow;

constexpr size_t kRankedShown = 3;
constexpr size_t kMostRankedShown = 20;
constexpr size_t kMostExplained = 200;
constexpr int64_t kLongestSnooze = int64_t{90} * 86'400 * 1'000'000;
constexpr size_t kMaxQuery = 200;

Status CustomerNotFound() {
  return Error(StatusCode::kNotFound, "customer_not_found",
               "no customer with this name is known; find them by an identifier");
}

Status Overloaded() {
  return Error(StatusCode::kResourceExhausted, "serving_overloaded",
               "too many calls wait; try again shortly");
}

// A question and all that it points to.
class Asked {
 public:
  // `interaction`: 16 bytes of the contact, or empty.
  Asked(const Parts& parts, const MemberRow& row, LogTime now, std::string_view channel,
        std::string_view interaction)
      : catalogue_(parts.catalogue.Get().catalogue),
        profile_(decision::ProfileOf(row, *catalogue_, now)) {
    context_.set_channel(channel.empty() ? "desk" : std::string(channel));
    if (const auto* contact = timeline::Find(row, interaction); contact != nullptr) {
      context_.set_contact_channel(std::string(decision::ChannelWord(contact->channel())));
      context_.set_queue(contact->queue());
      context_.set_assurance(static_cast<v1::Assurance>(contact->assurance()));
      context_.set_released(contact->released());
    }
    question_.emplace(
        decision::Question{.catalogue = *catalogue_,
                           .profile = profile_,
                           .context = context_,
                           .now = now,
                           .seed = parts.seed(),
                           .posterior = parts.propensities.For(context_.channel(), now)});
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  const decision::Question& question() const { return *question_; }

 private:
  const std::shared_ptr<const catalogue::Catalogue> catalogue_;
  const v1::DecisionProfile profile_;
  v1::DecisionContext context_;
  std::optional<decision::Question> question_;
};

// For whom, where, and how it is shown.
struct Deciding {
  CustomerId customer;
  std::string channel;
  std::string interaction;  // 16 bytes or empty
  size_t size = kRankedShown;
  std::string language = "en";
};

StatusOr<std::optional<MemberRow>> ReadRow(const Parts& parts, CustomerId customer) {
  const auto view = parts.node.CustomersStore(PartitionOfCustomer(parts.node, customer)).NewView();
  return customer::ReadCustomer(*view, customer);
}

LogTime NowOf(const Parts& parts, CustomerId customer) {
  return ShownNow(
      parts.node.StandingOf(CustomersPartition(PartitionOfCustomer(parts.node, customer))),
      parts.clock);
}

// `decision_not_found`: never made, or no longer kept.
StatusOr<store::v1::DecisionRow> ReadKept(const Parts& parts, const Child& decision) {
  const auto view =
      parts.node.CustomersStore(PartitionOfCustomer(parts.node, decision.customer)).NewView();
  HILO_ASSIGN_OR_RETURN(
      auto kept, customer::ReadDecision(*view, decision.customer, BirthMember(decision.customer),
                                        decision.id));
  if (!kept.has_value()) {
    return Error(StatusCode::kNotFound, "decision_not_found",
                 "this decision is not known, or no longer");
  }
  return *std::move(kept);
}

// A decision that was recorded before, decided again by its record: as it was shown then.
StatusOr<v1::Decision> ShownThen(const Parts& parts, const Deciding& deciding,
                                 const std::string& id) {
  HILO_ASSIGN_OR_RETURN(const auto kept,
                        ReadKept(parts, {.customer = deciding.customer, .id = id}));
  HILO_ASSIGN_OR_RETURN(const auto catalogue,
                        parts.catalogue.OfRevision(kept.record().catalogue_revision()));
  HILO_ASSIGN_OR_RETURN(const auto recorded, decision::RecordedQuestion::Of(kept.record()));
  const decision::Question question = recorded.Over(*catalogue);
  return decision::Present(question, decision::Decide(question),
                           {.ranked = deciding.size, .fallen = 0, .language = deciding.language});
}

// `finish` gets the decision with its name, and the token of its record.
using Finish = std::function<void(StatusOr<v1::Decision>, const std::string& token)>;

// Decides for a customer, records what was decided as shown, and answers with it; a request that
// was answered before gets the decision of then.
//
// The state it decides by is the partition's at that moment; the record says all that replays it.
void DecideAndRecord(const Parts& parts, const Deciding& deciding, store::v1::Command command,
                     MonotonicTime deadline, const Finish& finish) {
  const auto row = ReadRow(parts, deciding.customer);
  if (!row.ok()) return finish(row.status(), "");
  if (!row->has_value()) return finish(CustomerNotFound(), "");
  const Asked asked(parts, **row, NowOf(parts, deciding.customer), deciding.channel,
                    deciding.interaction);
  const MonotonicTime begun = parts.clock.Monotonic();
  const decision::Answer answer = decision::Decide(asked.question());
  parts.registry.Get(metric::kDecisionSeconds).Observe(parts.clock.Monotonic() - begun);
  v1::Decision decision =
      decision::Present(asked.question(), answer,
                        {.ranked = deciding.size, .fallen = 0, .language = deciding.language});
  *command.mutable_record_decision()->mutable_decision() =
      decision::RecordOf(asked.question(), answer);
  // Only what was shown counts as shown.
  auto* ranked = command.mutable_record_decision()->mutable_decision()->mutable_ranked();
  while (static_cast<size_t>(ranked->size()) > deciding.size) ranked->RemoveLast();
  const uint64_t seed = asked.question().seed;
  parts.commands.Send(
      std::move(command), deadline,
      [parts, finish, deciding, seed,
       decision = std::move(decision)](StatusOr<command::Answered> answered) {
        if (!answered.ok()) return finish(answered.status(), "");
        if (answered->answer.code() != 0) {
          return finish(Error(static_cast<StatusCode>(answered->answer.code()),
                              answered->answer.reason(), answered->answer.message()),
                        "");
        }
        const store::v1::DecisionNoteRow note = answered->answer.result().decision();
        const auto named = [finish, note, customer = std::string(deciding.customer.Bytes()),
                            token = answered->token.ToString()](StatusOr<v1::Decision> shown) {
          if (!shown.ok()) return finish(shown.status(), "");
          shown->set_name(ChildName<DecisionId>(customer, "decisions", note.decision()));
          finish(std::move(shown), token);
        };
        if (note.seed() == seed) return named(decision);
        // Another decision holds this request id.
        const bool taken = parts.worker.Post(
            [parts, deciding, note, named] { named(ShownThen(parts, deciding, note.decision())); });
        if (!taken) named(Overloaded());
      });
}

// Off the threads of folds and queues.
template <typename Response>
void OnWorker(const Parts& parts, const Reply<Response>& reply, std::function<void()> task) {
  if (!parts.worker.Post(std::move(task))) reply(Overloaded());
}

// Once `token` is folded; at once without one.
template <typename Response>
void WhenFolded(const Parts& parts, const CallPointer& call, const std::string& token,
                const Reply<Response>& reply, std::function<void()> task) {
  if (token.empty()) return OnWorker(parts, reply, std::move(task));
  const auto parsed = command::PositionToken::Parse(token);
  if (!parsed) {
    return reply(Error(StatusCode::kInvalidArgument, "position_token_invalid",
                       "'position_token' is not one that this service gave"));
  }
  parts.commands.WaitFor(*parsed, call->deadline(),
                         [parts, reply, task = std::move(task)](Status reached) {
                           if (!reached.ok()) return reply(std::move(reached));
                           OnWorker(parts, reply, task);
                         });
}

void Decide(const Parts& parts, const CallPointer& call, const v1::DecideRequest& request,
            const Reply<v1::DecideResponse>& reply) {
  const auto customer = ParseCustomer(request.customer(), "customer");
  if (!customer.ok()) return reply(customer.status());
  const auto size = PageSize(request.size(), kRankedShown, kMostRankedShown);
  if (!size.ok()) return reply(size.status());
  if (!request.channel().empty() && decision::ChannelOf(request.channel()) == 0)
    return reply(Invalid("channel", "is desk, email, sms, web or call"));
  const auto write = std::make_shared<Write>(parts, *call, *customer);
  if (Status filled = FillOptions(request.write(), request, *call, parts, *write); !filled.ok())
    return reply(std::move(filled));
  if (Status access = CheckAccess(parts.node, call->principal(), *customer); !access.ok())
    return reply(std::move(access));
  if (Status audited = call->Audit(customer->Hex(), "decision"); !audited.ok())
    return reply(std::move(audited));
  const Deciding deciding{.customer = *customer,
                          .channel = request.channel(),
                          .interaction = write->command().interaction(),
                          .size = *size,
                          .language = request.language().empty() ? "en" : request.language()};
  WhenFolded(parts, call, request.position_token(), reply, [parts, call, deciding, write, reply] {
    DecideAndRecord(parts, deciding, write->command(), call->deadline(),
                    [reply](StatusOr<v1::Decision> decision, const std::string& token) {
                      if (!decision.ok()) return reply(decision.status());
                      v1::DecideResponse response;
                      *response.mutable_decision() = *std::move(decision);
                      response.set_position_token(token);
                      reply(std::move(response));
                    });
  });
}

Status CheckOutcome(const v1::RecordOutcomeRequest& request, int64_t now_micros) {
  switch (request.outcome()) {
    case v1::OUTCOME_KIND_ACCEPTED:
    case v1::OUTCOME_KIND_COMPLETED:
    case v1::OUTCOME_KIND_NO_RESPONSE:
      break;
    case v1::OUTCOME_KIND_DECLINED:
      if (request.reason().empty()) return Invalid("reason", "is required for DECLINED");
      break;
    case v1::OUTCOME_KIND_SNOOZED: {
      HILO_ASSIGN_OR_RETURN(const int64_t until,
                            CheckTime(request.snooze_until_time(), "snooze_until_time"));
      if (!request.has_snooze_until_time() || until <= now_micros ||
          until > now_micros + kLongestSnooze) {
        return Invalid("snooze_until_time", "is required for SNOOZED: within the next 90 days");
      }
      return OkStatus();
    }
    default:
      return Invalid("outcome",
                     "is ACCEPTED, DECLINED, SNOOZED, NO_RESPONSE or COMPLETED; impressions are "
                     "recorded by Decide");
  }
  if (request.has_snooze_until_time()) return Invalid("snooze_until_time", "is only for SNOOZED");
  return OkStatus();
}

// What the decision that is answered said of its action.
struct Offered {
  std::string group;
  std::string channel;
};
StatusOr<Offered> FindOffered(const Parts& parts, const Child& decision,
                              const std::string& action) {
  HILO_ASSIGN_OR_RETURN(const auto kept, ReadKept(parts, decision));
  v1::DecisionContext context;
  if (!context.ParseFromString(kept.record().context())) {
    return Error(StatusCode::kDataLoss, "decision_unreadable", "its record cannot be read");
  }
  for (const auto& ranked : kept.record().ranked()) {
    if (ranked.action() == action) return Offered{ranked.group(), context.channel()};
  }
  return Error(StatusCode::kFailedPrecondition, "action_not_offered",
               "that decision did not rank '" + action + "'");
}

void RecordOutcome(const Parts& parts, const CallPointer& call,
                   const v1::RecordOutcomeRequest& request,
                   const Reply<v1::RecordOutcomeResponse>& reply) {
  const auto about = ParseChild(request.decision(), "decisions", "decision");
  if (!about.ok()) return reply(about.status());
  if (Status access = CheckAccess(parts.node, call->principal(), about->customer); !access.ok())
    return reply(std::move(access));
  const auto offered = FindOffered(parts, *about, request.action());
  if (!offered.ok()) return reply(offered.status());
  const std::string channel = offered->channel;
  const Deciding next{.customer = about->customer,
                      .channel = channel,
                      .interaction = "",
                      .size = kRankedShown,
                      .language = request.language().empty() ? "en" : request.language()};
  // The answer is what is best now: decided when the outcome is in force, and recorded as shown
  // under an id of its own, the same one when the outcome is sent again.
  const Reply<v1::RecordOutcomeResponse> then([parts, call, next, reply, request](
                                                  Status status, AnyResponse answer) {
    if (!status.ok()) return reply(std::move(status));
    const std::string token =
        static_cast<const v1::RecordOutcomeResponse&>(*answer.message).position_token();
    OnWorker(parts, reply, [parts, call, next, reply, request, token] {
      Write write(parts, *call, next.customer);
      Deciding deciding = next;
      if (const auto contact =
              ParseChild(request.write().interaction(), "interactions", "write.interaction");
          contact.ok()) {
        deciding.interaction = contact->id;
        write.command().set_interaction(contact->id);
      }
      const RequestId id =
          command::FollowingRequestId(*RequestId::FromHex(request.write().request_id()), "decide");
      write.command().set_request_id(std::string(id.Bytes()));
      write.command().set_content_hash(
          std::string(Bytes(KeyedHash(parts.content_key, "content", id.Bytes()))));
      DecideAndRecord(
          parts, deciding, write.command(), call->deadline(),
          [reply, token](StatusOr<v1::Decision> decision, const std::string& decided_token) {
            v1::RecordOutcomeResponse response;
            // The outcome stands whether or not something new could be decided.
            response.set_position_token(decision.ok() ? decided_token : token);
            if (decision.ok()) *response.mutable_decision() = *std::move(decision);
            reply(std::move(response));
          });
    });
  });
  Send(
      parts, call, request, StatusOr<CustomerId>(about->customer), then,
      [&](Write& write) {
        write.Check(CheckOutcome(request, write.command().receive_micros()));
        if (!request.reason().empty()) write.Check(CheckWord(request.reason(), "reason"));
        store::v1::RecordOutcome* outcome = write.command().mutable_record_outcome();
        outcome->set_decision(about->id);
        outcome->set_action(request.action());
        outcome->set_group(offered->group);
        outcome->set_channel(channel);
        outcome->set_outcome(static_cast<uint32_t>(request.outcome()));
        outcome->set_reason(request.reason());
        if (request.outcome() == v1::OUTCOME_KIND_SNOOZED) {
          const auto until = CheckTime(request.snooze_until_time(), "snooze_until_time");
          if (until.ok()) outcome->set_snooze_until_micros(*until);
        }
      },
      [](const Renderer&, const std::string&, const CommandResult&) {
        return v1::RecordOutcomeResponse();
      });
}

void AddTraces(const decision::Question& question, const std::string& action,
               const std::string& language, v1::ExplainActionResponse& response) {
  const catalogue::Action* rule = question.catalogue.FindAction(action);
  if (rule == nullptr) return;
  for (const decision::Trace& trace : decision::TraceConditions(question, *rule, language)) {
    v1::ConditionTrace* shown = response.add_conditions();
    shown->set_stage(trace.stage);
    if (trace.policy != nullptr) shown->set_policy(trace.policy->name);
    shown->set_condition(trace.predicate->text);
    shown->set_value(trace.value);
    shown->set_why(trace.why);
  }
}

// The decision with all candidates, or the one that is asked for.
StatusOr<v1::ExplainActionResponse> Explain(const decision::Question& question,
                                            const v1::ExplainActionRequest& request) {
  const std::string language = request.language().empty() ? "en" : request.language();
  if (!request.action().empty() && question.catalogue.FindAction(request.action()) == nullptr) {
    return Error(StatusCode::kNotFound, "action_not_found",
                 "revision " + std::to_string(question.catalogue.revision()) +
                     " of the catalogue has no action '" + request.action() + "'");
  }
  decision::Answer answer = decision::Decide(question);
  if (!request.action().empty()) {
    const auto other = [&](const decision::Verdict& verdict) {
      return verdict.action->name != request.action();
    };
    std::erase_if(answer.ranked, other);
    std::erase_if(answer.fallen, other);
  }
  v1::ExplainActionResponse response;
  *response.mutable_decision() = decision::Present(
      question, answer, {.ranked = kMostExplained, .fallen = kMostExplained, .language = language});
  AddTraces(question, request.action(), language, response);
  return response;
}

StatusOr<v1::ExplainActionResponse> ExplainNow(const Parts& parts, const Call& call,
                                               const v1::ExplainActionRequest& request) {
  HILO_ASSIGN_OR_RETURN(const CustomerId customer, ParseCustomer(request.customer(), "customer"));
  if (!request.channel().empty() && decision::ChannelOf(request.channel()) == 0)
    return Invalid("channel", "is desk, email, sms, web or call");
  HILO_ASSIGN_OR_RETURN(const auto row, ReadRow(parts, customer));
  if (!row) return CustomerNotFound();
  HILO_RETURN_IF_ERROR(CheckAccess(parts.node, call.principal(), customer));
  HILO_RETURN_IF_ERROR(call.Audit(customer.Hex(), "explanation"));
  const Asked asked(parts, *row, NowOf(parts, customer), request.channel(), "");
  return Explain(asked.question(), request);
}

StatusOr<v1::ExplainActionResponse> ExplainThen(const Parts& parts, const Call& call,
                                                const v1::ExplainActionRequest& request) {
  HILO_ASSIGN_OR_RETURN(const Child about, ParseChild(request.decision(), "decisions", "decision"));
  HILO_ASSIGN_OR_RETURN(const auto kept, ReadKept(parts, about));
  HILO_RETURN_IF_ERROR(CheckAccess(parts.node, call.principal(), about.customer));
  HILO_RETURN_IF_ERROR(call.Audit(about.customer.Hex(), "explanation"));
  const uint64_t revision = request.catalogue_revision() == 0
                                ? kept.record().catalogue_revision()
                                : static_cast<uint64_t>(request.catalogue_revision());
  HILO_ASSIGN_OR_RETURN(const auto catalogue, parts.catalogue.OfRevision(revision));
  HILO_ASSIGN_OR_RETURN(const auto recorded, decision::RecordedQuestion::Of(kept.record()));
  HILO_ASSIGN_OR_RETURN(auto response, Explain(recorded.Over(*catalogue), request));
  response.mutable_decision()->set_name(request.decision());
  return response;
}

StatusOr<v1::ExplainActionResponse> ExplainAction(const Parts& parts, const Call& call,
                                                  const v1::ExplainActionRequest& request) {
  if (request.decision().empty() == request.customer().empty()) {
    return Error(StatusCode::kInvalidArgument, "query_invalid",
                 "give exactly one of 'decision' and 'customer'");
  }
  return request.decision().empty() ? ExplainNow(parts, call, request)
                                    : ExplainThen(parts, call, request);
}

void ReleaseSelling(const Parts& parts, const CallPointer& call,
                    const v1::ReleaseSellingRequest& request,
                    const Reply<v1::ReleaseSellingResponse>& reply) {
  const auto contact = ParseChild(request.interaction(), "interactions", "interaction");
  Send(
      parts, call, request, CustomerOf(contact), reply,
      [&](Write& write) {
        write.Check(CheckText(request.reason(), kMaxLine, "reason"));
        write.Check(call->Audit(write.customer().Hex(), "release_selling"));
        auto* release = write.command().mutable_release_selling();
        release->set_interaction(contact->id);
        release->set_sealed_reason(write.Seal("release", request.reason()));
      },
      [](const Renderer&, const std::string&, const CommandResult&) {
        return v1::ReleaseSellingResponse();
      });
}

void SetTime(int64_t micros, google::protobuf::Timestamp* time) {
  time->set_seconds(micros / 1'000'000);
  time->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1'000));
}

v1::Message MessageOf(const std::string& customer, const store::v1::MessageRow& row) {
  v1::Message message;
  message.set_name(ChildName<MessageId>(customer, "messages", row.message()));
  message.set_action(row.order().action());
  message.set_journey(row.journey());
  message.set_channel(static_cast<v1::Channel>(row.order().channel()));
  message.set_state(static_cast<v1::MessageState>(row.state()));
  message.set_reason(row.reason());
  SetTime(row.decide_micros(), message.mutable_decide_time());
  SetTime(row.state_micros(), message.mutable_state_time());
  if (row.state() == v1::MESSAGE_STATE_HELD && row.until_micros() != 0)
    SetTime(row.until_micros(), message.mutable_hold_until_time());
  message.set_attempts(static_cast<int32_t>(row.attempts()));
  return message;
}

StatusOr<v1::ListMessagesResponse> ListMessages(const Parts& parts, const Call& call,
                                                const v1::ListMessagesRequest& request) {
  HILO_ASSIGN_OR_RETURN(const CustomerId customer, ParseCustomer(request.customer(), "customer"));
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestPage));
  const std::string made_for = "messages " + customer.Hex();
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  HILO_ASSIGN_OR_RETURN(const auto row, ReadRow(parts, customer));
  if (!row) return CustomerNotFound();
  HILO_RETURN_IF_ERROR(CheckAccess(parts.node, call.principal(), customer));
  HILO_RETURN_IF_ERROR(call.Audit(customer.Hex(), "messages"));
  v1::ListMessagesResponse response;
  bool begun = after.empty();
  std::string last;
  for (auto message = row->messages().rbegin(); message != row->messages().rend(); ++message) {
    if (!begun) {
      begun = message->message() == after;
      continue;
    }
    if (static_cast<size_t>(response.messages_size()) == page_size) {
      response.set_next_page_token(MakePageToken(made_for, last));
      break;
    }
    *response.add_messages() = MessageOf(row->customer(), *message);
    last = message->message();
  }
  return response;
}

StatusOr<v1::SearchProductsResponse> SearchProducts(const Parts& parts,
                                                    const v1::SearchProductsRequest& request) {
  HILO_ASSIGN_OR_RETURN(const size_t page_size,
                        PageSize(request.page_size(), kStandardPage, kLargestPage));
  if (request.query().size() > kMaxQuery) return Invalid("query", "is at most 200 bytes");
  const auto catalogue = parts.catalogue.Get().catalogue;
  const std::string made_for =
      "products " + std::to_string(catalogue->revision()) + " " + request.query();
  HILO_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token(), made_for));
  const std::string language = request.language().empty() ? "en" : request.language();
  const auto found = catalogue->product_index().Search(request.query(), language);
  auto at = found.begin();
  if (!after.empty()) {
    at = std::find_if(at, found.end(), [&](const auto* product) { return product->id == after; });
    if (at != found.end()) ++at;
  }
  v1::SearchProductsResponse response;
  for (; at != found.end(); ++at) {
    if (static_cast<size_t>(response.products_size()) == page_size) {
      response.set_next_page_token(
          MakePageToken(made_for, response.products(response.products_size() - 1).product()));
      break;
    }
    v1::Product* product = response.add_products();
    product->set_product((*at)->id);
    product->set_title(std::string((*at)->title.In(language)));
    product->mutable_price()->set_minor((*at)->price.minor);
    product->mutable_price()->set_currency(std::string((*at)->price.currency.Text()));
    product->set_url((*at)->url);
    product->set_available((*at)->available);
  }
  return response;
}

template <typename Response>
void Answer(const Reply<Response>& reply, StatusOr<Response> response) {
  response.ok() ? reply(*std::move(response)) : reply(response.status());
}

}  // namespace

void AddDecisionService(const Parts& parts, Endpoints& endpoints) {
  using namespace v1;  // NOLINT: messages of the one service that this file serves
  AddWrite(parts, endpoints, "/hilo.v1.DecisionService/Decide", &Decide);
  AddWrite(parts, endpoints, "/hilo.v1.DecisionService/RecordOutcome", &RecordOutcome);
  AddWrite(parts, endpoints, "/hilo.v1.DecisionService/ReleaseSelling", &ReleaseSelling);
  endpoints.Unary<ExplainActionRequest, ExplainActionResponse>(
      "/hilo.v1.DecisionService/ExplainAction",
      [parts](CallPointer call, const ExplainActionRequest& request, auto reply) {
        Answer(reply, ExplainAction(parts, *call, request));
      });
  endpoints.Unary<ListMessagesRequest, ListMessagesResponse>(
      "/hilo.v1.DecisionService/ListMessages",
      [parts](CallPointer call, const ListMessagesRequest& request, auto reply) {
        Answer(reply, ListMessages(parts, *call, request));
      });
  endpoints.Unary<SearchProductsRequest, SearchProductsResponse>(
      "/hilo.v1.DecisionService/SearchProducts",
      [parts](CallPointer, const SearchProductsRequest& request, auto reply) {
        Answer(reply, SearchProducts(parts, request));
      });
}

}  // namespace hilo::serving
