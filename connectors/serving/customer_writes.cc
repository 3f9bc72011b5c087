#include <optional>
#include <utility>

#include "connectors/serving/write.h"
#include "ops/base/metric_names.h"
#include "state/timeline/entry_key.h"

// The writing half of CustomerService: every method seals what is personal, sends a command, and
// renders what the fold made of it.
namespace hilo::serving {
namespace {

using store::v1::CommandResult;

// An etag is a version in decimal.
uint64_t VersionOf(const std::string& etag, Write& write) {
  if (etag.empty()) return 0;
  uint64_t version = 0;
  for (const char c : etag) {
    if (c < '0' || c > '9' || etag.size() > 18) {
      write.Check(Invalid("etag", "is not one that this service gave"));
      return 0;
    }
    version = version * 10 + static_cast<uint64_t>(c - '0');
  }
  return version;
}

void AddNote(const Parts& parts, const CallPointer& call, const v1::AddNoteRequest& request,
             const Reply<v1::AddNoteResponse>& reply) {
  // The stored answer has no copy of the command; the entry is shown from the one that was sent.
  const auto sent = std::make_shared<std::string>();
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        write.Check(CheckText(request.text(), kMaxText, "text"));
        write.command().mutable_add_note()->set_sealed_text(write.Seal("note", request.text()));
        *sent = write.command().SerializeAsString();
      },
      [sent](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        store::v1::TimelineRow row = result.entry();
        row.set_command(*sent);
        const timeline::EntryPlace place{row.event_micros(), row.offset(),
                                         *MemberId::FromBytes(customer)};
        v1::AddNoteResponse response;
        *response.mutable_entry() = renderer.Entry(customer, place.Bytes(), row);
        return response;
      });
}

void RecordFact(const Parts& parts, const CallPointer& call, const v1::RecordFactRequest& request,
                const Reply<v1::RecordFactResponse>& reply) {
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        write.Check(CheckWord(request.kind(), "kind"));
        write.Check(CheckText(request.value(), kMaxText, "value"));
        if (request.question().size() > kMaxLine)
          write.Check(Invalid("question", "is at most 500 bytes"));
        if (request.confidence_percent() < 0 || request.confidence_percent() > 100) {
          write.Check(Invalid("confidence_percent", "is 1 to 100, or 0 for 100"));
        }
        store::v1::RecordFact* fact = write.command().mutable_record_fact();
        fact->set_kind(request.kind());
        fact->set_sealed_value(write.Seal("fact", request.value()));
        fact->set_sealed_question(write.Seal("question", request.question()));
        fact->set_confidence(request.confidence_percent() == 0
                                 ? 100
                                 : static_cast<uint32_t>(request.confidence_percent()));
        if (request.has_expire_time()) {
          const auto expire = CheckTime(request.expire_time(), "expire_time");
          write.Check(expire.status());
          if (expire.ok()) fact->set_expire_micros(*expire);
        } else if (const auto* kind = parts.catalogue.Catalogue()->FindFactKind(request.kind());
                   kind != nullptr && kind->expires_after.count() > 0) {
          fact->set_expire_micros(write.command().receive_micros() + kind->expires_after.count());
        }
      },
      [](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        v1::RecordFactResponse response;
        *response.mutable_fact() = renderer.Fact(customer, result.fact());
        return response;
      });
}

void RetractFact(const Parts& parts, const CallPointer& call, const v1::RetractFactRequest& request,
                 const Reply<v1::RetractFactResponse>& reply) {
  const auto fact = ParseChild(request.fact(), "facts", "fact");
  Send(
      parts, call, request, CustomerOf(fact), reply,
      [&](Write& write) { write.command().mutable_retract_fact()->set_fact(fact->id); },
      [](const Renderer&, const std::string&, const CommandResult&) {
        return v1::RetractFactResponse();
      });
}

void AskQuestion(const Parts& parts, const CallPointer& call, const v1::AskQuestionRequest& request,
                 const Reply<v1::AskQuestionResponse>& reply) {
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        write.Check(CheckWord(request.kind(), "kind"));
        if (request.text().size() > kMaxLine) write.Check(Invalid("text", "is at most 500 bytes"));
        write.command().mutable_ask_question()->set_kind(request.kind());
        write.command().mutable_ask_question()->set_sealed_text(
            write.Seal("question", request.text()));
      },
      [parts](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        v1::AskQuestionResponse response;
        *response.mutable_question() = renderer.Question(customer, result.question());
        if (result.has_known_fact()) {
          *response.mutable_known_fact() = renderer.Fact(customer, result.known_fact());
          parts.registry.Get(metric::kFactsAskedAgain).Increment();
        }
        return response;
      });
}

void OpenCase(const Parts& parts, const CallPointer& call, const v1::OpenCaseRequest& request,
              const Reply<v1::OpenCaseResponse>& reply) {
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        write.Check(CheckText(request.title(), kMaxLine, "title"));
        const auto catalogue = parts.catalogue.Catalogue();
        const catalogue::CaseKind* kind = catalogue->FindCaseKind(request.kind());
        if (kind == nullptr)
          return write.Check(
              Invalid("kind", "is a case kind of the catalogue; GetDesk lists them"));
        store::v1::OpenCase* open = write.command().mutable_open_case();
        open->set_kind(request.kind());
        open->set_sealed_title(write.Seal("case", request.title()));
        if (kind->due_after.count() > 0)
          open->set_due_micros(write.command().receive_micros() + kind->due_after.count());
      },
      [](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        v1::OpenCaseResponse response;
        *response.mutable_case_() = renderer.Case(customer, result.case_());
        return response;
      });
}

void CloseCase(const Parts& parts, const CallPointer& call, const v1::CloseCaseRequest& request,
               const Reply<v1::CloseCaseResponse>& reply) {
  const auto closed = ParseChild(request.case_(), "cases", "case");
  Send(
      parts, call, request, CustomerOf(closed), reply,
      [&](Write& write) {
        if (request.resolution().size() > kMaxLine)
          write.Check(Invalid("resolution", "is at most 500 bytes"));
        if (request.satisfaction() < 0 || request.satisfaction() > 5)
          write.Check(Invalid("satisfaction", "is 1 to 5, or 0"));
        store::v1::CloseCase* close = write.command().mutable_close_case();
        close->set_case_(closed->id);
        close->set_version(VersionOf(request.etag(), write));
        close->set_sealed_resolution(write.Seal("resolution", request.resolution()));
        close->set_satisfaction(static_cast<uint32_t>(request.satisfaction()));
      },
      [](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        v1::CloseCaseResponse response;
        *response.mutable_case_() = renderer.Case(customer, result.case_());
        return response;
      });
}

void MakePromise(const Parts& parts, const CallPointer& call, const v1::MakePromiseRequest& request,
                 const Reply<v1::MakePromiseResponse>& reply) {
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        write.Check(CheckText(request.text(), kMaxLine, "text"));
        store::v1::MakePromise* promise = write.command().mutable_make_promise();
        promise->set_sealed_text(write.Seal("promise", request.text()));
        if (!request.has_due_time()) return write.Check(Invalid("due_time", "is required"));
        const auto due = CheckTime(request.due_time(), "due_time");
        write.Check(due.status());
        if (due.ok()) promise->set_due_micros(*due);
        if (request.case_().empty()) return;
        const auto about = ParseChild(request.case_(), "cases", "case");
        if (!about.ok()) return write.Check(about.status());
        if (about->customer != write.customer())
          return write.Check(Invalid("case", "belongs to another customer"));
        promise->set_case_(about->id);
      },
      [](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        v1::MakePromiseResponse response;
        *response.mutable_promise() = renderer.Promise(customer, result.promise());
        return response;
      });
}

void EndPromise(const Parts& parts, const CallPointer& call, const v1::EndPromiseRequest& request,
                const Reply<v1::EndPromiseResponse>& reply) {
  const auto ended = ParseChild(request.promise(), "promises", "promise");
  Send(
      parts, call, request, CustomerOf(ended), reply,
      [&](Write& write) {
        if (request.state() != v1::PROMISE_STATE_KEPT &&
            request.state() != v1::PROMISE_STATE_CANCELLED) {
          write.Check(Invalid("state", "is KEPT or CANCELLED"));
        }
        store::v1::EndPromise* end = write.command().mutable_end_promise();
        end->set_promise(ended->id);
        end->set_version(VersionOf(request.etag(), write));
        end->set_state(static_cast<uint32_t>(request.state()));
      },
      [](const Renderer& renderer, const std::string& customer, const CommandResult& result) {
        v1::EndPromiseResponse response;
        *response.mutable_promise() = renderer.Promise(customer, result.promise());
        return response;
      });
}

// The three writes about interactions answer with the interaction.
template <typename Response>
Response RenderInteraction(const Renderer& renderer, const std::string& customer,
                           const CommandResult& result) {
  Response response;
  *response.mutable_interaction() = renderer.Interaction(customer, result.interaction());
  return response;
}

void StartInteraction(const Parts& parts, const CallPointer& call,
                      const v1::StartInteractionRequest& request,
                      const Reply<v1::StartInteractionResponse>& reply) {
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        if (request.channel() == v1::CHANNEL_UNSPECIFIED)
          write.Check(Invalid("channel", "is required"));
        store::v1::StartInteraction* start = write.command().mutable_start_interaction();
        start->set_channel(static_cast<uint32_t>(request.channel()));
        start->set_assurance(static_cast<uint32_t>(request.assurance() == v1::ASSURANCE_UNSPECIFIED
                                                       ? v1::ASSURANCE_CLAIMED
                                                       : request.assurance()));
      },
      RenderInteraction<v1::StartInteractionResponse>);
}

void VerifyInteraction(const Parts& parts, const CallPointer& call,
                       const v1::VerifyInteractionRequest& request,
                       const Reply<v1::VerifyInteractionResponse>& reply) {
  const auto verified = ParseChild(request.interaction(), "interactions", "interaction");
  Send(
      parts, call, request, CustomerOf(verified), reply,
      [&](Write& write) {
        write.Check(CheckWord(request.method(), "method"));
        write.command().mutable_verify_interaction()->set_interaction(verified->id);
        write.command().mutable_verify_interaction()->set_method(request.method());
      },
      RenderInteraction<v1::VerifyInteractionResponse>);
}

void EndInteraction(const Parts& parts, const CallPointer& call,
                    const v1::EndInteractionRequest& request,
                    const Reply<v1::EndInteractionResponse>& reply) {
  const auto ended = ParseChild(request.interaction(), "interactions", "interaction");
  Send(
      parts, call, request, CustomerOf(ended), reply,
      [&](Write& write) {
        if (!request.disposition().empty())
          write.Check(CheckWord(request.disposition(), "disposition"));
        write.command().mutable_end_interaction()->set_interaction(ended->id);
        write.command().mutable_end_interaction()->set_disposition(request.disposition());
      },
      RenderInteraction<v1::EndInteractionResponse>);
}

void RecordConsent(const Parts& parts, const CallPointer& call,
                   const v1::RecordConsentRequest& request,
                   const Reply<v1::RecordConsentResponse>& reply) {
  Send(
      parts, call, request, ParseCustomer(request.customer(), "customer"), reply,
      [&](Write& write) {
        write.Check(CheckWord(request.purpose(), "purpose"));
        if (request.status() == v1::CONSENT_STATUS_UNSPECIFIED)
          write.Check(Invalid("status", "is GRANTED or DENIED"));
        write.Check(CheckWord(request.proof().mechanism(), "proof.mechanism"));
        if (request.proof().text_version().size() > kMaxWord)
          write.Check(Invalid("proof.text_version", "is at most 64 bytes"));
        if (request.proof().language().size() > kMaxWord)
          write.Check(Invalid("proof.language", "is at most 64 bytes"));
        store::v1::ConsentSignal* signal =
            write.command().mutable_record_consent()->mutable_signal();
        signal->set_channel(static_cast<uint32_t>(request.channel()));
        signal->set_purpose(request.purpose());
        signal->set_status(static_cast<uint32_t>(request.status()));
        signal->set_mechanism(request.proof().mechanism());
        signal->set_text_version(request.proof().text_version());
        signal->set_language(request.proof().language());
        if (!request.proof().evidence_hash().empty()) {
          const auto evidence =
              Id<struct EvidenceTag>::FromHex(request.proof().evidence_hash().substr(0, 32));
          if (!evidence)
            return write.Check(
                Invalid("proof.evidence_hash", "is hexadecimal, at least 32 digits"));
          signal->set_evidence_hash(std::string(evidence->Bytes()));
        }
      },
      [](const Renderer& renderer, const std::string&, const CommandResult& result) {
        v1::RecordConsentResponse response;
        *response.mutable_consent() = renderer.Consent(result.consent());
        return response;
      });
}

}  // namespace

void AddCustomerWrites(const Parts& parts, Endpoints& endpoints) {
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/AddNote", &AddNote);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/RecordFact", &RecordFact);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/RetractFact", &RetractFact);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/AskQuestion", &AskQuestion);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/OpenCase", &OpenCase);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/CloseCase", &CloseCase);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/MakePromise", &MakePromise);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/EndPromise", &EndPromise);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/StartInteraction", &StartInteraction);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/VerifyInteraction", &VerifyInteraction);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/EndInteraction", &EndInteraction);
  AddWrite(parts, endpoints, "/hilo.v1.CustomerService/RecordConsent", &RecordConsent);
}

}  // namespace hilo::serving
