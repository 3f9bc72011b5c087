#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "connectors/http/message.h"
#include "connectors/http/stream.h"

namespace hilo::http {

// Where an answer goes: a connection of the server, or a test. One of its methods is called, once,
// on any thread.
class AnswerSink {
 public:
  virtual ~AnswerSink() = default;
  virtual void Send(Response response) = 0;
  virtual void SendStream(Response head, std::shared_ptr<StreamQueue> queue) = 0;
  // Nobody is left to answer.
  virtual void Abandon() = 0;
};

// One request and the one answer it gets, now or later.
//
// The first of Respond, Refuse and BeginStream is the answer; whatever comes after it does nothing.
// Pipelined requests wait for each other, so a peer gets its answers in order.
// **Threads**: answers are thread-safe; the request belongs to whoever handles it.
// **Lifetime**: share it with whatever computes the answer. When the last owner lets go without an
// answer, the peer gets 500 `no_answer`. It may outlive the server; its answer then goes nowhere.
class Exchange {
 public:
  Exchange(Request request, std::unique_ptr<AnswerSink> sink)
      : request_(std::move(request)), sink_(std::move(sink)) {}
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  const Request& request() const { return request_; }
  // For a handler that wants to move parts out, e.g. the body.
  Request& mutable_request() { return request_; }

  // True when this was the answer. Whether it reaches the peer nobody can promise.
  bool Respond(Response response);
  // Answers with an error in this server's form. It never repeats what came in.
  bool Refuse(const Refusal& refusal);
  // Answers with a stream: status and headers leave at once, before the first chunk. Null when
  // there is an answer already.
  std::shared_ptr<StreamWriter> BeginStream(int status, Headers headers);

 private:
  bool Claim() { return !answered_.exchange(true, std::memory_order_acq_rel); }

  Request request_;
  std::unique_ptr<AnswerSink> sink_;
  std::atomic<bool> answered_{false};
};

}  // namespace hilo::http
