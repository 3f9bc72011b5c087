// The next best action of a whole node: decided, answered, explained, weeks later and under another
// catalogue; and what bad input is answered.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "hilo/v1/catalogue_service.pb.h"
#include "hilo/v1/customer_service.pb.h"
#include "hilo/v1/decision_service.pb.h"
#include "hilo/v1/event_service.pb.h"
#include "tests/integration/hub_process.h"

namespace hilo {
namespace {

using testing::HubProcess;
using testing::kAdminToken;
using testing::kAgentToken;

class DecisionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { hub_ = new HubProcess; }
  static void TearDownTestSuite() {
    delete hub_;
    hub_ = nullptr;
  }

  // Somebody who left something in the basket and complained or not.
  std::string Customer(const std::string& user) {
    for (
        const char* event :
        {R"({"type":"identify","traits":{"first_name":"Ana"},)",
         R"({"type":"track","event":"Product Added","properties":{"product_id":"shoes-7","name":"Trail shoes"},)"}) {
      const HttpAnswer answer =
          hub_->Http("POST", "/v1/batch",
                     {"Content-Type: application/json", "Authorization: Basic d2stc2hvcDo="},
                     R"({"batch":[)" + std::string(event) + R"("userId":")" + user +
                         R"(","messageId":")" + HubProcess::NewRequestId() + R"("}]})");
      EXPECT_EQ(answer.status, 200) << answer.body;
    }
    v1::FindCustomersRequest find;
    find.mutable_identifier()->set_kind(v1::IDENTIFIER_KIND_USER_ID);
    find.mutable_identifier()->set_value(user);
    v1::FindCustomersResponse found;
    v1::GetContextResponse context;
    EXPECT_TRUE(HubProcess::Eventually([&] {
      found.Clear();
      if (!agent_->Call("/hilo.v1.CustomerService/FindCustomers", find, &found).ok() ||
          found.customers_size() != 1) {
        return false;
      }
      v1::GetContextRequest request;
      request.set_customer(found.customers(0).customer().name());
      context.Clear();
      return agent_->Call("/hilo.v1.CustomerService/GetContext", request, &context).ok() &&
             context.context().timeline_size() >= 2;
    }));
    return found.customers().empty() ? "" : found.customers(0).customer().name();
  }

  Status Decide(const std::string& customer, v1::DecideResponse* response,
                const std::string& request_id = HubProcess::NewRequestId()) {
    v1::DecideRequest request;
    request.set_customer(customer);
    request.mutable_write()->set_request_id(request_id);
    return agent_->Call("/hilo.v1.DecisionService/Decide", request, response);
  }

  v1::RecordOutcomeRequest Outcome(const v1::Decision& decision, const std::string& action,
                                   v1::OutcomeKind kind) {
    v1::RecordOutcomeRequest request;
    request.set_decision(decision.name());
    request.set_action(action);
    request.set_outcome(kind);
    request.mutable_write()->set_request_id(HubProcess::NewRequestId());
    return request;
  }
  Status Record(const v1::RecordOutcomeRequest& request, v1::RecordOutcomeResponse* response) {
    return agent_->Call("/hilo.v1.DecisionService/RecordOutcome", request, response);
  }

  static std::vector<std::string> Actions(const v1::Decision& decision) {
    std::vector<std::string> names;
    for (const auto& candidate : decision.candidates()) names.push_back(candidate.action());
    return names;
  }
  static bool Has(const v1::Decision& decision, const std::string& action) {
    const auto names = Actions(decision);
    return std::find(names.begin(), names.end(), action) != names.end();
  }

  using HttpAnswer = testing::HttpAnswer;
  static HubProcess* hub_;
  std::unique_ptr<cli::Client> agent_ = hub_->Client(kAgentToken);
};
HubProcess* DecisionTest::hub_ = nullptr;

TEST_F(DecisionTest, ProposesWithAReasonAndNeverAgainWhatWasDeclined) {
  const std::string customer = Customer("u-declines");
  v1::DecideResponse decided;
  ASSERT_TRUE(Decide(customer, &decided).ok());
  ASSERT_TRUE(Has(decided.decision(), "finish-basket")) << decided.DebugString();
  for (const auto& candidate : decided.decision().candidates()) {
    EXPECT_FALSE(candidate.title().empty());
    EXPECT_FALSE(candidate.why().empty());
    EXPECT_GT(candidate.rank(), 0);
  }
  auto answer = Outcome(decided.decision(), "finish-basket", v1::OUTCOME_KIND_DECLINED);
  answer.set_reason("too_dear");
  v1::RecordOutcomeResponse next;
  const Status recorded = Record(answer, &next);
  ASSERT_TRUE(recorded.ok()) << recorded;
  EXPECT_FALSE(next.decision().name().empty());
  EXPECT_FALSE(Has(next.decision(), "finish-basket"));
}

TEST_F(DecisionTest, IsQuietAboutWhatWasSnoozed) {
  const std::string customer = Customer("u-snoozes");
  v1::DecideResponse decided;
  ASSERT_TRUE(Decide(customer, &decided).ok());
  auto answer = Outcome(decided.decision(), "finish-basket", v1::OUTCOME_KIND_SNOOZED);
  v1::RecordOutcomeResponse next;
  EXPECT_EQ(Reason(Record(answer, &next)), "field_invalid");
  answer.mutable_snooze_until_time()->set_seconds(
      std::chrono::duration_cast<std::chrono::seconds>(SystemClock().Wall().time_since_epoch())
          .count() +
      86'400);
  ASSERT_TRUE(Record(answer, &next).ok());
  EXPECT_FALSE(Has(next.decision(), "finish-basket"));
}

TEST_F(DecisionTest, ExplainsARecordedDecisionAsItWasThen) {
  const std::string customer = Customer("u-explains");
  v1::DecideResponse decided;
  ASSERT_TRUE(Decide(customer, &decided).ok());
  // Meanwhile things change: the answer about then stays.
  v1::RecordOutcomeResponse next;
  ASSERT_TRUE(
      Record(Outcome(decided.decision(), "finish-basket", v1::OUTCOME_KIND_ACCEPTED), &next).ok());
  v1::ExplainActionRequest request;
  request.set_decision(decided.decision().name());
  request.set_action("finish-basket");
  v1::ExplainActionResponse then;
  ASSERT_TRUE(agent_->Call("/hilo.v1.DecisionService/ExplainAction", request, &then).ok());
  ASSERT_EQ(then.decision().candidates_size(), 1);
  const auto& was = then.decision().candidates(0);
  const auto shown =
      std::find_if(decided.decision().candidates().begin(), decided.decision().candidates().end(),
                   [](const auto& candidate) { return candidate.action() == "finish-basket"; });
  EXPECT_EQ(was.stage(), v1::DECISION_STAGE_RANKED);
  EXPECT_EQ(was.priority_micros(), shown->priority_micros());
  EXPECT_EQ(was.propensity_ppm(), shown->propensity_ppm());
  EXPECT_GT(then.conditions_size(), 0);
  request.Clear();
  request.set_customer(customer);
  request.set_action("finish-basket");
  v1::ExplainActionResponse now;
  ASSERT_TRUE(agent_->Call("/hilo.v1.DecisionService/ExplainAction", request, &now).ok());
  EXPECT_EQ(now.decision().candidates(0).stage(), v1::DECISION_STAGE_CONTACT_POLICY);
  EXPECT_FALSE(now.decision().candidates(0).why().empty());
}

TEST_F(DecisionTest, AnswersARepeatWithTheSameDecision) {
  const std::string customer = Customer("u-repeats");
  const std::string id = HubProcess::NewRequestId();
  v1::DecideResponse first;
  ASSERT_TRUE(Decide(customer, &first, id).ok());
  // What was best meanwhile is not what was shown then.
  auto answer = Outcome(first.decision(), "finish-basket", v1::OUTCOME_KIND_DECLINED);
  answer.set_reason("too_dear");
  v1::RecordOutcomeResponse next;
  ASSERT_TRUE(Record(answer, &next).ok());
  v1::DecideResponse second;
  const Status repeated = Decide(customer, &second, id);
  ASSERT_TRUE(repeated.ok()) << repeated;
  EXPECT_EQ(second.decision().DebugString(), first.decision().DebugString());
  EXPECT_EQ(second.position_token(), first.position_token());

  v1::RecordOutcomeResponse again;
  ASSERT_TRUE(Record(answer, &again).ok());
  EXPECT_EQ(again.decision().DebugString(), next.decision().DebugString());
  EXPECT_NE(again.decision().name(), first.decision().name());
}

TEST_F(DecisionTest, FindsProductsByTheBeginningsOfWords) {
  v1::SearchProductsRequest request;
  request.set_query("TRAIL sh");
  v1::SearchProductsResponse response;
  ASSERT_TRUE(agent_->Call("/hilo.v1.DecisionService/SearchProducts", request, &response).ok());
  ASSERT_EQ(response.products_size(), 1);
  EXPECT_EQ(response.products(0).product(), "shoes-7");
  EXPECT_EQ(response.products(0).price().minor(), 8'990);
  // Paged like every list.
  request.set_query("");
  request.set_page_size(5);
  std::vector<std::string> all;
  do {
    response.Clear();
    ASSERT_TRUE(agent_->Call("/hilo.v1.DecisionService/SearchProducts", request, &response).ok());
    for (const auto& product : response.products()) all.push_back(product.product());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(all.size(), 12u);
  std::sort(all.begin(), all.end());
  EXPECT_EQ(std::unique(all.begin(), all.end()), all.end());
}

TEST_F(DecisionTest, RefusesWhatCannotBe) {
  const std::string customer = Customer("u-refused");
  v1::DecideResponse decided;
  ASSERT_TRUE(Decide(customer, &decided).ok());
  v1::RecordOutcomeResponse ignored;
  const auto reason = [&](const v1::RecordOutcomeRequest& request) {
    return Reason(Record(request, &ignored));
  };
  const v1::Decision& decision = decided.decision();
  EXPECT_EQ(reason(Outcome(decision, "never-heard-of", v1::OUTCOME_KIND_ACCEPTED)),
            "action_not_offered");
  EXPECT_EQ(reason(Outcome(decision, "finish-basket", v1::OUTCOME_KIND_IMPRESSION)),
            "field_invalid");
  EXPECT_EQ(reason(Outcome(decision, "finish-basket", v1::OUTCOME_KIND_DECLINED)), "field_invalid");
  v1::Decision unknown = decision;
  unknown.set_name(customer + "/decisions/" + std::string(32, '0'));
  EXPECT_EQ(reason(Outcome(unknown, "finish-basket", v1::OUTCOME_KIND_ACCEPTED)),
            "decision_not_found");
  unknown.set_name("decisions/1");
  EXPECT_EQ(reason(Outcome(unknown, "finish-basket", v1::OUTCOME_KIND_ACCEPTED)), "name_invalid");
  v1::ExplainActionRequest explain;
  v1::ExplainActionResponse explained;
  EXPECT_EQ(Reason(agent_->Call("/hilo.v1.DecisionService/ExplainAction", explain, &explained)),
            "query_invalid");
  explain.set_customer(customer);
  explain.set_action("never-heard-of");
  EXPECT_EQ(Reason(agent_->Call("/hilo.v1.DecisionService/ExplainAction", explain, &explained)),
            "action_not_found");
  v1::DecideRequest elsewhere;
  elsewhere.set_customer(customer);
  elsewhere.set_channel("pigeon");
  elsewhere.mutable_write()->set_request_id(HubProcess::NewRequestId());
  EXPECT_EQ(Reason(agent_->Call("/hilo.v1.DecisionService/Decide", elsewhere, &decided)),
            "field_invalid");
}

TEST_F(DecisionTest, StopsMailByOneClickAndNotByLooking) {
  // A token that nobody signed.
  EXPECT_EQ(hub_->Http("GET", "/u/AAAA", {}, "").status, 404);
  EXPECT_EQ(hub_->Http("POST", "/u/AAAA", {"Content-Type: application/x-www-form-urlencoded"},
                       "List-Unsubscribe=One-Click")
                .status,
            404);
}

}  // namespace
}  // namespace hilo
