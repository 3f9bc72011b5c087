#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "connectors/http/exchange.h"
#include "connectors/http/message.h"

namespace hilo::http {

// Takes a request. It runs on the connection's thread and must not block: what waits (a durable
// append, a fold) keeps the exchange and answers from where it wakes.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

// What a route allows. Origin: reliability rows 8 to 10; the sizes follow the tracking API's half a
// megabyte a batch.
struct RouteOptions {
  size_t max_body_bytes = 1 << 20;      // on the wire, before inflating; beyond: 413 body_too_large
  size_t max_inflated_bytes = 4 << 20;  // after inflating; beyond: 413 inflated_too_large
  std::chrono::milliseconds body_timeout{
      10'000};  // from the end of the head to the end of the body: 408 body_timeout
  std::chrono::milliseconds answer_timeout{
      30'000};  // from the handler's call to its answer: 504 answer_timeout
  // Hand a body in a content coding other than gzip to the handler as it is (Request::body_encoding
  // names it) instead of answering 415 unknown_encoding.
  bool pass_unknown_encodings = false;
  // The form of refusals on this route; empty: JsonError.
  RefusalWriter write_refusal;
};

// Which handler serves which method and path.
//
// A pattern is an exact path ("/v1/batch"), a path with parameters that each stand for one segment
// ("/v1/projects/{key}/settings"), or a prefix ("/assets/*", the rest may be empty). Exact goes
// before parameters, those in the order of their adding, and the longest prefix comes last. The
// path decides first, then the method: a method that the matched pattern lacks is 405 with Allow,
// even if a wider pattern has it. HEAD goes to GET unless it is added itself.
// **Errors**: a malformed or doubled route is a programmer's error and aborts.
// **Threads**: build it on one thread, then it is immutable.
class Router {
 public:
  void Add(std::string_view method, std::string_view pattern, Handler handler) {
    Add(method, pattern, RouteOptions{}, std::move(handler));
  }
  // Options hold for one method of one pattern.
  void Add(std::string_view method, std::string_view pattern, RouteOptions options,
           Handler handler);

  struct Route {
    RouteOptions options;
    Handler handler;
  };
  struct Match {
    std::string_view pattern;      // empty: no pattern matches, 404
    const Route* route = nullptr;  // null under a pattern: 405
    std::string allow;             // for the Allow header of a 405
    std::vector<Request::Pair> parameters;
  };
  // `path` is decoded. **Lifetime**: views and pointers are of this router's memory.
  Match Find(std::string_view method, std::string_view path) const;
  // Every method that some pattern has, for the Allow header where no path can be told.
  std::string AllMethods() const;

 private:
  struct Pattern {
    std::string text;
    std::vector<std::string> segments;  // "{name}" for parameters; only of patterns with parameters
    std::map<std::string, Route, std::less<>> methods;
  };
  Pattern& FindOrAdd(std::string_view pattern);
  const Pattern* Resolve(std::string_view path, std::vector<Request::Pair>& parameters) const;

  std::unordered_map<std::string, std::unique_ptr<Pattern>> exact_;
  std::vector<std::unique_ptr<Pattern>> parameterised_;
  std::vector<std::unique_ptr<Pattern>> prefixes_;  // longest first
};

}  // namespace hilo::http
