#pragma once

#include <string>
#include <vector>

#include "hilo/v1/decision_service.pb.h"
#include "streams/customer/outbound_reader.h"
#include "tests/unit/streams/customer/customer_driver.h"

namespace hilo::customer {

// The hub with words for journeys, messages and those who decide and send.
class OutboundDriver : public CustomerDriver {
 public:
  // A customer who can be written to and agreed to it.
  void Know(const std::string& customer) {
    Give(EventOf(customer, Now())
             .Name("know-" + customer)
             .Identified(v1::IDENTIFIER_KIND_EMAIL, "mail-" + customer)
             .Trait("first_name", "Ana")
             .Consent(v1::CONSENT_STATUS_GRANTED, 0));
  }

  static store::v1::JourneySignal Signal(const std::string& journey, const std::string& key,
                                         int64_t wait_micros) {
    store::v1::JourneySignal signal;
    signal.set_journey(journey);
    if (!key.empty()) signal.set_key(Id(key));
    signal.set_wait_micros(wait_micros);
    signal.set_expires_micros(24 * 60 * kMinute);
    signal.set_reenter_micros(7 * 24 * 60 * kMinute);
    return signal;
  }
  void Give(const std::string& customer, const store::v1::JourneySignal& signal) {
    EventOf event(customer, Now());
    event.Name("begin");
    *event.body().add_journeys() = signal;
    CustomerDriver::Give(event);
  }
  using CustomerDriver::Give;
  void Begin(const std::string& customer, const std::string& journey, const std::string& key,
             int64_t wait_micros) {
    Give(customer, Signal(journey, key, wait_micros));
  }
  // Known, and a run of hers is due.
  void KnowAndBegin(const std::string& customer) {
    Know(customer);
    Begin(customer, "basket", "b1", 0);
    ASSERT_TRUE(driver().Advance(std::chrono::seconds(2)).ok());
    ASSERT_EQ(Run(customer).state(), store::v1::JourneyRow::STATE_DUE);
  }
  void Consent(const std::string& customer, v1::ConsentStatus status) {
    ASSERT_TRUE(driver().Advance(std::chrono::seconds(2)).ok());
    store::v1::Record record = CommandFor(customer, "consent" + std::to_string(++requests_));
    auto& signal = *record.mutable_command()->mutable_record_consent()->mutable_signal();
    signal.set_channel(v1::CHANNEL_EMAIL);
    signal.set_purpose("marketing");
    signal.set_status(status);
    EXPECT_EQ(Ask(record).code(), 0u);
  }
  store::v1::PropensityRow Propensity(const std::string& channel, const std::string& action) {
    const auto row = ReadPropensity(driver().store(kPartition), channel, action);
    return row.ok() && row->has_value() ? **row : store::v1::PropensityRow();
  }
  void Leave(const std::string& customer, const std::string& journey, const std::string& reason) {
    store::v1::JourneySignal signal;
    signal.set_journey(journey);
    signal.set_leaves(true);
    signal.set_reason(reason);
    Give(customer, signal);
  }

  store::v1::MessageOrder Order(
      store::v1::MessageOrder::Class order_class = store::v1::MessageOrder::CLASS_DEFAULT) const {
    store::v1::MessageOrder order;
    order.set_action("basket_reminder");
    order.set_group("baskets");
    order.set_channel(v1::CHANNEL_EMAIL);
    order.set_class_(order_class);
    order.set_template_("basket");
    order.set_max_attempts(3);
    order.set_retry_micros(5 * kMinute);
    order.set_expire_micros(Now() + 24 * 60 * kMinute);
    order.add_traits("first_name");
    order.add_held_by_cases("complaint");
    return order;
  }

  // Decides for the newest run.
  void Decide(const std::string& customer, const store::v1::MessageOrder& order) {
    store::v1::Record record = DecidedFor(customer);
    *record.mutable_decided()->mutable_order() = order;
    Give(record);
  }
  store::v1::Record DecidedFor(const std::string& customer) {
    store::v1::Record record;
    auto& decided = *record.mutable_decided();
    decided.set_customer(Id(customer));
    decided.set_member(Id(customer));
    decided.set_run(Run(customer).run());
    decided.set_turn(Run(customer).turn());
    return record;
  }

  // As a dispatcher of that incarnation, for the newest message.
  store::v1::PermitResult AskPermit(const std::string& customer, uint32_t attempt,
                                    uint64_t incarnation,
                                    const store::v1::RequestPermit& details = {}) {
    store::v1::Record record = CommandFor(customer, "p" + std::to_string(++requests_));
    auto& asked = *record.mutable_command()->mutable_request_permit();
    asked = details;
    asked.set_message(Message(customer).message());
    asked.set_attempt(attempt);
    asked.set_incarnation(incarnation);
    return Ask(record).result().permit();
  }
  store::v1::AnswerRow Report(const std::string& customer, uint32_t attempt, uint64_t incarnation,
                              store::v1::ReportMessage::Result result,
                              const std::string& enhanced_code = "") {
    store::v1::Record record = CommandFor(customer, "r" + std::to_string(++requests_));
    auto& report = *record.mutable_command()->mutable_report_message();
    report.set_message(Message(customer).message());
    report.set_attempt(attempt);
    report.set_incarnation(incarnation);
    report.set_result(result);
    report.set_enhanced_code(enhanced_code);
    return Ask(record);
  }

  // The newest ones.
  store::v1::JourneyRow Run(const std::string& customer) {
    const auto row = Row(customer);
    return row->journeys_size() == 0 ? store::v1::JourneyRow()
                                     : row->journeys(row->journeys_size() - 1);
  }
  store::v1::MessageRow Message(const std::string& customer) {
    const auto row = Row(customer);
    return row->messages_size() == 0 ? store::v1::MessageRow()
                                     : row->messages(row->messages_size() - 1);
  }
  std::vector<DueRun> Due() {
    const auto page = ReadDue(driver().store(kPartition), 100);
    EXPECT_TRUE(page.ok());
    return page.ok() ? page->runs : std::vector<DueRun>();
  }
  std::vector<store::v1::OutboundMessage> Outbound() {
    std::vector<store::v1::OutboundMessage> messages;
    for (const auto& record : driver().Records({"outbound.email", 1}))
      messages.push_back(record.message());
    return messages;
  }
  std::vector<store::v1::Suppression> Suppressions() {
    std::vector<store::v1::Suppression> all;
    for (const auto& record : driver().Records({"suppression", 0}))
      all.push_back(record.suppression());
    return all;
  }
  int Count(fold::Notice::Kind kind) const {
    int count = 0;
    for (const auto& notice : notices) count += notice.kind == kind ? 1 : 0;
    return count;
  }

 private:
  int requests_ = 0;
};

}  // namespace hilo::customer
