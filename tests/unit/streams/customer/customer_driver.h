#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hilo/store/v1/records.pb.h"
#include "hilo/v1/customer.pb.h"
#include "streams/customer/customer_fold.h"
#include "streams/customer/outbound.h"
#include "streams/customer/reader.h"
#include "tests/driver/fold_driver.h"

namespace hilo::customer {

// Sixteen bytes that begin with `name`.
inline std::string Id(std::string name) {
  name.resize(16, '.');
  return name;
}

inline constexpr int64_t kSecond = 1'000'000;
inline constexpr int64_t kMinute = 60 * kSecond;

// An event on its way to a customer, as short as a test wants it.
class EventOf {
 public:
  explicit EventOf(const std::string& customer, int64_t event_micros) : customer_(customer) {
    event_.set_event_micros(event_micros);
    event_.set_receive_micros(event_micros + 1);
    event_.set_event_id(Id("e" + std::to_string(event_micros)));
    body_.set_channel(v1::CHANNEL_WEB);
    body_.set_source("shop");
    body_.set_assurance(v1::ASSURANCE_CLAIMED);
  }
  EventOf& Name(const std::string& id) {
    event_.set_event_id(Id(id));
    return *this;
  }
  EventOf& Begins() {
    begins_ = true;
    return *this;
  }
  EventOf& On(v1::Channel channel) {
    body_.set_channel(channel);
    return *this;
  }
  EventOf& Identified(v1::IdentifierKind kind, const std::string& hash, bool bound = true) {
    auto* identifier = event_.add_identifiers();
    identifier->set_kind(kind);
    identifier->set_hash(Id(hash));
    if (bound) bound_.push_back(event_.identifiers_size() - 1);
    return *this;
  }
  EventOf& Call(const std::string& call, const std::string& step, const std::string& agent = "") {
    On(v1::CHANNEL_CALL);
    body_.mutable_call()->set_call(Id(call));
    body_.mutable_call()->set_step(step);
    body_.mutable_call()->set_agent(agent);
    return *this;
  }
  EventOf& Fact(const std::string& kind, const std::string& value, int64_t expires_after = 0) {
    auto* fact = body_.add_facts();
    fact->set_kind(kind);
    fact->set_sealed(value);
    fact->set_confidence(100);
    fact->set_expires_after_micros(expires_after);
    return *this;
  }
  EventOf& Trait(const std::string& name, const std::string& value) {
    auto* trait = body_.add_traits();
    trait->set_name(name);
    trait->set_sealed(value);
    return *this;
  }
  EventOf& Case(const std::string& kind, int64_t due_after) {
    body_.mutable_case_()->set_kind(kind);
    body_.mutable_case_()->set_due_after_micros(due_after);
    return *this;
  }
  EventOf& Bought(const std::string& order, int64_t minor) {
    body_.mutable_purchase()->set_kind(store::v1::Purchase::KIND_ORDER);
    body_.mutable_purchase()->set_order(Id(order));
    body_.mutable_purchase()->set_minor(minor);
    body_.mutable_purchase()->set_currency("EUR");
    return *this;
  }
  EventOf& Consent(v1::ConsentStatus status, uint32_t rank) {
    auto* consent = body_.add_consents();
    consent->set_channel(v1::CHANNEL_EMAIL);
    consent->set_purpose("marketing");
    consent->set_status(status);
    body_.set_source_rank(rank);
    return *this;
  }
  store::v1::EventBody& body() { return body_; }
  store::v1::Event& event() { return event_; }

  store::v1::Record Record() const {
    store::v1::Record record;
    auto* envelope = record.mutable_customer_event();
    envelope->set_customer(Id(customer_));
    envelope->set_member(Id(customer_));
    store::v1::Event event = event_;
    body_.SerializeToString(event.mutable_body());
    event.SerializeToString(envelope->mutable_event());
    envelope->set_event_micros(event.event_micros());
    envelope->set_begins(begins_);
    for (int index : bound_) envelope->add_bound(index);
    return record;
  }

 private:
  const std::string customer_;
  store::v1::Event event_;
  store::v1::EventBody body_;
  bool begins_ = false;
  std::vector<int> bound_;
};

// A command; the caller fills in the operation.
inline store::v1::Record CommandFor(const std::string& customer, const std::string& request) {
  store::v1::Record record;
  auto* command = record.mutable_command();
  command->set_customer(Id(customer));
  command->set_member(Id(customer));
  command->set_caller(Id("caller"));
  command->set_request_id(Id(request));
  command->set_content_hash(Id("content"));
  command->set_principal("marta");
  command->set_channel(v1::CHANNEL_DESK);
  command->set_receive_micros(77);
  return record;
}

// The second of four partitions, that of letters, of `customers`, with its fold, time moved by
// hand.
class CustomerDriver : public fold::Listener {
 public:
  explicit CustomerDriver(driver::Refolding folding = {})
      : driver_({.topics = Topics(),
                 .partitions = {{.of = kPartition,
                                 .targets = OutboundTargets(1),
                                 .make_fold = [] { return NewCustomerFold({.partition = 1}); }}},
                 .folding = folding,
                 .listener = this}) {
    EXPECT_TRUE(driver_.Settle().ok());
  }

  void OnNotice(const log::TopicPartition&, const fold::Notice& notice) override {
    notices.push_back(notice);
  }
  void OnAnswer(std::string_view, RequestId, const store::v1::AnswerRow& answer) override {
    answers.push_back(answer);
  }

  int64_t Now() const { return const_cast<CustomerDriver*>(this)->WallMicros(); }
  int64_t WallMicros() { return driver_.clock().Wall().time_since_epoch().count(); }

  void Append(const store::v1::Record& record) { driver_.Append(kPartition, record); }
  // Appends and folds.
  void Give(const store::v1::Record& record) {
    Append(record);
    ASSERT_TRUE(driver_.Settle().ok());
  }
  void Give(const EventOf& event) { Give(event.Record()); }
  // Appends, folds and gives back the answer.
  store::v1::AnswerRow Ask(const store::v1::Record& command) {
    answers.clear();
    Give(command);
    EXPECT_EQ(answers.size(), 1u);
    return answers.empty() ? store::v1::AnswerRow() : answers.back();
  }

  std::optional<store::v1::MemberRow> Row(const std::string& customer) {
    const auto row = ReadCustomer(driver_.store(kPartition), *CustomerId::FromBytes(Id(customer)));
    EXPECT_TRUE(row.ok());
    return row.ok() ? *row : std::nullopt;
  }
  TimelinePage Timeline(const std::string& customer, const TimelineQuery& query = {}) {
    const auto page = ReadTimeline(driver_.store(kPartition), *CustomerId::FromBytes(Id(customer)),
                                   {*MemberId::FromBytes(Id(customer))}, query);
    EXPECT_TRUE(page.ok());
    return page.ok() ? *page : TimelinePage();
  }
  std::vector<AgentCall> CallsAt(const std::string& agent) {
    const auto calls = CallsOfAgent(driver_.store(kPartition), agent);
    EXPECT_TRUE(calls.ok());
    return calls.ok() ? *calls : std::vector<AgentCall>();
  }
  std::vector<fold::Notice> TakeNotices() { return std::exchange(notices, {}); }
  driver::FoldDriver& driver() { return driver_; }

  inline static const log::TopicPartition kPartition{"customers", 1};
  std::vector<fold::Notice> notices;
  std::vector<store::v1::AnswerRow> answers;

 private:
  static std::vector<log::TopicSpec> Topics() {
    std::vector<log::TopicSpec> topics = OutboundTopics(4);
    topics.push_back({"customers", 4});
    return topics;
  }

  driver::FoldDriver driver_;
};

}  // namespace hilo::customer
