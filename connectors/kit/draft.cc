#include "connectors/kit/draft.h"

#include <algorithm>
#include <tuple>

#include "connectors/kit/event_time.h"
#include "connectors/kit/extraction.h"
#include "connectors/kit/identifiers.h"
#include "connectors/kit/intake.h"
#include "connectors/kit/text.h"

namespace hilo::kit {
namespace {

Status Refused(std::string_view reason, std::string_view message) {
  return Error(StatusCode::kInvalidArgument, reason, message);
}

bool IsType(std::string_view type) {
  if (type.empty() || type.size() > kMaxTypeBytes) return false;
  return std::all_of(type.begin(), type.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '/';
  });
}

Status Check(const IncomingEvent& event) {
  if (event.body.size() > Intake::kMaxEventBytes) {
    return Refused("event_too_large", "an event has at most 32 KiB as JSON");
  }
  if (!IsType(event.type)) {
    return Refused("event_type",
                   "an event's type has 1 to 128 letters, digits, dots, slashes, \"_\" and \"-\"");
  }
  if (event.event.size() > kMaxEventNameBytes || HasControl(event.event) || !IsUtf8(event.event)) {
    return Refused("event_name", "an event's name has at most 200 bytes and no control characters");
  }
  if (event.id.size() > kMaxProviderIdBytes || event.scope.size() > kMaxScopeBytes) {
    return Refused("event_id", "an event's id has at most 100 bytes, its source at most 512");
  }
  if (event.call && (event.call->call_id.empty() || event.call->call_id.size() > kMaxCallIdBytes)) {
    return Refused("event_id", "a call's id has 1 to 256 bytes");
  }
  return OkStatus();
}

StatusOr<std::vector<NormalisedIdentifier>> NormaliseAll(const IncomingEvent& event) {
  std::vector<NormalisedIdentifier> identifiers;
  for (const RawIdentifier& raw : event.identifiers) {
    HILO_ASSIGN_OR_RETURN(NormalisedIdentifier identifier,
                          Normalise(raw, event.source.default_region));
    const bool known =
        std::any_of(identifiers.begin(), identifiers.end(), [&](const NormalisedIdentifier& other) {
          return other.kind == identifier.kind && other.value == identifier.value;
        });
    if (!known) identifiers.push_back(std::move(identifier));
  }
  if (identifiers.empty()) {
    return Refused("identifier_missing",
                   "an event must say whose it is; send at least one identifier");
  }
  if (identifiers.size() > kMaxIdentifiers) {
    return Refused("too_many_identifiers", "an event has at most 16 identifiers");
  }
  return identifiers;
}

void AddIdentifiers(std::vector<NormalisedIdentifier> identifiers, const HashKey& key,
                    Draft& draft) {
  struct Hashed {
    int rank;
    IdentifierHash hash;
    NormalisedIdentifier identifier;
  };
  std::vector<Hashed> hashed;
  for (NormalisedIdentifier& identifier : identifiers) {
    const IdentifierHash hash = HashOf(key, identifier.kind, identifier.value);
    hashed.push_back({StrengthRank(identifier.kind, identifier.weak), hash, std::move(identifier)});
  }
  std::sort(hashed.begin(), hashed.end(), [](const Hashed& a, const Hashed& b) {
    return std::tie(a.rank, a.hash) < std::tie(b.rank, b.hash);
  });
  draft.subject = *SubjectId::FromBytes(hashed.front().hash.Bytes());
  for (Hashed& one : hashed) {
    store::v1::Identifier* identifier = draft.event->add_identifiers();
    identifier->set_kind(static_cast<uint32_t>(one.identifier.kind));
    identifier->set_hash(std::string(one.hash.Bytes()));
    identifier->set_weak(one.identifier.weak);
    draft.to_seal.push_back(
        {identifier->mutable_sealed(), "identifier", std::move(one.identifier.value)});
  }
}

void AddCall(const IncomingEvent& event, const HashKey& key, Draft& draft) {
  if (!event.call) return;
  store::v1::CallStep* call = draft.body->mutable_call();
  const std::string scoped = event.source.name + '\0' + event.call->call_id;
  call->set_call(std::string(Bytes(KeyedHash(key, "call", scoped))));
  call->set_step(event.call->step);
  call->set_agent(std::string(Clip(event.call->agent, 128)));
  call->set_queue(std::string(Clip(event.call->queue, 128)));
  call->set_disposition(std::string(Clip(event.call->disposition, 128)));
  draft.to_seal.push_back({call->mutable_sealed_id(), "call", event.call->call_id});
}

}  // namespace

StatusOr<Draft> MakeDraft(const IncomingEvent& event, const catalogue::Catalogue& catalogue,
                          const HashKey& key, std::chrono::microseconds ahead) {
  HILO_RETURN_IF_ERROR(Check(event));
  HILO_ASSIGN_OR_RETURN(auto identifiers, NormaliseAll(event));
  HILO_ASSIGN_OR_RETURN(const CorrectedTime time,
                        CorrectTime(event.time, event.sent_time, event.received, ahead));

  Draft draft;
  draft.event = std::make_unique<store::v1::Event>();
  draft.body = std::make_unique<store::v1::EventBody>();
  draft.event_id = DeriveEventId(key, event.channel,
                                 event.scope.empty() ? event.source.name : event.scope, event.id);
  draft.event->set_event_id(std::string(draft.event_id.Bytes()));
  draft.event->set_body_hash(std::string(Bytes(KeyedHash(key, "body", event.body))));
  draft.event->set_event_micros(time.time.time_since_epoch().count());
  draft.event->set_receive_micros(event.received.time_since_epoch().count());
  AddIdentifiers(std::move(identifiers), key, draft);

  store::v1::EventBody& body = *draft.body;
  const catalogue::SourceRule* source = catalogue.FindSource(event.source.name);
  body.set_type(event.type);
  body.set_event(event.event);
  body.set_channel(static_cast<uint32_t>(event.channel));
  body.set_source(event.source.name);
  body.set_source_rank(source == nullptr ? event.source.rank : source->rank);
  body.set_subject(std::string(draft.subject.Bytes()));
  body.set_time_clamped(time.clamped);
  body.set_assurance(static_cast<uint32_t>(event.assurance));
  body.set_catalogue_revision(catalogue.revision());
  AddCall(event, key, draft);
  Extract(event, catalogue, key, draft);

  draft.bytes = 1'024 + event.body.size();
  for (const Draft::ToSeal& part : draft.to_seal) draft.bytes += 128 + 2 * part.value.size();
  return draft;
}

}  // namespace hilo::kit
