#include "state/catalogue/condition_scope.h"

#include <algorithm>
#include <map>
#include <utility>

#include "google/protobuf/message.h"
#include "google/protobuf/timestamp.pb.h"
#include "state/catalogue/predicate_compiler.h"

namespace hilo::catalogue {
namespace {

using expression::Value;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A repeated string of a message that outlives it.
class TextList final : public expression::List {
 public:
  TextList(const Message& message, const FieldDescriptor& field)
      : message_(message), field_(field) {}
  size_t size() const override {
    return static_cast<size_t>(message_.GetReflection()->FieldSize(message_, &field_));
  }
  Value At(size_t index) const override {
    std::string unused;  // generated messages hold their strings themselves
    return Value::StringView(message_.GetReflection()->GetRepeatedStringReference(
        message_, &field_, static_cast<int>(index), &unused));
  }

 private:
  const Message& message_;
  const FieldDescriptor& field_;
};

// A message that outlives it, each field converted when it is first asked for.
class MessageFields final : public expression::Struct {
 public:
  explicit MessageFields(const Message& message)
      : message_(message),
        fields_(ConditionFieldsOf(*message.GetDescriptor())),
        values_(fields_.size()) {}

  Value Field(size_t number) const override {
    if (number >= fields_.size()) return Value();
    Value& value = values_[number];
    if (value.absent()) value = Convert(*fields_[number]);
    return value;
  }
  std::string_view type_name() const override {
    return ConditionStructNameOf(*message_.GetDescriptor());
  }

 private:
  Value Convert(const FieldDescriptor& field) const {
    const auto& reflection = *message_.GetReflection();
    if (field.is_repeated()) return ConvertList(field);
    std::string unused;
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return Value::Int(reflection.GetInt32(message_, &field));
      case FieldDescriptor::CPPTYPE_INT64:
        return Value::Int(reflection.GetInt64(message_, &field));
      case FieldDescriptor::CPPTYPE_BOOL:
        return Value::Bool(reflection.GetBool(message_, &field));
      case FieldDescriptor::CPPTYPE_STRING:
        return Value::StringView(reflection.GetStringReference(message_, &field, &unused));
      case FieldDescriptor::CPPTYPE_ENUM:
        return Value::String(ConditionNameOf(*reflection.GetEnum(message_, &field)));
      default:
        break;
    }
    if (!reflection.HasField(message_, &field)) return Value();
    const Message& inner = reflection.GetMessage(message_, &field);
    if (inner.GetDescriptor() == google::protobuf::Timestamp::descriptor()) {
      const auto& at = static_cast<const google::protobuf::Timestamp&>(inner);
      return Value::Timestamp(expression::Span{at.seconds(), at.nanos()});
    }
    return Value::Own(std::make_unique<MessageFields>(inner));
  }

  Value ConvertList(const FieldDescriptor& field) const {
    const auto& reflection = *message_.GetReflection();
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      return Value::Own(std::make_unique<TextList>(message_, field));
    }
    std::vector<Value> elements;
    for (int i = 0; i < reflection.FieldSize(message_, &field); ++i) {
      elements.push_back(Value::Own(
          std::make_unique<MessageFields>(reflection.GetRepeatedMessage(message_, &field, i))));
    }
    return Value::ListOf(std::move(elements));
  }

  const Message& message_;
  const std::vector<const FieldDescriptor*>& fields_;
  mutable std::vector<Value> values_;  // absent: not asked for yet
};

std::vector<Value> ValuesOf(const std::map<std::string, Parameter, std::less<>>& parameters) {
  std::vector<Value> values;
  for (const auto& [name, parameter] : parameters) {
    values.push_back(parameter.kind == Parameter::Kind::kDuration
                         ? Value::Duration(Micros(parameter.value))
                         : Value::Int(parameter.value));
  }
  return values;
}

}  // namespace

struct ConditionScope::State final : public expression::Activation {
  State(const Catalogue& catalogue, const v1::DecisionProfile& customer_seen,
        const v1::DecisionContext& context_seen, LogTime now_seen)
      : customer_copy(customer_seen),
        context_copy(context_seen),
        customer(customer_copy),
        context(context_copy),
        parameters("Parameters", ValuesOf(catalogue.parameters())),
        now(now_seen),
        answers(catalogue.predicate_count(), Answer::kNotAsked) {}

  Value Variable(size_t number) const override {
    switch (static_cast<ConditionVariable>(number)) {
      case ConditionVariable::kCustomer:
        return Value::StructView(customer);
      case ConditionVariable::kContext:
        return Value::StructView(context);
      case ConditionVariable::kNow:
        return Value::Timestamp(now);
      case ConditionVariable::kParameters:
        return Value::StructView(parameters);
    }
    return Value();
  }

  enum class Answer : uint8_t { kNotAsked, kNo, kYes, kFailed };
  const v1::DecisionProfile customer_copy;
  const v1::DecisionContext context_copy;
  MessageFields customer;
  MessageFields context;
  expression::Fields parameters;
  LogTime now;
  std::vector<Answer> answers;          // by number of the predicate
  std::map<uint32_t, Status> failures;  // of those that failed
  uint64_t steps_left = ConditionScope::kSteps;
};

ConditionScope::ConditionScope(const Catalogue& catalogue, const v1::DecisionProfile& customer,
                               const v1::DecisionContext& context, LogTime now)
    : state_(std::make_unique<State>(catalogue, customer, context, now)) {}
ConditionScope::~ConditionScope() = default;

StatusOr<bool> ConditionScope::Holds(const Predicate& predicate) const {
  const uint32_t number = predicate.compiled->number();
  State::Answer& answer = state_->answers[number];
  if (answer == State::Answer::kNotAsked) {
    const uint64_t steps = std::min(state_->steps_left, expression::Budget::kSteps);
    expression::Budget budget(steps);
    const StatusOr<bool> holds = predicate.compiled->expression().Test(*state_, budget);
    state_->steps_left -= steps - budget.left();
    if (!holds.ok()) state_->failures.emplace(number, holds.status());
    answer = !holds.ok() ? State::Answer::kFailed
             : *holds    ? State::Answer::kYes
                         : State::Answer::kNo;
  }
  if (answer == State::Answer::kFailed) return state_->failures.find(number)->second;
  return answer == State::Answer::kYes;
}

ConditionScope::Explained ConditionScope::Explain(const Predicate& predicate,
                                                  std::string_view language) const {
  expression::Budget budget;
  const expression::Trace trace = predicate.compiled->expression().Explain(*state_, budget);
  return {trace.outcome == expression::Outcome::kTrue    ? "true"
          : trace.outcome == expression::Outcome::kFalse ? "false"
                                                         : trace.text,
          expression::Why(trace, language.starts_with("es") ? expression::Language::kSpanish
                                                            : expression::Language::kEnglish)};
}

std::vector<std::string> SegmentsOf(const Catalogue& catalogue, const v1::DecisionProfile& customer,
                                    const v1::DecisionContext& context, LogTime now) {
  const ConditionScope scope(catalogue, customer, context, now);
  std::vector<std::string> names;
  for (const auto& [name, segment] : catalogue.segments()) {
    if (scope.Holds(segment.condition).value_or(false)) names.push_back(name);
  }
  return names;
}

}  // namespace hilo::catalogue
