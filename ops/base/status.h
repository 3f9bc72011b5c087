#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace hilo {

using absl::OkStatus;
using absl::Status;
using absl::StatusCode;
template <typename T>
using StatusOr = absl::StatusOr<T>;

// An error with a stable machine reason (`identifier_blocked`, `log_hole`), which every wire shows:
// the HTTP edges as `code`, gRPC and Connect as `ErrorInfo.reason`. `message` says what happened
// and what to do; it never repeats what a customer or a caller sent.
Status Error(StatusCode code, std::string_view reason, std::string_view message);

// The machine reason of an error; a status without one answers the snake_case name of its code. ""
// when ok.
std::string Reason(const Status& status);

// Whether the same request may succeed later by itself. The one place that decides this.
bool IsRetryable(const Status& status);

// "invalid_argument: identifier_blocked: …" for logs and the command line.
std::string Describe(const Status& status);

}  // namespace hilo

#define HILO_CONCAT_INNER(a, b) a##b
#define HILO_CONCAT(a, b) HILO_CONCAT_INNER(a, b)
#define HILO_RETURN_IF_ERROR(expression)                                                  \
  do {                                                                                    \
    if (::hilo::Status hilo_status = (expression); !hilo_status.ok()) return hilo_status; \
  } while (false)
#define HILO_ASSIGN_OR_RETURN(declaration, expression) \
  HILO_ASSIGN_OR_RETURN_IMPL(HILO_CONCAT(hilo_or_, __LINE__), declaration, expression)
#define HILO_ASSIGN_OR_RETURN_IMPL(temporary, declaration, expression) \
  auto temporary = (expression);                                       \
  if (!temporary.ok()) return temporary.status();                      \
  declaration = *std::move(temporary)
