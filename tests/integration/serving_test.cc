// A whole node, asked over real sockets by gRPC and by Connect: what is promised, and what bad
// input is answered.
#include <google/protobuf/wrappers.pb.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "grpc/reflection/v1/reflection.pb.h"
#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/desk_service.pb.h"
#include "hilo/v1/event_service.pb.h"
#include "hilo/v1/operations_service.pb.h"
#include "tests/integration/hub_process.h"

namespace hilo {
namespace {

using testing::HttpAnswer;
using testing::HubProcess;
using testing::kAdminToken;
using testing::kAgentToken;
using testing::kAssignedToken;
using testing::kChannelToken;
using testing::kForeignToken;
using testing::kOpsToken;

constexpr char kSend[] = "/hilo.v1.EventService/SendEvent";
constexpr char kFind[] = "/hilo.v1.CustomerService/FindCustomers";
constexpr char kContext[] = "/hilo.v1.CustomerService/GetContext";
constexpr char kNote[] = "/hilo.v1.CustomerService/AddNote";

class ServingTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { hub_ = new HubProcess; }
  static void TearDownTestSuite() {
    delete hub_;
    hub_ = nullptr;
  }

  // A customer known by this address, folded: its name.
  std::string Customer(const std::string& email) {
    v1::SendEventRequest send;
    send.mutable_event()->set_id(HubProcess::NewRequestId());
    send.mutable_event()->set_type("crm.created");
    send.mutable_event()->set_channel(v1::CHANNEL_SYSTEM);
    v1::Identifier* identifier = send.mutable_event()->add_identifiers();
    identifier->set_kind(v1::IDENTIFIER_KIND_EMAIL);
    identifier->set_value(email);
    v1::SendEventResponse sent;
    const Status accepted = hub_->Client(kChannelToken)->Call(kSend, send, &sent);
    EXPECT_TRUE(accepted.ok()) << accepted;
    v1::FindCustomersRequest find;
    *find.mutable_identifier() = *identifier;
    v1::FindCustomersResponse found;
    const auto client = hub_->Client(kAgentToken);
    // The answer to SendEvent says that it is durable; the fold follows within milliseconds.
    EXPECT_TRUE(HubProcess::Eventually([&] {
      found.Clear();
      return client->Call(kFind, find, &found).ok() && found.customers_size() == 1;
    }));
    return found.customers().empty() ? "" : found.customers(0).customer().name();
  }

  v1::AddNoteRequest Note(const std::string& customer, const std::string& text,
                          const std::string& request_id) {
    v1::AddNoteRequest request;
    request.set_customer(customer);
    request.set_text(text);
    request.mutable_write()->set_request_id(request_id);
    return request;
  }

  // One unary call with a body of raw bytes.
  grpc::Status Raw(const std::string& method, const std::string& body,
                   const std::string& token = kAgentToken,
                   std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxSendMessageSize(-1);
    grpc::GenericStub stub(grpc::CreateCustomChannel(
        hub_->grpc_address(), grpc::InsecureChannelCredentials(), arguments));
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    context.set_deadline(std::chrono::system_clock::now() + timeout);
    grpc::Slice slice(body);
    grpc::CompletionQueue queue;
    auto call = stub.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
    call->StartCall();
    grpc::ByteBuffer answer;
    grpc::Status status;
    call->Finish(&answer, &status, this);
    void* tag = nullptr;
    bool ok = false;
    queue.Next(&tag, &ok);
    return status;
  }

  // A counter as /metrics tells it.
  static double Counted(const std::string& series) {
    const std::string text = "\n" + hub_->Http("GET", "/metrics", {}, "").body;
    const size_t at = text.find("\n" + series + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + 2 + series.size()));
  }

  static HubProcess* hub_;
};
HubProcess* ServingTest::hub_ = nullptr;

TEST_F(ServingTest, AWriteIsSeenByAReadThatDemandsItsPosition) {
  const std::string customer = Customer("read-own-write@example.com");
  v1::AddNoteResponse noted;
  ASSERT_TRUE(
      hub_->Client(kAgentToken)
          ->Call(kNote, Note(customer, "prefers mornings", HubProcess::NewRequestId()), &noted)
          .ok());
  EXPECT_EQ(noted.entry().type(), "desk.note");
  v1::GetContextRequest request;
  request.set_customer(customer);
  request.set_position_token(noted.position_token());
  v1::GetContextResponse context;
  ASSERT_TRUE(hub_->Client(kAgentToken)->Call(kContext, request, &context).ok());
  ASSERT_GE(context.context().timeline_size(), 1);
  EXPECT_EQ(context.context().timeline(0).properties(0).value(), "prefers mornings");
  EXPECT_EQ(context.context().timeline(0).name(), noted.entry().name());
}

TEST_F(ServingTest, WhatIsKeptOfACustomerIsAuditedAtEachViewAndShownToNobodyWithoutRights) {
  constexpr char kAgain[] = "hilo_serving_context_cache_reads_total{result=\"shown_again\"}";
  v1::GetContextRequest request;
  request.set_customer(Customer("kept@example.com"));
  v1::GetContextResponse context;
  ASSERT_TRUE(hub_->Client(kAgentToken)->Call(kContext, request, &context).ok());
  const double audited = Counted("hilo_audit_entries_total");
  const double again = Counted(kAgain);
  ASSERT_GT(audited, 0);
  ASSERT_TRUE(hub_->Client(kAgentToken)->Call(kContext, request, &context).ok());
  EXPECT_EQ(context.context().customer().identifiers(0).identifier().value(), "kept@example.com");
  EXPECT_EQ(Counted(kAgain), again + 1);
  EXPECT_EQ(Counted("hilo_audit_entries_total"), audited + 1);
  const Status refused = hub_->Client(kOpsToken)->Call(kContext, request, &context);
  EXPECT_EQ(refused.code(), StatusCode::kPermissionDenied) << refused;
  EXPECT_EQ(Counted(kAgain), again + 1);
}

TEST_F(ServingTest, TheSameRequestIdHasOneEffectAndOtherContentIsAConflict) {
  const std::string customer = Customer("once@example.com");
  const std::string id = HubProcess::NewRequestId();
  const auto client = hub_->Client(kAgentToken);
  v1::AddNoteResponse first, again;
  ASSERT_TRUE(client->Call(kNote, Note(customer, "one", id), &first).ok());
  ASSERT_TRUE(client->Call(kNote, Note(customer, "one", id), &again).ok());
  EXPECT_EQ(first.entry().name(), again.entry().name());
  const Status conflict = client->Call(kNote, Note(customer, "two", id), &again);
  EXPECT_EQ(conflict.code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(Reason(conflict), "request_id_conflict");
  v1::ListTimelineRequest list;
  list.set_customer(customer);
  v1::ListTimelineResponse timeline;
  ASSERT_TRUE(client->Call("/hilo.v1.CustomerService/ListTimeline", list, &timeline).ok());
  int notes = 0;
  for (const auto& entry : timeline.entries()) notes += entry.type() == "desk.note" ? 1 : 0;
  EXPECT_EQ(notes, 1);
}

TEST_F(ServingTest, AnotherCallersRequestIdFetchesNothing) {
  const std::string customer = Customer("scoped@example.com");
  const std::string id = HubProcess::NewRequestId();
  v1::AddNoteResponse mine, theirs;
  ASSERT_TRUE(hub_->Client(kAgentToken)->Call(kNote, Note(customer, "mine", id), &mine).ok());
  ASSERT_TRUE(hub_->Client(kAdminToken)->Call(kNote, Note(customer, "theirs", id), &theirs).ok());
  EXPECT_NE(mine.entry().name(), theirs.entry().name());
}

TEST_F(ServingTest, RequestIdsAreRefusedWhenOldOrNotOurs) {
  const std::string customer = Customer("ids@example.com");
  const auto client = hub_->Client(kAgentToken);
  const WallTime now = SystemClock().Wall();
  const std::pair<std::string, const char*> rows[] = {
      {"", "request_id_invalid"},
      {"not-a-uuid", "request_id_invalid"},
      {command::NewRequestId(now - std::chrono::hours(25)).Hex(), "request_id_expired"},
      {command::NewRequestId(now + std::chrono::hours(2)).Hex(), "request_id_expired"},
      {"00000000000040008000000000000000", "request_id_expired"},
  };
  for (const auto& [id, reason] : rows) {
    v1::AddNoteResponse response;
    const Status status = client->Call(kNote, Note(customer, "x", id), &response);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << id;
    if (id.size() < 32) {
      EXPECT_EQ(Reason(status), reason) << id;
    }
  }
}

TEST_F(ServingTest, AnEtagThatIsNoLongerTrueIsRefusedByTheFold) {
  const std::string customer = Customer("etag@example.com");
  const auto client = hub_->Client(kAgentToken);
  v1::OpenCaseRequest open;
  open.set_customer(customer);
  open.set_kind("complaint");
  open.set_title("late parcel");
  open.mutable_write()->set_request_id(HubProcess::NewRequestId());
  v1::OpenCaseResponse opened;
  const Status status = client->Call("/hilo.v1.CustomerService/OpenCase", open, &opened);
  ASSERT_TRUE(status.ok()) << status;
  v1::CloseCaseRequest close;
  close.set_case_(opened.case_().name());
  close.set_etag("999999");
  close.mutable_write()->set_request_id(HubProcess::NewRequestId());
  v1::CloseCaseResponse closed;
  const Status stale = client->Call("/hilo.v1.CustomerService/CloseCase", close, &closed);
  EXPECT_EQ(stale.code(), StatusCode::kAborted);
  EXPECT_EQ(Reason(stale), "stale_version");
  close.set_etag(opened.case_().etag());
  close.mutable_write()->set_request_id(HubProcess::NewRequestId());
  ASSERT_TRUE(client->Call("/hilo.v1.CustomerService/CloseCase", close, &closed).ok());
  EXPECT_EQ(closed.case_().state(), v1::CASE_STATE_CLOSED);
}

TEST_F(ServingTest, WritesToNobodyCreateNobody) {
  v1::AddNoteResponse response;
  const Status status = hub_->Client(kAgentToken)
                            ->Call(kNote,
                                   Note("customers/00000000000000000000000000000001", "hello",
                                        HubProcess::NewRequestId()),
                                   &response);
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_EQ(Reason(status), "customer_not_found");
  v1::GetContextRequest request;
  request.set_customer("customers/00000000000000000000000000000001");
  v1::GetContextResponse context;
  EXPECT_EQ(Reason(hub_->Client(kAgentToken)->Call(kContext, request, &context)),
            "customer_not_found");
}

TEST_F(ServingTest, BadMessagesAreAnsweredAsSpecified) {
  // Row 45: one byte more than 1 MiB.
  EXPECT_EQ(Raw(kFind, std::string((1 << 20) + 1, 'x')).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  // Row 50: a cut varint, a group tag, nesting of 200.
  EXPECT_EQ(Raw(kFind, std::string("\x0a\xff", 2)).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Raw(kFind, std::string("\x0b", 1)).error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  std::string nested;
  for (int i = 0; i < 200; ++i) {
    // google.protobuf.Value.list_value.values, again and again.
    std::string length;
    for (size_t n = nested.size();; n >>= 7) {
      length.push_back(static_cast<char>((n & 0x7f) | (n > 0x7f ? 0x80 : 0)));
      if (n <= 0x7f) break;
    }
    nested = (i % 2 == 0 ? "\x0a" : "\x32") + length + nested;
  }
  EXPECT_NE(Raw(kSend, nested, kChannelToken).error_code(), grpc::StatusCode::OK);
  // Row 48: an unknown field.
  EXPECT_EQ(Raw(kFind, std::string("\x98\x06\x01", 3)).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(ServingTest, APrincipalOfAnotherSpaceIsToldNothing) {
  const std::string customer = Customer("elsewhere@example.com");
  const auto foreign = hub_->Client(kForeignToken);
  std::set<std::string> answers;
  for (const std::string& name :
       {customer, std::string("customers/00000000000000000000000000000009"), std::string("junk")}) {
    v1::GetContextRequest request;
    request.set_customer(name);
    v1::GetContextResponse response;
    const Status status = foreign->Call(kContext, request, &response);
    EXPECT_EQ(status.code(), StatusCode::kPermissionDenied);
    answers.insert(status.ToString());
  }
  v1::ListPartitionsResponse partitions;
  answers.insert(foreign
                     ->Call("/hilo.v1.OperationsService/ListPartitions",
                            v1::ListPartitionsRequest(), &partitions)
                     .ToString());
  EXPECT_EQ(answers.size(), 1u) << "one text, whatever was asked for";
}

TEST_F(ServingTest, AnAgentOfAssignedCustomersSeesThemWhileTheirCallIsThere) {
  const std::string number = "+34600112233";
  const auto tell = [&](const std::string& id, const std::string& type) {
    const HttpAnswer answer = hub_->Http(
        "POST", "/v1/calls/events",
        {"Authorization: Bearer wk-switch", "Content-Type: application/cloudevents+json"},
        R"({"specversion":"1.0","id":")" + id + R"(","source":"/pbx","type":")" + type +
            R"(","data":{"call_id":"assigned-1","from":")" + number +
            R"(","to":"+34900100100","agent":"rita"}})");
    ASSERT_EQ(answer.status, 200) << answer.body;
  };
  const auto assigned = hub_->Client(kAssignedToken);
  v1::FindCustomersRequest find;
  find.mutable_identifier()->set_kind(v1::IDENTIFIER_KIND_PHONE);
  find.mutable_identifier()->set_value(number);
  v1::FindCustomersResponse found;
  const auto may_find = [&] {
    found.Clear();
    return assigned->Call(kFind, find, &found).ok() && found.customers_size() == 1;
  };
  tell("assigned-1:1", "call.agent_ringing");
  ASSERT_TRUE(HubProcess::Eventually(may_find));
  const std::string customer = found.customers(0).customer().name();
  const auto context_of = [&](const std::string& name) {
    v1::GetContextRequest request;
    request.set_customer(name);
    v1::GetContextResponse response;
    return assigned->Call(kContext, request, &response);
  };
  EXPECT_TRUE(context_of(customer).ok());
  v1::AddNoteResponse noted;
  EXPECT_TRUE(
      assigned->Call(kNote, Note(customer, "asks for size 42", HubProcess::NewRequestId()), &noted)
          .ok());

  const std::string other = Customer("not-ritas@example.com");
  const std::string nobody = "customers/00000000000000000000000000000009";
  EXPECT_EQ(context_of(other).code(), StatusCode::kPermissionDenied);
  EXPECT_EQ(context_of(other).ToString(), context_of(nobody).ToString())
      << "does not tell who exists";
  EXPECT_EQ(
      assigned->Call(kNote, Note(other, "peek", HubProcess::NewRequestId()), &noted).ToString(),
      context_of(nobody).ToString());
  v1::WatchDesktopRequest watch;
  watch.add_customers(other);
  v1::WatchDesktopResponse message;
  EXPECT_EQ(
      assigned->Stream("/hilo.v1.DeskService/WatchDesktop", watch, &message, [] { return false; })
          .code(),
      StatusCode::kPermissionDenied);

  tell("assigned-1:2", "call.answered");
  tell("assigned-1:3", "call.ended");
  tell("assigned-1:4", "call.disposition");
  EXPECT_TRUE(HubProcess::Eventually([&] { return !context_of(customer).ok(); }))
      << "the call is over";
  EXPECT_FALSE(may_find());
  EXPECT_TRUE(found.customers().empty());
}

TEST_F(ServingTest, PagingIsRefusedWhenItMakesNoSense) {
  const std::string customer = Customer("paging@example.com");
  const auto client = hub_->Client(kAgentToken);
  v1::ListTimelineRequest request;
  v1::ListTimelineResponse response;
  request.set_customer(customer);
  request.set_page_size(-1);
  EXPECT_EQ(Reason(client->Call("/hilo.v1.CustomerService/ListTimeline", request, &response)),
            "page_size_invalid");
  request.set_page_size(10'000'000);
  EXPECT_TRUE(client->Call("/hilo.v1.CustomerService/ListTimeline", request, &response).ok());
  request.set_page_token("garbage");
  EXPECT_EQ(Reason(client->Call("/hilo.v1.CustomerService/ListTimeline", request, &response)),
            "page_token_invalid");
}

TEST_F(ServingTest, PagesCoverEverythingOnce) {
  const std::string customer = Customer("pages@example.com");
  const auto client = hub_->Client(kAgentToken);
  for (int i = 0; i < 7; ++i) {
    v1::AddNoteResponse noted;
    ASSERT_TRUE(
        client->Call(kNote, Note(customer, std::to_string(i), HubProcess::NewRequestId()), &noted)
            .ok());
  }
  std::vector<std::string> names;
  v1::ListTimelineRequest request;
  v1::ListTimelineResponse response;
  request.set_customer(customer);
  request.set_page_size(3);
  do {
    request.set_page_token(response.next_page_token());
    response.Clear();
    ASSERT_TRUE(client->Call("/hilo.v1.CustomerService/ListTimeline", request, &response).ok());
    EXPECT_LE(response.entries_size(), 3);
    for (const auto& entry : response.entries()) names.push_back(entry.name());
  } while (!response.next_page_token().empty());
  EXPECT_EQ(names.size(), 8u);  // seven notes and the event it began with
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST_F(ServingTest, ADeadlineThatPassedHasNoEffect) {
  const std::string customer = Customer("deadline@example.com");
  const v1::AddNoteRequest note = Note(customer, "too late", HubProcess::NewRequestId());
  EXPECT_EQ(
      Raw(kNote, note.SerializeAsString(), kAgentToken, std::chrono::milliseconds(0)).error_code(),
      grpc::StatusCode::DEADLINE_EXCEEDED);
}

TEST_F(ServingTest, AStreamBeginsWithASnapshotTellsChangesAndGoesOnFromItsToken) {
  const std::string customer = Customer("stream@example.com");
  v1::WatchDesktopRequest watch;
  watch.add_customers(customer);
  v1::WatchDesktopResponse message;
  std::string token;
  const auto client = hub_->Client(kAgentToken);
  bool snapshot = false, changed = false;
  const Status ended = client->Stream("/hilo.v1.DeskService/WatchDesktop", watch, &message, [&] {
    token = message.resume_token();
    if (message.has_snapshot()) {
      EXPECT_FALSE(snapshot) << "one snapshot";
      snapshot = true;
      EXPECT_EQ(message.snapshot().contexts_size(), 1);
      v1::AddNoteResponse noted;
      EXPECT_TRUE(hub_->Client(kAdminToken)
                      ->Call(kNote, Note(customer, "live", HubProcess::NewRequestId()), &noted)
                      .ok());
      return true;
    }
    changed = message.has_change() && message.change().context().timeline_size() == 1 &&
              message.change().context().timeline(0).properties(0).value() == "live";
    return !changed;
  });
  EXPECT_TRUE(ended.ok()) << ended;
  EXPECT_TRUE(snapshot);
  EXPECT_TRUE(changed);

  // What happens while nobody listens comes behind the token.
  v1::AddNoteResponse noted;
  ASSERT_TRUE(hub_->Client(kAdminToken)
                  ->Call(kNote, Note(customer, "missed", HubProcess::NewRequestId()), &noted)
                  .ok());
  watch.set_resume_token(token);
  bool missed = false;
  const auto again = hub_->Client(kAgentToken);
  ASSERT_TRUE(again
                  ->Stream("/hilo.v1.DeskService/WatchDesktop", watch, &message,
                           [&] {
                             for (const auto& entry : message.change().context().timeline())
                               missed = missed || entry.properties(0).value() == "missed";
                             return !missed;
                           })
                  .ok());
  EXPECT_TRUE(missed);

  watch.set_resume_token("garbage");
  EXPECT_EQ(Reason(hub_->Client(kAgentToken)
                       ->Stream("/hilo.v1.DeskService/WatchDesktop", watch, &message,
                                [] { return true; })),
            "resume_token_invalid");
}

TEST_F(ServingTest, ConnectAnswersLikeGrpc) {
  const std::string customer = Customer("connect@example.com");
  const auto ok = hub_->Connect(kContext, kAgentToken, "{\"customer\":\"" + customer + "\"}");
  EXPECT_EQ(ok.status, 200) << ok.body;
  EXPECT_NE(ok.body.find(customer), std::string::npos);
  EXPECT_EQ(hub_->Connect(kContext, "wrong", "{}").status, 401);
  EXPECT_EQ(hub_->Connect(kContext, kAgentToken, "{\"customer\":\"x\"}").status, 400);
  EXPECT_EQ(hub_->Connect(kContext, kAgentToken, "{\"nonsense\":1}").status, 400);
  EXPECT_EQ(hub_->Connect("/hilo.v1.CatalogueService/ApplyCatalogue", kAgentToken, "{}").status,
            403);
  // Row 53: without the protocol's header no page of another origin gets through.
  const auto csrf = hub_->Http(
      "POST", kContext,
      {std::string("Authorization: Bearer ") + kAgentToken, "Content-Type: application/json"},
      "{}");
  EXPECT_EQ(csrf.status, 403);
  EXPECT_NE(csrf.body.find("CSRF"), std::string::npos) << csrf.body;
  const auto cross = hub_->Http(
      "POST", kContext,
      {std::string("Authorization: Bearer ") + kAgentToken, "Content-Type: application/json",
       "Connect-Protocol-Version: 1", "Sec-Fetch-Site: cross-site"},
      "{}");
  EXPECT_EQ(cross.status, 403);
  EXPECT_EQ(hub_->Http("POST", kContext, {"Content-Type: text/xml", "Connect-Protocol-Version: 1"},
                       "<x/>")
                .status,
            415);
  EXPECT_EQ(hub_->Http("GET", kContext, {}, "").status, 405);
}

TEST_F(ServingTest, HealthAndReflectionSpeakTheirProtocols) {
  EXPECT_EQ(hub_->Http("GET", "/livez", {}, "").status, 200);
  EXPECT_EQ(hub_->Http("GET", "/readyz?verbose", {}, "").status, 200);
  EXPECT_EQ(Raw("/grpc.health.v1.Health/Check", "").error_code(), grpc::StatusCode::OK);
  EXPECT_EQ(Raw("/grpc.health.v1.Health/Check", "\x0a\x01x").error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(Raw("/grpc.health.v1.Health/Check", "\x0a\x05x").error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
  // Request and response have the form of these.
  google::protobuf::StringValue service;
  google::protobuf::Int32Value serving;
  service.set_value("hilo.v1.CustomerService");
  ASSERT_TRUE(hub_->Client(kAgentToken)
                  ->Stream("/grpc.health.v1.Health/Watch", service, &serving, [] { return false; })
                  .ok());
  EXPECT_EQ(serving.value(), 1);
  grpc::reflection::v1::ServerReflectionRequest question;
  question.set_list_services("");
  grpc::reflection::v1::ServerReflectionResponse answer;
  const auto client = hub_->Client(kAgentToken);
  ASSERT_TRUE(client
                  ->Stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", question,
                           &answer, [] { return false; })
                  .ok());
  EXPECT_GE(answer.list_services_response().service_size(), 5);
}

TEST_F(ServingTest, TimeIsAcceptedOnlyWhereSomethingIsFolded) {
  v1::AcceptTimeRequest request;
  v1::AcceptTimeResponse response;
  const auto admin = hub_->Client(kAdminToken);
  const auto accept = [&](const std::string& topic, int partition) {
    request.set_topic(topic);
    request.set_partition(partition);
    request.set_request_id(HubProcess::NewRequestId());
    return Reason(admin->Call("/hilo.v1.OperationsService/AcceptTime", request, &response));
  };
  EXPECT_EQ(accept("dead-letters", 0), "not_folded");
  EXPECT_EQ(accept("nowhere", 0), "partition_unknown");
  EXPECT_EQ(accept("customers", 99), "partition_unknown");
  EXPECT_EQ(accept("customers", 0), "gap_not_open");
  request.clear_request_id();
  EXPECT_EQ(Reason(admin->Call("/hilo.v1.OperationsService/AcceptTime", request, &response)),
            "request_id_invalid");
  EXPECT_EQ(hub_->Http("GET", "/livez", {}, "").status, 200);
}

TEST_F(ServingTest, ADeadLetterIsReplayedOncePerRequest) {
  const auto admin = hub_->Client(kAdminToken);
  for (int i = 0; i < 2; ++i) {
    v1::SendEventRequest late;
    late.mutable_event()->set_id(HubProcess::NewRequestId());
    late.mutable_event()->set_type("crm.created");
    late.mutable_event()->set_channel(v1::CHANNEL_SYSTEM);
    late.mutable_event()->mutable_event_time()->set_seconds(
        std::chrono::duration_cast<std::chrono::seconds>(SystemClock().Wall().time_since_epoch())
            .count() -
        30 * 86'400);
    v1::Identifier* identifier = late.mutable_event()->add_identifiers();
    identifier->set_kind(v1::IDENTIFIER_KIND_USER_ID);
    identifier->set_value("late-" + std::to_string(i));
    v1::SendEventResponse sent;
    ASSERT_TRUE(hub_->Client(kChannelToken)->Call(kSend, late, &sent).ok());
  }
  v1::ListDeadLettersRequest list;
  list.set_reason("event_too_late");
  v1::ListDeadLettersResponse letters;
  ASSERT_TRUE(HubProcess::Eventually([&] {
    letters.Clear();
    return admin->Call("/hilo.v1.OperationsService/ListDeadLetters", list, &letters).ok() &&
           letters.dead_letters_size() >= 2;
  }));
  v1::ReplayDeadLetterResponse response;
  const auto replay = [&](int letter, const std::string& id) {
    v1::ReplayDeadLetterRequest request;
    request.set_name(letters.dead_letters(letter).name());
    request.set_request_id(id);
    response.Clear();
    return admin->Call("/hilo.v1.OperationsService/ReplayDeadLetter", request, &response);
  };
  const std::string id = HubProcess::NewRequestId();
  ASSERT_TRUE(replay(0, id).ok());
  const std::string position = response.position();
  ASSERT_TRUE(replay(0, id).ok());
  EXPECT_EQ(response.position(), position) << "a retry appends nothing";
  EXPECT_EQ(Reason(replay(1, id)), "request_id_conflict");
  ASSERT_TRUE(replay(0, HubProcess::NewRequestId()).ok());
  EXPECT_NE(response.position(), position) << "another request does it again";
  EXPECT_EQ(
      Reason(replay(0, command::NewRequestId(SystemClock().Wall() - std::chrono::hours(25)).Hex())),
      "request_id_expired");
}

TEST_F(ServingTest, OnlyARecordThatStoppedItsPartitionIsSkipped) {
  const auto skip = [&](const std::string& topic, const std::string& token) {
    v1::SkipRecordRequest request;
    request.set_topic(topic);
    request.set_offset(0);
    request.set_request_id(HubProcess::NewRequestId());
    v1::SkipRecordResponse response;
    return Reason(
        hub_->Client(token)->Call("/hilo.v1.OperationsService/SkipRecord", request, &response));
  };
  EXPECT_EQ(skip("events", kAdminToken), "not_stopped_there");
  EXPECT_EQ(skip("dead-letters", kAdminToken), "not_folded");
  EXPECT_EQ(skip("events", kAgentToken), "not_permitted");
}

TEST_F(ServingTest, ATokenOfAPartitionThatIsNotHereIsNotWaitedFor) {
  v1::GetContextRequest request;
  request.set_customer("customers/00000000000000000000000000000001");
  v1::GetContextResponse context;
  for (const std::string token : {"c1.customers.99.1", "c1.dead-letters.0.1", "c1.anything.0.1"}) {
    request.set_position_token(token);
    EXPECT_EQ(Reason(hub_->Client(kAgentToken)->Call(kContext, request, &context)),
              "not_up_to_bound")
        << token;
  }
}

TEST_F(ServingTest, OperatorsSeeRecordsAndNeverWhatIsSealed) {
  Customer("sealed-name@example.com");
  v1::ListRecordsRequest request;
  request.set_topic("events");
  request.set_page_size(1'000);
  v1::ListRecordsResponse response;
  ASSERT_TRUE(hub_->Client(kAdminToken)
                  ->Call("/hilo.v1.OperationsService/ListRecords", request, &response)
                  .ok());
  ASSERT_GT(response.records_size(), 0);
  bool sealed = false;
  for (const auto& record : response.records()) {
    EXPECT_EQ(record.content().find("sealed-name"), std::string::npos);
    sealed = sealed || record.content().find("sealed(") != std::string::npos;
  }
  EXPECT_TRUE(sealed);
}

}  // namespace
}  // namespace hilo
