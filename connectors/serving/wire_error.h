#pragma once

#include <string>
#include <string_view>

#include "google/rpc/status.pb.h"
#include "ops/base/status.h"

namespace hilo::serving {

// The one place where an error becomes what a wire shows. Every error carries exactly one
// google.rpc.ErrorInfo: the reason in UPPER_SNAKE, domain "hilo".
google::rpc::Status WireStatus(const Status& status);

// Connect's JSON:
// {"code":"invalid_argument","message":"…","details":[{"type":"google.rpc.ErrorInfo","value":"…","debug":{…}}]}.
std::string ConnectErrorJson(const Status& status);
// The HTTP status that Connect gives this error.
int ConnectHttpStatus(StatusCode code);
// "invalid_argument".
std::string_view ConnectCodeName(StatusCode code);
// "InvalidArgument", as metrics spell it.
std::string_view MetricCodeName(StatusCode code);

}  // namespace hilo::serving
