#include "connectors/serving/write.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

namespace hilo::serving {
namespace {

// Promises and expiries further away than this are a mistake of units.
constexpr int64_t kMaxYearsMicros = int64_t{100} * 365 * 86'400 * 1'000'000;

int64_t Micros(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1'000'000 + time.nanos() / 1'000;
}

// The same request gives the same bytes.
std::string DeterministicBytes(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream output(&stream);
  output.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&output);
  output.Trim();
  return bytes;
}

}  // namespace

Status Invalid(std::string_view field, std::string_view expected) {
  return Error(StatusCode::kInvalidArgument, "field_invalid",
               "'" + std::string(field) + "' " + std::string(expected));
}

Status CheckText(std::string_view text, size_t limit, std::string_view field) {
  if (text.empty() || text.size() > limit)
    return Invalid(field, "is 1 to " + std::to_string(limit) + " bytes");
  return OkStatus();
}

Status CheckWord(std::string_view word, std::string_view field) {
  const bool good =
      !word.empty() && word.size() <= kMaxWord && std::all_of(word.begin(), word.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
  return good ? OkStatus() : Invalid(field, "is 1 to 64 of a-z, 0-9 and '_'");
}

StatusOr<int64_t> CheckTime(const google::protobuf::Timestamp& time, std::string_view field) {
  if (time.seconds() < 0 || time.seconds() > kMaxYearsMicros / 1'000'000 || time.nanos() < 0 ||
      time.nanos() > 999'999'999) {
    return Invalid(field, "is a time between 1970 and 2069");
  }
  return Micros(time);
}

Write::Write(const Parts& parts, const Call& call, CustomerId customer)
    : parts_(parts), customer_(customer) {
  const MemberId member = BirthMember(customer);
  command_.set_customer(std::string(customer.Bytes()));
  command_.set_member(std::string(member.Bytes()));
  const Principal& principal = call.principal();
  command_.set_caller(std::string(Bytes(Hash("hilo.caller.", principal.name))));
  command_.set_principal(principal.display_name.empty() ? principal.name : principal.display_name);
  command_.set_channel(principal.role == Role::kChannel ? v1::CHANNEL_SYSTEM : v1::CHANNEL_DESK);
  command_.set_receive_micros(parts.clock.Wall().time_since_epoch().count());
}

void Write::Check(Status status) {
  if (status_.ok() && !status.ok()) status_ = std::move(status);
}

std::string Write::Seal(std::string_view field, const std::string& text) {
  if (text.empty() || !status_.ok()) return "";
  const SubjectId subject = *SubjectId::FromBytes(customer_.Bytes());
  auto sealed = parts_.sealer.Seal(subject, field, text);
  if (!sealed.ok()) {
    Check(sealed.status());
    return "";
  }
  return *std::move(sealed);
}

Status FillOptions(const v1::WriteOptions& options, const google::protobuf::Message& request,
                   const Call& call, const Parts& parts, Write& write) {
  const auto id = RequestId::FromHex(options.request_id());
  if (!id) {
    return Error(StatusCode::kInvalidArgument, "request_id_invalid",
                 "'write.request_id' is required: a UUIDv7, new for each write");
  }
  store::v1::Command& command = write.command();
  command.set_request_id(std::string(id->Bytes()));
  command.set_content_hash(
      std::string(Bytes(KeyedHash(parts.content_key, "content", DeterministicBytes(request)))));
  const int64_t wall = parts.clock.Wall().time_since_epoch().count();
  int64_t not_after =
      wall +
      std::chrono::duration_cast<hilo::Micros>(call.deadline() - parts.clock.Monotonic()).count();
  if (options.has_not_after()) {
    HILO_ASSIGN_OR_RETURN(const int64_t asked, CheckTime(options.not_after(), "write.not_after"));
    not_after = std::min(not_after, asked);
  }
  command.set_not_after_micros(not_after);
  if (!options.interaction().empty()) {
    HILO_ASSIGN_OR_RETURN(const Child interaction,
                          ParseChild(options.interaction(), "interactions", "write.interaction"));
    if (interaction.customer != write.customer())
      return Invalid("write.interaction", "belongs to another customer");
    command.set_interaction(interaction.id);
  }
  return OkStatus();
}

StatusOr<CustomerId> CustomerOf(StatusOr<Child> child) {
  if (!child.ok()) return child.status();
  return child->customer;
}

}  // namespace hilo::serving
