#include "connectors/http/request_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "connectors/http/gunzip.h"
#include "connectors/http/target.h"

namespace hilo::http {
namespace {

Refusal BodyTooLarge() {
  return {413, "body_too_large", "The body is larger than allowed here.", {}};
}

// Methods that could be meant for a server like this one; TRACE and CONNECT never are.
bool IsKnownMethod(std::string_view method) {
  for (const std::string_view known :
       {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    if (method == known) return true;
  }
  return false;
}

}  // namespace

void RequestReader::Reset() {
  state_ = State::kHead;
  scanner_ = HeadScanner(limits_);
  head_ = RequestHead{};
  match_ = Router::Match{};
  request_ = Request{};
  chunks_.reset();
  wire_bytes_ = 0;
  gzip_ = false;
  refusal_.reset();
  must_close_ = false;
}

RequestReader::Step RequestReader::Refuse(Refusal refusal, bool must_close) {
  state_ = State::kDone;
  refusal_ = std::move(refusal);
  must_close_ = must_close;
  return Step::kRefused;
}

RequestReader::Step RequestReader::RefuseMethod(std::string allow) {
  Refusal refusal{405, "method_not_allowed", "This method is not served here; see Allow.", {}};
  refusal.headers.Add("Allow", std::move(allow));
  return Refuse(std::move(refusal), HasBody());
}

RequestReader::Step RequestReader::Read(std::string_view& input) {
  if (state_ == State::kHead) return ReadHead(input);
  if (state_ == State::kBody) return ReadBody(input);
  return refusal_ ? Step::kRefused : Step::kRequest;
}

RequestReader::Step RequestReader::ReadHead(std::string_view& input) {
  const size_t size = scanner_.Scan(input);
  if (scanner_.refusal()) return Refuse(*scanner_.refusal());
  if (size == 0) return Step::kNeedMore;
  auto refusal = ParseRequestHead(input.substr(0, size), head_);
  input.remove_prefix(size);
  if (refusal) {
    const bool framed = refusal->status == 417;  // the one fault that leaves no doubt about the end
    return Refuse(std::move(*refusal), !framed || HasBody());
  }

  const bool known_method = IsKnownMethod(head_.method);
  Target target;
  if (auto bad = ParseTarget(head_.target, head_.host, limits_, target)) {
    // CONNECT has a target of its own form; what is wrong with it is the method.
    return head_.method == "CONNECT" ? RefuseMethod(router_.AllMethods()) : Refuse(std::move(*bad));
  }
  if (target.path == "*") return RefuseMethod(router_.AllMethods());
  match_ = router_.Find(head_.method, target.path);
  if (match_.route == nullptr) {
    if (!match_.pattern.empty()) return RefuseMethod(match_.allow);
    if (!known_method) return RefuseMethod(router_.AllMethods());
    return Refuse({404, "not_found", "There is nothing at this path.", {}}, HasBody());
  }
  if (head_.content_length > match_.route->options.max_body_bytes) return Refuse(BodyTooLarge());
  if (!CheckEncoding()) return Step::kRefused;

  request_.method = head_.method;
  request_.path = std::move(target.path);
  request_.route = match_.pattern;
  request_.parameters = std::move(match_.parameters);
  request_.query = std::move(target.query);
  request_.headers = std::move(head_.headers);
  if (!HasBody()) return Finish();
  state_ = State::kBody;
  if (head_.chunked) {
    chunks_.emplace(match_.route->options.max_body_bytes);
  } else if (input.size() < head_.content_length) {
    // Memory for an announced body is taken as it comes; the first step covers the usual one.
    request_.body.reserve(std::min<uint64_t>(head_.content_length, 64 << 10));
  }
  if (head_.expects_continue && input.empty()) return Step::kContinue;
  return ReadBody(input);
}

bool RequestReader::CheckEncoding() {
  const std::vector<std::string_view> encodings = head_.headers.FindAll("content-encoding");
  if (encodings.empty()) return true;
  const std::string_view encoding = encodings[0];
  if (encodings.size() > 1 || encoding.find(',') != std::string_view::npos) {
    Refuse({400, "bad_encoding", "Send a body in one content coding at most.", {}});
    return false;
  }
  if (EqualsIgnoringCase(encoding, "identity") || encoding.empty()) return true;
  if (EqualsIgnoringCase(encoding, "gzip") || EqualsIgnoringCase(encoding, "x-gzip")) {
    gzip_ = true;
    return true;
  }
  if (match_.route->options.pass_unknown_encodings) {
    request_.body_encoding = encoding;
    return true;
  }
  Refusal refusal{415, "unknown_encoding", "The only content coding read here is gzip.", {}};
  refusal.headers.Add("Accept-Encoding", "gzip");
  Refuse(std::move(refusal), HasBody());
  return false;
}

RequestReader::Step RequestReader::ReadBody(std::string_view& input) {
  const size_t before = input.size();
  if (!head_.chunked) {
    const size_t missing = static_cast<size_t>(head_.content_length) - request_.body.size();
    request_.body += input.substr(0, missing);
    input.remove_prefix(std::min(missing, input.size()));
    wire_bytes_ += before - input.size();
    return request_.body.size() == head_.content_length ? Finish() : Step::kNeedMore;
  }
  const ChunkDecoder::Result result = chunks_->Decode(input, request_.body);
  wire_bytes_ += before - input.size();
  switch (result) {
    case ChunkDecoder::Result::kMore:
      return Step::kNeedMore;
    case ChunkDecoder::Result::kDone:
      return Finish();
    case ChunkDecoder::Result::kTooLarge:
      return Refuse(BodyTooLarge());
    case ChunkDecoder::Result::kBad:
      break;
  }
  return Refuse({400, "bad_chunk", "The chunked body is not well formed.", {}});
}

RequestReader::Step RequestReader::Finish() {
  state_ = State::kDone;
  request_.body_wire_bytes = wire_bytes_;
  // No bytes are an empty body in every coding.
  if (!gzip_ || request_.body.empty()) return Step::kRequest;
  std::string inflated;
  switch (Gunzip(request_.body, match_.route->options.max_inflated_bytes, inflated)) {
    case GunzipResult::kOk:
      request_.body = std::move(inflated);
      return Step::kRequest;
    case GunzipResult::kTooLarge:
      return Refuse(
          {413, "inflated_too_large", "The inflated body is larger than allowed here.", {}});
    case GunzipResult::kBad:
      break;
  }
  return Refuse({400, "bad_encoding", "The body is not complete and sound gzip.", {}});
}

}  // namespace hilo::http
