#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "connectors/http/chunk_decoder.h"
#include "connectors/http/limits.h"
#include "connectors/http/message.h"
#include "connectors/http/request_head.h"
#include "connectors/http/router.h"

namespace hilo::http {

// Turns the bytes of one connection into requests, one after the other, or into one refusal. It
// holds no socket and reads no clock, so that every rule can be tested on bytes alone.
//
// Guarantees: a body is never taken in before its route, method and announced size are known to be
// acceptable; never more than the route's limits and one read are held.
// **Threads**: thread-compatible. **Lifetime**: router and limits outlive it.
class RequestReader {
 public:
  enum class Step {
    kNeedMore,  // everything given was taken or is to be given again with more behind it
    kContinue,  // send "100 Continue", then go on
    kRequest,   // TakeRequest
    kRefused,   // see refusal(); nothing more can be read, unless BodyUnread() is false
  };

  RequestReader(const Router& router, const ServerLimits& limits)
      : router_(router), limits_(limits), scanner_(limits) {}

  // Takes from the front of `input`, which begins where the last call stopped taking.
  Step Read(std::string_view& input);
  // Forgets the request, ready for the next one.
  void Reset();

  // Whether the head is complete and its body is awaited.
  bool InBody() const { return state_ == State::kBody; }
  // Null until the route is known.
  const Router::Route* route() const { return match_.route; }
  std::string_view pattern() const { return match_.pattern; }
  int minor_version() const { return head_.minor_version; }
  bool is_head() const { return head_.method == "HEAD"; }
  bool keep_alive() const { return head_.keep_alive; }

  // After kRequest: everything but peer, time and id is filled in.
  Request TakeRequest() { return std::move(request_); }
  bool Refused() const { return refusal_.has_value(); }
  // After kRefused.
  const Refusal& refusal() const { return *refusal_; }
  // After kRefused: whether the connection has lost its place between requests.
  bool MustClose() const { return must_close_; }

 private:
  enum class State { kHead, kBody, kDone };

  Step ReadHead(std::string_view& input);
  Step ReadBody(std::string_view& input);
  Step Finish();
  // Leaves a refusal unless `text` names no coding or gzip alone.
  bool CheckEncoding();
  Step Refuse(Refusal refusal, bool must_close = true);
  Step RefuseMethod(std::string allow);
  bool HasBody() const { return head_.chunked || head_.content_length > 0; }

  const Router& router_;
  const ServerLimits& limits_;
  State state_ = State::kHead;
  HeadScanner scanner_;
  RequestHead head_;
  Router::Match match_;
  Request request_;
  std::optional<ChunkDecoder> chunks_;
  size_t wire_bytes_ = 0;
  bool gzip_ = false;
  std::optional<Refusal> refusal_;
  bool must_close_ = false;
};

}  // namespace hilo::http
