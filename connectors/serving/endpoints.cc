#include "connectors/serving/endpoints.h"

#include "ops/base/check.h"

namespace hilo::serving {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string Path(const std::string& parent, const std::string& field) {
  return parent.empty() ? field : parent + "." + field;
}

Status CheckKnownAt(const Message& message, const std::string& path) {
  const Reflection& reflection = *message.GetReflection();
  if (const auto& unknown = reflection.GetUnknownFields(message); !unknown.empty()) {
    return Error(StatusCode::kInvalidArgument, "unknown_field",
                 "'" + Path(path, "#" + std::to_string(unknown.field(0).number())) +
                     "' is not a field of " + message.GetDescriptor()->full_name());
  }
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const std::string at = Path(path, field->name());
    const int count = field->is_repeated() ? reflection.FieldSize(message, field) : 1;
    for (int i = 0; i < count; ++i) {
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM) {
        const int value = field->is_repeated() ? reflection.GetRepeatedEnumValue(message, field, i)
                                               : reflection.GetEnumValue(message, field);
        if (field->enum_type()->FindValueByNumber(value) == nullptr) {
          return Error(StatusCode::kInvalidArgument, "unknown_enum_value",
                       "'" + at + "' has no value " + std::to_string(value));
        }
      } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
        HILO_RETURN_IF_ERROR(CheckKnownAt(field->is_repeated()
                                              ? reflection.GetRepeatedMessage(message, field, i)
                                              : reflection.GetMessage(message, field),
                                          at));
      }
    }
  }
  return OkStatus();
}

}  // namespace

std::unique_ptr<Message> Endpoint::NewResponse() const {
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()
                                      ->GetPrototype(method->output_type())
                                      ->New());
}

const Endpoint* Endpoints::Find(std::string_view method) const {
  const auto found = endpoints_.find(method);
  return found == endpoints_.end() ? nullptr : &found->second;
}

void Endpoints::Add(std::string_view method, Endpoint endpoint) {
  // "/package.Service/Method" → its descriptor.
  const size_t slash = method.rfind('/');
  HILO_CHECK(slash != std::string_view::npos && slash > 1, "methods are literals of ours");
  const std::string full =
      std::string(method.substr(1, slash - 1)) + "." + std::string(method.substr(slash + 1));
  endpoint.method = google::protobuf::DescriptorPool::generated_pool()->FindMethodByName(full);
  HILO_CHECK(endpoint.method != nullptr, "a handler is for a method of our protos");
  HILO_CHECK(endpoints_.emplace(std::string(method), std::move(endpoint)).second,
             "a method has one handler");
}

Status CheckKnown(const Message& message) { return CheckKnownAt(message, ""); }

}  // namespace hilo::serving
