#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "connectors/serving/access.h"
#include "connectors/serving/call.h"
#include "connectors/serving/names.h"
#include "connectors/serving/render.h"
#include "connectors/serving/services.h"
#include "connectors/serving/views.h"
#include "hilo/store/v1/records.pb.h"
#include "hilo/store/v1/rows.pb.h"
#include "hilo/v1/customer_service.pb.h"

// What all methods that write about a customer share: they seal what is personal, send a command,
// and render what the fold made of it.
namespace hilo::serving {

using CallPointer = std::shared_ptr<Call>;

inline constexpr size_t kMaxText = 4'096;
inline constexpr size_t kMaxLine = 500;
inline constexpr size_t kMaxWord = 64;

// `field_invalid` (invalid_argument): "'field' expected".
Status Invalid(std::string_view field, std::string_view expected);
// 1 to `limit` bytes.
Status CheckText(std::string_view text, size_t limit, std::string_view field);
// A word that folds and people share: 1 to kMaxWord of a-z, 0-9, "_".
Status CheckWord(std::string_view word, std::string_view field);
// Microseconds since 1970 of a time between 1970 and 2069.
StatusOr<int64_t> CheckTime(const google::protobuf::Timestamp& time, std::string_view field);

// A write under way: seals for its customer's member and gathers the first error.
class Write {
 public:
  Write(const Parts& parts, const Call& call, CustomerId customer);

  store::v1::Command& command() { return command_; }
  CustomerId customer() const { return customer_; }

  // Keeps the first error.
  void Check(Status status);
  // Sealed text; "" for empty text.
  std::string Seal(std::string_view field, const std::string& text);
  const Status& status() const { return status_; }

 private:
  const Parts& parts_;
  const CustomerId customer_;
  store::v1::Command command_;
  Status status_;
};

// Request id, not_after and interaction of every write.
Status FillOptions(const v1::WriteOptions& options, const google::protobuf::Message& request,
                   const Call& call, const Parts& parts, Write& write);

// Seals, audits, sends, waits and renders: what all writes share. `fill` sets the operation;
// `render` makes the response of its result.
template <typename Request, typename Response, typename Fill, typename Render>
void Send(const Parts& parts, const CallPointer& call, const Request& request,
          StatusOr<CustomerId> customer, const Reply<Response>& reply, const Fill& fill,
          const Render& render) {
  if (!customer.ok()) return reply(customer.status());
  if (Status access = CheckAccess(parts.node, call->principal(), *customer); !access.ok())
    return reply(std::move(access));
  Write write(parts, *call, *customer);
  if (Status filled = FillOptions(request.write(), request, *call, parts, write); !filled.ok())
    return reply(std::move(filled));
  fill(write);
  if (!write.status().ok()) return reply(write.status());
  if (Status audited = call->Audit(customer->Hex(), "write"); !audited.ok())
    return reply(std::move(audited));
  const uint32_t partition = PartitionOfCustomer(parts.node, *customer);
  const std::string customer_bytes(customer->Bytes());
  parts.commands.Send(
      std::move(write.command()), call->deadline(),
      [parts, partition, customer_bytes, reply, render](StatusOr<command::Answered> answered) {
        if (!answered.ok()) return reply(answered.status());
        if (answered->answer.code() != 0) {
          return reply(Error(static_cast<StatusCode>(answered->answer.code()),
                             answered->answer.reason(), answered->answer.message()));
        }
        // Rendering opens sealed values: not on the fold's thread.
        const bool taken = parts.worker.Post(
            [parts, partition, customer_bytes, reply, render, answer = *std::move(answered)] {
              const Renderer renderer(
                  parts.sealer, parts.catalogue.Catalogue(),
                  ShownNow(parts.node.StandingOf(CustomersPartition(partition)), parts.clock));
              Response response = render(renderer, customer_bytes, answer.answer.result());
              response.set_position_token(answer.token.ToString());
              reply(std::move(response));
            });
        if (!taken) {
          reply(Error(
              StatusCode::kDeadlineExceeded, "outcome_unknown",
              "it is done, but its answer could not be shown; ask again with the same request_id"));
        }
      });
}

StatusOr<CustomerId> CustomerOf(StatusOr<Child> child);

// Adds one method whose handler is a function of this form.
template <typename Request, typename Response>
void AddWrite(const Parts& parts, Endpoints& endpoints, std::string_view method,
              void (*handler)(const Parts&, const CallPointer&, const Request&,
                              const Reply<Response>&)) {
  endpoints.Unary<Request, Response>(
      method, [parts, handler](CallPointer call, const Request& request, Reply<Response> reply) {
        handler(parts, call, request, reply);
      });
}

}  // namespace hilo::serving
