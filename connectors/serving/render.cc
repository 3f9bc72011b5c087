#include "connectors/serving/render.h"

#include <google/protobuf/timestamp.pb.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "connectors/kit/json.h"
#include "connectors/serving/names.h"
#include "hilo/store/v1/records.pb.h"
#include "hilo/v1/decision.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "ops/base/text_encoding.h"
#include "state/cases/cases.h"
#include "state/facts/facts.h"

namespace hilo::serving {
namespace {

constexpr size_t kShownFacts = 100;
constexpr int kShownEnded = 10;
constexpr int kShownQuestions = 20;
constexpr int64_t kMicrosPerSecond = 1'000'000;

void SetTime(int64_t micros, google::protobuf::Timestamp* time) {
  int64_t seconds = micros / kMicrosPerSecond;
  int64_t rest = micros % kMicrosPerSecond;
  if (rest < 0) {
    rest += kMicrosPerSecond;
    --seconds;
  }
  time->set_seconds(seconds);
  time->set_nanos(static_cast<int32_t>(rest * 1'000));
}

template <typename AnyId>
std::string InteractionName(std::string_view customer, const AnyId& interaction) {
  return interaction.empty() ? "" : ChildName<InteractionId>(customer, "interactions", interaction);
}

// Details as dotted paths, in the order of the source.
void Flatten(const kit::json::Value& value, const std::string& path, v1::TimelineEntry* entry) {
  if (value.IsObject() || value.IsArray()) {
    int index = 0;
    for (kit::json::Value child = value.First(); child; child = child.Next(), ++index) {
      const std::string name = value.IsObject() ? std::string(child.Key()) : std::to_string(index);
      Flatten(child, path.empty() ? name : path + "." + name, entry);
    }
    return;
  }
  if (value.type() == kit::json::Type::kNull) return;
  // What is known of a call, or open, stands there already.
  for (const v1::Property& known : entry->properties()) {
    if (known.property() == path && known.value() == value.AsText()) return;
  }
  if (entry->properties_size() >= Renderer::kMaxProperties) {
    entry->set_properties_left_out(entry->properties_left_out() + 1);
    return;
  }
  v1::Property* property = entry->add_properties();
  property->set_property(path);
  property->set_value(value.AsText());
}

void AddProperty(std::string_view name, std::string value, v1::TimelineEntry* entry) {
  if (value.empty()) return;
  v1::Property* property = entry->add_properties();
  property->set_property(std::string(name));
  property->set_value(std::move(value));
}

// The value of a trait, "" when there is none.
std::string TraitValue(const v1::Customer& customer, std::string_view name) {
  for (const v1::Trait& trait : customer.traits()) {
    if (trait.trait() == name) return trait.value();
  }
  return "";
}

std::string DisplayName(const v1::Customer& customer) {
  for (const std::string_view name : {"name", "full_name", "fullName"}) {
    if (std::string value = TraitValue(customer, name); !value.empty()) return value;
  }
  for (const auto& [first, last] :
       {std::pair{"first_name", "last_name"}, std::pair{"firstName", "lastName"}}) {
    std::string value = TraitValue(customer, first);
    if (const std::string family = TraitValue(customer, last); !family.empty()) {
      value += (value.empty() ? "" : " ") + family;
    }
    if (!value.empty()) return value;
  }
  for (const v1::IdentifierKind kind :
       {v1::IDENTIFIER_KIND_EMAIL, v1::IDENTIFIER_KIND_PHONE, v1::IDENTIFIER_KIND_USER_ID}) {
    for (const v1::KnownIdentifier& known : customer.identifiers()) {
      if (known.identifier().kind() == kind) return known.identifier().value();
    }
  }
  return "";
}

// The place of an entry in its name.
std::string EntryName(std::string_view customer, std::string_view place) {
  return CustomerName(customer) + "/timeline/" + Hex(place);
}

}  // namespace

std::optional<std::string> Renderer::Open(std::string_view sealed, std::string_view field) const {
  if (sealed.empty()) return std::nullopt;
  auto opened = sealer_.Open(sealed, field);
  if (took_ != nullptr) {
    if (!opened.ok()) took_->all_opened = false;
    // Few subjects: a customer has about as many as identifiers.
    if (const auto subject = keys::Sealer::SubjectOf(sealed);
        subject && std::find(took_->subjects.begin(), took_->subjects.end(), *subject) ==
                       took_->subjects.end()) {
      took_->subjects.push_back(*subject);
    }
  }
  if (opened.ok()) return *std::move(opened);
  if (opened.status().code() == StatusCode::kNotFound) return std::nullopt;
  return std::string(kUnreadable);
}

void Renderer::TurnsAt(int64_t micros) const {
  if (took_ != nullptr && micros > now_.micros) {
    took_->until_micros = std::min(took_->until_micros, micros);
  }
}

v1::Customer Renderer::Customer(const store::v1::MemberRow& row) const {
  v1::Customer customer;
  customer.set_name(CustomerName(row.customer()));
  for (const auto& known : row.identifiers()) {
    const auto value = Open(known.identifier().sealed(), "identifier");
    if (!value) continue;
    v1::KnownIdentifier* shown = customer.add_identifiers();
    shown->mutable_identifier()->set_kind(
        static_cast<v1::IdentifierKind>(known.identifier().kind()));
    shown->mutable_identifier()->set_value(*value);
    SetTime(known.first_micros(), shown->mutable_first_seen_time());
    SetTime(known.last_micros(), shown->mutable_last_seen_time());
  }
  for (const auto& trait : row.traits()) {
    auto value = Open(trait.sealed(), "trait");
    if (!value) continue;
    v1::Trait* shown = customer.add_traits();
    shown->set_trait(trait.name());
    shown->set_value(*std::move(value));
    shown->set_channel(static_cast<v1::Channel>(trait.origin().channel()));
    shown->set_source(trait.origin().source());
    SetTime(trait.origin().event_micros(), shown->mutable_event_time());
  }
  customer.set_display_name(DisplayName(customer));
  customer.set_language(row.language());
  customer.set_time_zone(row.time_zone());
  SetTime(row.first_micros(), customer.mutable_create_time());
  SetTime(row.last_micros(), customer.mutable_last_seen_time());
  if (const auto member = MemberId::FromBytes(row.member())) customer.add_members(member->Hex());
  return customer;
}

v1::Context Renderer::Context(const store::v1::MemberRow& row) const {
  v1::Context context;
  const std::string& customer = row.customer();
  *context.mutable_customer() = Customer(row);

  for (const store::v1::FactRow& fact : row.facts()) {
    if (fact.expire_micros() != 0) TurnsAt(fact.expire_micros());
  }
  // The newest fact of each kind, newest first.
  std::vector<const store::v1::FactRow*> facts;
  for (auto fact = row.facts().rbegin(); fact != row.facts().rend() && facts.size() < kShownFacts;
       ++fact) {
    if (facts::Latest(row, fact->kind(), now_) == &*fact) facts.push_back(&*fact);
  }
  for (const store::v1::FactRow* fact : facts) {
    if (v1::Fact shown = Fact(customer, *fact); !shown.value().empty())
      *context.add_facts() = std::move(shown);
  }

  std::vector<const store::v1::PromiseRow*> open_promises;
  for (const auto& promise : row.promises()) {
    if (promise.end_micros() == 0) open_promises.push_back(&promise);
  }
  std::stable_sort(open_promises.begin(), open_promises.end(),
                   [](const auto* a, const auto* b) { return a->due_micros() < b->due_micros(); });
  for (const auto* promise : open_promises) *context.add_promises() = Promise(customer, *promise);
  int ended = 0;
  for (auto promise = row.promises().rbegin();
       promise != row.promises().rend() && ended < kShownEnded; ++promise) {
    if (promise->end_micros() == 0) continue;
    *context.add_promises() = Promise(customer, *promise);
    ++ended;
  }

  for (auto c = row.cases().rbegin(); c != row.cases().rend(); ++c) {
    if (c->state() == v1::CASE_STATE_OPEN) *context.add_cases() = Case(customer, *c);
  }
  ended = 0;
  for (auto c = row.cases().rbegin(); c != row.cases().rend() && ended < kShownEnded; ++c) {
    if (c->state() == v1::CASE_STATE_OPEN) continue;
    *context.add_cases() = Case(customer, *c);
    ++ended;
  }

  for (auto i = row.interactions().rbegin(); i != row.interactions().rend(); ++i) {
    if (i->state() != v1::INTERACTION_STATE_ENDED)
      *context.add_interactions() = Interaction(customer, *i);
  }
  ended = 0;
  for (auto i = row.interactions().rbegin(); i != row.interactions().rend() && ended < kShownEnded;
       ++i) {
    if (i->state() != v1::INTERACTION_STATE_ENDED) continue;
    *context.add_interactions() = Interaction(customer, *i);
    ++ended;
  }

  for (auto q = row.questions().rbegin();
       q != row.questions().rend() && context.questions_size() < kShownQuestions; ++q) {
    *context.add_questions() = Question(customer, *q);
  }

  for (const auto& purchase : row.purchases()) {
    v1::PurchaseSummary* summary = context.add_purchases();
    summary->mutable_total()->set_currency(purchase.currency());
    summary->mutable_total()->set_minor(purchase.total_minor());
    summary->mutable_paid()->set_currency(purchase.currency());
    summary->mutable_paid()->set_minor(purchase.paid_minor());
    summary->set_orders(purchase.count());
    summary->set_days(purchase.days_size());
    if (purchase.count() > 0) {
      SetTime(purchase.first_micros(), summary->mutable_first_time());
      SetTime(purchase.last_micros(), summary->mutable_last_time());
    }
  }
  for (const auto& consent : row.consents()) *context.add_consents() = Consent(consent);
  for (const auto& group : row.groups()) {
    v1::GroupMembership* shown = context.add_groups();
    const auto id = GroupId::FromBytes(group.group().group());
    shown->set_group(id ? "groups/" + id->Hex() : "");
    shown->set_kind(group.group().kind());
    shown->set_display_name(Open(group.group().sealed_id(), "group").value_or(""));
    shown->set_role(group.group().role());
  }
  for (const auto& suggestion : row.suggestions()) {
    v1::Suggestion* shown = context.add_suggestions();
    shown->set_name("suggestions/" + std::to_string(suggestion.identity_offset()) + "-" +
                    std::to_string(suggestion.note().index()));
    shown->set_other_customer(CustomerName(suggestion.note().other()));
    shown->set_reason(suggestion.note().reason());
    shown->set_identifier_kind(
        static_cast<v1::IdentifierKind>(suggestion.note().identifier_kind()));
    SetTime(suggestion.event_micros(), shown->mutable_event_time());
  }
  return context;
}

std::string Renderer::QuestionText(std::string_view kind, std::string_view sealed) const {
  if (auto text = Open(sealed, "question")) return *std::move(text);
  const catalogue::FactKind* known = catalogue_->FindFactKind(kind);
  return known == nullptr ? "" : std::string(known->question.In("en"));
}

v1::Fact Renderer::Fact(std::string_view customer, const store::v1::FactRow& row) const {
  v1::Fact fact;
  fact.set_name(ChildName<FactId>(customer, "facts", row.fact()));
  fact.set_kind(row.kind());
  fact.set_question(QuestionText(row.kind(), row.sealed_question()));
  fact.set_value(Open(row.sealed(), "fact").value_or(""));
  fact.set_channel(static_cast<v1::Channel>(row.origin().channel()));
  fact.set_source(row.origin().source());
  SetTime(row.origin().event_micros(), fact.mutable_event_time());
  fact.set_confidence_percent(static_cast<int32_t>(row.confidence()));
  if (row.expire_micros() != 0) SetTime(row.expire_micros(), fact.mutable_expire_time());
  fact.set_interaction(InteractionName(customer, row.origin().interaction()));
  return fact;
}

v1::Question Renderer::Question(std::string_view customer,
                                const store::v1::QuestionRow& row) const {
  v1::Question question;
  question.set_name(ChildName<FactId>(customer, "questions", row.question()));
  question.set_kind(row.kind());
  question.set_text(QuestionText(row.kind(), row.sealed_text()));
  question.set_source(row.origin().source());
  question.set_channel(static_cast<v1::Channel>(row.origin().channel()));
  SetTime(row.origin().event_micros(), question.mutable_ask_time());
  if (row.answer_micros() != 0) SetTime(row.answer_micros(), question.mutable_answer_time());
  question.set_already_on_record(row.already_on_record());
  return question;
}

v1::Case Renderer::Case(std::string_view customer, const store::v1::CaseRow& row) const {
  v1::Case shown;
  shown.set_name(ChildName<CaseId>(customer, "cases", row.case_()));
  shown.set_kind(row.kind());
  shown.set_title(Open(row.sealed_title(), "case").value_or(""));
  if (shown.title().empty()) {
    if (const catalogue::CaseKind* kind = catalogue_->FindCaseKind(row.kind()))
      shown.set_title(std::string(kind->title.In("en")));
  }
  shown.set_state(static_cast<v1::CaseState>(row.state()));
  SetTime(row.origin().event_micros(), shown.mutable_open_time());
  if (row.close_micros() != 0) SetTime(row.close_micros(), shown.mutable_close_time());
  if (row.due_micros() != 0) SetTime(row.due_micros(), shown.mutable_due_time());
  shown.set_channel(static_cast<v1::Channel>(row.origin().channel()));
  shown.set_source(row.origin().source());
  shown.set_resolution(Open(row.sealed_resolution(), "resolution").value_or(""));
  shown.set_satisfaction(static_cast<int32_t>(row.satisfaction()));
  shown.set_etag(std::to_string(row.version()));
  return shown;
}

v1::Promise Renderer::Promise(std::string_view customer, const store::v1::PromiseRow& row) const {
  v1::Promise promise;
  promise.set_name(ChildName<PromiseId>(customer, "promises", row.promise()));
  promise.set_text(Open(row.sealed_text(), "promise").value_or(""));
  SetTime(row.due_micros(), promise.mutable_due_time());
  promise.set_state(static_cast<v1::PromiseState>(cases::ShownState(row, now_.micros)));
  TurnsAt(row.due_micros());
  promise.set_source(row.origin().source());
  SetTime(row.origin().event_micros(), promise.mutable_make_time());
  if (row.end_micros() != 0) SetTime(row.end_micros(), promise.mutable_end_time());
  if (!row.case_().empty()) promise.set_case_(ChildName<CaseId>(customer, "cases", row.case_()));
  promise.set_etag(std::to_string(row.version()));
  return promise;
}

v1::Interaction Renderer::Interaction(std::string_view customer,
                                      const store::v1::InteractionRow& row) const {
  v1::Interaction interaction;
  interaction.set_name(ChildName<InteractionId>(customer, "interactions", row.interaction()));
  interaction.set_channel(static_cast<v1::Channel>(row.channel()));
  interaction.set_state(static_cast<v1::InteractionState>(row.state()));
  interaction.set_assurance(static_cast<v1::Assurance>(row.assurance()));
  interaction.set_agent(row.agent());
  SetTime(row.first_micros(), interaction.mutable_start_time());
  SetTime(row.last_micros(), interaction.mutable_end_time());
  interaction.set_provider_id(Open(row.sealed_id(), "call").value_or(""));
  interaction.set_disposition(row.disposition());
  interaction.set_queue(row.queue());
  return interaction;
}

v1::Consent Renderer::Consent(const store::v1::ConsentRow& row) const {
  v1::Consent consent;
  consent.set_channel(static_cast<v1::Channel>(row.signal().channel()));
  consent.set_purpose(row.signal().purpose());
  consent.set_status(static_cast<v1::ConsentStatus>(row.signal().status()));
  SetTime(row.origin().event_micros(), consent.mutable_event_time());
  v1::ConsentProof* proof = consent.mutable_proof();
  proof->set_mechanism(row.signal().mechanism());
  proof->set_source(row.origin().source());
  proof->set_text_version(row.signal().text_version());
  proof->set_language(row.signal().language());
  proof->set_evidence_hash(Hex(row.signal().evidence_hash()));
  return consent;
}

namespace {

std::string_view MessageStateWord(uint32_t state) {
  switch (state) {
    case v1::MESSAGE_STATE_SENT:
      return "sent";
    case v1::MESSAGE_STATE_HELD:
      return "held";
    case v1::MESSAGE_STATE_FAILED:
      return "failed";
    case v1::MESSAGE_STATE_UNKNOWN:
      return "unknown";
    case v1::MESSAGE_STATE_EXPIRED:
      return "expired";
    case v1::MESSAGE_STATE_CANCELLED:
      return "cancelled";
    case v1::MESSAGE_STATE_REFUSED:
      return "refused";
    default:
      return "under_way";
  }
}

std::string_view OutcomeType(uint32_t outcome) {
  switch (outcome) {
    case v1::OUTCOME_KIND_ACCEPTED:
      return "desk.accepted";
    case v1::OUTCOME_KIND_DECLINED:
      return "desk.declined";
    case v1::OUTCOME_KIND_SNOOZED:
      return "desk.snoozed";
    case v1::OUTCOME_KIND_COMPLETED:
      return "desk.completed";
    default:
      return "desk.no_response";
  }
}

}  // namespace

v1::TimelineEntry Renderer::Entry(std::string_view customer, std::string_view place,
                                  const store::v1::TimelineRow& row) const {
  v1::TimelineEntry entry;
  AddEntry(customer, place, row, &entry);
  return entry;
}

void Renderer::AddEntry(std::string_view customer, std::string_view place,
                        const store::v1::TimelineRow& row, v1::TimelineEntry* entry) const {
  entry->set_name(EntryName(customer, place));
  entry->set_interaction(InteractionName(customer, row.interaction()));
  SetTime(row.event_micros(), entry->mutable_event_time());
  if (row.what_case() == store::v1::TimelineRow::kEvent) {
    RenderEvent(row.event(), entry);
  } else if (row.what_case() == store::v1::TimelineRow::kMessage) {
    RenderMessage(row.message(), entry);
  } else {
    RenderCommand(row.command(), entry);
  }
}

void Renderer::RenderMessage(const store::v1::MessageRow& message, v1::TimelineEntry* entry) const {
  entry->set_type("message." + std::string(MessageStateWord(message.state())));
  entry->set_title(message.order().action().empty() ? message.journey() : message.order().action());
  entry->set_channel(static_cast<v1::Channel>(message.order().channel()));
  entry->set_source(message.journey());
  if (!message.reason().empty()) AddProperty("reason", message.reason(), entry);
}

void Renderer::RenderEvent(const std::string& bytes, v1::TimelineEntry* entry) const {
  // Kept by the thread for the memory that they hold; nothing in them is open that was sealed.
  static thread_local store::v1::Event event;
  static thread_local store::v1::EventBody body;
  if (!event.ParseFromString(bytes) || !body.ParseFromString(event.body())) {
    entry->set_type("unreadable");
    return;
  }
  entry->set_type(body.type());
  entry->set_title(body.event());
  entry->set_channel(static_cast<v1::Channel>(body.channel()));
  entry->set_source(body.source());
  entry->set_time_clamped(body.time_clamped());
  SetTime(event.receive_micros(), entry->mutable_receive_time());
  if (body.has_call()) {
    AddProperty("agent", body.call().agent(), entry);
    AddProperty("queue", body.call().queue(), entry);
    AddProperty("disposition", body.call().disposition(), entry);
  }
  for (const auto& field : body.open()) AddProperty(field.name(), field.value(), entry);
  if (const auto properties = Open(body.sealed_properties(), "properties")) {
    const auto document = kit::json::Document::Parse(*properties);
    if (document.ok()) Flatten((*document)->root(), "", entry);
  }
}

void Renderer::RenderCommand(const std::string& bytes, v1::TimelineEntry* entry) const {
  store::v1::Command command;
  if (!command.ParseFromString(bytes)) {
    entry->set_type("unreadable");
    return;
  }
  entry->set_channel(static_cast<v1::Channel>(command.channel()));
  entry->set_source(command.principal());
  SetTime(command.receive_micros(), entry->mutable_receive_time());
  using Command = store::v1::Command;
  switch (command.operation_case()) {
    case Command::kAddNote:
      entry->set_type("desk.note");
      AddProperty("text", Open(command.add_note().sealed_text(), "note").value_or(""), entry);
      break;
    case Command::kRecordFact:
      entry->set_type("desk.fact_recorded");
      entry->set_title(command.record_fact().kind());
      AddProperty("value", Open(command.record_fact().sealed_value(), "fact").value_or(""), entry);
      break;
    case Command::kRetractFact:
      entry->set_type("desk.fact_retracted");
      break;
    case Command::kAskQuestion:
      entry->set_type("desk.question_asked");
      entry->set_title(command.ask_question().kind());
      AddProperty("text",
                  QuestionText(command.ask_question().kind(), command.ask_question().sealed_text()),
                  entry);
      break;
    case Command::kOpenCase:
      entry->set_type("desk.case_opened");
      entry->set_title(command.open_case().kind());
      AddProperty("title", Open(command.open_case().sealed_title(), "case").value_or(""), entry);
      break;
    case Command::kCloseCase:
      entry->set_type("desk.case_closed");
      AddProperty("resolution",
                  Open(command.close_case().sealed_resolution(), "resolution").value_or(""), entry);
      if (command.close_case().satisfaction() != 0) {
        AddProperty("satisfaction", std::to_string(command.close_case().satisfaction()), entry);
      }
      break;
    case Command::kMakePromise:
      entry->set_type("desk.promise_made");
      AddProperty("text", Open(command.make_promise().sealed_text(), "promise").value_or(""),
                  entry);
      break;
    case Command::kEndPromise:
      entry->set_type(command.end_promise().state() == v1::PROMISE_STATE_KEPT
                          ? "desk.promise_kept"
                          : "desk.promise_cancelled");
      break;
    case Command::kStartInteraction:
      entry->set_type("desk.interaction_started");
      break;
    case Command::kVerifyInteraction:
      entry->set_type("desk.identity_verified");
      AddProperty("method", command.verify_interaction().method(), entry);
      break;
    case Command::kEndInteraction:
      entry->set_type("desk.interaction_ended");
      AddProperty("disposition", command.end_interaction().disposition(), entry);
      break;
    case Command::kRecordConsent:
      entry->set_type(command.record_consent().signal().status() == v1::CONSENT_STATUS_GRANTED
                          ? "desk.consent_granted"
                          : "desk.consent_withdrawn");
      entry->set_title(command.record_consent().signal().purpose());
      AddProperty("mechanism", command.record_consent().signal().mechanism(), entry);
      break;
    case Command::kRecordOutcome:
      entry->set_type(std::string(OutcomeType(command.record_outcome().outcome())));
      entry->set_title(command.record_outcome().action());
      if (!command.record_outcome().reason().empty())
        AddProperty("reason", command.record_outcome().reason(), entry);
      break;
    case Command::kReleaseSelling:
      entry->set_type("desk.selling_released");
      AddProperty("reason", Open(command.release_selling().sealed_reason(), "release").value_or(""),
                  entry);
      break;
    default:
      entry->set_type("unreadable");
      break;
  }
}

}  // namespace hilo::serving
