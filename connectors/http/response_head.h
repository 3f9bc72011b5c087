#pragma once

#include <string>
#include <string_view>

#include "connectors/http/message.h"

namespace hilo::http {

// How the end of a response's body is told.
enum class BodyFraming {
  kLength,      // Content-Length, the body follows
  kNone,        // the answer to HEAD, a 204 or a 304
  kChunked,     // a stream
  kUntilClose,  // a stream to an HTTP/1.0 peer
};

struct ResponseFrame {
  BodyFraming framing = BodyFraming::kLength;
  bool keep_alive = true;
  std::string_view date;  // as in the Date header
  std::string_view request_id;
};

// Whether every header can be written without changing the meaning of the message around it.
bool IsWritable(const Response& response);

// The status line, the response's headers and those of the frame, with the empty line. Framing
// headers that the response brings itself are left out: only the frame decides. Precondition:
// IsWritable.
std::string WriteResponseHead(const Response& response, const ResponseFrame& frame);

// `chunk` as a chunk of a chunked body; not for an empty one, which would be the end.
void AppendChunk(std::string_view chunk, std::string& out);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace hilo::http
