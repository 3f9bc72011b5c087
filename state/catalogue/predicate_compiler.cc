#include "state/catalogue/predicate_compiler.h"

#include <algorithm>

#include "hilo/v1/decision.pb.h"
#include "ops/base/check.h"

namespace hilo::catalogue {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// How explanations call what conditions see.
struct Called {
  std::string_view field;
  std::string_view en;
  std::string_view es;
};
constexpr Called kLabels[] = {
    {"language", "the customer's language", "el idioma del cliente"},
    {"first_seen_time", "first contact", "primer contacto"},
    {"last_seen_time", "last contact", "último contacto"},
    {"events", "contacts so far", "contactos hasta ahora"},
    {"orders", "orders", "pedidos"},
    {"spent_minor", "amount spent, in cents", "importe gastado, en céntimos"},
    {"last_order_time", "last order", "último pedido"},
    {"open_cases", "open cases", "casos abiertos"},
    {"open_complaints", "open complaints", "reclamaciones abiertas"},
    {"open_case_kinds", "kinds of open cases", "tipos de casos abiertos"},
    {"open_promises", "open promises", "promesas abiertas"},
    {"overdue_promises", "overdue promises", "promesas vencidas"},
    {"fact_kinds", "known facts", "datos conocidos"},
    {"identifier_kinds", "known identifiers", "identificadores conocidos"},
    {"group_kinds", "groups", "grupos"},
    {"granted", "consents given", "consentimientos dados"},
    {"denied", "consents refused", "consentimientos denegados"},
    {"segments", "segments", "segmentos"},
    {"satisfaction", "last satisfaction", "última satisfacción"},
    {"journeys", "journeys under way", "recorridos en curso"},
    {"messages", "recent messages", "mensajes recientes"},
    {"outcomes", "recent answers", "respuestas recientes"},
    {"channels", "recent channels", "canales recientes"},
    {"contact_channel", "how the customer is in touch", "cómo contacta el cliente"},
    {"queue", "the queue of the call", "la cola de la llamada"},
    {"assurance", "how sure we are who it is", "la certeza de la identidad"},
    {"released", "selling released by the agent", "venta permitida por el agente"},
};

expression::Label LabelOf(std::string_view field) {
  for (const Called& called : kLabels) {
    if (called.field == field) return {std::string(called.en), std::string(called.es)};
  }
  return {};
}

bool IsTimestamp(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() == "google.protobuf.Timestamp";
}

expression::Type TypeOfOne(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return expression::Type::Int();
    case FieldDescriptor::CPPTYPE_BOOL:
      return expression::Type::Bool();
    case FieldDescriptor::CPPTYPE_STRING:
    case FieldDescriptor::CPPTYPE_ENUM:
      return expression::Type::String();
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return IsTimestamp(field)
                 ? expression::Type::Timestamp()
                 : expression::Type::Struct(ConditionStructNameOf(*field.message_type()));
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;
  }
  HILO_CHECK(false, "the messages that conditions see have no fields of other types");
  return expression::Type::Any();
}

// Declares a message and, before it, the messages inside it.
void AddMessage(const Descriptor& message, bool with_segments, expression::Schema& schema) {
  if (schema.FindStruct(ConditionStructNameOf(message)) != nullptr) return;
  expression::StructType type{std::string(ConditionStructNameOf(message)), {}};
  for (const FieldDescriptor* field : ConditionFieldsOf(message)) {
    if (!with_segments && field->name() == "segments") continue;
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsTimestamp(*field))
      AddMessage(*field->message_type(), with_segments, schema);
    const expression::Type one = TypeOfOne(*field);
    type.fields.push_back({field->name(), field->is_repeated() ? expression::Type::List(one) : one,
                           LabelOf(field->name())});
  }
  const Status added = schema.AddStruct(std::move(type));
  HILO_CHECK(added.ok(), "names of protobuf fields are identifiers, and no two are equal");
}

expression::Schema SchemaFor(const std::map<std::string, Parameter, std::less<>>& parameters,
                             bool with_segments) {
  expression::Schema schema;
  AddMessage(*v1::DecisionProfile::descriptor(), with_segments, schema);
  AddMessage(*v1::DecisionContext::descriptor(), with_segments, schema);
  expression::StructType type{"Parameters", {}};
  for (const auto& [name, parameter] : parameters) {
    type.fields.push_back({name, parameter.kind == Parameter::Kind::kDuration
                                     ? expression::Type::Duration()
                                     : expression::Type::Int()});
  }
  Status added = schema.AddStruct(std::move(type));
  // In the order of ConditionVariable.
  if (added.ok()) added = schema.AddVariable("customer", expression::Type::Struct("Customer"));
  if (added.ok()) added = schema.AddVariable("context", expression::Type::Struct("Context"));
  if (added.ok()) added = schema.AddVariable("now", expression::Type::Timestamp());
  if (added.ok()) added = schema.AddVariable("parameters", expression::Type::Struct("Parameters"));
  HILO_CHECK(added.ok(), "the loader lets only words be names of parameters");
  return schema;
}

// The byte of a line and column that count from 1, the column in characters.
size_t OffsetOf(std::string_view text, expression::Position position) {
  size_t at = 0;
  for (uint32_t line = 1; line < position.line; ++line) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  for (uint32_t column = 1; column < position.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return at;
}

}  // namespace

const std::vector<const FieldDescriptor*>& ConditionFieldsOf(const Descriptor& message) {
  // Never changes once it is made: all messages that conditions see, reached from the two outer
  // ones.
  static const auto& all =
      *new std::map<const Descriptor*, std::vector<const FieldDescriptor*>>([] {
        std::map<const Descriptor*, std::vector<const FieldDescriptor*>> fields;
        std::vector<const Descriptor*> open = {v1::DecisionProfile::descriptor(),
                                               v1::DecisionContext::descriptor()};
        while (!open.empty()) {
          const Descriptor* next = open.back();
          open.pop_back();
          auto [of, fresh] = fields.try_emplace(next);
          if (!fresh) continue;
          for (int i = 0; i < next->field_count(); ++i) {
            of->second.push_back(next->field(i));
            if (next->field(i)->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
              open.push_back(next->field(i)->message_type());
          }
          std::stable_partition(
              of->second.begin(), of->second.end(),
              [](const FieldDescriptor* field) { return field->name() != "segments"; });
        }
        return fields;
      }());
  const auto found = all.find(&message);
  HILO_CHECK(found != all.end(), "conditions see nothing but what the two outer messages hold");
  return found->second;
}

std::string_view ConditionStructNameOf(const Descriptor& message) {
  if (&message == v1::DecisionProfile::descriptor()) return "Customer";
  if (&message == v1::DecisionContext::descriptor()) return "Context";
  return message.name();
}

std::string ConditionNameOf(const google::protobuf::EnumValueDescriptor& value) {
  if (value.number() == 0) return {};
  // Values carry their enum's name: OUTCOME_KIND_ACCEPTED of OutcomeKind.
  size_t prefix = value.type()->name().size() + 1;
  for (size_t i = 1; i < value.type()->name().size(); ++i) {
    const char c = value.type()->name()[i];
    if (c >= 'A' && c <= 'Z') ++prefix;
  }
  std::string name = value.name().substr(std::min(prefix, value.name().size()));
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return name;
}

PredicateCompiler::PredicateCompiler(
    const std::map<std::string, Parameter, std::less<>>& parameters)
    : full_(SchemaFor(parameters, true)), without_segments_(SchemaFor(parameters, false)) {}

PredicateCompiler::Compiled PredicateCompiler::Compile(const std::string& text,
                                                       const expression::Schema& schema,
                                                       Seen& seen) {
  const auto [found, fresh] = seen.try_emplace(text);
  if (!fresh) return found->second;
  auto expression = expression::Expression::Compile(text, schema);
  if (expression.ok()) {
    found->second.predicate =
        std::make_shared<const CompiledPredicate>(*std::move(expression), count_++);
    return found->second;
  }
  std::string message(expression.status().message());
  if (const auto position = expression::PositionOf(expression.status())) {
    found->second.offset = OffsetOf(text, *position);
    // The place in the file is told instead of the one in the condition.
    if (const size_t begin = message.find(": ");
        message.starts_with("line ") && begin != std::string::npos) {
      message.erase(0, begin + 2);
    }
  }
  found->second.message = std::move(message);
  return found->second;
}

}  // namespace hilo::catalogue
