#include "connectors/serving/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <optional>
#include <set>
#include <string>

#include "grpc/reflection/v1/reflection.pb.h"

namespace hilo::serving {
namespace {

using google::protobuf::DescriptorPool;
using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

constexpr int kNotFound = 5;
constexpr int kUnimplemented = 12;

// The file and everything it imports, each once.
void AddFile(const FileDescriptor* file, std::set<const FileDescriptor*>& seen,
             grpc::reflection::v1::FileDescriptorResponse* response) {
  if (!seen.insert(file).second) return;
  google::protobuf::FileDescriptorProto proto;
  file->CopyTo(&proto);
  response->add_file_descriptor_proto(proto.SerializeAsString());
  for (int i = 0; i < file->dependency_count(); ++i) AddFile(file->dependency(i), seen, response);
}

void AnswerFile(const FileDescriptor* file, ServerReflectionResponse* response) {
  if (file == nullptr) {
    response->mutable_error_response()->set_error_code(kNotFound);
    response->mutable_error_response()->set_error_message("not known here");
    return;
  }
  std::set<const FileDescriptor*> seen;
  AddFile(file, seen, response->mutable_file_descriptor_response());
}

}  // namespace

bool Reflection::IsMethod(std::string_view method) {
  return method == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
         method == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
}

std::optional<std::string> Reflection::Answer(std::string_view question) const {
  ServerReflectionRequest request;
  if (!request.ParseFromArray(question.data(), static_cast<int>(question.size())))
    return std::nullopt;
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const DescriptorPool* pool = DescriptorPool::generated_pool();
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kListServices: {
      std::set<std::string> services;
      for (const auto& [name, endpoint] : endpoints_.All())
        services.insert(endpoint.method->service()->full_name());
      for (const std::string& service : services)
        response.mutable_list_services_response()->add_service()->set_name(service);
      break;
    }
    case ServerReflectionRequest::kFileByFilename:
      AnswerFile(pool->FindFileByName(request.file_by_filename()), &response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      AnswerFile(pool->FindFileContainingSymbol(request.file_containing_symbol()), &response);
      break;
    default:
      response.mutable_error_response()->set_error_code(kUnimplemented);
      response.mutable_error_response()->set_error_message("no extensions here");
  }
  return response.SerializeAsString();
}

}  // namespace hilo::serving
